// The power sensor and the energy counter of a simulated GPU: what the driver shows of the true power.
//
// Enters: the true power over time. Leaves: reading k, which stands from tick k until the next one, and the counter.
// Both are functions of the true power alone (noise is hashed from seed and k), so all processes see the same values.
#pragma once

#include <cstdint>

#include "sim/config.h"
#include "sim/gpu_state.h"
#include "sim/timeline.h"

namespace heliograd::sim {

/// Seconds as simulated nanoseconds.
int64_t SimNanoseconds(double seconds);

/// When the sensor publishes reading k.
int64_t TickTime(const SensorConfig& sensor, int64_t tick);
/// The last tick at or before an instant.
int64_t LatestTick(const SensorConfig& sensor, int64_t at_ns);
inline int64_t FirstTickAfter(const SensorConfig& sensor, int64_t at_ns) { return LatestTick(sensor, at_ns) + 1; }

/// Reading k in watts, quantised, never negative: gain x mean of the low-passed power over the window that ends `lag`
/// before the tick, plus offset and noise.
double ReadingWatts(const SensorConfig& sensor, const Timeline& timeline, int64_t tick);
/// Mean of the readings of the last second.
double AverageWatts(const SensorConfig& sensor, const Timeline& timeline, int64_t at_ns);

/// Adds the readings up to now to the sum that a sensor-fed counter shows. Does nothing for other counters.
void CollectReadings(const GpuConfig& gpu, const Timeline& timeline, GpuState& state);
/// The counter starts again at zero.
void ResetCounter(const GpuConfig& gpu, const Timeline& timeline, GpuState& state);
/// What the counter shows at state.now_ns. Meaningless for an absent counter.
double CounterJoules(const GpuConfig& gpu, const Timeline& timeline, const GpuState& state);

}  // namespace heliograd::sim
