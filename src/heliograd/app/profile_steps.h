// Energy of the steps of a training, from when they ran: measured on a GPU, or on simulated power.
//
// Enters: spans of the steps as training tells them. Leaves: the steps of a TrainingProfile. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/model/simulated_power.h"
#include "heliograd/model/steady_loop.h"
#include "heliograd/profile/training.h"
#include "heliograd/report/training_profile.h"

namespace heliograd {

struct IdlePower {
  Power mean, sd;
};

/// What simulated power takes for how busy a step keeps the GPU. Precondition: a step of kTrainingSteps.
double AssumedUtilisation(int step);

/// A part of what a loop repeats, one of several in a row.
struct LoopPart {
  double utilisation = 1;  // what simulated power takes for how busy it keeps the GPU
  double share = 1;        // of the repetition's time, as it counts under a limit
};

class StepMeter {
 public:
  virtual ~StepMeter() = default;
  /// What the power comes from, for people.
  virtual std::string Name() const = 0;
  virtual PowerSource Source() const = 0;
  /// Nanoseconds on the clock on which spans are told.
  virtual int64_t NowNs() const = 0;
  /// Gives the span as it counts: simulated power under a limit makes it as much longer as the GPU would be slower.
  virtual StepSpan Add(const StepSpan& span) = 0;
  /// By how much work that keeps the GPU so busy takes longer than it was seen to take; 1 but for simulated limits.
  virtual double Slowdown(double /*utilisation*/) const { return 1; }
  /// Fills in the steps and what belongs to them. Errors: the recording cannot be read.
  virtual Result<void> Finish(TrainingProfile& profile) = 0;

  /// Mean power while a loop ran whose repetitions are made of these parts. Errors: too few readings, or a device whose
  /// sensor is not calibrated.
  virtual Result<LoopPower> PowerOfLoop(const std::vector<LoopRun>& runs, const std::vector<LoopPart>& parts) = 0;
  /// The time over which the sensor averages, where that is far longer than its update: steps cannot be told apart in
  /// place then. Nothing where they can, or where the sensor is not calibrated.
  virtual std::optional<Duration> LongAverage() const = 0;
  /// What the device draws while it does nothing, and how well that is known; its clock stays up.
  virtual Result<IdlePower> PowerAtIdle() = 0;
};

/// Why energies are not to be relied on, for a training whose iterations already had random rests (`dither`, their mean
/// against an iteration, above 0): what the estimator advises is done, so the words name the iterations that would do.
/// Rests are uniform from none to twice their mean; after 3 / dither^2 iterations they have spread them over a whole
/// one.
std::string WordedForRests(const std::string& refusal, double dither, int64_t iterations);

/// The GPUs' sensors through NVML. `with_clocks`: the SM clock too. Errors: none can be read.
Result<std::unique_ptr<StepMeter>> MeasuredSteps(const std::string& gpus, const std::string& record_path,
                                                 bool with_clocks = false);
/// The study's GPU on paper, as busy in each step as assumed here: To Device 0.1, Forward 0.85, Loss 0.15, Backward 1,
/// Optimizer 0.3 of its arithmetic. Under a limit it draws less and takes longer (model/gpu_physics.h).
std::unique_ptr<StepMeter> SimulatedSteps(std::optional<Power> limit = std::nullopt,
                                          SimulatedSensor sensor = SimulatedSensor::kFast);

}  // namespace heliograd
