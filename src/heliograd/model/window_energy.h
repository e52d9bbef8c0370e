// Energy of any window of time from a sensor that updates slowly, with an honest interval.
//
// Enters: ticks of an energy counter or of a power sensor (tick_times.h), the sensor's timing (sensor_calibration.h), a
// window. Leaves: joules, a 95 % interval, and a sentence where the sensor cannot resolve the window. Method: M.
// Burtscher, I. Zecena, Z. Zong, "Measuring GPU Power with the K20 Built-in Sensor", GPGPU-7, 2014 (lag), and Z. Yang
// et al., SC24, arXiv 2312.02741, section 5 (windows shorter than the period). Pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/model/sensor_timing.h"

namespace heliograd {

enum class EnergySource {
  kTrueCounter,   // ticks in J; the counter adds up all energy
  kBlindCounter,  // ticks in J; the counter adds up what the sensor's windows see
  kReadings       // ticks in W
};

struct WindowRequest {
  std::span<const SensorTick> ticks;  // ascending, one unbroken record
  EnergySource source = EnergySource::kReadings;
  SensorTiming timing;
  double begin_s = 0;
  double end_s = 0;
  /// When each repetition of a repeating load began, ascending, where known: with them a load that runs in step with a
  /// sensor of short windows is recognised.
  std::span<const double> repeat_begins_s;
  /// How far power can step at the window's edges; by default the range that the record shows, but at least its mean.
  std::optional<Power> power_step;
  double gain_sd = 0.025;       // relative, of an uncalibrated sensor
  Power offset_sd = Watts(1);   // of an uncalibrated sensor
  Power noise_sd = Watts(0.5);  // of one reading
};

/// All half-widths belong to 95 % intervals.
struct WindowEnergy {
  Energy energy;
  Energy half_width;           // of edges, duty and noise together; the gain is apart
  Energy edges_half_width;     // ticks do not fall on the window's edges, and steps are known in time only so well
  Energy duty_half_width;      // what happens while the sensor does not look
  Energy noise_half_width;     // of readings, and the sensor's offset
  double gain_half_width = 0;  // relative, one common factor of every energy of this sensor
  double ticks = 0;            // updates within the window
  std::string unresolved;      // why the energy is not to be relied on, one sentence; empty where it is
  std::string coarse;          // where the sensor's pauses leave more than 2 % open, one sentence that says so

  bool Resolved() const { return unresolved.empty(); }
  /// The interval's half-width with the gain in it.
  Energy HalfWidthWithGain() const;
};

/// Fails where the record has fewer than 3 ticks, does not cover the window, or the window does not end after it
/// begins.
Result<WindowEnergy> EstimateWindowEnergy(const WindowRequest& request);

}  // namespace heliograd
