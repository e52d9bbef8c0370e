#include "sim/sensor.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace heliograd::sim {
namespace {

constexpr double kNanosecondsPerMillisecond = 1e6;
constexpr double kMostDeviations = 3;  // a tick moves no further than this many standard deviations

/// SplitMix64, as published by S. Vigna (public domain).
uint64_t Mixed(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// In (0, 1).
double Uniform(uint64_t hash) { return (static_cast<double>(hash >> 11) + 0.5) * 0x1.0p-53; }

/// Standard normal deviate number k of a stream (Box and Muller).
double Normal(double seed, int64_t k, uint64_t stream) {
  const uint64_t hash = Mixed(Mixed(static_cast<uint64_t>(seed) * 4 + stream) ^ static_cast<uint64_t>(k));
  return std::sqrt(-2 * std::log(Uniform(hash))) * std::cos(2 * std::numbers::pi * Uniform(Mixed(hash)));
}

int64_t FromMilliseconds(double ms) { return static_cast<int64_t>(std::llround(ms * kNanosecondsPerMillisecond)); }

double Quantised(double watts, double quantum_mw) {
  const double milliwatts = std::round(std::max(watts, 0.0) * 1000 / quantum_mw) * quantum_mw;
  return milliwatts / 1000;
}

}  // namespace

int64_t SimNanoseconds(double seconds) { return static_cast<int64_t>(std::llround(seconds * kNanosecondsPerSecond)); }

int64_t TickTime(const SensorConfig& sensor, int64_t tick) {
  double ms = sensor.phase_ms + static_cast<double>(tick) * sensor.period_ms;
  if (sensor.jitter_ms > 0) {
    ms += sensor.jitter_ms * std::clamp(Normal(sensor.seed, tick, 1), -kMostDeviations, kMostDeviations);
  }
  return FromMilliseconds(ms);
}

int64_t LatestTick(const SensorConfig& sensor, int64_t at_ns) {
  const double ms = static_cast<double>(at_ns) / kNanosecondsPerMillisecond;
  int64_t tick = static_cast<int64_t>(std::floor((ms - sensor.phase_ms) / sensor.period_ms)) + 1;
  while (TickTime(sensor, tick) > at_ns) --tick;
  return tick;
}

double ReadingWatts(const SensorConfig& sensor, const Timeline& timeline, int64_t tick) {
  const int64_t end_ns = TickTime(sensor, tick) - FromMilliseconds(sensor.lag_ms);
  const int64_t start_ns = end_ns - std::max<int64_t>(FromMilliseconds(sensor.window_ms), 1);
  const double seconds = static_cast<double>(end_ns - start_ns) / kNanosecondsPerSecond;
  const double mean_w = (timeline.FilteredJoulesAt(end_ns) - timeline.FilteredJoulesAt(start_ns)) / seconds;
  const double noise_w = sensor.noise_w > 0 ? sensor.noise_w * Normal(sensor.seed, tick, 2) : 0;
  return Quantised(sensor.gain * mean_w + sensor.offset_w + noise_w, sensor.quantum_mw);
}

double AverageWatts(const SensorConfig& sensor, const Timeline& timeline, int64_t at_ns) {
  const int64_t last = LatestTick(sensor, at_ns);
  const int64_t first = std::min(FirstTickAfter(sensor, at_ns - SimNanoseconds(1)), last);
  double sum = 0;
  for (int64_t tick = first; tick <= last; ++tick) sum += ReadingWatts(sensor, timeline, tick);
  return sum / static_cast<double>(last - first + 1);
}

void CollectReadings(const GpuConfig& gpu, const Timeline& timeline, GpuState& state) {
  if (gpu.counter != CounterKind::kSensor) return;
  const double period_s = gpu.sensor.period_ms / 1000;
  for (const int64_t last = LatestTick(gpu.sensor, state.now_ns); state.next_tick <= last; ++state.next_tick) {
    state.readings_j += ReadingWatts(gpu.sensor, timeline, state.next_tick) * period_s;
  }
}

void ResetCounter(const GpuConfig& gpu, const Timeline& timeline, GpuState& state) {
  state.counter_start_ns = state.now_ns;
  const auto energy = timeline.JoulesAt(state.now_ns);
  state.counter_start_j = energy ? energy->joules : 0;
  state.readings_j = 0;
  state.next_tick = FirstTickAfter(gpu.sensor, state.now_ns);
}

double CounterJoules(const GpuConfig& gpu, const Timeline& timeline, const GpuState& state) {
  const int64_t phase_ns = FromMilliseconds(gpu.sensor.phase_ms);
  const double period_ns = gpu.counter_period_ms * kNanosecondsPerMillisecond;
  const double updates = std::floor(static_cast<double>(state.now_ns - phase_ns) / period_ns);
  const int64_t updated_ns = phase_ns + static_cast<int64_t>(std::llround(updates * period_ns));
  if (updated_ns <= state.counter_start_ns) return 0;
  if (gpu.counter == CounterKind::kTrue) {
    const auto energy = timeline.JoulesAt(updated_ns);
    return energy ? std::max(energy->joules - state.counter_start_j, 0.0) : 0;
  }
  double joules = state.readings_j;
  for (int64_t tick = state.next_tick - 1; TickTime(gpu.sensor, tick) > updated_ns; --tick) {
    if (TickTime(gpu.sensor, tick) <= state.counter_start_ns) break;
    joules -= ReadingWatts(gpu.sensor, timeline, tick) * gpu.sensor.period_ms / 1000;
  }
  return std::max(joules, 0.0);
}

}  // namespace heliograd::sim
