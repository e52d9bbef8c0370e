// What `heliograd run` knows before it touches anything: the flags, the plan, and what a run before left.
//
// Enters: flags and files. Leaves: a plan that can be carried out, or all that one needs but for the GPU's power curve,
// or a sentence that says why not. Sets no limit, starts no job, and writes nothing but the new folder of a run.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/app/command_line.h"
#include "heliograd/app/pending_plan.h"
#include "heliograd/app/run_folder.h"
#include "heliograd/base/result.h"
#include "heliograd/control/plan_runner.h"
#include "heliograd/meter/meter.h"
#include "heliograd/plan/plan_json.h"

namespace heliograd {

struct RunFlags {
  ScenarioFlags scenario;
  std::vector<std::string> command;
  std::string output, resume, gpu = "0", progress, checkpoint_command, pause = "auto", on_late = "finish";
  std::string shortest_dwell = "60s", checkpoint_before = "10min";
  std::string pv_forecast, price_file, battery_command, battery_file, stale_after = "24h";
  std::vector<std::string> given;  // the flags that were named, "--deadline"
  double steps = 0, safe_limit_w = 0, price_fee = 0, curve_seconds = 25;
  double pause_timeout_s = 30, checkpoint_timeout_s = 60;
  bool json = false, dry_run = false, simulated_clock = false;

  bool Gave(std::string_view flag) const { return std::find(given.begin(), given.end(), flag) != given.end(); }
};

/// What a run begins with, or goes on from.
struct PreparedRun {
  PlanFile plan;  // while it is pending, horizon and zone alone
  RunFacts facts;
  std::string folder;
  RunLeftOver left_over;
  std::vector<RunEvent> events;                       // so far
  std::optional<PendingPlan> pending = std::nullopt;  // no curve of the GPU is known yet
  ScenarioFlags scenario = {};                        // of a pending plan
  std::optional<RunFolderLock> lock = std::nullopt;   // of the folder, from before it is read to the end
};

/// The plan of the flags' source, planned first where that is a scenario. Errors: usage, files, no plan.
Result<PreparedRun> PrepareNewRun(const RunFlags& flags);
/// What the run in the folder of --resume left. Errors: no such folder; the run goes on in another process.
Result<PreparedRun> PrepareResumedRun(const RunFlags& flags);
/// Ends processes of an earlier part of the run that still run, and says so.
void EndLeftOf(const std::string& folder);

Result<void> CheckRunFlags(const RunFlags& flags);
/// Plans that are over are errors; one that cannot be gives its exit code, with its reason told.
Result<std::optional<int>> CheckPlanIsOn(const PlanFile& plan, Stamp now);
/// A plan that follows the curve of another model of GPU is refused; another card of the same model, and the study's
/// curve on another GPU, are told with `tell`.
Result<void> CheckCurveGpu(const CurveGpu& planned, const DeviceRecord& device,
                           const std::function<void(const std::string&)>& tell);
/// The limits of the plan must be ones that this GPU takes.
Result<void> CheckLevels(const PlanFile& plan, const PowerLimitRange& range, const DeviceRecord& device);
/// And so must --safe-limit-w be. Errors: kUsage, with the range.
Result<void> CheckSafeLimit(const RunFlags& flags, const PowerLimitRange& range, const DeviceRecord& device);

/// "170 W", "off".
std::string LevelText(const DispatchProblem& problem, const std::optional<size_t>& level);
/// What would be done when.
std::string ScheduleText(const PlanFile& plan, std::chrono::seconds shortest);

/// A new folder; one that holds something is not written into.
Result<std::string> MakeRunFolder(const std::string& asked);
/// "power.helio", then "power-2.helio" and so on with each part of the run.
std::string NewRecording(const std::string& folder);
std::string ControlFile(const std::string& folder);

/// One GPU, opened once for each of its uses.
struct OpenGpu {
  std::unique_ptr<PowerCapper> capper;
  std::unique_ptr<PowerMeter> watched, stamped, recorded;
  std::function<std::optional<std::string>()> slowdown;  // why it is slower than its limit asks for, in words
};
/// `with_clocks`: clock and temperature are recorded too.
Result<OpenGpu> OpenOneGpu(const std::string& name, bool with_clocks);

}  // namespace heliograd
