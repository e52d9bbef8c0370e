#include "heliograd/app/run_preparation.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "heliograd/app/curve_file.h"
#include "heliograd/app/curve_store.h"
#include "heliograd/app/run_job.h"
#include "heliograd/app/slot_length.h"
#include "heliograd/app/sources.h"
#include "heliograd/base/clock.h"
#include "heliograd/base/file.h"
#include "heliograd/base/path.h"
#include "heliograd/base/text.h"
#include "heliograd/control/dwell_schedule.h"
#include "heliograd/meter/clock_reasons.h"
#include "heliograd/meter/nvml_meter.h"
#include "heliograd/report/number_text.h"

namespace heliograd {
namespace {

std::error_code ErrorOf(int code) { return {code, std::generic_category()}; }

struct DeviceAndRange {
  DeviceRecord device;
  PowerLimitRange range;
};

Result<DeviceAndRange> DeviceOf(const RunFlags& flags) {
  const Result<SelectedGpus> gpus = SelectGpus(flags.gpu);
  if (!gpus) return Fail(gpus.error());
  if (gpus->devices.size() != 1) return Fail("--gpu: a plan is for one GPU", ErrorKind::kUsage);
  const auto capper = OpenNvmlCapper(gpus->library, gpus->devices.front());
  if (!capper) return Fail(capper.error());
  const Result<PowerLimitRange> range = (*capper)->Range();
  return DeviceAndRange{(*capper)->Device(), range.value_or(PowerLimitRange{})};
}

/// Flags of a scenario say nothing to a plan, which is made, or to a run that has begun.
Result<void> CheckFlagsOfScenario(const RunFlags& flags, const std::string& of, const std::string& advice,
                                  std::vector<std::string> more = {}) {
  std::vector<std::string> names = {"--set",   "--pv-series", "--start",        "--curve",
                                    "--hours", "--deadline",  "--slot-minutes", "--formulation"};
  names.insert(names.end(), more.begin(), more.end());
  std::vector<std::string> wrong;
  for (const std::string& name : flags.given) {
    if (std::find(names.begin(), names.end(), name) != names.end()) wrong.push_back(name);
  }
  if (wrong.empty()) return {};
  return Fail(fmt::format("{}; {} belong{} to {}", of, fmt::join(wrong, " and "), wrong.size() == 1 ? "s" : "", advice),
              ErrorKind::kUsage);
}

/// The new folder's own folder must be there: one that is not is a mistyped name.
Result<void> CheckParent(const RunFlags& flags) {
  if (flags.output.empty() || flags.dry_run) return {};
  std::filesystem::path folder = flags.output;
  if (!folder.has_filename()) folder = folder.parent_path();  // "run/"
  std::error_code failed;
  if (std::filesystem::is_directory(folder, failed)) return {};
  const std::filesystem::path parent = folder.has_parent_path() ? folder.parent_path() : ".";
  if (access(parent.c_str(), W_OK | X_OK) == 0) return {};
  const bool is_refused = errno == EACCES || errno == EROFS;
  return Fail(fmt::format("{}: the folder that it goes into {}: give another name (-o), or make {} first", flags.output,
                          is_refused ? "may not be written to" : "does not exist", parent.string()),
              is_refused ? ErrorKind::kPermission : ErrorKind::kUsage);
}

/// A file of news that is not there when a run begins is a mistyped name; one that goes away later, or while the run
/// stood still, keeps its last good values. A pipe is never one: whoever looked at it again would wait for its writer.
Result<void> CheckNewsFiles(const RunFlags& flags) {
  for (const auto& [flag, path] : {std::pair{"--pv-forecast", flags.pv_forecast}, {"--price-file", flags.price_file}}) {
    if (path.empty()) continue;
    std::error_code failed;
    const std::filesystem::file_status found = std::filesystem::status(path, failed);
    if (std::filesystem::exists(found) && !std::filesystem::is_regular_file(found)) {
      return Fail(fmt::format("{}: {} is a {}: expected a file, which is read again whenever it is written anew", flag,
                              path, std::filesystem::is_directory(found) ? "folder" : "pipe or device"),
                  ErrorKind::kUsage);
    }
    if (!flags.resume.empty() || access(path.c_str(), R_OK) == 0) continue;
    const int code = errno;
    if (code != ENOENT && code != ENOTDIR) return FailAt(flag + (": " + path), "cannot be read", ErrorOf(code));
    return Fail(fmt::format("{}: {} is not there: mend the name, or make the file empty where it is written later "
                            "(touch {})",
                            flag, path, path),
                ErrorKind::kUsage);
  }
  return {};
}

/// A file that begins with a brace is a plan; everything else is read as a scenario.
Result<std::optional<PlanFile>> PlanInFile(const RunFlags& flags) {
  const std::string& source = flags.scenario.source;
  if (source.rfind("builtin:", 0) == 0 || flags.scenario.IsUsers()) return std::optional<PlanFile>();
  const Result<std::string> content = ReadFile(source);
  if (!content) return Fail(content.error());
  const std::string_view text = Trim(*content);
  if (text.empty()) {
    return Fail(
        fmt::format("{}: is empty: expected a plan (heliograd plan -o FILE) or a scenario (heliograd scenario "
                    "new FILE)",
                    source));
  }
  if (text.front() != '{' && source.ends_with(".json")) {
    return Fail(source + ": is no JSON, which begins with {: expected a plan, as heliograd plan -o FILE writes it");
  }
  if (text.front() != '{') return std::optional<PlanFile>();
  Result<PlanFile> plan = PlanFromJson(*content, source);
  if (!plan) return Fail(plan.error());
  const std::string advice = "a scenario: leave it out, or plan anew with it (heliograd plan -o " + source + ")";
  if (Result<void> sound = CheckFlagsOfScenario(flags, source + " is a plan", advice); !sound) {
    return Fail(sound.error());
  }
  return std::optional(std::move(*plan));
}

Result<PlanFile> PlanScenario(const RunFlags& flags, Scenario scenario, const std::optional<std::string>& uuid) {
  const Result<std::string> curve = TakeStoredCurve(scenario, uuid, flags.steps);
  if (!curve) return Fail(curve.error());
  if (!curve->empty()) PrintMessage(*curve);
  InputCache cache;
  const auto inputs = ReadFittingInputs(scenario, flags.scenario.slot_minutes, flags.Gave("--slot-minutes"), cache);
  if (!inputs) return Fail(inputs.error());
  if (inputs->slot != std::chrono::minutes(flags.scenario.slot_minutes)) {
    PrintMessage("note: " + inputs->remarks.back());
  }
  auto job = PlanJob(*inputs, flags.scenario.Options(), *flags.scenario.Solver());
  if (!job) return Fail(job.error());
  return PlanFile{std::move(job->problem), std::move(job->plan), inputs->zone, inputs->labels};
}

/// The horizon and zone of a plan that is not made yet.
PlanFile StandInPlan(const PendingPlan& pending) {
  PlanFile plan;
  plan.plan.status = PlanStatus::kFeasible;
  plan.problem.horizon = {pending.start, std::chrono::minutes(1),
                          static_cast<int>((pending.deadline - pending.start) / std::chrono::minutes(1))};
  plan.zone = pending.zone;
  return plan;
}

/// What of the time before the deadline is not planned; empty where all is.
std::string UnusedNote(const Plan& plan) {
  const auto unused = std::find_if(plan.notes.begin(), plan.notes.end(), [](const std::string& note) {
    return note.find(kUnusedMinutes) != std::string::npos;
  });
  return unused == plan.notes.end() ? "" : *unused;
}

/// A curve is measured in the first minutes of a job that tells how far it is, and has time for it.
Result<PendingPlan> AwaitCurve(const RunFlags& flags, const Scenario& scenario, const DeviceAndRange& gpu) {
  const std::string none = fmt::format("no power curve of {} ({}) is stored", gpu.device.name, gpu.device.uuid);
  const auto usage = [&none](const std::string& sentence) { return Fail(none + sentence, ErrorKind::kUsage); };
  if (flags.steps <= 0) {
    return usage(
        ", and to measure one in the first minutes of the job takes its progress: give --steps N with --progress REGEX "
        "(or a loop of heliograd.torch.Steps), measure one before with `heliograd curve --progress REGEX -- COMMAND`, "
        "or give --curve FILE (--curve builtin:paper takes the study's RTX 4070)");
  }
  if (gpu.range.highest <= gpu.range.lowest) return usage(", and its power limit cannot be set: give --curve FILE");
  // What is left then is planned in slots that fit it (RestSlotMinutes).
  const int slot_minutes = flags.Gave("--slot-minutes") ? flags.scenario.slot_minutes : 1;
  auto pending = ReadPendingPlan(scenario, slot_minutes, gpu.device, gpu.range);
  if (!pending) return Fail(pending.error());
  const Stamp now = flags.simulated_clock ? pending->start : std::max(pending->start, SystemClock().Now());
  const Duration left = Between(now, pending->deadline);
  const Duration takes = MeasuringTime(*pending, Seconds(flags.curve_seconds));
  constexpr double kLeastTimes = 4;
  if (left > Duration() && left < takes * kLeastTimes) {
    return usage(
        fmt::format(", and to measure one takes about {} of the {} to the deadline: give a later deadline, "
                    "fewer --curve-seconds, or --curve FILE",
                    DurationText(takes), DurationText(left)));
  }
  return pending;
}

/// The run with its plan, or with all but the curve where none of its GPU is stored.
Result<PreparedRun> PrepareScenario(const RunFlags& flags) {
  auto scenario = flags.scenario.Load();
  if (!scenario) return Fail(scenario.error());
  std::optional<std::string> uuid;
  if (!scenario->Has("gpu.curve") && !scenario->IsRefused("gpu.curve")) {
    const Result<DeviceAndRange> gpu = DeviceOf(flags);
    if (!gpu) return Fail(gpu.error());
    uuid = gpu->device.uuid;
    const Result<bool> is_stored = HasStoredCurve(*uuid);
    if (!is_stored) return Fail(is_stored.error());
    if (!*is_stored) {
      Result<PendingPlan> pending = AwaitCurve(flags, *scenario, *gpu);
      if (!pending) return Fail(pending.error());
      PlanFile plan = StandInPlan(*pending);
      return PreparedRun{std::move(plan), {}, "", {}, {}, std::move(*pending), flags.scenario};
    }
  }
  Result<PlanFile> plan = PlanScenario(flags, std::move(*scenario), uuid);
  if (!plan) return Fail(plan.error());
  return PreparedRun{std::move(*plan), {}, "", {}, {}};
}

void SayLeftOut(const ReadJournal& journal) {
  if (!journal.left_out.empty()) PrintMessage("note: " + journal.left_out);
}

/// What is left of a run that was cut off before it had a plan: its events, what its job had done, its scenario.
Result<PreparedRun> ResumeUnplanned(const RunFlags& flags, RunFacts facts, std::string_view journal_text) {
  Result<ReadJournal> journal = ParseJournal(journal_text, flags.resume + "/journal.jsonl", 0, 0);
  if (!journal) return Fail(journal.error());
  if (!facts.curve)
    return Fail(flags.resume + "/run.json: has a scenario and no curve: expected both", ErrorKind::kUsage);
  if (facts.units > 0 && facts.curve->units >= facts.units) {
    return Fail(flags.resume + ": this job is done: there is nothing to go on with", ErrorKind::kUsage);
  }
  SayLeftOut(*journal);
  Result<ScenarioFlags> scenario_flags = ScenarioFlagsOf(facts.pending_scenario);
  if (!scenario_flags) return Fail(scenario_flags.error());
  const auto scenario = scenario_flags->Load();
  if (!scenario) return Fail(scenario.error());
  const Result<DeviceAndRange> gpu = DeviceOf(flags);
  if (!gpu) return Fail(gpu.error());
  Result<PendingPlan> pending = ReadPendingPlan(*scenario, scenario_flags->slot_minutes, gpu->device, gpu->range);
  if (!pending) return Fail(pending.error());
  PlanFile plan = StandInPlan(*pending);
  RunLeftOver left_over;
  left_over.begin = facts.curve->begin;
  left_over.units_done = facts.curve->units;
  return PreparedRun{std::move(plan),           std::move(facts),           flags.resume,
                     std::move(left_over),      std::move(journal->events), std::move(*pending),
                     std::move(*scenario_flags)};
}

}  // namespace

Result<void> CheckCurveGpu(const CurveGpu& planned, const DeviceRecord& device,
                           const std::function<void(const std::string&)>& tell) {
  const auto text = [](const std::string& name, const std::string& uuid) {
    return uuid.empty() ? name : fmt::format("{} ({})", name, uuid);
  };
  const std::string other = text(planned.name, planned.uuid), ours = text(device.name, device.uuid);
  if (planned.name == kStudyGpu) {
    if (device.name.find("RTX 4070") != std::string::npos) return {};
    tell(
        fmt::format("note: the plan follows the power curve of the study's RTX 4070 (builtin:paper), and this GPU is "
                    "{}: its pace and power are others; `heliograd curve -- COMMAND` measures its own",
                    ours));
    return {};
  }
  if (!planned.name.empty() && planned.name != device.name) {
    return Fail(fmt::format("the plan follows the power curve of another GPU, {}; this one is {}: plan with a curve of "
                            "this GPU (`heliograd curve`), or run on that one (--gpu {})",
                            other, ours, planned.uuid.empty() ? "UUID" : planned.uuid),
                ErrorKind::kUsage);
  }
  if (!planned.uuid.empty() && planned.uuid != device.uuid) {
    tell(fmt::format("note: the plan follows the power curve of another card of this model, {}; this one is {}", other,
                     ours));
  }
  return {};
}

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

Result<void> CheckSafeLimit(const RunFlags& flags, const PowerLimitRange& range, const DeviceRecord& device) {
  const Power limit = Watts(flags.safe_limit_w);
  if (flags.safe_limit_w <= 0 || (limit >= range.lowest && limit <= range.highest)) return {};
  return Fail(fmt::format("--safe-limit-w {:g}: {} ({}) takes {:.0f} to {:.0f} W: give a limit within them",
                          flags.safe_limit_w, device.name, device.uuid, InWatts(range.lowest), InWatts(range.highest)),
              ErrorKind::kUsage);
}

std::string LevelText(const DispatchProblem& problem, const std::optional<size_t>& level) {
  return level ? fmt::format("{:.0f} W", InWatts(problem.gpu.levels[*level].limit)) : "off";
}

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
  const std::string unused = UnusedNote(plan.plan);
  text += fmt::format("{}  {}\n", FormatLocal(plan.problem.horizon.end(), plan.zone),
                      unused.empty() ? "the deadline" : "the plan's end");
  return unused.empty() ? text : text + "Note: " + unused + ".\n";
}

