// `heliograd run`: a plan is carried out on a command.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <functional>
#include <memory>
#include <regex>

#include "heliograd/app/command_line.h"
#include "heliograd/app/duration_text.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/left_limits.h"
#include "heliograd/app/recording.h"
#include "heliograd/app/replanning.h"
#include "heliograd/app/run_first_curve.h"
#include "heliograd/app/run_folder.h"
#include "heliograd/app/run_job.h"
#include "heliograd/app/run_line.h"
#include "heliograd/app/run_news.h"
#include "heliograd/app/run_preparation.h"
#include "heliograd/app/run_summary.h"
#include "heliograd/app/sources.h"
#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/control/limitd_client.h"
#include "heliograd/control/plan_runner.h"

namespace heliograd {
namespace {

/// The limit that is in force is set again: whoever else holds it, or a right that is missing, is known before the job
/// begins. The guard of a run that was killed may hold the limit for a moment yet: `patience`. True when limits can be
/// set.
Result<bool> TryLimits(PowerLimits& limits, std::chrono::seconds patience) {
  const Stamp give_up = SteadyClock().Now() + patience;
  while (true) {
    const Result<Power> asked = limits.Asked();
    const Result<void> set = asked ? limits.Set(*asked) : Fail(asked.error());
    if (set) return true;
    const ErrorKind kind = set.error().kind;
    if (kind == ErrorKind::kPermission || kind == ErrorKind::kDevice) return false;
    if (SteadyClock().Now() >= give_up) return Fail(set.error());
    SteadyClock().SleepUntil(SteadyClock().Now() + std::chrono::milliseconds(50));
  }
}

std::string StatusOf(const RunOutcome& outcome) {
  if (outcome.interrupted) return "interrupted";
  if (outcome.stopped_late) return "stopped_late";
  if (!outcome.exit) return "interrupted";
  if (outcome.exit->AsShell() == 128 + SIGINT) return "interrupted";
  return outcome.exit->AsShell() == 0 ? "finished" : "failed";
}

int ExitCodeOf(const RunOutcome& outcome) {
  if (outcome.interrupted || !outcome.exit) return static_cast<int>(ErrorKind::kInterrupted);
  if (outcome.stopped_late) return kExitInfeasible;
  return outcome.exit->AsShell();
}

PauseWay PauseWayOf(const std::string& name) {
  return name == "cooperative" ? PauseWay::kCooperative : name == "signal" ? PauseWay::kSignal : PauseWay::kAuto;
}

/// What a clock from the driver showed at its origin: the plan's start, or the begin of what came before it.
Stamp ClockBegins(const PreparedRun& prepared) {
  return prepared.facts.curve ? prepared.facts.curve->begin : prepared.plan.problem.horizon.start;
}

/// The machine's clock, or the driver's from the plan's start on.
Result<std::unique_ptr<RunClock>> StartClock(const PreparedRun& prepared, OpenGpu& gpu, int64_t* origin_us) {
  if (!prepared.facts.simulated_clock) return std::make_unique<SystemRunClock>();
  auto driver = DriverRunClock::Start(*gpu.stamped, ClockBegins(prepared), prepared.facts.clock_origin_us);
  if (!driver) return Fail(driver.error());
  *origin_us = (*driver)->origin_us();
  return std::unique_ptr<RunClock>(std::move(*driver));
}

std::string Joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

/// The flags' texts, read.
struct RunSettings {
  std::chrono::seconds shortest_dwell, stale_after;
  Duration checkpoint_before;
  std::optional<std::regex> progress;
};

std::chrono::seconds WholeSeconds(Duration duration) { return std::chrono::seconds(std::llround(InSeconds(duration))); }

std::chrono::milliseconds Milliseconds(double seconds) {
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

Result<RunSettings> ReadSettings(const RunFlags& flags, const RunFacts& facts) {
  RunSettings settings;
  const Result<Duration> shortest = ParseDuration(flags.shortest_dwell, "--shortest-dwell");
  if (!shortest) return Fail(shortest.error());
  const Result<Duration> checkpoint_before = ParseDuration(flags.checkpoint_before, "--checkpoint-before");
  if (!checkpoint_before) return Fail(checkpoint_before.error());
  const Result<Duration> stale_after = ParseDuration(flags.stale_after, "--stale-after");
  if (!stale_after) return Fail(stale_after.error());
  if (!facts.progress.empty()) {
    Result<std::regex> progress = ParseProgress(facts.progress);
    if (!progress) return Fail(progress.error());
    if (progress->mark_count() == 0) {
      return Fail(fmt::format("--progress {}: has no group: put the number of units done in one, as in 'step ([0-9]+)'",
                              Quoted(facts.progress)),
                  ErrorKind::kUsage);
    }
    settings.progress = std::move(*progress);
  }
  settings.shortest_dwell = WholeSeconds(*shortest);
  settings.stale_after = WholeSeconds(*stale_after);
  settings.checkpoint_before = *checkpoint_before;
  return settings;
}

RunOptions OptionsOf(const RunFlags& flags, const RunSettings& settings, const RunFacts& facts, double speed) {
  RunOptions options;
  options.shortest_dwell = settings.shortest_dwell;
  options.on_late = flags.on_late == "stop" ? OnLate::kStop : OnLate::kFinish;
  if (flags.safe_limit_w > 0) options.safe_limit = Watts(flags.safe_limit_w);
  options.units = facts.plan_units();
  options.units_before = facts.units_before();
  options.told_how = facts.progress.empty()
                         ? fmt::format("it wrote no number to the file that {} names", kProgressVariable)
                         : fmt::format("no line matched '{}'", facts.progress);
  if (!flags.checkpoint_command.empty()) options.checkpoint_before = settings.checkpoint_before;
  options.state_every = speed > 2 ? Seconds(0.2) : Seconds(5);
  options.longest_gap = speed > 2 ? Seconds(2) : Seconds(10);
  return options;
}

Result<std::unique_ptr<PowerLimits>> OpenLimits(const RunFlags& flags, const PreparedRun& prepared, OpenGpu& gpu) {
  if (Result<void> same = CheckCurveGpu(prepared.plan.labels.curve_gpu, gpu.capper->Device(), PrintMessage); !same) {
    return Fail(same.error());
  }
  const Result<std::string> lease_folder = LeaseFolder();
  if (!lease_folder) return Fail(lease_folder.error());
  auto limits = MakePowerLimits(*gpu.capper,
                                {.folder = *lease_folder,
                                 .command = "heliograd run -- " + Joined(prepared.facts.command),
                                 .guard = {"/proc/self/exe", "limits", "guard"}},
                                PrintMessage);
  if (const Result<PowerLimitRange> range = limits->Range()) {
    if (Result<void> sound = CheckLevels(prepared.plan, *range, gpu.capper->Device()); !sound) {
      return Fail(sound.error());
    }
    if (Result<void> sound = CheckSafeLimit(flags, *range, gpu.capper->Device()); !sound) return Fail(sound.error());
  }
  return limits;
}

Result<void> WriteFacts(const PreparedRun& prepared) {
  return WriteFile(prepared.folder + "/run.json", RunFactsToJson(prepared.facts));
}

/// The run's folder, made where it is new, with the plan and what is known of the run.
Result<void> OpenFolder(const RunFlags& flags, PreparedRun& prepared) {
  if (prepared.folder.empty()) {
    Result<std::string> folder = MakeRunFolder(flags.output);
    if (!folder) return Fail(folder.error());
    prepared.folder = *folder;
  }
  if (prepared.pending) return WriteFacts(prepared);
  const PlanFile& plan = prepared.plan;
  const std::string text = PlanToJson(plan.problem, plan.plan, plan.zone, plan.labels);
  if (Result<void> written = WriteFile(prepared.folder + "/plan.json", text); !written) return written;
  return WriteFacts(prepared);
}

Result<std::unique_ptr<Recording>> StartRecording(const PreparedRun& prepared, OpenGpu& gpu) {
  OpenedSources sources;
  sources.meters.push_back(std::move(gpu.recorded));
  RecordingOptions options;
  options.tell = PrintMessage;
  // Each value of a sensor that has ten a second and no more, and few writes: both take of the job's processor.
  // Simulated time is faster.
  const bool is_fast = prepared.facts.simulated_clock;
  options.sampler.period = std::chrono::milliseconds(is_fast ? 10 : 90);
  options.sampler.rest = PollRest::kNever;
  options.flush_every = std::chrono::milliseconds(is_fast ? 500 : 2000);
  options.path = NewRecording(prepared.folder);
  options.facts = {{"command", Joined(prepared.facts.command)}, {"heliograd", HELIOGRAD_VERSION}};
  return Recording::Start(std::move(sources), options);
}

/// Plans the rest from the battery's energy as it is told; a battery that is not told is as planned, and that is news
/// once.
class RestPlanner {
 public:
  RestPlanner(RunNewsReader& news, Replanning& replanning, Energy capacity, const WaitedSignalsBlocked& signals)
      : news_(news), replanning_(replanning), capacity_(capacity), signals_(signals) {}

  Result<ReplanAnswer> operator()(const ReplanRequest& request) {
    LookAtBattery();
    return replanning_(request);
  }

  void LookAtBattery() {
    const Result<std::optional<Energy>> stored = news_.Battery(capacity_, signals_);
    if (stored && *stored) replanning_.SetStored(**stored);
    if (stored) {
      told_ = false;
      return;
    }
    if (std::exchange(told_, true)) return;
    std::string reason = stored.error().Message();
    while (!reason.empty() && reason.back() == '.') reason.pop_back();
    trouble_ = reason + ": the battery is taken as planned";
  }

  /// What changed in the world, with what the battery did not tell.
  std::optional<RunNews> News(Stamp now) {
    std::optional<RunNews> news = news_.Look(now, replanning_.problem());
    if (trouble_.empty()) return news;
    const std::string trouble = std::exchange(trouble_, "");
    if (!news) return RunNews{.text = trouble};
    news->text += "; " + trouble;
    return news;
  }

 private:
  RunNewsReader& news_;
  Replanning& replanning_;
  Energy capacity_;
  const WaitedSignalsBlocked& signals_;
  bool told_ = false;
  std::string trouble_;  // not told yet
};

/// Without the right to set limits there is no curve, and without a curve no plan.
tl::unexpected<Error> NoRightToMeasure(PowerLimits& limits, const DeviceRecord& device) {
  const Result<Power> asked = limits.Asked();
  const Result<void> set = asked ? limits.Set(*asked) : Fail(asked.error());
  return Fail(
      fmt::format("no power curve of {} ({}) is stored, and to measure one in the first minutes of the job takes "
                  "the right to set power limits: {}; or give --curve FILE, with which the run goes on by "
                  "pausing and resuming alone",
                  device.name, device.uuid, set ? "they can be set now, run again" : set.error().Message()),
      set ? ErrorKind::kPermission : set.error().kind);
}

/// What is kept and said of a run that ended before it had a plan.
Result<int> FinishUnplanned(const RunFlags& flags, const PreparedRun& prepared, const EndedUnplanned& ended,
                            const RunJournal& journal, Recording& recording) {
  const std::string json = UnplannedSummaryJson(prepared, ended, journal.events());
  if (Result<void> written = WriteFile(prepared.folder + "/summary.json", json); !written) {
    PrintMessage(written.error().Message());
  }
  if (Result<void> finished = recording.Finish(); !finished) PrintMessage(finished.error().Message());
  if (ended.error) return Fail(*ended.error);
  const auto printed = Print(flags.json ? json : UnplannedSummaryText(prepared, ended));
  if (!printed) return Fail(printed.error());
  PrintMessage("kept in " + prepared.folder +
               (ended.exit_code == 0 ? "" : ". To go on: heliograd run --resume " + prepared.folder));
  return ended.exit_code;
}

Result<int> CarryOut(const RunFlags& flags, PreparedRun& prepared, OpenGpu& gpu) {
  const PlanFile& plan = prepared.plan;
  RunFacts& facts = prepared.facts;
  const Result<RunSettings> settings = ReadSettings(flags, facts);
  if (!settings) return Fail(settings.error());
  RunNewsReader news({.pv_forecast = flags.pv_forecast,
                      .price_file = flags.price_file,
                      .import_fee = EurosPerKilowattHour(flags.price_fee),
                      .battery_command = flags.battery_command,
                      .battery_file = flags.battery_file,
                      .zone = plan.zone,
                      .stale_after = settings->stale_after});
  const auto limits = OpenLimits(flags, prepared, gpu);
  if (!limits) return Fail(limits.error());
  const WaitedSignalsBlocked signals;
  const Result<bool> may_limit = TryLimits(**limits, std::chrono::seconds(flags.resume.empty() ? 0 : 10));
  if (!may_limit) return Fail(may_limit.error());
  if (prepared.pending && !*may_limit) return NoRightToMeasure(**limits, gpu.capper->Device());

  // Nothing is written before all of the above is known to be sound.
  if (Result<void> opened = OpenFolder(flags, prepared); !opened) return Fail(opened.error());
  const std::string& folder = prepared.folder;
  if (!prepared.lock) {
    Result<RunFolderLock> lock = RunFolderLock::Take(folder, true);
    if (!lock) return Fail(lock.error());
    prepared.lock.emplace(std::move(*lock));
  }
  const auto journal = RunJournal::Open(folder + "/journal.jsonl", plan, prepared.events);
  if (!journal) return Fail(journal.error());
  const auto recording = StartRecording(prepared, gpu);
  if (!recording) return Fail(recording.error());

  RunLine line(plan, isatty(STDERR_FILENO) != 0 && (flags.json || isatty(STDOUT_FILENO) == 0));
  const auto tell = [&line](std::string_view text) {
    line.Clear();
    PrintMessage(text);
  };
  RunJob job({.command = facts.command,
              .progress = settings->progress,
              .units = facts.units,
              .units_done = prepared.left_over.units_done,
              .output_to_stderr = flags.json,
              .control_file = ControlFile(folder),
              .pause = PauseWayOf(flags.pause),
              .patience = Milliseconds(flags.pause_timeout_s),
              .checkpoint_command = flags.checkpoint_command,
              .checkpoint_time = Milliseconds(flags.checkpoint_timeout_s),
              .tell = tell},
             signals);
  CatchEveryInterrupt();  // the command gets them, and books, limit and recording are put in order all the same
  MeterWatch watch(*gpu.watched);
  // As late as can be, so that the time it shows begins with the run.
  const auto clock = StartClock(prepared, gpu, &facts.clock_origin_us);
  if (!clock) return Fail(clock.error());
  if (Result<void> written = WriteFacts(prepared); !written) return Fail(written.error());
  (*journal)->on_event = [&](const RunEvent& event) {
    if (event.matters) tell(fmt::format("{}: {}", FormatLocal(event.at, plan.zone), event.text));
    if (event.kind == "job_started" && job.pid()) (*journal)->NoteJob(event.at, *job.pid());
  };
  if (prepared.pending) {
    const auto ended =
        MeasureThenPlan({flags, prepared, gpu, job, **limits, watch, **recording, **clock, **journal, signals, tell});
    if (!ended || *ended) ReleaseLimits(**limits, gpu.capper->Device().uuid);
    if (!ended) return Fail(ended.error());
    if (*ended) return FinishUnplanned(flags, prepared, **ended, **journal, **recording);
  }
  SolveOptions solve = flags.scenario.Options().solve;
  solve.time_limit = Seconds(std::min(10.0, flags.scenario.time_limit_s));
  Replanning replanning(plan.problem, plan.plan.formulation, flags.scenario.Solver(), solve);
  RestPlanner rest_planner(news, replanning, plan.problem.battery.capacity, signals);
  rest_planner.LookAtBattery();  // a wrong file is said at the start
  PlanRunner runner(plan.problem, plan.plan, OptionsOf(flags, *settings, facts, (*clock)->Speed()),
                    {.job = job,
                     .limits = **limits,
                     .gpu = watch,
                     .clock = **clock,
                     .observer = **journal,
                     .replan = std::ref(rest_planner),
                     .news = [&](Stamp now) { return rest_planner.News(now); },
                     .is_interrupted = [&] { return Interrupted() || job.ended_before_start().has_value(); }});
  const std::string summary_path = folder + "/summary.json";
  const auto summary_of = [&](const std::string& status, std::optional<int> code, const RunOutcome& outcome) {
    return RunSummary{plan, replanning.problem(), facts, outcome, (*journal)->events(), status, code};
  };
  (*journal)->on_state = [&](const RunState& state) { line.Draw(state); };
  (*journal)->on_slot_end = [&] {
    // While the disk is full the journal says so; the summary is written again at the next slot.
    static_cast<void>(WriteFile(summary_path, RunSummaryJson(summary_of("running", std::nullopt, runner.so_far()))));
  };
  if (!*may_limit) {
    tell(
        "power limits are out of reach (they take root, or heliograd-limitd): the run goes on by pausing and resuming "
        "alone");
  }
  const int64_t begin_ns = (*recording)->NowNs();
  const Result<RunOutcome> outcome = runner.Run(prepared.left_over);
  line.Clear();
  ReleaseLimits(**limits, gpu.capper->Device().uuid);
  if (!outcome) return Fail(outcome.error());
  (*recording)->AddWindow({"run", begin_ns, (*recording)->NowNs(), 0, 0});
  const int code = ExitCodeOf(*outcome);
  const RunSummary summary = summary_of(StatusOf(*outcome), code, *outcome);
  const std::string json = RunSummaryJson(summary);
  if (Result<void> written = WriteFile(summary_path, json); !written) PrintMessage(written.error().Message());
  // Last, because it waits for the sensors' next values: a kill from now on loses nothing of the books.
  if (Result<void> finished = (*recording)->Finish(); !finished) PrintMessage(finished.error().Message());
  if (Result<void> printed = Print(flags.json ? json : RunSummaryText(summary)); !printed) return Fail(printed.error());
  PrintMessage("kept in " + folder + (code == 0 ? "" : ". To go on: heliograd run --resume " + folder));
  return code;
}

/// The exit code of a command that is not there, told before anything is written: a plan may start it hours later.
std::optional<int> FaultOf(const RunFlags& flags, const std::vector<std::string>& command) {
  if (flags.dry_run || command.empty()) return std::nullopt;
  const std::optional<CommandFault> fault = FaultOfCommand(command.front());
  if (!fault) return std::nullopt;
  PrintMessage(fault->sentence);
  return fault->exit_code;
}

/// The plan as `plan --json` prints it; before a curve is known, what measures it.
Result<int> PrintDryRunJson(const RunFlags& flags, const PreparedRun& prepared) {
  const PlanFile& plan = prepared.plan;
  const std::string text = prepared.pending ? FirstCurveJson(*prepared.pending, Seconds(flags.curve_seconds))
                                            : PlanToJson(plan.problem, plan.plan, plan.zone, plan.labels);
  if (const auto printed = Print(text); !printed) return Fail(printed.error());
  return plan.plan.status == PlanStatus::kInfeasible ? kExitInfeasible : kExitOk;
}

Result<int> RunPlanCommand(const RunFlags& flags) {
  KeepUserSignals();
  if (Result<void> sound = CheckRunFlags(flags); !sound) return Fail(sound.error());
  if (const auto fault = FaultOf(flags, flags.command)) return *fault;
  Result<PreparedRun> prepared = flags.resume.empty() ? PrepareNewRun(flags) : PrepareResumedRun(flags);
  if (!prepared) return Fail(prepared.error());
  if (const auto fault = FaultOf(flags, prepared->facts.command)) return *fault;
  const bool simulated = prepared->facts.simulated_clock;
  if (flags.dry_run && flags.json) return PrintDryRunJson(flags, *prepared);
  const auto is_off = CheckPlanIsOn(
      prepared->plan, simulated || flags.dry_run ? prepared->plan.problem.horizon.start : SystemClock().Now());
  if (!is_off) return Fail(is_off.error());
  if (*is_off) return **is_off;
  if (flags.dry_run && prepared->pending) {
    const auto printed = Print(FirstCurveText(*prepared->pending, Seconds(flags.curve_seconds)));
    if (!printed) return Fail(printed.error());
    return kExitOk;
  }
  if (flags.dry_run) {
    const Result<Duration> shortest = ParseDuration(flags.shortest_dwell, "--shortest-dwell");
    if (!shortest) return Fail(shortest.error());
    const auto printed = Print(ScheduleText(prepared->plan, WholeSeconds(*shortest)));
    if (!printed) return Fail(printed.error());
    return kExitOk;
  }
  Result<OpenGpu> gpu = OpenOneGpu(flags.gpu, prepared->pending.has_value());
  if (!gpu) return Fail(gpu.error());
  const DeviceRecord device = gpu->capper->Device();
  if (!prepared->facts.gpu_uuid.empty() && prepared->facts.gpu_uuid != device.uuid) {
    return Fail(fmt::format("{}: this run was begun on {} ({}), --gpu {} is {} ({})", prepared->folder,
                            prepared->facts.gpu_name, prepared->facts.gpu_uuid, flags.gpu, device.name, device.uuid),
                ErrorKind::kUsage);
  }
  if (!flags.resume.empty()) EndLeftOf(prepared->folder);
  prepared->facts.gpu_uuid = device.uuid;
  prepared->facts.gpu_name = device.name;
  prepared->facts.process = getpid();
  return CarryOut(flags, *prepared, *gpu);
}

}  // namespace

void AddRunCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(
      program, "run", "Carries a plan out: limits, pauses and resumes a job, and keeps its deadline",
      {"heliograd run plan.json -o run1 --progress 'step ([0-9]+)' --steps 469000 -- python train.py",
       "heliograd run --deadline \"tomorrow 08:00\" --progress 'step ([0-9]+)' --steps 469000 -- python train.py",
       "heliograd run my.toml --deadline \"2026-06-02 08:00\" -- ./train.sh", "heliograd run --resume run1",
       "heliograd run plan.json --dry-run"});
  auto flags = std::make_shared<RunFlags>();
  flags->scenario.AddTo(*app);
  app->get_option("SCENARIO")
      ->required(false)
      ->description(
          "a plan (heliograd plan -o plan.json), or builtin:paper or a scenario file, which is planned first; your own "
          "scenario (heliograd init) when left out");
  app->add_option("command", flags->command, "the job and its arguments, after --");
  app->add_option("-o,--output", flags->output, "the run's new folder: plan, journal, power, summary (docs/run.md)");
  app->add_option("--resume", flags->resume, "goes on with the run in this folder, with the work that is left");
  app->add_option("--progress", flags->progress,
                  "regular expression of lines that tell progress; its first group is the units done in all");
  app->add_option("--steps", flags->steps,
                  "units that the job does in all. Without --progress it tells them through HELIOGRAD_PROGRESS_FD; "
                  "without both its work is reckoned by time")
      ->check(CLI::Range(1.0, 1e15));
  app->add_option("--curve-seconds", flags->curve_seconds,
                  "where no curve of the GPU is stored and none is given: run time at each of about six limits, in the "
                  "first minutes of the job, that measures one; takes --steps and the right to set limits")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 3600.0));
  app->add_option("--gpu", flags->gpu, "the GPU, by number or start of UUID")->capture_default_str();
  app->add_option(
         "--pause", flags->pause,
         "cooperative: between two steps, by a file that the job looks at; signal: SIGSTOP to its whole group; "
         "auto: the first where the job looks, else the second")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "cooperative", "signal"}));
  app->add_option(
         "--pause-timeout-s", flags->pause_timeout_s,
         "real time that a job which looks at the file has to pause at a step: then auto stops it by a signal, "
         "and cooperative says that it does not answer")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 86'400.0));
  app->add_option("--checkpoint-cmd", flags->checkpoint_command,
                  "shell command before long pauses and before a late job is ended; HELIOGRAD_JOB_PID is the job");
  app->add_option("--checkpoint-timeout-s", flags->checkpoint_timeout_s,
                  "real time that it has, in which the job runs on: then it is killed and the pause goes on without it")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 86'400.0));
  app->add_option("--checkpoint-before", flags->checkpoint_before, "pauses so long are preceded by it")
      ->capture_default_str();
  app->add_option("--shortest-dwell", flags->shortest_dwell, "no level is held for less")->capture_default_str();
  app->add_option("--on-late", flags->on_late, "at the deadline: finish at full power, or stop (exit code 3)")
      ->capture_default_str()
      ->check(CLI::IsMember({"finish", "stop"}));
  app->add_option("--safe-limit-w", flags->safe_limit_w,
                  "power limit while planning fails and the plan does not suffice")
      ->check(CLI::Range(1.0, 10'000.0));
  app->add_option("--pv-forecast", flags->pv_forecast,
                  "CSV start,pv_w, read again whenever it is written anew: the rest is then planned anew");
  app->add_option("--price-file", flags->price_file, "import prices, likewise; layouts as tariff.import takes them");
  app->add_option("--price-fee-eur-per-kwh", flags->price_fee, "on top of the prices of --price-file")
      ->check(CLI::Range(-10.0, 10.0));
  app->add_option("--stale-after", flags->stale_after, "files that were not written for so long are flagged")
      ->capture_default_str();
  auto* battery = app->add_option("--battery-cmd", flags->battery_command,
                                  "shell command that prints the battery's energy: \"1234 Wh\", \"45 %\"");
  app->add_option("--battery-file", flags->battery_file, "file that holds the same")->excludes(battery);
  app->add_flag("--simulated-clock", flags->simulated_clock,
                "the time is the GPU driver's: it begins at the plan's start, and a simulated GPU lets it pass faster");
  app->add_flag("--dry-run", flags->dry_run, "prints what would be done when, and does nothing");
  app->add_flag("--json", flags->json, "the summary as JSON on standard output; the job's own goes to standard error");
  commands.push_back({app, [app, flags] {
                        for (const CLI::Option* option : app->get_options()) {
                          if (option->count() > 0) flags->given.push_back(option->get_name());
                        }
                        return RunPlanCommand(*flags);
                      }});
}

}  // namespace heliograd
