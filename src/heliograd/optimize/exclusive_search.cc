#include "heliograd/optimize/exclusive_search.h"

#include <algorithm>
#include <cmath>

namespace heliograd {
namespace {

/// Flows smaller than this are the solver's tolerance, not a broken pair.
constexpr double kBroken = 1e-8;

enum class Side : char { kFree, kFirstZero, kSecondZero };

/// A subproblem: a side for every pair, and a bound known from its parent.
struct Node {
  std::vector<Side> sides;
  double bound;
};

class ExclusiveSearch {
 public:
  ExclusiveSearch(const LinearModel& model, double gap, const SolveDeadline& deadline)
      : model_(model), gap_(gap), deadline_(deadline), current_(model.exclusive.size(), Side::kFree) {}

  Result<HighsRun> Search() {
    if (auto loaded = session_.Load(model_, gap_); !loaded) return Fail(loaded.error());
    open_.push_back({current_, -kUnbounded});
    while (!open_.empty()) {
      // Depth first: the next linear program differs in one bound, and the last basis is nearly right.
      const Node node = std::move(open_.back());
      open_.pop_back();
      if (!CanImprove(node.bound)) continue;
      const Result<HighsRun> run = Solve(node.sides);
      if (!run) return run;
      if (run->outcome == HighsOutcome::kTimeLimit) return TimeUp(node.bound);
      if (run->outcome == HighsOutcome::kInfeasible || !CanImprove(run->objective)) continue;
      if (auto handled = Expand(node, *run); !handled) return Fail(handled.error());
    }
    if (best_) best_->bound = std::min(closed_bound_, best_->objective);
    return best_.value_or(HighsRun{});
  }

 private:
  /// Keeps the bound of what is not looked at any further.
  bool CanImprove(double bound) {
    if (!best_ || bound < best_->objective - gap_) return true;
    closed_bound_ = std::min(closed_bound_, bound);
    return false;
  }

  Result<HighsRun> Solve(const std::vector<Side>& sides) {
    for (size_t i = 0; i < sides.size(); ++i) {
      if (sides[i] == current_[i]) continue;
      const ExclusivePair& pair = model_.exclusive[i];
      for (const auto& [column, zero] :
           {std::pair{pair.first, sides[i] == Side::kFirstZero}, {pair.second, sides[i] == Side::kSecondZero}}) {
        const double upper = zero ? 0 : model_.column_upper[static_cast<size_t>(column)];
        if (auto set = session_.SetColumnBounds(column, 0, upper); !set) return Fail(set.error());
      }
      current_[i] = sides[i];
    }
    return session_.Run(TimeLeft(deadline_));
  }

  Result<void> Expand(const Node& node, const HighsRun& run) {
    const std::optional<size_t> branch = MostBroken(run);
    if (!branch) {
      KeepIfBetter(run);
      return {};
    }
    if (!best_) {
      if (auto rounded = TryRounded(run); !rounded) return rounded;
    }
    // The side that keeps the larger flow is looked at first, so it goes on the stack last.
    Node likely{node.sides, run.objective}, other = likely;
    const Side side = LikelySide(*branch, run);
    likely.sides[*branch] = side;
    other.sides[*branch] = side == Side::kFirstZero ? Side::kSecondZero : Side::kFirstZero;
    open_.push_back(std::move(other));
    open_.push_back(std::move(likely));
    return {};
  }

  /// A first plan: every pair keeps its larger flow.
  Result<void> TryRounded(const HighsRun& run) {
    std::vector<Side> sides(current_.size());
    for (size_t i = 0; i < sides.size(); ++i) sides[i] = LikelySide(i, run);
    const Result<HighsRun> rounded = Solve(sides);
    if (!rounded) return Fail(rounded.error());
    if (rounded->outcome == HighsOutcome::kOptimal) KeepIfBetter(*rounded);
    return {};
  }

  void KeepIfBetter(const HighsRun& run) {
    if (!best_ || run.objective < best_->objective) best_ = run;
  }

  double First(size_t pair, const HighsRun& run) const {
    return run.columns[static_cast<size_t>(model_.exclusive[pair].first)];
  }
  double Second(size_t pair, const HighsRun& run) const {
    return run.columns[static_cast<size_t>(model_.exclusive[pair].second)];
  }
  Side LikelySide(size_t pair, const HighsRun& run) const {
    return First(pair, run) < Second(pair, run) ? Side::kFirstZero : Side::kSecondZero;
  }

  /// The pair whose overlap is worth most.
  std::optional<size_t> MostBroken(const HighsRun& run) const {
    std::optional<size_t> most;
    double most_worth = -1;
    for (size_t i = 0; i < current_.size(); ++i) {
      const double overlap = std::min(First(i, run), Second(i, run));
      if (overlap <= kBroken) continue;
      const ExclusivePair& pair = model_.exclusive[i];
      const double worth = overlap * std::abs(model_.cost[static_cast<size_t>(pair.first)] +
                                              model_.cost[static_cast<size_t>(pair.second)]);
      if (worth > most_worth) most = i, most_worth = worth;
    }
    return most;
  }

  HighsRun TimeUp(double bound) {
    for (const Node& node : open_) bound = std::min(bound, node.bound);
    HighsRun run = best_.value_or(HighsRun{});
    run.outcome = HighsOutcome::kTimeLimit;
    run.bound = std::min(bound, closed_bound_);
    return run;
  }

  const LinearModel& model_;
  const double gap_;
  const SolveDeadline deadline_;
  HighsSession session_;
  std::vector<Side> current_;  // as the bounds in the session stand
  std::vector<Node> open_;
  std::optional<HighsRun> best_;
  double closed_bound_ = kUnbounded;
};

}  // namespace

std::optional<Duration> TimeLeft(const SolveDeadline& deadline) {
  if (!deadline) return std::nullopt;
  return Seconds(std::chrono::duration<double>(*deadline - std::chrono::steady_clock::now()).count());
}

Result<HighsRun> SolveWithExclusivePairs(const LinearModel& model, double gap, const SolveDeadline& deadline) {
  return ExclusiveSearch(model, gap, deadline).Search();
}

}  // namespace heliograd