Result<std::string> MakeRunFolder(const std::string& asked) {
  std::string folder = asked;
  std::error_code failed;
  if (folder.empty()) {
    std::string stamp = FormatStamp(SystemClock().Now());
    std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
    folder = "heliograd-run-" + stamp;
    for (int number = 2; std::filesystem::exists(folder, failed); ++number) {
      folder = fmt::format("heliograd-run-{}-{}", stamp, number);
    }
  }
  std::filesystem::create_directory(folder, failed);
  if (failed) return FailAt(folder, "cannot be made", failed, ErrorKind::kUsage);
  if (!std::filesystem::is_empty(folder, failed) || failed) {
    return Fail(folder + ": is not empty: give a new folder (-o), or go on with the run in it (--resume)",
                ErrorKind::kUsage);
  }
  return folder;
}

std::string NewRecording(const std::string& folder) {
  std::string path = folder + "/power.helio";
  std::error_code failed;
  for (int part = 2; std::filesystem::exists(path, failed); ++part) {
    path = fmt::format("{}/power-{}.helio", folder, part);
  }
  return path;
}

std::string ControlFile(const std::string& folder) { return AbsolutePath(folder + "/control"); }

Result<PreparedRun> PrepareResumedRun(const RunFlags& flags) {
  const std::string& folder = flags.resume;
  const auto read = [&folder](const char* file) { return ReadFile(folder + "/" + file); };
  const auto not_begun = [](const Error& error) {
    if (error.kind == ErrorKind::kPermission) return Fail(error);
    return Fail(error.Message() + " Is this the folder of a run that has begun?", ErrorKind::kUsage);
  };
  const Result<std::string> facts_text = read("run.json");
  if (!facts_text) return not_begun(facts_text.error());
  // Before the journal is read, so that nobody adds to it any more.
  std::optional<RunFolderLock> lock;
  if (!flags.dry_run) {
    Result<RunFolderLock> taken = RunFolderLock::Take(folder, false);
    if (!taken) return taken.error().kind == ErrorKind::kUsage ? Fail(taken.error()) : not_begun(taken.error());
    lock.emplace(std::move(*taken));
  }
  const Result<std::string> journal_text = read("journal.jsonl");
  if (!journal_text) return not_begun(journal_text.error());
  Result<RunFacts> facts = RunFactsFromJson(*facts_text, folder + "/run.json");
  if (!facts) return Fail(facts.error());
  if (!flags.command.empty()) facts->command = flags.command;
  if (!facts->has_plan()) {
    Result<PreparedRun> prepared = ResumeUnplanned(flags, std::move(*facts), *journal_text);
    if (prepared) prepared->lock = std::move(lock);
    return prepared;
  }
  const Result<std::string> plan_text = read("plan.json");
  if (!plan_text) return not_begun(plan_text.error());
  Result<PlanFile> plan = PlanFromJson(*plan_text, folder + "/plan.json");
  if (!plan) return Fail(plan.error());
  Result<ReadJournal> journal = ParseJournal(*journal_text, folder + "/journal.jsonl", plan->problem.horizon.slots,
                                             plan->problem.gpu.levels.size());
  if (!journal) return Fail(journal.error());
  if (journal->has_ended && journal->left_over.work_done >= plan->problem.work * (1 - 1e-9)) {
    return Fail(folder + ": this run is finished (" + journal->end + "): there is nothing to go on with",
                ErrorKind::kUsage);
  }
  SayLeftOut(*journal);
  journal->left_over.units_done = std::max(journal->left_over.units_done, facts->units_before());
  PreparedRun prepared{std::move(*plan), std::move(*facts), folder, std::move(journal->left_over),
                       std::move(journal->events)};
  prepared.lock = std::move(lock);
  return prepared;
}

