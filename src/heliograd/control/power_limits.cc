#include "heliograd/control/power_limits.h"

#include <chrono>
#include <utility>

#include "heliograd/base/clock.h"

namespace heliograd {
namespace {

constexpr std::chrono::seconds kGuardTime{2};

class LeasedLimits : public PowerLimits {
 public:
  LeasedLimits(PowerCapper& capper, LimitLease::Options options) : capper_(capper), options_(std::move(options)) {}

  Result<PowerLimitRange> Range() override { return capper_.Range(); }

  Result<void> Set(Power limit) override {
    if (!lease_) {
      Result<std::unique_ptr<LimitLease>> taken = LimitLease::Take(capper_, options_);
      // The guard of the lease that was given back a moment ago may not be gone yet.
      while (!taken && taken.error().kind == ErrorKind::kFailure && SteadyClock().Now() < renewed_ + kGuardTime) {
        SteadyClock().SleepUntil(SteadyClock().Now() + std::chrono::milliseconds(10));
        taken = LimitLease::Take(capper_, options_);
      }
      if (!taken) return Fail(taken.error());
      lease_ = std::move(*taken);
    }
    return lease_->Set(limit);
  }

  Result<Power> Asked() override { return capper_.Limit(); }

  Result<Restored> Release() override {
    if (!lease_) return Restored::kNothingToDo;
    const Result<Restored> restored = lease_->Release();
    if (restored) lease_.reset();
    return restored;
  }

  Result<void> Renew() override {
    if (!lease_) return {};
    if (const Result<Restored> restored = Release(); !restored) return Fail(restored.error());
    renewed_ = SteadyClock().Now();
    return {};
  }

 private:
  PowerCapper& capper_;
  LimitLease::Options options_;
  std::unique_ptr<LimitLease> lease_;
  Stamp renewed_;
};

}  // namespace

std::unique_ptr<PowerLimits> MakeLeasedLimits(PowerCapper& capper, LimitLease::Options options) {
  return std::make_unique<LeasedLimits>(capper, std::move(options));
}

}  // namespace heliograd
