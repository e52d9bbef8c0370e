// `heliograd run`: a plan is carried out on a command.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>

#include "heliograd/app/command_line.h"
#include "heliograd/app/curve_store.h"
#include "heliograd/app/duration_text.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/recording.h"
#include "heliograd/app/replanning.h"
#include "heliograd/app/run_folder.h"
#include "heliograd/app/run_job.h"
#include "heliograd/app/run_news.h"
#include "heliograd/app/run_summary.h"
#include "heliograd/app/sources.h"
#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/control/dwell_schedule.h"
#include "heliograd/control/limitd_client.h"
#include "heliograd/control/plan_runner.h"
#include "heliograd/meter/nvml_meter.h"
#include "heliograd/plan/plan_json.h"
#include "heliograd/report/number_text.h"

namespace heliograd {
namespace {

struct RunFlags {
  ScenarioFlags scenario;
  std::vector<std::string> command;
  std::string output, resume, gpu = "0", progress, checkpoint_command, pause = "auto", on_late = "finish";
  std::string shortest_dwell = "60s", checkpoint_before = "10min";
  std::string pv_forecast, price_file, battery_command, battery_file, stale_after = "24h";
  double steps = 0, safe_limit_w = 0, price_fee = 0;
  bool json = false, dry_run = false, simulated_clock = false;
};

std::string Joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

/// The curve of the GPU that will run, where the scenario has none.
Result<void> TakeCurve(const RunFlags& flags, Scenario& scenario) {
  std::optional<std::string> uuid;
  if (!scenario.Has("gpu.curve")) {
    const Result<SelectedGpus> gpus = SelectGpus(flags.gpu);
    if (!gpus) return Fail(gpus.error());
    if (gpus->devices.size() != 1) return Fail("--gpu: a plan is for one GPU", ErrorKind::kUsage);
    const auto capper = OpenNvmlCapper(gpus->library, gpus->devices.front());
    if (!capper) return Fail(capper.error());
    uuid = (*capper)->Device().uuid;
  }
  const Result<std::string> curve = TakeStoredCurve(scenario, uuid, flags.steps);
  if (!curve) return Fail(curve.error());
  if (!curve->empty()) PrintMessage(*curve);
  return {};
}

/// A file that begins with a brace is a plan; everything else is read as a scenario and planned first.
Result<PlanFile> PlanOfSource(const RunFlags& flags) {
  const std::string& source = flags.scenario.source;
  if (source.rfind("builtin:", 0) != 0 && !flags.scenario.IsUsers()) {
    const Result<std::string> content = ReadFile(source);
    if (!content) return Fail(content.error());
    const std::string_view text = Trim(*content);
    if (!text.empty() && text.front() == '{') return PlanFromJson(*content, source);
  }
  auto scenario = flags.scenario.Load();
  if (!scenario) return Fail(scenario.error());
  if (Result<void> taken = TakeCurve(flags, *scenario); !taken) return Fail(taken.error());
  InputCache cache;
  const auto inputs = ReadInputs(*scenario, flags.scenario.slot_minutes, cache);
  if (!inputs) return Fail(inputs.error());
  auto job = PlanJob(*inputs, flags.scenario.Options(), *flags.scenario.Solver());
  if (!job) return Fail(job.error());
  return PlanFile{std::move(job->problem), std::move(job->plan), inputs->zone, inputs->labels};
}

/// The limits of the plan must be ones that this GPU takes: a plan for another GPU is found here.
Result<void> CheckLevels(const PlanFile& plan, const PowerLimitRange& range, const DeviceRecord& device) {
  for (const Level& level : plan.problem.gpu.levels) {
    if (level.limit >= range.lowest - Watts(0.5) && level.limit <= range.highest + Watts(0.5)) continue;
    return Fail(
        fmt::format("the plan has a power limit of {:.0f} W, {} ({}) takes {:.0f} to {:.0f} W: plan with a curve "
                    "of this GPU, or with gpu.min_limit_w and gpu.max_limit_w",
                    InWatts(level.limit), device.name, device.uuid, InWatts(range.lowest), InWatts(range.highest)),
        ErrorKind::kUsage);
  }
  return {};
}

std::string LevelText(const DispatchProblem& problem, const std::optional<size_t>& level) {
  return level ? fmt::format("{:.0f} W", InWatts(problem.gpu.levels[*level].limit)) : "off";
}

/// What would be done when.
std::string ScheduleText(const PlanFile& plan, std::chrono::seconds shortest) {
  std::vector<SlotDecision> decisions;
  for (const PlanSlot& slot : plan.plan.slots) decisions.push_back(slot.decision);
  const DwellSchedule schedule = MakeDwells(plan.problem, decisions, std::nullopt, shortest);
  std::string text;
  std::optional<size_t> before;
  bool is_first = true;
  for (const Dwell& dwell : schedule.dwells) {
    if (!is_first && dwell.level == before) continue;
    text += fmt::format("{}  {}\n", FormatLocal(dwell.begin, plan.zone), LevelText(plan.problem, dwell.level));
    before = dwell.level;
    is_first = false;
  }
  return text + fmt::format("{}  the deadline\n", FormatLocal(plan.problem.horizon.end(), plan.zone));
}

/// A new folder; one that holds something is not written into.
Result<std::string> MakeFolder(const std::string& asked) {
  std::string folder = asked;
  if (folder.empty()) {
    std::string stamp = FormatStamp(SystemClock().Now());
    std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
    folder = "heliograd-run-" + stamp;
    for (int number = 2; std::filesystem::exists(folder); ++number) {
      folder = fmt::format("heliograd-run-{}-{}", stamp, number);
    }
  }
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return Fail(folder + ": cannot be made: " + failed.message(), ErrorKind::kUsage);
  if (!std::filesystem::is_empty(folder, failed) || failed) {
    return Fail(folder + ": is not empty: give a new folder (-o), or go on with the run in it (--resume)",
                ErrorKind::kUsage);
  }
  return folder;
}

/// The state of the run in one line of a terminal.
class RunLine {
 public:
  RunLine(const PlanFile& plan, bool shown) : plan_(plan), shown_(shown) {}
  ~RunLine() { Clear(); }