void EndLeftOf(const std::string& folder) {
  const int left = EndLeftProcesses(ControlFile(folder));
  if (left == 0) return;
  PrintMessage(fmt::format("{} process{} of the run before still ran and {} ended first", left, left == 1 ? "" : "es",
                           left == 1 ? "was" : "were"));
}

Result<PreparedRun> PrepareNewRun(const RunFlags& flags) {
  Result<std::optional<PlanFile>> plan = PlanInFile(flags);
  if (!plan) return Fail(plan.error());
  Result<PreparedRun> scenario = *plan ? PreparedRun{std::move(**plan), {}, "", {}, {}} : PrepareScenario(flags);
  if (!scenario) return Fail(scenario.error());
  PreparedRun prepared = std::move(*scenario);
  prepared.facts.command = flags.command;
  prepared.facts.progress = flags.progress;
  prepared.facts.units = flags.steps;
  prepared.facts.simulated_clock = flags.simulated_clock;
  prepared.facts.boot = BootId();
  if (prepared.pending) {
    prepared.facts.curve.emplace();
    prepared.facts.curve->begin = prepared.facts.curve->end = prepared.pending->start;
    prepared.facts.pending_scenario = WordsOf(prepared.scenario, *prepared.pending);
  }
  return prepared;
}

Result<void> CheckRunFlags(const RunFlags& flags) {
  const auto usage = [](const std::string& sentence) { return Fail(sentence, ErrorKind::kUsage); };
  if (!flags.resume.empty()) {
    if (!flags.scenario.IsUsers()) {
      return usage(fmt::format("--resume goes on with the plan in {}: leave out {} (another command goes after --)",
                               flags.resume, flags.scenario.source));
    }
    Result<void> sound = CheckFlagsOfScenario(flags, "--resume goes on with the plan in " + flags.resume,
                                              "the run's begin: leave it out", {"--progress", "--steps"});
    if (!sound) return sound;
  }
  if (Result<void> sound = CheckParent(flags); !sound) return sound;
  if (!flags.resume.empty() && !flags.output.empty()) return usage("--resume goes on in its own folder: leave out -o");
  if (flags.command.empty() && flags.resume.empty() && !flags.dry_run) {
    return usage("no command given: write it after --, as in `heliograd run plan.json -- python train.py`");
  }
  if (Result<void> sound = CheckNewsFiles(flags); !sound) return sound;
  if (!flags.progress.empty() && flags.steps == 0 && flags.resume.empty()) {
    return usage("--progress needs --steps: how many units the job does in all");
  }
  return {};
}

