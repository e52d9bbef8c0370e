#include "heliograd/optimize/kernel_levels.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace heliograd::kernel {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A shortfall of work that is rounding, in parts of the job.
constexpr double kWorkRounding = 1e-10;

Function Mirrored(FunctionView f) {
  Function mirrored;
  for (size_t i = f.size(); i-- > 0;) mirrored.push_back({-f[i].high, -f[i].low, f[i].CostHigh(), -f[i].slope});
  return mirrored;
}

/// Between these lies the cost of one more unit that the GPU draws, whatever the cells do; nothing where the slot has
/// two ways to choose among.
std::optional<std::pair<double, double>> EnergyPrices(const Slot& slot) {
  if (slot.two_curves || slot.burns) return std::nullopt;
  double least = kInfinity, most = -kInfinity;
  for (int i = 0; i < slot.curve.count; ++i) {
    const double price = slot.curve.pieces[static_cast<size_t>(i)].slope;
    least = std::min(least, price), most = std::max(most, price);
  }
  return std::pair(least, most);
}

/// But for rounding.
bool HaveOneDomain(const std::vector<Function>& functions) {
  const auto same = [](double a, double b) { return std::abs(a - b) < 1e-12; };
  const auto& first = functions.front();
  return std::all_of(functions.begin(), functions.end(), [&](const Function& f) {
    return !f.empty() && same(f.front().low, first.front().low) && same(f.back().high, first.back().high);
  });
}

}  // namespace

LevelBound::LevelBound(const Problem& problem)
    : problem_(problem), tie_(1e-12 * std::max(1.0, problem.money_scale / static_cast<double>(problem.slots.size()))) {
  DrawCosts();
}

void LevelBound::DrawCosts() {
  std::vector<size_t> example;  // a slot of each class
  for (size_t t = 0; t < problem_.slots.size(); ++t) {
    const Slot& slot = problem_.slots[t];
    const auto alike = std::find_if(example.rbegin(), example.rend(),
                                    [&](size_t other) { return Alike(problem_.slots[other], slot); });
    if (alike != example.rend()) {
      class_of_.push_back(static_cast<size_t>(example.rend() - alike) - 1);
      continue;
    }
    class_of_.push_back(example.size());
    example.push_back(t);
    LevelCosts& costs = costs_.emplace_back();
    costs.energy_prices = EnergyPrices(slot);
    for (const GpuPoint& point : problem_.gpu) {
      envelope_.Clear();
      SlotList list;
      for (const bool sale : {false, true}) {
        if (sale && !slot.two_curves) continue;
        for (const Modes modes : {kAllModes, static_cast<Modes>(kAllModes & ~kCharges)}) {
          if (modes != kAllModes && !slot.burns) continue;
          const Modes taken = modes == kAllModes && slot.burns ? static_cast<Modes>(kAllModes & ~kDischarges) : modes;
          DrawAtPoint(problem_, slot, sale ? slot.sale_curve : slot.curve, point, taken, list);
          if (list.empty) continue;
          WriteFunction(list, scaled_);
          envelope_.Add(scaled_);
        }
      }
      const FunctionView cost = envelope_.Lowest(tie_);
      costs.cost.emplace_back(cost.begin(), cost.end());
      costs.taken_up.push_back(Mirrored(cost));
    }
  }
  for (LevelCosts& costs : costs_) {
    if (!HaveOneDomain(costs.cost)) costs.energy_prices.reset();
  }
  lowest_.resize(costs_.size());
  worthwhile_.resize(costs_.size());
  lowest_taken_up_.resize(costs_.size());
}

LevelBound::PointRange LevelBound::WorthwhilePoints(size_t c, double work_price) const {
  const LevelCosts& costs = costs_[c];
  PointRange range{0, problem_.gpu.size() - 1};
  if (!costs.energy_prices) return range;
  const auto best = [&](double energy_price, bool last) {
    size_t point = 0;
    double most = -kInfinity;
    for (size_t k = 0; k < problem_.gpu.size(); ++k) {
      const double gain = work_price * problem_.gpu[k].work - energy_price * problem_.gpu[k].energy;
      if (gain > most || (last && gain == most)) most = gain, point = k;
    }
    return point;
  };
  return {best(costs.energy_prices->second, false), best(costs.energy_prices->first, true)};
}

