// Power for work that was really done where no GPU can be measured: what the study's GPU would have drawn, and what its
// sensor would have shown, had it been as busy in the time that the marks tell.
//
// Enters: when work ran and how busy it would keep the GPU (assumed), a power limit. Leaves: the true simulated power,
// and a sensor's readings of it. The times are real, the power is not: every number made from it says "simulated
// power". Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/model/gpu_physics.h"
#include "heliograd/model/power_sensor.h"
#include "heliograd/model/sensor_timing.h"

namespace heliograd {

/// Work from begin to end at one utilisation of the arithmetic units (gpu_physics.h).
struct BusyStretch {
  double begin_s = 0;
  double end_s = 0;
  double utilisation = 0;
};

/// The limits that the study's GPU takes.
inline constexpr double kStudyGpuLowestLimitW = 100, kStudyGpuHighestLimitW = 320;

/// How work of one utilisation runs on the study's GPU: at its highest clock, or under a limit as gpu_physics.h has it.
GpuOperatingPoint PointOfUtilisation(double utilisation, std::optional<Power> limit);

/// The power at those points; between stretches the clock stays up. Whoever sets a limit has made the stretches longer
/// by the points' slowdowns. Precondition: stretches ascend without overlap, the first begins at 0 or later, the last
/// ends by `length_s`.
std::vector<PowerPiece> PowerOfStretches(std::span<const BusyStretch> stretches, double length_s,
                                         std::optional<Power> limit = std::nullopt);

enum class SimulatedSensor {
  kFast,          // an update each 100 ms, or each 20 ms in runs shorter than 10 s; looks all the time
  kAverageOfOneS  // an update each 100 ms, the mean of the last second: as several cards have it
};

/// The sensor of simulated power, behind a low pass of 1 ms and a lag of 3 ms, with 0.3 W of noise; its gain is exact.
PowerSensor SensorOfSimulatedPower(double length_s, SimulatedSensor kind = SimulatedSensor::kFast);

struct SimulatedReadings {
  std::vector<SensorTick> ticks;
  SensorTiming timing;  // as a calibration would know it, within 0.3 ms
};

/// The readings of power that is polled every 2 ms. Errors: shorter than ten updates of the sensor.
Result<SimulatedReadings> ReadSimulatedPower(std::span<const PowerPiece> power, uint64_t seed,
                                             SimulatedSensor kind = SimulatedSensor::kFast);

}  // namespace heliograd