Result<std::optional<int>> CheckPlanIsOn(const PlanFile& plan, Stamp now) {
  if (plan.plan.status == PlanStatus::kInfeasible) {
    PrintMessage("the plan is infeasible: " + plan.plan.infeasible_reason);
    if (const std::string unused = UnusedNote(plan.plan); !unused.empty()) {
      PrintMessage("note: " + unused + ": shorter slots (--slot-minutes) use more of them");
    }
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

Result<OpenGpu> OpenOneGpu(const std::string& name, bool with_clocks) {
  const Result<SelectedGpus> gpus = SelectGpus(name);
  if (!gpus) return Fail(gpus.error());
  if (gpus->devices.size() != 1) return Fail("--gpu: a plan is for one GPU", ErrorKind::kUsage);
  const nvml::Device device = gpus->devices.front();
  OpenGpu gpu;
  auto capper = OpenNvmlCapper(gpus->library, device);
  if (!capper) return Fail(capper.error());
  gpu.capper = std::move(*capper);
  gpu.slowdown = [library = gpus->library, device] { return SlowdownNow(*library, device); };
  for (auto* meter : {&gpu.watched, &gpu.stamped, &gpu.recorded}) {
    auto opened = OpenNvmlMeter(gpus->library, device, with_clocks && meter == &gpu.recorded);
    if (!opened) return Fail(opened.error());
    *meter = std::move(*opened);
  }
  return gpu;
}

}  // namespace heliograd
