#include "heliograd/control/level_limits.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <utility>

#include "heliograd/base/clock.h"

namespace heliograd {
namespace {

constexpr double kSameLimitW = 0.5;
constexpr int kLooksForOther = 3;  // a limit that differs for so many looks was set by someone else
constexpr std::chrono::seconds kLongestAway{60};

bool SameLimit(Power a, Power b) { return std::abs(InWatts(a - b)) < kSameLimitW; }

}  // namespace

std::string WattsText(Power power) { return fmt::format("{:.0f} W", InWatts(power)); }

LevelLimits::LevelLimits(const std::vector<Level>& levels, PowerLimits& limits, RunClock& clock, Tell tell)
    : levels_(levels), limits_(limits), clock_(clock), tell_(std::move(tell)) {}

void LevelLimits::Look(const GpuLook& look) {
  look_ = look;
  if (look.limit) last_limit_ = look.limit;
}

void LevelLimits::Watch() {
  if (look_.is_lost || !set_limit_ || !look_.limit || only_level_) return;
  if (SameLimit(*look_.limit, *set_limit_)) {
    foreign_looks_ = 0;
    if (std::exchange(away_, false)) {
      tell_({.kind = "limits_back", .text = WattsText(*set_limit_) + " is in force again", .found = look_.limit});
    }
    return;
  }
  if (++foreign_looks_ < kLooksForOther) return;
  foreign_looks_ = 0;
  const Result<Power> asked = limits_.Asked();
  if (!asked) return;
  if (limits_.IsAway()) {
    if (!away_ && SameLimit(*asked, *set_limit_)) return;  // the look is older than the limit that was put back
    if (!std::exchange(away_, true)) {
      away_since_ = SteadyClock().Now();
      tell_({.kind = "limits_away",
             .text = fmt::format("the lease on the power limit was lost with whoever held it, and {} is in force now: "
                                 "it is taken again as soon as it can be had",
                                 WattsText(*asked)),
             .found = *asked,
             .matters = true});
    }
    if (SteadyClock().Now() < away_since_ + kLongestAway) return;
  }
  if (!SameLimit(*asked, *set_limit_)) {
    OutOfReach(fmt::format("someone else set the power limit to {} while {} were planned: it is left as it is, and the "
                           "run goes on by pausing alone",
                           WattsText(*asked), WattsText(*set_limit_)),
               *asked);
  } else if (!std::exchange(lower_told_, true)) {
    tell_({.kind = "limit_lower",
           .text = fmt::format("{} is in force although {} was set: it is held down from outside the driver",
                               WattsText(*look_.limit), WattsText(*set_limit_)),
           .set = set_limit_,
           .found = look_.limit,
           .matters = true});
  }
}

void LevelLimits::Set(size_t level, std::optional<Stamp> due) {
  if (only_level_ || away_ || set_level_ == level) return;
  const Power limit = levels_[level].limit;
  if (const Result<void> set = limits_.Set(limit); !set) return TakeRefusal(set.error());
  set_level_ = level;
  set_limit_ = limit;
  foreign_looks_ = 0;
  refused_told_ = false;
  RunEvent event{.kind = "limit", .text = WattsText(limit) + " set", .set = limit, .due = due};
  if (const Result<Power> found = limits_.Asked()) {
    event.found = *found;
    event.read_back_at = clock_.Now();
  }
  tell_(std::move(event));
}

void LevelLimits::TakeRefusal(const Error& error) {
  const Result<Power> asked = limits_.Asked();
  // A lease whose record a full disk does not take.
  const bool is_still_ours = error.kind == ErrorKind::kFailure && set_limit_ && asked && SameLimit(*asked, *set_limit_);
  // A device that is away comes back, and a disk gets room; until then the limit is tried again at each turn.
  if (error.kind == ErrorKind::kDevice || is_still_ours) {
    if (!look_.is_lost && !std::exchange(refused_told_, true)) {
      tell_({.kind = "limit_refused", .text = error.Message() + ": it is tried again", .matters = is_still_ours});
    }
    return;
  }
  OutOfReach(error.Message() + ": limits are out of reach, the run goes on by pausing alone",
             asked ? std::optional(*asked) : std::nullopt);
}

void LevelLimits::OutOfReach(const std::string& why, std::optional<Power> in_force) {
  only_level_ = in_force ? LevelAt(*in_force) : levels_.size() - 1;
  set_level_.reset();
  set_limit_.reset();
  tell_({.kind = "limits_out", .text = why, .matters = true});
}

void LevelLimits::AnswersAgain() {
  const Result<Power> asked = limits_.Asked();
  if (set_limit_ && asked && !SameLimit(*asked, *set_limit_)) DriverIsNew();
}

void LevelLimits::DriverIsNew() {
  if (!set_limit_) return;
  tell_({.kind = "driver_reload",
         .text = "the driver was loaded anew, which ended the power limit: it is set again",
         .matters = true});
  if (const Result<void> renewed = limits_.Renew(); !renewed) {
    tell_({.kind = "limit_refused", .text = renewed.error().Message()});
  }
  set_limit_.reset();
  set_level_.reset();
  away_ = false;
}

size_t LevelLimits::Runs(size_t wanted) const {
  if (only_level_) return *only_level_;
  if (away_ && look_.limit) return LevelAt(*look_.limit);
  if (set_level_) return *set_level_;
  return last_limit_ ? LevelAt(*last_limit_) : wanted;  // it could not be set yet
}

bool LevelLimits::IsAt(size_t level) const {
  return only_level_ || set_level_ == level || (look_.limit && SameLimit(*look_.limit, levels_[level].limit));
}

size_t LevelLimits::LevelAt(Power limit) const {
  size_t best = 0;
  for (size_t k = 0; k < levels_.size(); ++k) {
    if (levels_[k].limit <= limit + Watts(kSameLimitW)) best = k;
  }
  return best;
}

}  // namespace heliograd
