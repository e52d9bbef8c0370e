// The bound of `blend` in which no slot mixes its directions: value functions that need not be convex.
//
// Enters: a kernel::Problem whose GPU points are the concave hull. Leaves: a lower bound in which only the work is
// relaxed, by its price, and the directions of the two schedules that meet there: with them the rest is convex
// (docs/kernel.md, section 4).
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "heliograd/optimize/kernel_blend.h"
#include "heliograd/optimize/kernel_functions.h"

namespace heliograd::kernel {

class DirectionBound {
 public:
  explicit DirectionBound(const Problem& problem);

  /// Looks for the price of work with the highest bound, from `guess` (> 0) on. False where no schedule does the work,
  /// or when `is_late` says so before one was met; a bound that was reached still holds.
  bool Maximize(double guess, const std::function<bool()>& is_late);

  double bound() const { return bound_; }
  double work_price() const { return work_price_; }
  /// The ways that the schedule takes in each slot which does just less work than is asked for, and just more.
  const std::vector<Modes>& less() const { return less_.modes; }
  const std::vector<Modes>& more() const { return more_.modes; }

 private:
  struct Walked {
    std::vector<Modes> modes;
    double cost = 0, work = 0;
  };

  bool Evaluate(double work_price, Walked& walked);
  bool Backward(double work_price);
  void Forward(double work_price, Walked& walked);
  /// Cost less worth of work over z, the lower of all ways, as it was drawn last.
  FunctionView CostOf(size_t t) const { return {costs_.data() + cost_places_[t].first, cost_places_[t].second}; }
  void DrawCosts(double work_price);
  void DrawCost(const Slot& slot, double work_price);

  const Problem& problem_;
  double tie_;
  SlotLists lists_;
  Envelope envelope_;
  Function cost_, after_;
  Function costs_;                                      // of all slots, one after the other
  std::vector<std::pair<size_t, size_t>> cost_places_;  // of each: begin and count
  std::vector<Function> values_;
  Walked less_, more_, next_;
  double bound_, work_price_ = 0;
};

}  // namespace heliograd::kernel
