#include "heliograd/optimize/integer_search.h"

#include <algorithm>
#include <cmath>

namespace heliograd {
namespace {

/// Share of the integer columns that the first search keeps free.
constexpr double kFirstShare = 0.4;

class IntegerSearch {
 public:
  IntegerSearch(const LinearModel& model, double gap, const SolveDeadline& deadline)
      : model_(WithDirectionBinaries(model)), weak_(!model.exclusive.empty()), gap_(gap), deadline_(deadline) {}

  Result<HighsRun> Search() {
    // Binaries of exclusive pairs make the relaxation weak: no threshold short of nearly all columns would prove
    // anything.
    if (weak_) return SolveHeld(kUnbounded, HighsRun{});
    Result<HighsRun> relaxed = Relax();
    if (!relaxed || relaxed->outcome != HighsOutcome::kOptimal) return relaxed;
    relaxed_ = std::move(*relaxed);
    HighsRun best;
    double threshold = AtShare(kFirstShare);
    while (true) {
      Result<HighsRun> run = SolveHeld(threshold, best);
      if (!run) return run;
      const double bound =
          std::min(run->outcome == HighsOutcome::kInfeasible ? kUnbounded : run->bound, relaxed_.objective + threshold);
      if (run->has_values && (!best.has_values || run->objective < best.objective)) best = std::move(*run);
      best.outcome = run->outcome;
      best.bound = std::max(bound, relaxed_.objective);
      if (run->outcome == HighsOutcome::kTimeLimit || threshold == kUnbounded) return best;
      if (best.has_values && best.objective - best.bound <= gap_) return best;
      const double next = best.has_values ? best.objective - gap_ - relaxed_.objective : NextThreshold(threshold);
      if (next <= threshold) return best;  // what was held is no better: only rounding keeps the bound away
      threshold = next;
    }
  }

 private:
  Result<HighsRun> Relax() const {
    LinearModel relaxation = model_;
    relaxation.integer.assign(relaxation.integer.size(), false);
    HighsSession session;
    if (auto loaded = session.Load(relaxation, gap_); !loaded) return Fail(loaded.error());
    return session.Run(TimeLeft(deadline_));
  }

  std::vector<double> SortedReducedCosts() const {
    std::vector<double> reduced;
    for (size_t j = 0; j < model_.integer.size(); ++j) {
      if (model_.integer[j]) reduced.push_back(std::abs(relaxed_.column_duals[j]));
    }
    std::sort(reduced.begin(), reduced.end());
    return reduced;
  }

  /// While no plan is known there is no telling how far to go: twice as many columns.
  double NextThreshold(double threshold) const {
    const std::vector<double> reduced = SortedReducedCosts();
    const auto below = std::upper_bound(reduced.begin(), reduced.end(), threshold) - reduced.begin();
    return AtShare(2 * static_cast<double>(below) / static_cast<double>(reduced.size()));
  }

  double AtShare(double share) const {
    const std::vector<double> reduced = SortedReducedCosts();
    const auto index = static_cast<size_t>(share * static_cast<double>(reduced.size()));
    return index < reduced.size() ? reduced[index] : kUnbounded;
  }

  /// The mixed-integer search with every column held whose reduced cost exceeds the threshold.
  Result<HighsRun> SolveHeld(double threshold, const HighsRun& start) const {
    LinearModel held = model_;
    for (size_t j = 0; j < held.integer.size(); ++j) {
      if (threshold == kUnbounded || !held.integer[j]) continue;
      const double reduced = relaxed_.column_duals[j];
      if (std::abs(reduced) <= threshold) continue;
      (reduced > 0 ? held.column_upper[j] : held.column_lower[j]) =
          reduced > 0 ? held.column_lower[j] : held.column_upper[j];
    }
    HighsSession session;
    if (auto loaded = session.Load(held, gap_); !loaded) return Fail(loaded.error());
    if (start.has_values) {
      if (auto set = OfferStart(session, start); !set) return Fail(set.error());
    }
    Result<HighsRun> run = session.Run(TimeLeft(deadline_));
    if (!run || !run->has_values) return run;
    if (auto polished = Polish(session, &*run); !polished) return Fail(polished.error());
    return run;
  }

  Result<void> OfferStart(HighsSession& session, const HighsRun& start) const {
    std::vector<int> columns;
    std::vector<double> values;
    for (size_t j = 0; j < model_.integer.size(); ++j) {
      if (!model_.integer[j]) continue;
      columns.push_back(static_cast<int>(j));
      values.push_back(start.columns[j]);
    }
    return session.SetStart(columns, values);
  }

  /// With the integer columns held where the search left them, what remains is a linear program: its optimum is
  /// feasible to the last digit and has duals. Where rounding leaves none, the search's own values stand.
  Result<void> Polish(HighsSession& session, HighsRun* run) const {
    for (size_t j = 0; j < model_.integer.size(); ++j) {
      if (!model_.integer[j]) continue;
      const double whole = std::round(run->columns[j]);
      if (auto set = session.SetColumnBounds(static_cast<int>(j), whole, whole); !set) return set;
    }
    if (auto dropped = session.DropIntegrality(); !dropped) return dropped;
    Result<HighsRun> fixed = session.Run(std::nullopt);
    if (!fixed) return Fail(fixed.error());
    if (fixed->outcome != HighsOutcome::kOptimal) return {};
    fixed->outcome = run->outcome;
    fixed->bound = run->bound;
    *run = std::move(*fixed);
    return {};
  }

  const LinearModel model_;
  const bool weak_;  // there are exclusive pairs
  const double gap_;
  const SolveDeadline deadline_;
  HighsRun relaxed_;
};

}  // namespace

Result<HighsRun> SolveWithIntegers(const LinearModel& model, double gap, const SolveDeadline& deadline) {
  return IntegerSearch(model, gap, deadline).Search();
}

}  // namespace heliograd
