// Meters (what can be read) and cappers (what can be set), apart from each other.
//
// Enters: a driver's answers. Leaves: values in the driver's own resolution with its stamps, or why there is none.
// Nothing here interpolates, corrects or decides; that is work for `model`. A meter knows no file format and no plan.
// Only `control` may hold a PowerCapper.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/trace/samples.h"

namespace heliograd {

/// Why a channel gave no value, or that it did.
enum class ReadingState {
  kValue,         // there is a value
  kNothingYet,    // for the moment: no data, not ready, a wrong zero. Worth asking again at the next poll
  kNotSupported,  // the device says it cannot; known to be said wrongly now and then, so ask again
  kLost           // the device or its driver is gone; the meter must be opened again
};

/// The answer of one channel to one poll.
struct ChannelReading {
  ReadingState state = ReadingState::kNothingYet;
  int64_t value = 0;      // in the unit of the channel's kind
  int64_t driver_us = 0;  // the driver's own stamp, microseconds of UNIX time; 0 when it gives none
  int code = 0;           // the source's own return code, for messages; 0 = success
};

/// Reads one device. One thread at a time.
class PowerMeter {
 public:
  virtual ~PowerMeter() = default;
  virtual const DeviceRecord& Device() const = 0;
  /// The channels that gave a value when the meter was opened: found by asking, not by the name of the device.
  virtual const std::vector<ChannelKind>& Channels() const = 0;
  /// Asks every channel once, all in as few calls as the source allows. `readings` has one place per channel.
  virtual void Read(std::span<ChannelReading> readings) = 0;
  /// What a code of this source means: "NVML_ERROR_GPU_IS_LOST".
  virtual std::string CodeName(int code) const = 0;
  /// Tries to get the device back after kLost. False while it is still gone.
  virtual bool Reopen() = 0;
};

/// The limits a device accepts.
struct PowerLimitRange {
  Power lowest;
  Power highest;
  Power standard;  // what the device starts with
};

/// Sets the power limit of one device. One thread at a time.
class PowerCapper {
 public:
  virtual ~PowerCapper() = default;
  virtual const DeviceRecord& Device() const = 0;
  /// Errors: kDevice when the device cannot be limited.
  virtual Result<PowerLimitRange> Range() = 0;
  /// The limit that software asked for. The one in force may be lower (set out of band): see EnforcedLimit.
  virtual Result<Power> Limit() = 0;
  virtual Result<Power> EnforcedLimit() = 0;
  /// Errors: kPermission without the right to, kUsage outside the range, kDevice otherwise. Nothing is set then.
  virtual Result<void> SetLimit(Power limit) = 0;
};

}  // namespace heliograd
