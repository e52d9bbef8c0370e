// What a power sensor showed over time, as it was read: nothing interpolated, nothing corrected.
//
// A sensor publishes a value every 20 to 100 ms and is polled every few milliseconds. A Sample is one published value
// together with the time over which polls saw it, so values that do not change take no space.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/time.h"

namespace heliograd {

/// What a channel carries. Values are whole numbers in the driver's own resolution, so nothing is rounded when stored.
enum class ChannelKind {
  kPowerInstant = 1,  // mW, the sensor's own window
  kPowerAverage = 2,  // mW, mean over about one second
  kEnergy = 3,        // uJ since some start; only differences mean anything
  kPowerLimit = 4,    // mW, the limit in force, out-of-band limits included
  kCappedTime = 5,    // ns the clock was held down by the power limit; only differences mean anything
  kSmClock = 6,       // MHz
  kTemperature = 7    // degrees Celsius
};

/// Name with its unit, as it stands in files: "power_instant_mw".
std::string_view ChannelName(ChannelKind kind);

/// One published value. Stamps are nanoseconds of UNIX time on the sampler's clock, which never jumps: the system's
/// clock read once at the start, then the monotonic clock.
struct Sample {
  int64_t first_ns = 0;   // the poll that first saw it
  int64_t last_ns = 0;    // the last poll that saw it, first_ns when only one did
  int64_t driver_us = 0;  // the driver's own stamp at the first poll, microseconds of UNIX time; 0 when it gives none
  int64_t value = 0;
  bool changed = true;  // false for the first one after a start or a gap: it may have been published long before

  friend bool operator==(const Sample&, const Sample&) = default;
};

/// A time over which nothing is known of a channel, and why.
struct Gap {
  int channel = 0;
  int64_t begin_ns = 0;
  int64_t end_ns = 0;
  std::string reason;

  friend bool operator==(const Gap&, const Gap&) = default;
};

/// A named stretch of time that the user marked, or one pass of a phase.
struct WindowMark {
  std::string name;
  int64_t begin_ns = 0;
  int64_t end_ns = 0;
  int64_t thread = 0;  // of the operating system; windows nest within one thread
  int depth = 0;       // 0 = outermost

  friend bool operator==(const WindowMark&, const WindowMark&) = default;
};

/// A device as it was found.
struct DeviceRecord {
  std::string uuid;    // stable over reboots
  std::string name;    // as the maker calls it
  std::string driver;  // name and version: sensors change their meaning with it
  std::string source;  // what the readings came through: "nvml", "rapl"

  friend bool operator==(const DeviceRecord&, const DeviceRecord&) = default;
};

/// One stream of samples of one device.
struct ChannelRecord {
  int device = 0;  // index into the devices
  ChannelKind kind = ChannelKind::kPowerInstant;

  friend bool operator==(const ChannelRecord&, const ChannelRecord&) = default;
};

/// Adds a reading: a value equal to the last one only moves that one's end. `after_gap` starts a new sample that is not
/// known to be a change.
void AppendReading(std::vector<Sample>& samples, int64_t host_ns, int64_t driver_us, int64_t value, bool after_gap);

}  // namespace heliograd
