#include "heliograd/app/run_preparation.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "heliograd/app/curve_store.h"
#include "heliograd/app/run_job.h"
#include "heliograd/app/sources.h"
#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/control/dwell_schedule.h"
#include "heliograd/meter/nvml_meter.h"

namespace heliograd {
namespace {

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

}  // namespace

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

Result<std::string> MakeRunFolder(const std::string& asked) {
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

std::string NewRecording(const std::string& folder) {
  std::string path = folder + "/power.helio";
  for (int part = 2; std::filesystem::exists(path); ++part) path = fmt::format("{}/power-{}.helio", folder, part);
  return path;
}

std::string ControlFile(const std::string& folder) { return std::filesystem::absolute(folder + "/control").string(); }

Result<PreparedRun> PrepareResumedRun(const RunFlags& flags) {
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
  return PreparedRun{std::move(*plan), std::move(*facts), folder, std::move(journal->left_over),
                     std::move(journal->events)};
}

Result<PreparedRun> PrepareNewRun(const RunFlags& flags) {
  Result<PlanFile> plan = PlanOfSource(flags);
  if (!plan) return Fail(plan.error());
  PreparedRun prepared{std::move(*plan), {}, "", {}, {}};
  prepared.facts.command = flags.command;
  prepared.facts.progress = flags.progress;
  prepared.facts.units = flags.steps;
  prepared.facts.simulated_clock = flags.simulated_clock;
  prepared.facts.boot = BootId();
  return prepared;
}

Result<void> CheckRunFlags(const RunFlags& flags) {
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

}  // namespace heliograd
