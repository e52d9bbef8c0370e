// Trials of the estimators against a known truth: simulated loads seen through simulated sensors. The truth benchmark
// runs many, the tests a few. Each trial draws its own load, sensor and calibration error from its seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heliograd/model/phase_energy.h"
#include "heliograd/model/power_sensor.h"
#include "heliograd/model/simulated_load.h"
#include "heliograd/model/window_energy.h"

namespace heliograd {

/// A kind of sensor; each trial draws the rest: true period (0 to 4 % above 50 ms and more, -1 to +2 % below), lag 0 to
/// 5 ms, low pass 0 to 3 ms, gain (standard deviation 2.5 %), offset (1 W).
struct SensorKind {
  std::string name;
  double period_s = 0.1;
  double window_s = 0;  // 0 = contiguous
  CounterKind counter = CounterKind::kAbsent;
  double tick_jitter_s = 0.0002;
  double noise_w = 0.3;
  double quantum_w = 0.001;
};

/// Periods of 20 to 150 ms, windows of 25 to 100 % of them, an average of 1 s, and both kinds of counter. The first
/// five are A, B, C, T20 and D of docs/attribution.md.
std::vector<SensorKind> TruthSensors();

enum class TrialCalibration {
  kDrawn,  // the truth with errors of calibration_sd_s
  kBursts  // what CalibrateSensor (JudgeCounter, of a counter) finds from 60 s of bursts, with its own uncertainties
};

struct TrialOptions {
  double length_s = 120;
  TrialCalibration calibration = TrialCalibration::kDrawn;
  double calibration_sd_s = 0.0003;  // of lag, low pass and window each
  double told_sd_s = 0.0003;         // what the estimator is told of it
  double step_sd_s = 0.0002;
  double ramp_s = 0;     // of the bursts' power, which calibration does not know of
  bool in_step = false;  // the sensor updates once in each mean iteration
};

/// A sensor as drawn for one trial, and what a calibration would say of it.
struct DrawnSensor {
  PowerSensor sensor;
  double calibrated_lag_s = 0, calibrated_low_pass_s = 0, calibrated_window_s = 0;
  TrialOptions options;

  /// With drawn errors; for TrialCalibration::kBursts see CalibratedTiming.
  SensorTiming Timing(double period_s) const;
};
/// The timing that 60 s of bursts tell of this sensor.
SensorTiming CalibratedTiming(const DrawnSensor& drawn, std::mt19937_64& random);
DrawnSensor DrawSensor(const SensorKind& kind, const TrialOptions& options, std::mt19937_64& random);

/// Counts over phases that hold at least 5 % of the energy, and sums of relative sizes.
struct PhaseTally {
  int runs = 0, refused = 0;
  int phases = 0, share_covered = 0, identified = 0;
  int identified_covered = 0;
  int energy_covered = 0;  // with the gain in the interval
  int groups = 0, groups_covered = 0;
  double share_half_width = 0;  // relative, over the identified
  double energy_half_width = 0;
  double share_error2 = 0, share_error = 0;  // relative, over the identified
  double worst_closure = 0;                  // of the total against the truth, without the gain; refused runs apart
  std::vector<double> closures;              // the same, of each run
  std::vector<double> plain_means;  // of the mean reading (or blind counter) against the truth; refused runs too
  double condition = 0;

  void Add(const PhaseTally& other);
};

/// One run of a simulated load under a simulated sensor. Load and sensor have their own generators: the same seed gives
/// the same load under every sensor. Throws std::logic_error where the estimator fails.
struct PhaseTrial {
  DrawnSensor drawn;
  SimulatedTraining truth;
  PhaseEnergies found;

  /// True mean power as the sensor's gain and offset show it.
  double ShownPowerW() const;
};
PhaseTrial MakePhaseTrial(const SensorKind& kind, const TrainingLoad& load, const TrialOptions& options, uint64_t seed);

PhaseTally RunPhaseTrial(const SensorKind& kind, const TrainingLoad& load, const TrialOptions& options, uint64_t seed);

/// A sweep over limits of 100 to 320 W in steps of 10 W on a card of two phases (docs/attribution.md): power limit,
/// then the highest clock whose power stays below it, then power and time.
struct SweepTrial {
  int rounds = 3;
  double scatter = 0.01;     // standard deviation of log E of one window
  bool flat_valley = false;  // a made-up curve with a wide minimum at 150 W in the card's place
};

struct SweepTally {
  int runs = 0;
  int knee_close = 0;  // within one step of the true one
  int energy_covered = 0, energy_time_covered = 0, binding_covered = 0;
  double width_w = 0;  // of the knee's interval

  void Add(const SweepTally& other);
};

SweepTally RunSweepTrial(const SweepTrial& trial, uint64_t seed);

/// True energy and time of one unit of work at a limit.
struct CardPoint {
  double power_w = 0, time_s = 0;
  double EnergyJ() const { return power_w * time_s; }
};
CardPoint SimulatedCard(double limit_w, bool flat_valley);

/// Windows of arbitrary energy: how often the truth lies in the interval, and how far the energies are off.
struct WindowTally {
  int runs = 0, unresolved = 0;
  int covered = 0;             // of the truth, gain in the interval: a run draws its gain once, so this scatters
  int shown_covered = 0;       // of the truth as gain and offset show it, by the interval without the gain
  double half_width = 0;       // relative, without the gain
  int coarse = 0;              // called known to no better than 2 %
  int far_untold = 0;          // off by more than 2 % without being called so
  std::vector<double> errors;  // relative, without the gain

  void Add(const WindowTally& other);
};
WindowTally RunWindowTrial(const SensorKind& kind, const TrainingLoad& load, double window_s, uint64_t seed);

}  // namespace heliograd
