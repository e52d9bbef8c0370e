#include "heliograd/model/steady_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/model/power_sensor.h"
#include "heliograd/model/statistics.h"

namespace heliograd {
namespace {

constexpr double kSettlingS = 0.3;
constexpr double kLowPassesToSettle = 5;
constexpr size_t kFewestReadings = 5;
constexpr double kSettlingFloor = 0.01;      // relative
constexpr double kIsolated = 0.05;           // relative
constexpr double kLeastPauseSpread = 0.002;  // of the busy share; below it pauses cannot be told from running

struct Reading {
  double busy = 0;  // share of the window
  double power_w = 0;
};

std::vector<Reading> SettledReadings(const LoopTrial& trial, const SensorTiming& timing) {
  std::vector<PowerPiece> busy;
  const double begin_s = trial.runs.front().begin_s, end_s = trial.runs.back().end_s;
  for (const TimeSpan& run : trial.runs) {
    busy.push_back({run.begin_s, 0});
    busy.push_back({run.end_s, 1});
  }
  const FilteredPower filtered(busy, timing.low_pass_s);
  const double settled_s =
      begin_s + std::max(kSettlingS, timing.window_s + kLowPassesToSettle * timing.low_pass_s + timing.lag_s);
  std::vector<Reading> readings;
  for (const SensorTick& tick : trial.ticks) {
    const double to_s = tick.time_s - timing.lag_s, from_s = to_s - timing.window_s;
    if (from_s < settled_s || to_s > end_s) continue;
    readings.push_back({(filtered.EnergyUntil(to_s) - filtered.EnergyUntil(from_s)) / timing.window_s, tick.value});
  }
  return readings;
}

}  // namespace

Result<LoopPower> MeanLoopPower(const LoopTrial& trial, const SensorTiming& timing) {
  if (trial.runs.empty()) return Fail("a loop's trial has no runs");
  const std::vector<Reading> readings = SettledReadings(trial, timing);
  if (readings.size() < kFewestReadings) {
    return Fail(fmt::format(
        "only {} readings lie within the loop after it has settled: expected at least {}; loop longer than "
        "{:.3g} s",
        readings.size(), kFewestReadings, kSettlingS + timing.window_s + (kFewestReadings + 1) * timing.period_s));
  }
  const double n = static_cast<double>(readings.size());
  double busy = 0, power = 0;
  for (const Reading& reading : readings) {
    busy += reading.busy / n;
    power += reading.power_w / n;
  }
  double bb = 0, bp = 0;
  for (const Reading& reading : readings) {
    bb += (reading.busy - busy) * (reading.busy - busy);
    bp += (reading.busy - busy) * (reading.power_w - power);
  }
  const bool told = std::sqrt(bb / n) > kLeastPauseSpread;
  const double slope_w = told ? bp / bb : 0;
  return LoopPower{Watts(power + slope_w * (1 - busy)), Watts(power - slope_w * busy),
                   static_cast<int>(readings.size())};
}

Result<LoopResult> EnergiesOfLayers(std::span<const LoopEnergy> trials) {
  int layers = 0;
  for (const LoopEnergy& trial : trials) {
    if (!(trial.energy > Joules(0)) || trial.layer < 0) {
      return Fail(
          fmt::format("the loop of layer {} in round {} has {:.6g} J: expected a layer from 0 on and energy above 0",
                      trial.layer, trial.round, InJoules(trial.energy)));
    }
    layers = std::max(layers, trial.layer + 1);
  }
  std::vector<double> sums(static_cast<size_t>(layers), 0), counts(static_cast<size_t>(layers), 0);
  for (const LoopEnergy& trial : trials) {
    sums[static_cast<size_t>(trial.layer)] += InJoules(trial.energy);
    counts[static_cast<size_t>(trial.layer)] += 1;
  }
  LoopResult result;
  double squares = 0;
  for (size_t layer = 0; layer < sums.size(); ++layer) {
    if (counts[layer] < 1) return Fail(fmt::format("layer {} has no trial: loop each layer in each round", layer));
    result.degrees_of_freedom += counts[layer] - 1;
  }
  for (const LoopEnergy& trial : trials) {
    const auto layer = static_cast<size_t>(trial.layer);
    squares += std::pow(InJoules(trial.energy) / (sums[layer] / counts[layer]) - 1, 2);
  }
  if (result.degrees_of_freedom < 1)
    return Fail("no layer was looped twice: at least 2 rounds tell the scatter, 5 are advised");

  result.scatter = std::sqrt(squares / result.degrees_of_freedom);
  const double t = StudentT975(result.degrees_of_freedom);
  double sum_fit2 = 0, sum_j = 0;
  for (size_t layer = 0; layer < sums.size(); ++layer) {
    const double energy_j = sums[layer] / counts[layer],
                 fit_j = energy_j * t * result.scatter / std::sqrt(counts[layer]);
    result.layers.push_back(
        {Joules(energy_j), Joules(std::hypot(fit_j, kSettlingFloor * energy_j)), static_cast<int>(counts[layer])});
    sum_fit2 += fit_j * fit_j;
    sum_j += energy_j;
  }
  result.sum = Joules(sum_j);
  // Settling errs the same way in each layer, so its floor adds up as it is.
  result.sum_half_width = Joules(std::hypot(std::sqrt(sum_fit2), kSettlingFloor * sum_j));
  return result;
}

LayerEnergy NetOfIdle(const LayerEnergy& layer, Duration repetition, Power idle, Power idle_sd) {
  LayerEnergy net = layer;
  net.energy = layer.energy - idle * repetition;
  net.half_width = Joules(std::hypot(InJoules(layer.half_width), kNormal975 * InJoules(idle_sd * repetition)));
  return net;
}

LoopClosure AgainstWhole(const LoopResult& layers, const LayerEnergy& whole) {
  LoopClosure closure;
  closure.ratio = layers.sum / whole.energy;
  closure.half_width = closure.ratio * std::hypot(layers.sum_half_width / layers.sum, whole.half_width / whole.energy);
  closure.isolated = std::abs(closure.ratio - 1) > kIsolated;
  return closure;
}

}  // namespace heliograd
