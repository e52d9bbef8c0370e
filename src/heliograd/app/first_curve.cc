#include "heliograd/app/first_curve.h"

#include <algorithm>
#include <chrono>

#include "heliograd/app/calibration_store.h"
#include "heliograd/app/curve_store.h"

namespace heliograd {
namespace {

constexpr int kRounds = 2;
constexpr double kSettlingPart = 0.2;                     // of the time at a limit
constexpr double kLeastSettleS = 0.05;                    // real time
constexpr double kLeastWindowS = 0.4;                     // real time: a word of progress may be read 20 ms late
constexpr double kMostDriftK = 10;                        // a GPU that warms up still; its curve is coarse
constexpr double kEnoughTimes = 2;                        // of the time meant for all: more than that is long steps
constexpr double kPatienceS = 600, kLeastPatienceS = 10;  // run time; real time

/// The run's own job as a sweep sees it.
class RunningJob : public SweptCommand {
 public:
  explicit RunningJob(RunJob& job) : job_(job) {}
  std::optional<ProgressMark> FirstFrom(int64_t at_ns) const override {
    return job_.progress() ? job_.progress()->FirstFrom(at_ns) : std::nullopt;
  }
  std::optional<ProgressMark> Last() const override { return job_.progress() ? job_.progress()->Last() : std::nullopt; }
  std::string Unreadable() const override { return job_.progress() ? job_.progress()->Unreadable() : ""; }
  std::optional<ExitStatus> Wait(std::chrono::milliseconds at_most) override { return job_.Wait(at_most); }

 private:
  RunJob& job_;
};

SweepOptions OptionsOf(const FirstCurveOptions& options) {
  const double visit_s = InSeconds(options.at_each) / kRounds / options.speed;
  SweepOptions sweep;
  sweep.progress_hook = !options.progress_is_printed;
  sweep.limits = options.limits;
  sweep.rounds = sweep.most_rounds = kRounds;
  sweep.settle = Seconds(std::max(kSettlingPart * visit_s, kLeastSettleS));
  sweep.window = Seconds(std::max((1 - kSettlingPart) * visit_s, kLeastWindowS));
  sweep.warm_up = Seconds(InSeconds(options.at_each) / options.speed);
  // Where time passes faster, so do temperatures.
  sweep.most_drift_k = options.speed > 2 ? 1000 : kMostDriftK;
  sweep.most_repeats = 1;
  sweep.enough = (sweep.settle + sweep.window) * (kEnoughTimes * kRounds * static_cast<double>(options.limits.size()));
  return sweep;
}

}  // namespace

Duration TimeAtEach(const FirstCurveOptions& options) {
  const SweepOptions sweep = OptionsOf(options);
  return (sweep.settle + sweep.window) * (kRounds * options.speed);
}

Duration PatienceForFirstWord(double speed) { return Seconds(std::max(kPatienceS / speed, kLeastPatienceS)) * speed; }

Result<SweepOutcome> SweepRunningJob(const FirstCurveOptions& options, const FirstCurveParts& parts) {
  const SweepOptions sweep_options = OptionsOf(options);
  RunningJob running(parts.job);
  LimitSweep sweep(sweep_options, {.recording = parts.recording,
                                   .limits = parts.limits,
                                   .capper = parts.capper,
                                   .signals = parts.signals,
                                   .slowdown = parts.slowdown,
                                   .analyse = nullptr,  // both rounds are measured whatever the first says
                                   .tell = parts.tell,
                                   .running = &running,
                                   .on_window = parts.on_window});
  return sweep.Run();
}

Result<KeptCurve> KeepCurve(const FirstCurveOptions& options, const SweepOutcome& outcome, Recording& recording,
                            const DeviceRecord& device) {
  const LoadedCalibrations calibrations = LoadCalibrations();
  const auto evaluated = EvaluateRecorded(recording, outcome.windows, calibrations.usable);
  if (!evaluated) return Fail(evaluated.error());
  const Result<SweepResult> result = AnalyseSweep(evaluated->windows);
  if (!result) return Fail(result.error());
  KeptCurve kept{CurveOf(outcome, *evaluated, *result, options.limits), ""};
  kept.curve.device = device;
  kept.curve.command = options.command;
  kept.curve.coarse = true;
  kept.curve.notes = evaluated->notes;
  Result<std::string> path = StoreCurve(device.uuid, CurveToml(kept.curve));
  if (!path) return Fail(path.error());
  kept.path = *path;
  return kept;
}

}  // namespace heliograd