  void Clear() {
    if (std::exchange(drawn_, false)) Write("\r\x1b[K");
  }
  void Draw(const RunState& state) {
    if (!shown_) return;
    const DispatchProblem& problem = plan_.problem;
    std::string text = fmt::format("slot {}/{}  {}", std::min(state.slot + 1, problem.horizon.slots),
                                   problem.horizon.slots, LevelText(problem, state.level));
    if (state.full_power) text += " (full power)";
    if (state.power) text += fmt::format("  {:.0f} W now", InWatts(*state.power));
    text += fmt::format("  {:.1f} % done, plan {:.1f} %", 100 * state.work_done / problem.work,
                        100 * state.work_planned / problem.work);
    text += fmt::format("  {} {}", ClockText(plan_.zone.ToCivil(state.next_change)),
                        state.next_change >= problem.horizon.end() ? "deadline" : LevelText(problem, state.next_level));
    Write("\r\x1b[K" + text.substr(0, 200));
    drawn_ = true;
  }

 private:
  static void Write(const std::string& text) { static_cast<void>(!write(STDERR_FILENO, text.data(), text.size())); }

  const PlanFile& plan_;
  bool shown_;
  bool drawn_ = false;
};

/// "power.helio", then "power-2.helio" and so on with each part of the run.
std::string NewRecording(const std::string& folder) {
  std::string path = folder + "/power.helio";
  for (int part = 2; std::filesystem::exists(path); ++part) path = fmt::format("{}/power-{}.helio", folder, part);
  return path;
}

/// What a run goes on from.
struct Prepared {
  PlanFile plan;
  RunFacts facts;
  std::string folder;
  RunLeftOver left_over;
  std::vector<RunEvent> events;  // so far
};

std::string ControlFile(const std::string& folder) { return std::filesystem::absolute(folder + "/control").string(); }

Result<Prepared> PrepareResume(const RunFlags& flags) {
  const std::string& folder = flags.resume;
  const auto read = [&folder](const char* file) { return ReadFile(folder + "/" + file); };
  const Result<std::string> plan_text = read("plan.json"), facts_text = read("run.json"),
                            journal_text = read("journal.jsonl");
  for (const auto* each : {&plan_text, &facts_text, &journal_text}) {
    if (!*each)
      return Fail(each->error().Message() + " Is this the folder of a run that has begun?", ErrorKind::kUsage);
  }
  Result<PlanFile> plan = PlanFromJson(*plan_text, folder + "/plan.json");
  if (!plan) return Fail(plan.error());
  Result<RunFacts> facts = RunFactsFromJson(*facts_text, folder + "/run.json");
  if (!facts) return Fail(facts.error());
  Result<ReadJournal> journal = ParseJournal(*journal_text, folder + "/journal.jsonl", plan->problem.horizon.slots,
                                             plan->problem.gpu.levels.size());
  if (!journal) return Fail(journal.error());
  if (journal->has_ended && journal->left_over.work_done >= plan->problem.work * (1 - 1e-9)) {
    return Fail(folder + ": this run is finished (" + journal->end + "): there is nothing to go on with",
                ErrorKind::kUsage);
  }
  if (const int left = EndLeftProcesses(ControlFile(folder)); left > 0) {
    PrintMessage(fmt::format("{} process{} of the run before still ran and {} ended first", left, left == 1 ? "" : "es",
                             left == 1 ? "was" : "were"));
  }
  if (!flags.command.empty()) facts->command = flags.command;
  return Prepared{std::move(*plan), std::move(*facts), folder, std::move(journal->left_over),
                  std::move(journal->events)};
}

Result<Prepared> PrepareNew(const RunFlags& flags) {
  Result<PlanFile> plan = PlanOfSource(flags);
  if (!plan) return Fail(plan.error());
  Prepared prepared{std::move(*plan), {}, "", {}, {}};
  prepared.facts.command = flags.command;
  prepared.facts.progress = flags.progress;
  prepared.facts.units = flags.steps;
  prepared.facts.simulated_clock = flags.simulated_clock;
  prepared.facts.boot = BootId();
  return prepared;
}

Result<void> CheckFlags(const RunFlags& flags) {
  const auto usage = [](const std::string& sentence) { return Fail(sentence, ErrorKind::kUsage); };
  if (!flags.resume.empty() && !flags.output.empty()) return usage("--resume goes on in its own folder: leave out -o");
  if (flags.command.empty() && flags.resume.empty() && !flags.dry_run) {
    return usage("no command given: write it after --, as in `heliograd run plan.json -- python train.py`");
  }
  if (!flags.progress.empty() && flags.steps == 0 && flags.resume.empty()) {
    return usage("--progress needs --steps: how many units the job does in all");
  }
  return {};
}

/// Plans that are over, and plans that cannot be.
Result<std::optional<int>> CheckPlanIsOn(const PlanFile& plan, Stamp now) {
  if (plan.plan.status == PlanStatus::kInfeasible) {
    PrintMessage("the plan is infeasible: " + plan.plan.infeasible_reason);
    return std::optional(kExitInfeasible);
  }
  if (now >= plan.problem.horizon.end()) {
    return Fail(
        fmt::format("the plan ended at {}, now it is {}: plan anew with a later --start and --deadline (or take the "
                    "time from a simulated GPU with --simulated-clock)",
                    FormatLocal(plan.problem.horizon.end(), plan.zone), FormatLocal(now, plan.zone)),
        ErrorKind::kUsage);
  }
  return std::optional<int>();
}

struct OpenGpu {
  std::unique_ptr<PowerCapper> capper;
  std::unique_ptr<PowerMeter> watched, stamped;
  std::unique_ptr<PowerMeter> recorded;
};

Result<OpenGpu> OpenOneGpu(const std::string& name) {
  const Result<SelectedGpus> gpus = SelectGpus(name);
  if (!gpus) return Fail(gpus.error());
  if (gpus->devices.size() != 1) return Fail("--gpu: a plan is for one GPU", ErrorKind::kUsage);
  const nvml::Device device = gpus->devices.front();
  OpenGpu gpu;
  auto capper = OpenNvmlCapper(gpus->library, device);
  if (!capper) return Fail(capper.error());
  gpu.capper = std::move(*capper);
  for (auto* meter : {&gpu.watched, &gpu.stamped, &gpu.recorded}) {
    auto opened = OpenNvmlMeter(gpus->library, device);
    if (!opened) return Fail(opened.error());
    *meter = std::move(*opened);
  }
  return gpu;
}

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

void ReleaseLimits(PowerLimits& limits, const std::string& uuid) {
  const Result<Restored> restored = limits.Release();
  if (!restored) {
    PrintMessage(
        restored.error().Message() +
        ": the limit from before is not back yet; its guard tries on, and `heliograd limits restore` mends it");
  } else if (*restored == Restored::kChangedByOther) {
    PrintMessage(uuid +
                 ": someone else set its power limit meanwhile, or the driver was loaded anew; it is left as it is");
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

/// The machine's clock, or the driver's from the plan's start on.
Result<std::unique_ptr<RunClock>> StartClock(const Prepared& prepared, OpenGpu& gpu, int64_t* origin_us) {
  if (!prepared.facts.simulated_clock) return std::make_unique<SystemRunClock>();
  auto driver =
      DriverRunClock::Start(*gpu.stamped, prepared.plan.problem.horizon.start, prepared.facts.clock_origin_us);
  if (!driver) return Fail(driver.error());
  *origin_us = (*driver)->origin_us();
  return std::unique_ptr<RunClock>(std::move(*driver));
}

Result<int> CarryOut(const RunFlags& flags, Prepared& prepared, OpenGpu& gpu) {
  const PlanFile& plan = prepared.plan;
  RunFacts& facts = prepared.facts;
  const DeviceRecord device = gpu.capper->Device();
  const Result<Duration> shortest = ParseDuration(flags.shortest_dwell, "--shortest-dwell");
  if (!shortest) return Fail(shortest.error());
  const Result<Duration> checkpoint_before = ParseDuration(flags.checkpoint_before, "--checkpoint-before");
  if (!checkpoint_before) return Fail(checkpoint_before.error());
  std::optional<std::regex> expression;
  if (!facts.progress.empty()) {
    Result<std::regex> parsed = ParseProgress(facts.progress);
    if (!parsed) return Fail(parsed.error());
    expression = std::move(*parsed);
  }
  const Result<Duration> stale_after = ParseDuration(flags.stale_after, "--stale-after");
  if (!stale_after) return Fail(stale_after.error());
  RunNewsReader news({.pv_forecast = flags.pv_forecast,
                      .price_file = flags.price_file,
                      .import_fee = EurosPerKilowattHour(flags.price_fee),
                      .battery_command = flags.battery_command,
                      .battery_file = flags.battery_file,
                      .zone = plan.zone,
                      .stale_after = std::chrono::seconds(std::llround(InSeconds(*stale_after)))});
  const Result<std::string> lease_folder = LeaseFolder();
  if (!lease_folder) return Fail(lease_folder.error());
  const std::unique_ptr<PowerLimits> limits =
      MakePowerLimits(*gpu.capper,
                      {.folder = *lease_folder,
                       .command = "heliograd run -- " + Joined(facts.command),
                       .guard = {"/proc/self/exe", "limits", "guard"}},
                      PrintMessage);
  if (const Result<PowerLimitRange> range = limits->Range()) {
    if (Result<void> sound = CheckLevels(plan, *range, device); !sound) return Fail(sound.error());
  }
  const WaitedSignalsBlocked signals;
  const Result<bool> may_limit = TryLimits(*limits, std::chrono::seconds(flags.resume.empty() ? 0 : 10));
  if (!may_limit) return Fail(may_limit.error());

  // Nothing is written before all of the above is known to be sound.
  if (prepared.folder.empty()) {
    Result<std::string> folder = MakeFolder(flags.output);
    if (!folder) return Fail(folder.error());
    prepared.folder = *folder;
  }
  const std::string& folder = prepared.folder;
  for (const auto& [file, text] : {std::pair{"plan.json", PlanToJson(plan.problem, plan.plan, plan.zone, plan.labels)},
                                   {"run.json", RunFactsToJson(facts)}}) {
    if (Result<void> written = WriteFile(folder + "/" + file, text); !written) return Fail(written.error());
  }
  const Result<std::unique_ptr<RunJournal>> journal =
      RunJournal::Open(folder + "/journal.jsonl", plan, prepared.events);
  if (!journal) return Fail(journal.error());

  OpenedSources sources;
  sources.meters.push_back(std::move(gpu.recorded));
  RecordingOptions recording_options;
  recording_options.tell = PrintMessage;
  recording_options.sampler.period = std::chrono::milliseconds(10);
  recording_options.path = NewRecording(folder);
  recording_options.facts = {{"command", Joined(facts.command)}, {"heliograd", HELIOGRAD_VERSION}};
  const auto recording = Recording::Start(std::move(sources), recording_options);
  if (!recording) return Fail(recording.error());

  RunLine line(plan, isatty(STDERR_FILENO) != 0 && (flags.json || isatty(STDOUT_FILENO) == 0));
  const auto tell = [&line](std::string_view text) {
    line.Clear();
    PrintMessage(text);
  };
  RunJob job({.command = facts.command,
              .progress = expression,
              .units = facts.units,
              .units_done = prepared.left_over.units_done,
              .output_to_stderr = flags.json,
              .control_file = ControlFile(folder),
              .pause = PauseWayOf(flags.pause),
              .checkpoint_command = flags.checkpoint_command,
              .tell = tell},
             signals);
  CatchInterrupts();
  MeterWatch watch(*gpu.watched);
  SolveOptions solve = flags.scenario.Options().solve;
  solve.time_limit = Seconds(std::min(10.0, flags.scenario.time_limit_s));
  Replanning replanning(plan.problem, plan.plan.formulation, flags.scenario.Solver(), solve);
  RunOptions options;
  options.shortest_dwell = std::chrono::seconds(std::llround(InSeconds(*shortest)));
  options.on_late = flags.on_late == "stop" ? OnLate::kStop : OnLate::kFinish;
  if (flags.safe_limit_w > 0) options.safe_limit = Watts(flags.safe_limit_w);
  options.units = facts.units;
  if (!flags.checkpoint_command.empty()) options.checkpoint_before = *checkpoint_before;
  // As late as can be, so that the time it shows begins with the run.
  const Result<std::unique_ptr<RunClock>> clock = StartClock(prepared, gpu, &facts.clock_origin_us);
  if (!clock) return Fail(clock.error());
  if (Result<void> written = WriteFile(folder + "/run.json", RunFactsToJson(facts)); !written) {
    return Fail(written.error());
  }
  options.state_every = (*clock)->Speed() > 2 ? Seconds(0.2) : Seconds(5);
  bool battery_told = false;
  const auto replan = [&](const ReplanRequest& request) {
    const Result<std::optional<Energy>> stored = news.Battery(plan.problem.battery.capacity, signals);
    if (stored && *stored) replanning.SetStored(**stored);
    if (!stored && !std::exchange(battery_told, true)) {
      tell(stored.error().Message() + ": the battery is taken as planned");
    }
    if (stored) battery_told = false;
    return replanning(request);
  };
  PlanRunner runner(plan.problem, plan.plan, options,
                    {.job = job,
                     .limits = *limits,
                     .gpu = watch,
                     .clock = **clock,
                     .observer = **journal,
                     .replan = replan,
                     .news = [&](Stamp now) { return news.Look(now, replanning.problem()); },
                     .is_interrupted = [&] { return Interrupted() || job.ended_before_start().has_value(); }});
  const std::string summary_path = folder + "/summary.json";
  const auto summary_of = [&](const std::string& status, std::optional<int> code, const RunOutcome& outcome) {
    return RunSummary{plan, replanning.problem(), facts, outcome, (*journal)->events(), status, code};
  };
  (*journal)->on_event = [&](const RunEvent& event) {
    if (event.matters) tell(fmt::format("{}: {}", FormatLocal(event.at, plan.zone), event.text));
    if (event.kind == "job_started" && job.pid()) (*journal)->NoteJob(event.at, *job.pid());
  };
  (*journal)->on_state = [&](const RunState& state) { line.Draw(state); };
  (*journal)->on_slot_end = [&] {
    // While the disk is full the journal says so; the summary is written again at the next slot.
    static_cast<void>(WriteFile(summary_path, RunSummaryJson(summary_of("running", std::nullopt, runner.so_far()))));
  };
  if (!*may_limit) {
    tell("power limits are out of reach (they take root, or heliograd-limitd): the run goes on by pausing and resuming alone");
  }
  const int64_t begin_ns = (*recording)->NowNs();
  const Result<RunOutcome> outcome = runner.Run(prepared.left_over);
  line.Clear();
  ReleaseLimits(*limits, device.uuid);
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

Result<int> RunPlanCommand(RunFlags flags) {
  // With --resume there is no plan to name: the first word after -- is the command's.
  if (!flags.resume.empty() && flags.scenario.source == kUserScenario) flags.scenario.source.clear();
  if (!flags.resume.empty() && !flags.scenario.source.empty()) {
    flags.command.insert(flags.command.begin(), flags.scenario.source);
    flags.scenario.source.clear();
  }
  if (Result<void> sound = CheckFlags(flags); !sound) return Fail(sound.error());
  Result<Prepared> prepared = flags.resume.empty() ? PrepareNew(flags) : PrepareResume(flags);
  if (!prepared) return Fail(prepared.error());
  const bool simulated = prepared->facts.simulated_clock;
  const auto is_off = CheckPlanIsOn(
      prepared->plan, simulated || flags.dry_run ? prepared->plan.problem.horizon.start : SystemClock().Now());
  if (!is_off) return Fail(is_off.error());
  if (*is_off) return **is_off;
  if (flags.dry_run) {
    const Result<Duration> shortest = ParseDuration(flags.shortest_dwell, "--shortest-dwell");
    if (!shortest) return Fail(shortest.error());
    const auto printed = Print(ScheduleText(prepared->plan, std::chrono::seconds(std::llround(InSeconds(*shortest)))));
    if (!printed) return Fail(printed.error());
    return kExitOk;
  }
  Result<OpenGpu> gpu = OpenOneGpu(flags.gpu);
  if (!gpu) return Fail(gpu.error());
  const DeviceRecord device = gpu->capper->Device();
  if (!prepared->facts.gpu_uuid.empty() && prepared->facts.gpu_uuid != device.uuid) {
    return Fail(fmt::format("{}: this run was begun on {} ({}), --gpu {} is {} ({})", prepared->folder,
                            prepared->facts.gpu_name, prepared->facts.gpu_uuid, flags.gpu, device.name, device.uuid),
                ErrorKind::kUsage);
  }
  prepared->facts.gpu_uuid = device.uuid;
  prepared->facts.gpu_name = device.name;
  return CarryOut(flags, *prepared, *gpu);
}

}  // namespace

void AddRunCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(
      program, "run", "Carries a plan out: limits, pauses and resumes a job, and keeps its deadline",
      {"heliograd run plan.json -o run1 --progress 'step ([0-9]+)' --steps 469000 -- python train.py",
       "heliograd run --deadline \"tomorrow 08:00\" -- python train.py      (your own scenario and stored curve)",
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
  app->add_option("--gpu", flags->gpu, "the GPU, by number or start of UUID")->capture_default_str();
  app->add_option(
         "--pause", flags->pause,
         "cooperative: between two steps, by a file that the job looks at; signal: SIGSTOP to its whole group; "
         "auto: the first where the job looks, else the second")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "cooperative", "signal"}));
  app->add_option("--checkpoint-cmd", flags->checkpoint_command,
                  "shell command before long pauses and before a late job is ended; HELIOGRAD_JOB_PID is the job");
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
  commands.push_back({app, [flags] { return RunPlanCommand(*flags); }});
}

}  // namespace heliograd
