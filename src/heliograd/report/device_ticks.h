// The readings of a calibrated device over a stretch of a record, ready for the estimators of `model`.
//
// Enters: a recorded run, a calibration, a stretch of time. Leaves: ticks in watts and how their sensor looks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/model/sensor_timing.h"
#include "heliograd/report/channel_ticks.h"
#include "heliograd/report/device_calibration.h"
#include "heliograd/trace/run_store.h"

namespace heliograd {

/// The channel by which short stretches are told apart, and how its sensor looks.
struct TellingSensor {
  ChannelKind channel = ChannelKind::kPowerInstant;
  SensorTiming timing;
};

/// A counter that sees everything has no blind time that phases could hide in; else the power sensor.
TellingSensor TellingSensorOf(const DeviceCalibration& calibration);

/// Times are seconds since begin_ns on the driver's clock, which runs `clock_ratio` times as fast as the host's (1 but
/// on a simulated GPU in accelerated time).
struct DeviceTicks {
  std::vector<SensorTick> ticks;  // W
  SensorTiming timing;
  int64_t begin_ns = 0, end_ns = 0;  // the longest unbroken part of the stretch that was asked for
  double clock_ratio = 1;

  double Seconds(int64_t stamp_ns) const { return static_cast<double>(stamp_ns - begin_ns) * 1e-9 * clock_ratio; }
};

/// Errors: the store cannot be read, the sensor was not recorded, or it updated too rarely.
Result<DeviceTicks> TicksBetween(const RunReader& run, const std::vector<ChannelRecord>& channels, int device,
                                 const TellingSensor& sensor, const RecordedInterval& interval);

}  // namespace heliograd
