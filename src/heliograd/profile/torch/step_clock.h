// When a step of an iteration began and ended, without making the device wait: on the host, or by a device's events.
//
// Only for files of the torch part. Not thread-safe.
#pragma once

#include <c10/core/Event.h>
#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace heliograd {

/// Marks are made at once; their stamps, in ns of the host's clock, are asked later. A mark is a number that counts up.
class StepClock {
 public:
  virtual ~StepClock() = default;
  virtual void Mark() = 0;
  /// The stamps of all marks since the last call. Waits until the device has reached the last of them.
  virtual std::vector<int64_t> Take() = 0;
  /// Until all work handed out so far is done.
  virtual void Wait() = 0;
  /// How many iterations are handed out between two waits for the device.
  virtual int TakeEvery() const = 0;
};

using HostNow = std::function<int64_t()>;

/// For work that is over when the call returns: on the CPU, or (`synchronise` given) where each boundary waits for the
/// device.
std::unique_ptr<StepClock> HostStepClock(HostNow now, std::function<void()> synchronise);

/// Marks are events on the device's current stream, which nothing waits for. A reference event whose end the host
/// waited for ties them to the host's clock.
std::unique_ptr<StepClock> EventStepClock(HostNow now, c10::Device device);

}  // namespace heliograd
