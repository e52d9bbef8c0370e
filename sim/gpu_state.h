// The state of one simulated GPU, and how it goes on in time.
//
// Enters: the state at one instant, the GPU's description, a later instant. Leaves: the state and the power up to then.
// Plain data of fixed layout, for it lies in memory that processes share. Knows no clock, no process and no lock.
//
// What is physics and what is assumed: docs/simulated_gpu.md.
#pragma once

#include <cstdint>

#include "sim/config.h"
#include "sim/timeline.h"

namespace heliograd::sim {

inline constexpr uint32_t kMostLoads = 8;
inline constexpr uint32_t kMostPhases = 32;

/// One phase of a load's iteration.
struct LoadPhase {
  double seconds = 0;  // at the highest clock
  double utilisation = 0;
  double fixed_w = 0;  // greater than zero: given by its power at the highest clock instead
};

/// How a phase runs under the present limit and clock lock.
struct PhasePoint {
  double watts = 0;
  double slowdown = 1;
  double clock_mhz = 0;
  double busy = 0;    // share of the phase with work on the GPU
  double memory = 0;  // share of the phase with memory traffic
  uint64_t limit_binds = 0;
};

/// A program that computes on the GPU: it repeats its phases until it has done its iterations, its time is over, or it
/// stops showing that it lives.
struct Load {
  uint64_t id = 0;  // 0 = slot is free
  uint32_t pid = 0;
  uint32_t phase_count = 0;
  uint32_t phase = 0;
  uint32_t paused = 0;
  double left_s = 0;           // of the present phase, at the highest clock
  int64_t alive_until_ns = 0;  // after that it draws nothing until its owner shows up again
  int64_t end_ns = kForever;
  int64_t finished_ns = kForever;  // when it ended; it then draws nothing
  int64_t iterations_wanted = 0;
  int64_t iterations = 0;         // done
  double points_for_limit_w = 0;  // what `points` holds for; 0 = for nothing yet
  double points_for_clock_mhz = 0;
  LoadPhase phases[kMostPhases];
  PhasePoint points[kMostPhases];
};

struct GpuState {
  int64_t now_ns = 0;  // everything holds at this instant
  TimelineHead timeline;
  double limit_w = 0;
  double highest_clock_mhz = 0;  // what clocks are locked to; the GPU's own without a lock
  double lowest_clock_mhz = 0;   // the GPU idles here; its own lowest without a lock
  double clock_mhz = 0;          // the highest of the running loads
  uint64_t limit_binds = 0;      // now
  double throttled_s = 0;        // time in which it did, since the driver was loaded
  double temperature_c = 0;
  uint64_t persistence = 1;
  int64_t counter_start_ns = 0;  // when the energy counter was last at zero
  double counter_start_j = 0;    // true energy then
  int64_t next_tick = 0;         // first sensor tick that is not in `readings_j`
  double readings_j = 0;         // sum of readings x period since the counter was at zero
  uint64_t faults_begun = 0;
  uint64_t last_load_id = 0;
  Load loads[kMostLoads];
};

/// A GPU whose driver has just been loaded.
GpuState FreshGpu(const GpuConfig& gpu);

/// Goes on to `to_ns`, or until `most_segments` changes of power wait in the timeline.
void Advance(const GpuConfig& gpu, int64_t to_ns, uint64_t most_segments, GpuState& state, Timeline& timeline);

/// Puts the limit and clocks back to their defaults and the counters to zero, as loading the driver does.
void ReloadDriver(const GpuConfig& gpu, GpuState& state, const Timeline& timeline);

/// True while the load computes or would compute if it were not paused.
inline bool IsRunning(const Load& load) { return load.id != 0 && load.finished_ns == kForever; }

}  // namespace heliograd::sim