void LevelBound::DrawLowest(double work_price) {
  if (work_price == lowest_price_) return;
  lowest_price_ = work_price;
  for (size_t c = 0; c < costs_.size(); ++c) {
    envelope_.Clear();
    worthwhile_[c] = WorthwhilePoints(c, work_price);
    for (size_t k = worthwhile_[c].first; k <= worthwhile_[c].last; ++k) {
      scaled_ = costs_[c].cost[k];
      for (Segment& segment : scaled_) segment.cost -= work_price * problem_.gpu[k].work;
      envelope_.Add(scaled_);
    }
    const FunctionView lowest = envelope_.Lowest(tie_);
    lowest_[c].assign(lowest.begin(), lowest.end());
    lowest_taken_up_[c] = Mirrored(lowest);
  }
}

void LevelBound::Before(FunctionView after, FunctionView cost) {
  scaled_.assign(after.begin(), after.end());
  for (Segment& segment : scaled_) {
    segment = {segment.low / problem_.rho, segment.high / problem_.rho, segment.cost, segment.slope * problem_.rho};
  }
  envelope_.Clear();
  envelope_.AddSplitsBackward(scaled_, cost, problem_.capacity, rule());
  const FunctionView lowest = envelope_.Lowest(tie_);
  backward_.insert(backward_.end(), lowest.begin(), lowest.end());
  backward_ends_.push_back(backward_.size());
}

bool LevelBound::Backward(double work_price, ValueFunctions& values) {
  DrawLowest(work_price);
  backward_.clear();
  backward_ends_.clear();
  const double end_cost = -problem_.terminal_value * problem_.final_min;
  backward_.push_back({problem_.final_min, problem_.capacity, end_cost, -problem_.terminal_value});
  backward_ends_.push_back(1);
  const size_t slots = problem_.slots.size();
  Function after;
  for (size_t t = slots; t-- > 0;) {
    const size_t begin = backward_ends_.size() > 1 ? backward_ends_[backward_ends_.size() - 2] : 0;
    after.assign(backward_.begin() + static_cast<std::ptrdiff_t>(begin), backward_.end());
    Before(after, lowest_[class_of_[t]]);
    if (backward_.size() == backward_ends_[backward_ends_.size() - 2]) return false;
  }
  values.work_price = work_price;
  values.segments.clear();
  values.begin.clear();
  for (size_t i = backward_ends_.size(); i-- > 0;) {
    const size_t begin = i > 0 ? backward_ends_[i - 1] : 0;
    values.begin.push_back(values.segments.size());
    values.segments.insert(values.segments.end(), backward_.begin() + static_cast<std::ptrdiff_t>(begin),
                           backward_.begin() + static_cast<std::ptrdiff_t>(backward_ends_[i]));
  }
  values.begin.push_back(values.segments.size());
  return Start(values) < kInfinity;
}

LevelSchedule LevelBound::Walk(const ValueFunctions& values, const std::vector<size_t>& first_points) {
  LevelSchedule schedule;
  double stored = problem_.initial;
  for (size_t t = 0; t < problem_.slots.size(); ++t) {
    const LevelCosts& costs = Costs(t);
    const bool given = t < first_points.size();
    const FunctionView cost = given ? FunctionView(costs.cost[first_points[t]]) : Lowest(t);
    const double least_z = problem_.fill_rule ? -problem_.alpha * (problem_.capacity - stored) : -kInfinity;
    double z = BestRelease(cost, values.At(t + 1), stored, problem_.rho, least_z);
    if (std::abs(z) < 1e-13) z = 0;
    size_t point = given ? first_points[t] : 0;
    double least = kInfinity;
    const PointRange& range = worthwhile_[class_of_[t]];
    for (size_t k = range.first; k <= range.last && !given; ++k) {
      const double value = ValueAt(costs.cost[k], z) - values.work_price * problem_.gpu[k].work;
      if (value < least) least = value, point = k;
    }
    schedule.point.push_back(point);
    schedule.released.push_back(z);
    schedule.work += problem_.gpu[point].work;
    schedule.cost += ValueAt(costs.cost[point], z);
    stored = std::clamp(problem_.rho * (stored - z), 0.0, problem_.capacity);
  }
  schedule.cost -= problem_.terminal_value * stored;
  // Where the levels leave no way the walk releases nothing; plans are checked to 1e-9 kWh.
  if (stored < problem_.final_min - 1e-9) schedule.cost = kInfinity;
  return schedule;
}

