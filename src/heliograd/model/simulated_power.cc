#include "heliograd/model/simulated_power.h"

#include <limits>
#include <random>

#include "heliograd/model/tick_times.h"

namespace heliograd {
namespace {

constexpr Polling kPolling;
constexpr double kShortRunS = 10;
constexpr double kLongAverageS = 1;

}  // namespace

GpuOperatingPoint PointOfUtilisation(double utilisation, std::optional<Power> limit) {
  const GpuPhase phase = {Seconds(1), utilisation, MemoryRatioFor(utilisation)};
  const Power none = Watts(std::numeric_limits<double>::infinity());
  return OperatingPoint(phase, limit.value_or(none), kGpuHighestClockMhz, StudyGpuIdlePower());
}

std::vector<PowerPiece> PowerOfStretches(std::span<const BusyStretch> stretches, double length_s,
                                         std::optional<Power> limit) {
  std::vector<PowerPiece> power;
  power.reserve(2 * stretches.size() + 1);
  double until_s = 0;
  const auto add = [&](double end_s, double utilisation) {
    if (end_s > until_s) power.push_back({end_s, InWatts(PointOfUtilisation(utilisation, limit).power)});
    until_s = std::max(until_s, end_s);
  };
  for (const BusyStretch& stretch : stretches) {
    add(stretch.begin_s, 0);
    add(stretch.end_s, stretch.utilisation);
  }
  add(length_s, 0);
  return power;
}

PowerSensor SensorOfSimulatedPower(double length_s, SimulatedSensor kind) {
  const bool is_fast = kind == SimulatedSensor::kFast;
  PowerSensor sensor;
  sensor.period_s = is_fast && length_s < kShortRunS ? 0.02 : 0.1;
  sensor.window_s = is_fast ? 0 : kLongAverageS;  // 0: contiguous
  sensor.low_pass_s = 0.001;
  sensor.lag_s = 0.003;
  sensor.noise_w = 0.3;
  sensor.counter = CounterKind::kAbsent;
  return sensor;
}

Result<SimulatedReadings> ReadSimulatedPower(std::span<const PowerPiece> power, uint64_t seed, SimulatedSensor kind) {
  std::mt19937_64 random(seed);
  const PowerSensor sensor = SensorOfSimulatedPower(power.back().end_s, kind);
  const PolledSensor seen = PollSensor(power, sensor, kPolling, random);
  Result<TickTimes> fit = FitTickTimes(seen.power, kPolling.period_s);
  if (!fit) return Fail(fit.error());
  SimulatedReadings readings;
  readings.ticks = std::move(fit->ticks);
  readings.timing.period_s = fit->period_s;
  readings.timing.contiguous = sensor.window_s == 0;
  readings.timing.window_s = readings.timing.contiguous ? fit->period_s : sensor.window_s;
  readings.timing.lag_s = sensor.lag_s;
  readings.timing.low_pass_s = sensor.low_pass_s;
  readings.timing.step_sd_s = std::max(0.0002, fit->StepSd());
  return readings;
}

}  // namespace heliograd
