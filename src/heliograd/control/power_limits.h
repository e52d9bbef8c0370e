// The power limit of one GPU as the runner sees it: set, read back, given back. Who sets it (this process under a
// lease, or a program with more rights on its behalf) is behind the interface.
#pragma once

#include <memory>

#include "heliograd/base/result.h"
#include "heliograd/control/limit_lease.h"
#include "heliograd/meter/meter.h"

namespace heliograd {

/// One thread.
class PowerLimits {
 public:
  virtual ~PowerLimits() = default;
  virtual Result<PowerLimitRange> Range() = 0;
  /// Errors: kPermission without the right to; kUsage out of range; kDevice while the device is away; kFailure when
  /// someone else holds or has changed the limit. Nothing is set then.
  virtual Result<void> Set(Power limit) = 0;
  /// The limit that was asked for last, by anyone.
  virtual Result<Power> Asked() = 0;
  /// Puts the limit from before back.
  virtual Result<Restored> Release() = 0;
  /// After the driver was loaded anew, which ended every limit: what is in force now is what is put back later.
  virtual Result<void> Renew() = 0;
  /// Whoever holds the lease on our behalf is away and has put the limit from before back; it is taken again when they
  /// are there again. Until then the limit in force is not someone else's.
  virtual bool IsAway() const { return false; }
};

/// Limits that this process sets by itself, under a lease that it takes with the first one.
std::unique_ptr<PowerLimits> MakeLeasedLimits(PowerCapper& capper, LimitLease::Options options);

}  // namespace heliograd
