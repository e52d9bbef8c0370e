#include "heliograd/optimize/kernel_directions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace heliograd::kernel {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The ways of a slot, each of them convex.
struct Ways {
  std::array<Modes, 4> modes{};
  size_t count = 0;

  const Modes* begin() const { return modes.data(); }
  const Modes* end() const { return modes.data() + count; }
};

Ways WaysOf(const Slot& slot) {
  Ways ways;
  for (const Modes trade : {kSells, kBuys}) {
    for (const Modes battery : {kCharges, kDischarges}) {
      const Modes closed = static_cast<Modes>((slot.two_curves ? trade : 0) | (slot.burns ? battery : 0));
      ways.modes[ways.count++] = static_cast<Modes>(kAllModes & ~closed);
      if (!slot.burns) break;
    }
    if (!slot.two_curves) break;
  }
  return ways;
}

}  // namespace

DirectionBound::DirectionBound(const Problem& problem)
    : problem_(problem),
      tie_(1e-12 * std::max(1.0, problem.money_scale / static_cast<double>(problem.slots.size()))),
      lists_(problem),
      cost_places_(problem.slots.size()),
      values_(problem.slots.size() + 1),
      bound_(-kInfinity) {}

void DirectionBound::DrawCost(const Slot& slot, double work_price) {
  const Ways ways = WaysOf(slot);
  envelope_.Clear();
  for (const Modes modes : ways) {
    const SlotList& list = lists_.Build(slot, work_price, modes);
    if (list.empty) continue;
    WriteFunction(list, cost_);
    envelope_.Add(cost_);
  }
  const FunctionView lowest = envelope_.Lowest(tie_);
  costs_.insert(costs_.end(), lowest.begin(), lowest.end());
}

void DirectionBound::DrawCosts(double work_price) {
  costs_.clear();
  for (size_t t = 0; t < problem_.slots.size(); ++t) {
    if (t > 0 && Alike(problem_.slots[t], problem_.slots[t - 1])) {
      cost_places_[t] = cost_places_[t - 1];
      continue;
    }
    const size_t begin = costs_.size();
    DrawCost(problem_.slots[t], work_price);
    cost_places_[t] = {begin, costs_.size() - begin};
  }
}

bool DirectionBound::Backward(double work_price) {
  DrawCosts(work_price);
  const size_t slots = problem_.slots.size();
  values_[slots] = {
      {problem_.final_min, problem_.capacity, -problem_.terminal_value * problem_.final_min, -problem_.terminal_value}};
  for (size_t t = slots; t-- > 0;) {
    after_ = values_[t + 1];
    for (Segment& segment : after_) {
      segment = {segment.low / problem_.rho, segment.high / problem_.rho, segment.cost, segment.slope * problem_.rho};
    }
    envelope_.Clear();
    envelope_.AddSplitsBackward(after_, CostOf(t), problem_.capacity, {});
    const FunctionView lowest = envelope_.Lowest(tie_);
    values_[t].assign(lowest.begin(), lowest.end());
    if (values_[t].empty()) return false;
  }
  return ValueAt(values_.front(), problem_.initial) < kInfinity;
}

void DirectionBound::Forward(double work_price, Walked& walked) {
  walked.modes.clear();
  walked.work = 0;
  double stored = problem_.initial;
  for (size_t t = 0; t < problem_.slots.size(); ++t) {
    const Slot& slot = problem_.slots[t];
    const double z = BestRelease(CostOf(t), values_[t + 1], stored, problem_.rho, -kInfinity);
    double least = kInfinity, work = 0;
    Modes taken = kAllModes;
    for (const Modes modes : WaysOf(slot)) {
      const auto [cost, done] = lists_.At(slot, work_price, modes, z);
      if (cost < least) least = cost, work = done, taken = modes;
    }
    walked.modes.push_back(taken);
    walked.work += work;
    stored = std::clamp(problem_.rho * (stored - z), 0.0, problem_.capacity);
  }
}

bool DirectionBound::Evaluate(double work_price, Walked& walked) {
  if (!Backward(work_price)) return false;
  Forward(work_price, walked);
  const double value = ValueAt(values_.front(), problem_.initial);
  walked.cost = value + work_price * walked.work;
  // The envelopes let costs pass that are higher by a tie in each slot.
  const double bound = value + work_price * problem_.work - tie_ * static_cast<double>(problem_.slots.size());
  if (bound > bound_) bound_ = bound, work_price_ = work_price;
  return true;
}

bool DirectionBound::Maximize(double guess, const std::function<bool()>& is_late) {
  const auto late = [&] { return is_late && is_late(); };
  const double target = problem_.work;
  if (!Evaluate(guess, next_)) return false;
  // A schedule on each side of the work that is asked for.
  double less_price = 0, more_price = guess;
  const bool enough = next_.work >= target;
  std::swap(enough ? more_ : less_, next_);
  double factor = 1.02;
  if (enough) {
    for (double price = guess;;) {
      price = factor > 1e3 ? 0 : price / factor;
      if (late() || !Evaluate(price, next_)) return false;
      if (next_.work < target) {
        std::swap(less_, next_);
        less_price = price;
        break;
      }
      std::swap(more_, next_);
      more_price = price;
      if (price == 0) {
        less_ = more_;
        return true;
      }
      factor *= factor;
    }
  } else {
    for (double price = guess;;) {
      less_price = price;
      price *= std::min(factor, 64.0);
      if (late() || price > 1e9 * guess || !Evaluate(price, next_)) return false;
      if (next_.work >= target) {
        std::swap(more_, next_);
        more_price = price;
        break;
      }
      std::swap(less_, next_);
      factor *= factor;
    }
  }
  const double rounding = 2 * tie_ * static_cast<double>(problem_.slots.size()) + 1e-14 * problem_.money_scale;
  while (!late()) {
    const double reach = more_.work - less_.work;
    const double price = std::clamp((more_.cost - less_.cost) / reach, less_price, more_price);
    const double crossing = less_.cost + price * (target - less_.work);
    if (bound_ >= crossing - rounding || !Evaluate(price, next_)) break;
    if (next_.work <= less_.work || next_.work >= more_.work) break;
    const bool does_more = next_.work >= target;
    std::swap(does_more ? more_ : less_, next_);
    (does_more ? more_price : less_price) = price;
  }
  return true;
}

}  // namespace heliograd::kernel
