#include "heliograd/optimize/offgrid.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace heliograd {
namespace {

/// Of the work asked for.
constexpr double kNegligibleShare = 1e-9;

/// The level that PV feeds in a slot, or none.
std::optional<Level> LevelFedBy(Power pv, const std::vector<Level>& levels, OffgridMode mode) {
  const auto above = std::upper_bound(levels.begin(), levels.end(), pv,
                                      [](Power power, const Level& level) { return power < level.draw; });
  if (above == levels.begin()) return std::nullopt;
  return mode == OffgridMode::kMinimum ? levels.front() : *(above - 1);
}

/// A sum that keeps the digits which each addition rounds away (Neumaier, ZAMM 54, 1974), so that differences of
/// running sums over years are as exact as their terms.
class ExactSum {
 public:
  void Add(double term) {
    const double sum = sum_ + term;
    lost_ += std::abs(sum_) >= std::abs(term) ? (sum_ - sum) + term : (term - sum) + sum_;
    sum_ = sum;
  }
  double value() const { return sum_ + lost_; }

 private:
  double sum_ = 0, lost_ = 0;
};

}  // namespace

OffgridResult SimulateOffgrid(const std::vector<Power>& pv, Duration slot, size_t first_slot,
                              const std::vector<Level>& levels, OffgridMode mode, double work) {
  OffgridResult result;
  double left = work;
  Energy offered;
  for (size_t i = 0; i < kOffgridYears * pv.size() && !result.finished; ++i) {
    const Power sun = pv[(first_slot + i) % pv.size()];
    const std::optional<Level> level = LevelFedBy(sun, levels, mode);
    const double progress = level ? slot / level->job_time : 0.0;
    result.finished = progress > 0 && left - progress <= kNegligibleShare * work;
    const Duration spent = result.finished ? slot * std::min(left / progress, 1.0) : slot;
    left -= progress;
    offered += sun * spent;
    result.time_to_finish += spent;
    if (level) {
      result.running_time += spent;
      result.pv_used += level->draw * spent;
    }
  }
  result.pv_lost = offered - result.pv_used;
  if (result.running_time > Duration()) result.mean_gpu_power = result.pv_used / result.running_time;
  return result;
}

OffgridYear::OffgridYear(const std::vector<Power>& pv, Duration slot, const std::vector<Level>& levels,
                         OffgridMode mode)
    : slot_(slot) {
  until_.reserve(pv.size() + 1);
  until_.emplace_back();
  ExactSum progress, used_wh, pv_wh;
  double running = 0;
  for (const Power sun : pv) {
    pv_wh.Add(InWattHours(sun * slot));
    if (const auto level = LevelFedBy(sun, levels, mode)) {
      progress.Add(slot / level->job_time);
      used_wh.Add(InWattHours(level->draw * slot));
      running += 1;
    }
    until_.push_back({progress.value(), running, used_wh.value(), pv_wh.value()});
  }
}

OffgridYear::Sums OffgridYear::Between(size_t first_slot, size_t slots) const {
  const size_t year = until_.size() - 1;
  const Sums& whole = until_.back();
  const size_t turns = (first_slot + slots) / year;
  const auto years = static_cast<double>(turns);
  const Sums& from = until_[first_slot];
  const Sums& to = until_[(first_slot + slots) % year];
  return {years * whole.progress + (to.progress - from.progress), years * whole.running + (to.running - from.running),
          years * whole.used_wh + (to.used_wh - from.used_wh), years * whole.pv_wh + (to.pv_wh - from.pv_wh)};
}

OffgridResult OffgridYear::From(size_t first_slot, double work) const {
  const size_t year = until_.size() - 1;
  const double per_year = until_.back().progress;
  const double needed = work * (1 - kNegligibleShare);
  if (per_year * static_cast<double>(kOffgridYears) < needed) {
    const size_t most = kOffgridYears * year;
    return Answer(false, static_cast<double>(most), Between(first_slot, most));
  }
  // The running sum at which the work is done; in which year, and in which slot of it, is it reached?
  double mark = until_[first_slot].progress + needed;
  size_t from = first_slot;
  size_t before = 0;
  for (; mark > per_year; mark -= per_year) before += year - std::exchange(from, 0);
  const auto reached = std::lower_bound(until_.begin() + static_cast<ptrdiff_t>(from) + 1, until_.end() - 1, mark,
                                        [](const Sums& sums, double m) { return sums.progress < m; });
  before += static_cast<size_t>(reached - until_.begin()) - 1 - from;

  const Sums whole_slots = Between(first_slot, before);
  const Sums with_last = Between(first_slot, before + 1);
  const double progress = with_last.progress - whole_slots.progress;
  const double fraction = std::clamp((work - whole_slots.progress) / progress, 0.0, 1.0);
  Sums sums = whole_slots;
  sums.running += fraction;
  sums.used_wh += fraction * (with_last.used_wh - whole_slots.used_wh);
  sums.pv_wh += fraction * (with_last.pv_wh - whole_slots.pv_wh);
  return Answer(true, static_cast<double>(before) + fraction, sums);
}

OffgridResult OffgridYear::Answer(bool finished, double slots, const Sums& sums) const {
  OffgridResult result;
  result.finished = finished;
  result.time_to_finish = slot_ * slots;
  result.running_time = slot_ * sums.running;
  result.pv_used = WattHours(sums.used_wh);
  result.pv_lost = WattHours(sums.pv_wh - sums.used_wh);
  if (sums.running > 0) result.mean_gpu_power = result.pv_used / result.running_time;
  return result;
}

}  // namespace heliograd
