#include "heliograd/model/truth_trials.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "heliograd/model/sensor_calibration.h"
#include "heliograd/model/tick_times.h"

namespace heliograd {
namespace {

constexpr double kShareThatCounts = 0.05;
constexpr double kCalibrationS = 60;
constexpr Polling kPolling;

/// A trial is made so that nothing in it can fail.
template <typename Value>
Value Sound(Result<Value> result) {
  if (!result) throw std::logic_error(result.error().Message());
  return std::move(*result);
}

double Uniform(double low, double high, std::mt19937_64& random) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

double Normal(double sd, std::mt19937_64& random) { return std::normal_distribution<double>(0, 1)(random) * sd; }

void Judge(const PhaseEnergies& found, const SimulatedTraining& truth, PhaseTally& tally) {
  for (size_t phase = 0; phase < found.phases.size(); ++phase) {
    const double share = truth.Share(phase);
    if (share < kShareThatCounts) continue;
    const PhaseEstimate& estimate = found.phases[phase];
    const bool covered = std::abs(estimate.share - share) <= estimate.share_half_width;
    const double half_j = InJoules(found.HalfWidthWithGain(estimate));
    tally.phases += 1;
    tally.share_covered += covered;
    tally.energy_covered += std::abs(InJoules(estimate.energy) - truth.energy_j[phase]) <= half_j;
    if (!estimate.identifiable) continue;
    tally.identified += 1;
    tally.identified_covered += covered;
    tally.share_half_width += estimate.share_half_width / share;
    tally.energy_half_width += half_j / truth.energy_j[phase];
    tally.share_error += estimate.share / share - 1;
    tally.share_error2 += std::pow(estimate.share / share - 1, 2);
  }
  for (const PhaseEstimate& group : found.groups) {
    double share = 0;
    for (int phase : group.phases) share += truth.Share(static_cast<size_t>(phase));
    tally.groups += 1;
    tally.groups_covered += std::abs(group.share - share) <= group.share_half_width;
  }
  tally.condition += found.condition;
}

}  // namespace

std::vector<SensorKind> TruthSensors() {
  using enum CounterKind;
  return {{.name = "A: 100 ms, 100 %", .period_s = 0.1},
          {.name = "B: 100 ms, 25 %", .period_s = 0.1, .window_s = 0.025},
          {.name = "C: 20 ms, 50 %", .period_s = 0.02, .window_s = 0.01},
          {.name = "T20: 20 ms, 100 %", .period_s = 0.02},
          {.name = "D: 100 ms, 1 s average", .period_s = 0.1, .window_s = 1.0},
          {.name = "100 ms, 50 %", .period_s = 0.1, .window_s = 0.05},
          {.name = "100 ms, 80 %, noisy", .period_s = 0.1, .window_s = 0.08, .noise_w = 3},
          {.name = "20 ms, 25 %", .period_s = 0.02, .window_s = 0.005},
          {.name = "50 ms, 40 %", .period_s = 0.05, .window_s = 0.02},
          {.name = "150 ms, 100 %, 1 W steps", .period_s = 0.15, .quantum_w = 1},
          {.name = "counter, 100 ms, true", .period_s = 0.1, .window_s = 0.025, .counter = kTrue},
          {.name = "counter, 20 ms, true", .period_s = 0.02, .window_s = 0.01, .counter = kTrue},
          {.name = "counter, 100 ms, blind 25 %", .period_s = 0.1, .window_s = 0.025, .counter = kBlind}};
}

SensorTiming DrawnSensor::Timing(double period_s) const {
  SensorTiming timing;
  timing.period_s = period_s;
  timing.contiguous = sensor.window_s <= 0 || sensor.counter == CounterKind::kTrue;
  timing.window_s = timing.contiguous ? period_s : calibrated_window_s;
  timing.lag_s = calibrated_lag_s;
  timing.low_pass_s = calibrated_low_pass_s;
  timing.lag_sd_s = timing.low_pass_sd_s = timing.window_sd_s = options.told_sd_s;
  timing.step_sd_s = options.step_sd_s;
  return timing;
}

DrawnSensor DrawSensor(const SensorKind& kind, const TrialOptions& options, std::mt19937_64& random) {
  DrawnSensor drawn;
  drawn.options = options;
  const double stretch = kind.period_s >= 0.05 ? 1 + Uniform(0, 0.04, random) : 1 + Uniform(-0.01, 0.02, random);
  PowerSensor& sensor = drawn.sensor;
  sensor.period_s = kind.period_s * stretch;
  sensor.window_s = kind.window_s;
  sensor.low_pass_s = Uniform(0, 0.003, random);
  sensor.lag_s = Uniform(0, 0.005, random);
  sensor.first_tick_s = Uniform(0, sensor.period_s, random);
  sensor.tick_jitter_s = kind.tick_jitter_s;
  sensor.gain = 1 + Normal(0.025, random);
  sensor.offset_w = Normal(1, random);
  sensor.noise_w = kind.noise_w;
  sensor.quantum_w = kind.quantum_w;
  sensor.counter = kind.counter;
  drawn.calibrated_lag_s = sensor.lag_s + Normal(options.calibration_sd_s, random);
  drawn.calibrated_low_pass_s = std::max(0.0, sensor.low_pass_s + Normal(options.calibration_sd_s, random));
  // No calibration tells a window of no length, however bad it is.
  drawn.calibrated_window_s =
      std::max(0.1 * sensor.window_s, sensor.window_s + Normal(options.calibration_sd_s, random));
  return drawn;
}

void PhaseTally::Add(const PhaseTally& other) {
  runs += other.runs;
  refused += other.refused;
  phases += other.phases;
  share_covered += other.share_covered;
  identified += other.identified;
  identified_covered += other.identified_covered;
  energy_covered += other.energy_covered;
  groups += other.groups;
  groups_covered += other.groups_covered;
  share_half_width += other.share_half_width;
  energy_half_width += other.energy_half_width;
  share_error += other.share_error;
  share_error2 += other.share_error2;
  worst_closure = std::max(worst_closure, other.worst_closure);
  closures.insert(closures.end(), other.closures.begin(), other.closures.end());
  plain_means.insert(plain_means.end(), other.plain_means.begin(), other.plain_means.end());
  condition += other.condition;
}

SensorTiming CalibratedTiming(const DrawnSensor& drawn, std::mt19937_64& random) {
  const SimulatedBursts bursts = SimulateBursts({.ramp_s = drawn.options.ramp_s}, kCalibrationS, random);
  const PolledSensor seen = PollSensor(bursts.power, drawn.sensor, kPolling, random);
  const TickTimes fit = Sound(FitTickTimes(seen.power, kPolling.period_s));
  const SensorCalibration found = Sound(CalibrateSensor(bursts.busy, fit.ticks));
  SensorTiming timing = found.timing;
  if (drawn.sensor.counter != CounterKind::kAbsent) {
    const TickTimes counter = Sound(FitTickTimes(seen.counter, kPolling.period_s));
    timing = Sound(JudgeCounter(bursts.busy, PowerOfCounter(counter.ticks), found)).timing;
  }
  timing.step_sd_s = drawn.options.step_sd_s;
  return timing;
}

double PhaseTrial::ShownPowerW() const {
  const double cycle_j = std::accumulate(truth.energy_j.begin(), truth.energy_j.end(), 0.0);
  const double truth_w = cycle_j * truth.iterations / truth.power.back().end_s;
  return drawn.sensor.gain * truth_w + drawn.sensor.offset_w;
}

PhaseTrial MakePhaseTrial(const SensorKind& kind, const TrainingLoad& load, const TrialOptions& options,
                          uint64_t seed) {
  std::mt19937_64 load_random(2 * seed), random(2 * seed + 1);
  PhaseTrial trial;
  trial.truth = SimulateTraining(load, options.length_s, load_random);
  trial.drawn = DrawSensor(kind, options, random);
  if (options.in_step) trial.drawn.sensor.period_s = trial.truth.power.back().end_s / trial.truth.iterations;
  const PolledSensor seen = PollSensor(trial.truth.power, trial.drawn.sensor, kPolling, random);
  const bool counts = kind.counter != CounterKind::kAbsent;
  const TickTimes fit = Sound(FitTickTimes(counts ? seen.counter : seen.power, kPolling.period_s));
  const std::vector<SensorTick> ticks = counts ? PowerOfCounter(fit.ticks) : fit.ticks;

  PhaseRun run;
  run.marks = trial.truth.marks;
  run.phase_count = trial.truth.phase_count;
  run.iterations = trial.truth.iterations;
  run.ticks = ticks;
  run.timing = trial.drawn.Timing(fit.period_s);
  if (options.calibration == TrialCalibration::kBursts) run.timing = CalibratedTiming(trial.drawn, random);
  trial.found = Sound(EstimatePhaseEnergies(run));
  return trial;
}

PhaseTally RunPhaseTrial(const SensorKind& kind, const TrainingLoad& load, const TrialOptions& options, uint64_t seed) {
  const PhaseTrial trial = MakePhaseTrial(kind, load, options, seed);
  PhaseTally tally;
  tally.runs = 1;
  const double mean_w = InWatts(trial.found.mean_power);
  tally.plain_means.push_back(mean_w / (1 + trial.found.closure) / trial.ShownPowerW() - 1);
  if (!trial.found.refusal.empty()) {
    tally.refused = 1;
    return tally;
  }
  tally.closures.push_back(mean_w / trial.ShownPowerW() - 1);
  tally.worst_closure = std::abs(tally.closures.back());
  Judge(trial.found, trial.truth, tally);
  return tally;
}

void WindowTally::Add(const WindowTally& other) {
  runs += other.runs;
  unresolved += other.unresolved;
  covered += other.covered;
  shown_covered += other.shown_covered;
  half_width += other.half_width;
  coarse += other.coarse;
  far_untold += other.far_untold;
  errors.insert(errors.end(), other.errors.begin(), other.errors.end());
}

WindowTally RunWindowTrial(const SensorKind& kind, const TrainingLoad& load, double window_s, uint64_t seed) {
  std::mt19937_64 load_random(2 * seed), random(2 * seed + 1);
  const SimulatedTraining truth = SimulateTraining(load, window_s + 6, load_random);
  const DrawnSensor drawn = DrawSensor(kind, {.length_s = window_s + 6}, random);
  const PolledSensor seen = PollSensor(truth.power, drawn.sensor, kPolling, random);
  const bool counts = kind.counter != CounterKind::kAbsent;
  const TickTimes fit = Sound(FitTickTimes(counts ? seen.counter : seen.power, kPolling.period_s));

  std::vector<double> repeats_s;
  for (const PhaseMark& mark : truth.marks) {
    if (mark.phase == 0) repeats_s.push_back(mark.begin_s);
  }
  WindowRequest request;
  request.ticks = fit.ticks;
  request.source = kind.counter == CounterKind::kTrue    ? EnergySource::kTrueCounter
                   : kind.counter == CounterKind::kBlind ? EnergySource::kBlindCounter
                                                         : EnergySource::kReadings;
  request.timing = drawn.Timing(fit.period_s);
  request.begin_s = Uniform(2, 3, random);
  request.end_s = request.begin_s + window_s;
  request.repeat_begins_s = repeats_s;
  const WindowEnergy found = Sound(EstimateWindowEnergy(request));
  WindowTally tally;
  tally.runs = 1;
  if (!found.Resolved()) {
    tally.unresolved = 1;
    return tally;
  }
  const FilteredPower power(truth.power, 0);
  const double true_j = power.EnergyUntil(request.end_s) - power.EnergyUntil(request.begin_s);
  tally.covered = std::abs(InJoules(found.energy) - true_j) <= InJoules(found.HalfWidthWithGain());
  tally.half_width = InJoules(found.half_width) / true_j;
  const double shown_j = drawn.sensor.gain * true_j + drawn.sensor.offset_w * window_s;
  tally.shown_covered = std::abs(InJoules(found.energy) - shown_j) <= InJoules(found.half_width);
  tally.errors.push_back(InJoules(found.energy) / shown_j - 1);
  tally.coarse = !found.coarse.empty();
  tally.far_untold = found.coarse.empty() && std::abs(tally.errors.back()) > 0.02;
  return tally;
}

}  // namespace heliograd
