// From a recorded channel to the times at which its sensor put out its values.
//
// Enters: samples of a run store. Leaves: ticks in SI units, one list for each unbroken part of the record, on a clock
// that starts at the interval's begin. Knows no device.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/model/sensor_timing.h"
#include "heliograd/trace/run_store.h"

namespace heliograd {

/// One channel of one device.
struct ChannelSeries {
  ChannelKind kind = ChannelKind::kPowerInstant;
  std::vector<Sample> samples;
};

/// What is asked for, and how often was polled.
struct RecordedInterval {
  int64_t begin_ns = 0, end_ns = 0;
  double poll_s = 0.002;

  double Seconds(int64_t stamp_ns) const { return static_cast<double>(stamp_ns - begin_ns) * 1e-9; }
  double length_s() const { return Seconds(end_ns); }
};

/// An unbroken part of a record. Ticks are in W, those of an energy counter in J.
struct ChannelTicks {
  std::vector<SensorTick> ticks;
  double period_s = 0;
  double step_sd_s = 0;  // standard uncertainty of any step's time that the ticks themselves bring
};

/// The parts of at least three changes. Readings (not counters) that stayed the same before the first and after the
/// last change are among the ticks.
std::vector<ChannelTicks> TicksOfParts(const ChannelSeries& series, const RecordedInterval& interval);

/// mW and uJ as stored, in W and J.
double InSiUnits(ChannelKind kind, int64_t value);

/// How fast the driver's clock runs against the host's: 1 but on a simulated GPU in accelerated time.
double ClockRatio(const std::vector<ChannelSeries>& all);

/// Seconds between two polls, from the run's facts.
double PollSeconds(const std::vector<std::pair<std::string, std::string>>& facts);

/// Every channel of a device over the interval, and 5 s more on either side for ticks and lag.
Result<std::vector<ChannelSeries>> ReadDevice(const RunReader& run, const std::vector<ChannelRecord>& channels,
                                              int device, const RecordedInterval& interval);

}  // namespace heliograd
