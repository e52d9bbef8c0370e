#include "sim/gpu_state.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "heliograd/model/gpu_physics.h"
#include "sim/sensor.h"

namespace heliograd::sim {
namespace {

// Thermal model: one heat capacity behind one resistance. 236 W settle at 77 degrees.
constexpr double kAmbientC = 30;
constexpr double kDegreesPerWatt = 0.2;
constexpr double kThermalSeconds = 60;

/// What the GPU does between two changes.
struct Activity {
  uint32_t loads[kMostLoads];
  uint32_t count = 0;
  double watts = 0;
  double busy = 0;
  double memory = 0;
  double clock_mhz = 0;
  bool limit_binds = false;
};

/// A phase given by its power follows the limit as one of the utilisation that draws it. Less than the clock tree draws
/// cannot come from arithmetic: it is drawn as it is, at any clock.
PhasePoint PointOf(const LoadPhase& phase, const GpuConfig& gpu, const GpuState& state) {
  const Power idle = Watts(gpu.idle_w);
  const double utilisation = phase.fixed_w > 0 ? UtilisationFor(Watts(phase.fixed_w), idle) : phase.utilisation;
  if (utilisation < 0) {
    return {phase.fixed_w, 1, state.highest_clock_mhz, phase.fixed_w > gpu.idle_w ? 1.0 : 0.0, 0, 0};
  }
  const GpuOperatingPoint point = OperatingPoint({Seconds(phase.seconds), utilisation, MemoryRatioFor(utilisation)},
                                                 Watts(state.limit_w), state.highest_clock_mhz, idle);
  return {InWatts(point.power),        point.slowdown,     point.clock_mhz,
          utilisation > 0 ? 1.0 : 0.0, point.memory_share, point.limit_binds ? 1u : 0u};
}

void UpdatePoints(Load& load, const GpuConfig& gpu, const GpuState& state) {
  if (load.points_for_limit_w == state.limit_w && load.points_for_clock_mhz == state.highest_clock_mhz) return;
  for (uint32_t k = 0; k < load.phase_count; ++k) load.points[k] = PointOf(load.phases[k], gpu, state);
  load.points_for_limit_w = state.limit_w;
  load.points_for_clock_mhz = state.highest_clock_mhz;
}

bool Computes(const Load& load, int64_t now_ns) {
  return IsRunning(load) && !load.paused && load.alive_until_ns > now_ns;
}

/// Loads share the GPU by time slices: each runs 1/n of the time at its own power and clock.
Activity ActivityNow(const GpuConfig& gpu, GpuState& state) {
  Activity activity;
  for (uint32_t k = 0; k < kMostLoads; ++k) {
    Load& load = state.loads[k];
    if (!Computes(load, state.now_ns)) continue;
    UpdatePoints(load, gpu, state);
    const PhasePoint& point = load.points[load.phase];
    activity.loads[activity.count++] = k;
    activity.watts += point.watts;
    activity.busy += point.busy;
    activity.memory += point.memory;
    activity.clock_mhz = std::max(activity.clock_mhz, point.clock_mhz);
    activity.limit_binds |= point.limit_binds != 0;
  }
  if (activity.count == 0) {
    activity.watts = gpu.idle_w;
    activity.clock_mhz = state.lowest_clock_mhz;
    return activity;
  }
  activity.watts /= activity.count;
  activity.busy /= activity.count;
  activity.memory /= activity.count;
  return activity;
}

/// When the present activity ends at the latest.
int64_t NextChange(const GpuState& state, const GpuConfig& gpu, const Activity& activity, int64_t to_ns) {
  int64_t next_ns = to_ns;
  if (state.faults_begun < gpu.faults.size()) {
    next_ns = std::min(next_ns, SimNanoseconds(gpu.faults[state.faults_begun].at_s));
  }
  for (uint32_t k = 0; k < activity.count; ++k) {
    const Load& load = state.loads[activity.loads[k]];
    const double phase_s = load.left_s * load.points[load.phase].slowdown * activity.count;
    const auto phase_ns = static_cast<int64_t>(std::ceil(std::max(phase_s, 0.0) * kNanosecondsPerSecond));
    next_ns = std::min({next_ns, state.now_ns + phase_ns, load.alive_until_ns, load.end_ns});
  }
  return std::max(next_ns, state.now_ns);
}

void GoOnWithLoad(Load& load, double seconds, uint32_t sharers, int64_t now_ns) {
  load.left_s -= seconds / (load.points[load.phase].slowdown * sharers);
  // An instant is a whole nanosecond: what a phase overshoots is taken off the next one, so that no time is lost.
  if (load.left_s <= 1e-12) {
    load.phase = (load.phase + 1) % load.phase_count;
    load.left_s += load.phases[load.phase].seconds;
    if (load.phase == 0) ++load.iterations;
  }
  if (load.iterations >= load.iterations_wanted || now_ns >= load.end_ns) load.finished_ns = now_ns;
}

void Heat(GpuState& state, double watts, double seconds) {
  const double settled = kAmbientC + kDegreesPerWatt * watts;
  state.temperature_c = settled + (state.temperature_c - settled) * std::exp(-seconds / kThermalSeconds);
}

void BeginFaults(const GpuConfig& gpu, GpuState& state, const Timeline& timeline) {
  while (state.faults_begun < gpu.faults.size() &&
         SimNanoseconds(gpu.faults[state.faults_begun].at_s) <= state.now_ns) {
    const FaultKind kind = gpu.faults[state.faults_begun].kind;
    ++state.faults_begun;
    if (kind == FaultKind::kDriverReload) ReloadDriver(gpu, state, timeline);
    if (kind == FaultKind::kCounterReset) ResetCounter(gpu, timeline, state);
  }
}

}  // namespace

GpuState FreshGpu(const GpuConfig& gpu) {
  GpuState state;
  state.limit_w = gpu.limit_default_w;
  state.lowest_clock_mhz = kGpuLowestClockMhz;
  state.highest_clock_mhz = kGpuHighestClockMhz;
  state.clock_mhz = kGpuLowestClockMhz;
  state.temperature_c = kAmbientC + kDegreesPerWatt * gpu.idle_w;
  state.timeline.open.watts = gpu.idle_w;
  state.timeline.open.filtered_w = gpu.idle_w;
  state.timeline.points = 1;  // the zero point at the driver's start
  state.next_tick = FirstTickAfter(gpu.sensor, 0);
  return state;
}

void ReloadDriver(const GpuConfig& gpu, GpuState& state, const Timeline& timeline) {
  state.limit_w = gpu.limit_default_w;
  state.lowest_clock_mhz = kGpuLowestClockMhz;
  state.highest_clock_mhz = kGpuHighestClockMhz;
  state.persistence = 1;
  state.throttled_s = 0;
  ResetCounter(gpu, timeline, state);
}

void Advance(const GpuConfig& gpu, int64_t to_ns, uint64_t most_segments, GpuState& state, Timeline& timeline) {
  while (true) {
    BeginFaults(gpu, state, timeline);
    const Activity activity = ActivityNow(gpu, state);
    timeline.Change(state.now_ns, activity.watts, activity.busy, activity.memory);
    state.clock_mhz = activity.clock_mhz;
    state.limit_binds = activity.limit_binds ? 1 : 0;
    if (state.now_ns >= to_ns || timeline.uncommitted() >= most_segments) break;
    const int64_t next_ns = NextChange(state, gpu, activity, to_ns);
    const double seconds = static_cast<double>(next_ns - state.now_ns) / kNanosecondsPerSecond;
    state.now_ns = next_ns;
    for (uint32_t k = 0; k < activity.count; ++k) {
      GoOnWithLoad(state.loads[activity.loads[k]], seconds, activity.count, next_ns);
    }
    Heat(state, activity.watts, seconds);
    if (activity.limit_binds) state.throttled_s += seconds;
  }
  CollectReadings(gpu, timeline, state);
  state.timeline = timeline.head();
}

}  // namespace heliograd::sim
