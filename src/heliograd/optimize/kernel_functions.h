// Piecewise linear functions that need not be convex, nor defined everywhere: what whole levels make of a value
// function.
//
// Enters: functions as sorted segments. Leaves: the best split of an energy between two of them, lower envelopes, and
// the least of a sum. It knows no slots and no prices (docs/kernel.md, section 6).
#pragma once

#include <span>
#include <vector>

namespace heliograd::kernel {

/// Linear from `low` to `high` (one point where they are equal), beginning at `cost`.
struct Segment {
  double low, high, cost, slope;

  double At(double x) const { return cost + slope * (x - low); }
  double CostHigh() const { return At(high); }
};

/// Sorted, without overlap.
using Function = std::vector<Segment>;
using FunctionView = std::span<const Segment>;

/// The stretch of `f` from place `first` on that is continuous with rising slopes; gives the place behind it.
size_t EndOfRun(FunctionView f, size_t first);

/// Infinite outside the segments, but for rounding.
double ValueAt(FunctionView f, double x);

/// Least of f + g; infinite where they have no place in common.
double LeastSum(FunctionView f, FunctionView g);

/// The z of least cost(z) + after(rho (stored - z)), none below `least_z`.
double BestRelease(FunctionView cost, FunctionView after, double stored, double rho, double least_z);

/// Least of f - g where both are defined; infinite where they have no place in common.
double LeastDifference(FunctionView f, FunctionView g);

/// Whether f is nowhere lower than g by more than `tie`.
bool NowhereBelow(FunctionView f, FunctionView g, double tie);

/// f over [0, limit] where less may be taken for more, and more be had at `most` a unit: slopes below zero become zero,
/// those above become `most`, and so do those of what lies left and right of f. Precondition: f is convex but for
/// rounding, not empty, and lies within [0, limit].
void ClampSlopes(FunctionView f, double limit, double most, Function& clamped);

/// Rule (13) of the study as a bound on what the slot's side of a split may do: see Envelope.
struct FillRule {
  bool active = false;
  double alpha = 1, capacity = 0;
};

/// Collects candidates and gives their lower envelope. Keeps its work arrays.
class Envelope {
 public:
  void Clear();
  void Add(FunctionView f);
  /// Candidates of h(x) = min over a + b = x of f(a) + g(b), cut to [0, limit].
  /// With the rule, going backward in time (f: what stays, g: what is released, x: stored before the slot):
  ///   -b <= alpha (capacity - x).
  void AddSplitsBackward(FunctionView f, FunctionView g, double limit, const FillRule& rule);
  /// The same forward in time (f: stored before the slot, g: what is taken up, x: what stays): b <= alpha (capacity -
  /// a).
  void AddSplitsForward(FunctionView f, FunctionView g, double limit, const FillRule& rule);
  /// The envelope of all candidates, each kept where the others are not lower by more than `tie`. Valid until the next
  /// call.
  FunctionView Lowest(double tie);

 private:
  void CloseList();
  void Put(double low, double high, double cost, double slope);
  void MergeRuns(FunctionView f, FunctionView g, double limit, const FillRule& rule, bool backward);
  void MergeFilling(FunctionView f, FunctionView g, double limit, const FillRule& rule);
  void MergeTakingUp(FunctionView f, FunctionView g, double limit, const FillRule& rule);

  std::vector<Segment> lists_, merged_;
  std::vector<size_t> ends_, merged_ends_;  // of each list
  double limit_ = 0;
};

}  // namespace heliograd::kernel
