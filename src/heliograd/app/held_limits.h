// The power limit of GPUs while a command lasts, each under a lease.
//
// Enters: which GPUs, and the limit. Leaves: the limit in force, and the prior ones back whatever happens.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/control/power_limits.h"
#include "heliograd/meter/meter.h"

namespace heliograd {

/// Prior limits come back when it is destroyed. One thread.
class HeldLimits {
 public:
  /// None held.
  HeldLimits() = default;
  /// Sets the limit of every selected GPU (as in sources.h); `command` is what others are told who want a lease too.
  /// Errors: no such GPU, no right to (kPermission), a limit outside the GPU's range (kUsage), a lease of someone else.
  /// Nothing stays set then.
  static Result<HeldLimits> Set(const std::string& gpus, Power limit, const std::string& command);

  /// Puts the prior limits back, and says on standard error what did not go as planned.
  void Release();

 private:
  std::vector<std::unique_ptr<PowerCapper>> cappers_;  // outlive the limits, which are destroyed first
  std::vector<std::unique_ptr<PowerLimits>> limits_;
};

/// Whether each of these limits could be set on the one selected GPU now: the limit in force is set once more under a
/// lease, which changes nothing. Errors: as HeldLimits::Set; several GPUs (kUsage).
Result<void> CheckLimits(const std::string& gpu, const std::vector<Power>& limits, const std::string& command);

}  // namespace heliograd
