// Whole levels (`levels`, `paper`): the bound. Every slot takes one level; only the work is relaxed, by its price.
//
// Enters: a kernel::Problem with all levels. Leaves: value functions at prices of work, the price at which their bound
// is highest, and schedules met on the way, each of which is a plan where it does enough work (docs/kernel.md,
// section 6).
#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "heliograd/optimize/kernel_functions.h"
#include "heliograd/optimize/kernel_slopes.h"

namespace heliograd::kernel {

/// What one slot costs over the energy z that leaves the cells, for each point of the GPU; slots alike share it.
struct LevelCosts {
  std::vector<Function> cost;      // over z, EUR
  std::vector<Function> taken_up;  // the same over -z
  /// Least and most that a unit more of the GPU's draw costs, EUR/kWh, where levels can be told apart by it.
  std::optional<std::pair<double, double>> energy_prices;
};

/// Value functions of all slots at one price of work, the end's included.
struct ValueFunctions {
  double work_price = 0;
  std::vector<Segment> segments;
  std::vector<size_t> begin;  // of slot t; one more entry than functions

  FunctionView At(size_t t) const { return {segments.data() + begin[t], begin[t + 1] - begin[t]}; }
};

/// A level and a release for every slot.
struct LevelSchedule {
  std::vector<size_t> point;  // index into Problem::gpu
  std::vector<double> released;
  double cost = 0, work = 0;
};

class LevelBound {
 public:
  explicit LevelBound(const Problem& problem);

  /// Looks for the price of work with the highest bound, from `guess` on. False where no schedule does the work.
  bool Maximize(double guess, const std::function<bool()>& is_late);

  double bound() const { return bound_; }
  /// At the price of the bound, and at none.
  const ValueFunctions& values() const { return best_values_; }
  const ValueFunctions& free_values() const { return free_values_; }
  /// A schedule from elsewhere.
  void Offer(const LevelSchedule& schedule) { KeepIfBetter(schedule); }
  /// The cheapest schedule met that does the work.
  const std::optional<LevelSchedule>& plan() const { return plan_; }

  const LevelCosts& Costs(size_t t) const { return costs_[class_of_[t]]; }
  /// Cost less worth of work over all points, at the price of `values()`; over -z.
  FunctionView LowestTakenUp(size_t t) const { return lowest_taken_up_[class_of_[t]]; }
  FunctionView Lowest(size_t t) const { return lowest_[class_of_[t]]; }
  /// Value functions at another price of work. Precondition: Maximize gave true.
  ValueFunctions ValuesAt(double work_price) {
    ValueFunctions values;
    Backward(work_price, values);
    return values;
  }
  /// Draws the two above for a price.
  void DrawLowest(double work_price);

  /// The best schedule whose first slots have these points; those after follow `free_values`.
  LevelSchedule Follow(const std::vector<size_t>& first_points);
  /// Worth of one more unit stored at the start of each slot while the levels stay as they are.
  std::vector<double> StoredValues(const LevelSchedule& schedule);

  FillRule rule() const { return {problem_.fill_rule, problem_.alpha, problem_.capacity}; }
  double tie() const { return tie_; }

 private:
  /// Of Problem::gpu, both ends included.
  struct PointRange {
    size_t first = 0, last = 0;
  };

  void DrawCosts();
  /// All others are nowhere the cheapest of a slot at that price of work: where energy is dearest (cheapest) the first
  /// (the last) gains most, and those that draw less (more) than it gain less wherever energy costs less (more).
  PointRange WorthwhilePoints(size_t c, double work_price) const;
  bool Evaluate(double work_price, LevelSchedule& schedule);
  bool Backward(double work_price, ValueFunctions& values);
  /// Appends the function before a slot to `backward_`.
  void Before(FunctionView after, FunctionView cost);
  LevelSchedule Walk(const ValueFunctions& values, const std::vector<size_t>& first_points);
  double Start(const ValueFunctions& values) const { return ValueAt(values.At(0), problem_.initial); }
  void KeepIfBetter(const LevelSchedule& schedule);

  const Problem& problem_;
  double tie_;
  std::vector<size_t> class_of_;  // per slot
  std::vector<LevelCosts> costs_;
  std::vector<Function> lowest_, lowest_taken_up_;
  std::vector<PointRange> worthwhile_;  // at that price
  double lowest_price_ = -1;
  Envelope envelope_;
  Function scaled_;
  std::vector<Segment> backward_;  // functions from the last to the first
  std::vector<size_t> backward_ends_;
  ValueFunctions values_, best_values_, free_values_;
  std::optional<LevelSchedule> plan_;
  double bound_ = 0;
};

}  // namespace heliograd::kernel