void LevelBound::KeepIfBetter(const LevelSchedule& schedule) {
  if (schedule.work < problem_.work - kWorkRounding || schedule.cost == kInfinity) return;
  if (!plan_ || schedule.cost < plan_->cost) plan_ = schedule;
}

bool LevelBound::Evaluate(double work_price, LevelSchedule& schedule) {
  if (!Backward(work_price, values_)) return false;
  schedule = Walk(values_, {});
  KeepIfBetter(schedule);
  const double bound = Start(values_) + work_price * problem_.work;
  if (best_values_.begin.empty() || bound > bound_) {
    bound_ = bound;
    std::swap(best_values_, values_);
  }
  return true;
}

bool LevelBound::Maximize(double guess, const std::function<bool()>& is_late) {
  const double target = problem_.work - kWorkRounding;
  LevelSchedule less, more, next;
  if (!Evaluate(0, less)) return false;
  free_values_ = best_values_;
  double less_price = 0, more_price = 0;
  if (less.work >= target) return true;
  double price = guess;
  const double most_price = 1e9 * guess;
  if (!Evaluate(price, more)) return false;
  if (more.work >= target) {  // down from the guess
    more_price = price;
    for (double factor = 0.97; factor > 0.1; factor *= factor) {
      if (!Evaluate(price * factor, next)) return false;
      price *= factor;
      if (next.work < target) {
        std::swap(less, next);
        less_price = price;
        break;
      }
      std::swap(more, next);
      more_price = price;
    }
  } else {
    for (double factor = 1.03; more.work < target; factor = std::min(factor * factor, 64.0)) {
      if (price > most_price) return false;
      std::swap(less, more);
      less_price = price;
      price *= factor;
      if (!Evaluate(price, more)) return false;
    }
    more_price = price;
  }
  const double rounding = 8 * tie_ * static_cast<double>(problem_.slots.size()) + 1e-14 * problem_.money_scale;
  // Each step brings the two prices closer or ends.
  while (!(is_late && is_late())) {
    const double reach = more.work - less.work;
    price = std::clamp((more.cost - less.cost) / reach, less_price, more_price);
    const double crossing = less.cost + price * (problem_.work - less.work);
    if (bound_ >= crossing - rounding || !Evaluate(price, next)) break;
    if (next.work >= more.work || next.work <= less.work) break;
    if (next.work >= target) {
      std::swap(more, next);
      more_price = price;
    } else {
      std::swap(less, next);
      less_price = price;
    }
  }
  bound_ -= tie_ * static_cast<double>(problem_.slots.size());
  return true;
}

LevelSchedule LevelBound::Follow(const std::vector<size_t>& first_points) {
  DrawLowest(0);
  // Functions of the first slots, with their levels held, before those of the rest.
  const size_t held = first_points.size();
  std::vector<Function> functions(held);
  for (size_t t = held; t-- > 0;) {
    const FunctionView after = t + 1 < held ? FunctionView(functions[t + 1]) : free_values_.At(held);
    backward_.clear();
    backward_ends_.clear();
    Before(after, Costs(t).cost[first_points[t]]);
    functions[t] = backward_;
  }
  ValueFunctions values;
  for (size_t t = 0; t <= problem_.slots.size(); ++t) {
    const FunctionView f = t < held ? FunctionView(functions[t]) : free_values_.At(t);
    values.begin.push_back(values.segments.size());
    values.segments.insert(values.segments.end(), f.begin(), f.end());
  }
  values.begin.push_back(values.segments.size());
  return Walk(values, first_points);
}

std::vector<double> LevelBound::StoredValues(const LevelSchedule& schedule) {
  const size_t slots = problem_.slots.size();
  std::vector<double> stored = {problem_.initial}, worth(slots);
  for (const double z : schedule.released) stored.push_back(problem_.rho * (stored.back() - z));
  Function after = {{problem_.final_min, problem_.capacity, 0, -problem_.terminal_value}};
  for (size_t t = slots; t-- > 0;) {
    backward_.clear();
    backward_ends_.clear();
    Before(after, Costs(t).cost[schedule.point[t]]);
    after = backward_;
    for (const Segment& segment : after) {
      if (segment.low > stored[t] + 1e-10) break;
      worth[t] = -segment.slope;
    }
  }
  return worth;
}

}  // namespace heliograd::kernel
