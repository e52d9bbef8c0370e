#include "heliograd/optimize/kernel_labels.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "heliograd/optimize/kernel_blend.h"

namespace heliograd::kernel {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A shortfall of work that is rounding, in parts of the job.
constexpr double kWorkRounding = 1e-10;

/// Extensions of labels that cost as much as the value functions at four more prices of work.
constexpr long kFewExtensions = 300;

/// Labels of all slots together before the search gives up: some gigabytes.
constexpr size_t kMostLabels = 4'000'000;

/// How a label came to be.
struct Step {
  int parent;  // place in the slot before
  int point;
};

struct Label {
  double work;
  size_t begin, end;  // of its function
  Step step;
};

/// The labels before one slot, with their functions.
struct Front {
  std::vector<Label> labels;
  std::vector<Segment> segments;

  void Clear() { labels.clear(), segments.clear(); }
  FunctionView FunctionOf(const Label& label) const { return {segments.data() + label.begin, label.end - label.begin}; }
};

/// What no unit of stored energy is worth more than, EUR/kWh, in problems where none is worth less than nothing and
/// buying can always stand in for it; else infinite.
double MostWorth(const Problem& problem) {
  if (!problem.fill_rule || problem.final_min > 0) return kInfinity;
  double most = problem.terminal_value;
  for (const Slot& slot : problem.slots) {
    most = std::max(most, problem.beta * std::max(slot.import_price, slot.export_price));
  }
  return most;
}

enum class RoundEnd { kFound, kNothing, kStopped };

class LabelSearch {
 public:
  LabelSearch(const Problem& problem, const LevelLimits& limits)
      : problem_(problem), limits_(limits), bound_(problem), most_worth_(MostWorth(problem)) {}

  LevelAnswer Search() {
    const Mixed mixed = SolveMixed();
    if (!bound_.Maximize(limits_.guess > 0 ? limits_.guess : mixed.work_price, limits_.is_late)) return {};
    if (!mixed.work.empty()) bound_.Offer(bound_.Follow(WholePoints(mixed.work)));
    answer_.plan = bound_.plan();
    answer_.bound = bound_.bound();
    if (answer_.plan) Prove();
    if (answer_.plan) answer_.stored_values = bound_.StoredValues(*answer_.plan);
    return std::move(answer_);
  }

 private:
  struct Mixed {
    double work_price = 0;
    std::vector<double> work;  // per slot; empty where there is no such plan
  };

  /// With levels mixed at will and without rule (13), which takes microseconds: its price of work is near to what is
  /// looked for, and so is its work slot by slot.
  Mixed SolveMixed() const {
    Problem problem = problem_;
    problem.gpu = UpperHull(problem_.gpu);
    problem.fill_rule = false;
    for (Slot& slot : problem.slots) {  // selling for no more than buying, so that every curve is convex
      if (slot.sells_all) slot.curve.pieces[1].slope = slot.curve.pieces[0].slope;
    }
    const double typical = TypicalWorkPrice(problem_);
    BlendRelaxation relaxation(problem);
    const std::vector<Modes> modes(problem.slots.size(), kAllModes);
    if (relaxation.Solve(modes, std::nullopt, limits_.is_late) != Outcome::kSolved) return {typical, {}};
    // Whole levels may cost where mixed ones come for nothing.
    return {std::max(relaxation.work_price(), 0.01 * typical), relaxation.schedule().work};
  }

  /// Whole levels that are never behind that work: in each slot the least that catches up with it.
  std::vector<size_t> WholePoints(const std::vector<double>& work) const {
    std::vector<size_t> points;
    double ahead = 0;
    for (const double wanted : work) {
      std::optional<size_t> least;
      size_t most = 0;
      for (size_t k = 0; k < problem_.gpu.size(); ++k) {
        const double done = problem_.gpu[k].work;
        if (done > problem_.gpu[most].work) most = k;
        if (ahead + done >= wanted - kWorkRounding && (!least || done < problem_.gpu[*least].work)) least = k;
      }
      points.push_back(least.value_or(most));
      ahead += problem_.gpu[points.back()].work - wanted;
    }
    return points;
  }

  /// Rounds with a rising threshold: what a round finds is the best there is; if it finds nothing, nothing is cheaper
  /// than the threshold.
  void Prove() {
    if (Proven()) return;
    PrepareFilter();
    double step = std::max(0.1 * limits_.gap, 0.002 * (answer_.plan->cost - answer_.bound));
    while (!Proven()) {
      threshold_ = std::min(answer_.bound + step, answer_.plan->cost - 0.999 * limits_.gap);
      const double tried = threshold_;
      switch (Round()) {
        case RoundEnd::kFound:
          answer_.bound = answer_.plan->cost;
          return;
        case RoundEnd::kNothing:
          answer_.bound = std::max(answer_.bound, tried);
          break;
        case RoundEnd::kStopped:
          answer_.stopped = true;
          return;
      }
      step *= 2;
    }
  }

  bool Proven() const { return answer_.plan->cost - answer_.bound <= limits_.gap; }

  /// What a schedule costs at least, at the price of the bound, with a point held in a slot. First by the slot alone;
  /// ForcedCost then looks at the whole.
  void PrepareFilter() {
    const ValueFunctions& values = bound_.values();
    bound_.DrawLowest(values.work_price);
    forced_.assign(problem_.slots.size(), std::vector<double>(problem_.gpu.size()));
    exact_.assign(problem_.slots.size(), std::vector<bool>(problem_.gpu.size(), false));
    for (size_t t = 0; t < problem_.slots.size(); ++t) {
      for (size_t k = 0; k < problem_.gpu.size(); ++k) {
        const double worth = values.work_price * problem_.gpu[k].work;
        forced_[t][k] = answer_.bound + LeastDifference(bound_.Costs(t).cost[k], bound_.Lowest(t)) - worth;
      }
    }
    PrepareForward();
  }

  /// What is left of the work may be cheaper or dearer than all of it.
  void DrawOtherValues() {
    for (const double share : {0.9, 1.1, 0.75, 1.3}) {
      other_values_.push_back(bound_.ValuesAt(share * bound_.values().work_price));
    }
  }

  /// Value functions forward, of what lies before each slot.
  void PrepareForward() {
    before_.assign(1, {{problem_.initial, problem_.initial, 0, 0}});
    for (size_t t = 0; t + 1 < problem_.slots.size(); ++t) {
      const FunctionView next = Extend(before_.back(), bound_.LowestTakenUp(t));
      before_.emplace_back(next.begin(), next.end());
    }
  }

  double ForcedCost(size_t t, size_t k) {
    if (!exact_[t][k]) {
      exact_[t][k] = true;
      const ValueFunctions& values = bound_.values();
      const FunctionView after = Extend(before_[t], bound_.Costs(t).taken_up[k]);
      const double cost =
          LeastSum(after, values.At(t + 1)) + values.work_price * (problem_.work - problem_.gpu[k].work);
      forced_[t][k] = std::max(forced_[t][k], cost - 2 * bound_.tie() * static_cast<double>(problem_.slots.size()));
    }
    return forced_[t][k];
  }

  /// One slot forward: the function after it, valid until the next call.
  FunctionView Extend(FunctionView stored, FunctionView taken_up) {
    envelope_.Clear();
    envelope_.AddSplitsForward(stored, taken_up, problem_.capacity / problem_.rho, bound_.rule());
    const FunctionView kept = envelope_.Lowest(bound_.tie());
    extended_.assign(kept.begin(), kept.end());
    for (Segment& segment : extended_) {
      segment = {segment.low * problem_.rho, segment.high * problem_.rho, segment.cost, segment.slope / problem_.rho};
    }
    return extended_;
  }

  RoundEnd Round() {
    found_.clear();
    front_.Clear();
    front_.segments.push_back({problem_.initial, problem_.initial, 0, 0});
    front_.labels.push_back({0, 0, 1, {-1, -1}});
    steps_.clear();
    size_t labels = 0;
    for (size_t t = 0; t < problem_.slots.size() && !front_.labels.empty(); ++t) {
      steps_.emplace_back();
      for (const Label& label : front_.labels) steps_.back().push_back(label.step);
      if (!Expand(t)) return RoundEnd::kStopped;
      KeepUndominated();
      labels += front_.labels.size();
      if (labels > kMostLabels) return RoundEnd::kStopped;
    }
    if (found_.empty()) return RoundEnd::kNothing;
    answer_.plan = bound_.Follow(found_);
    return RoundEnd::kFound;
  }

  /// Fills `next_` with what the labels of slot t become. False where the time is up.
  bool Expand(size_t t) {
    points_.clear();
    for (size_t k = 0; k < problem_.gpu.size(); ++k) {
      if (forced_[t][k] <= threshold_ && ForcedCost(t, k) <= threshold_) points_.push_back(k);
    }
    next_.Clear();
    if (other_values_.empty() && answer_.extensions > kFewExtensions) DrawOtherValues();
    for (size_t i = 0; i < front_.labels.size(); ++i) {
      if (answer_.extensions > limits_.most_extensions || (limits_.is_late && limits_.is_late())) return false;
      for (const size_t k : points_) ExtendLabel(t, i, k);
    }
    return true;
  }

  void ExtendLabel(size_t t, size_t i, size_t k) {
    ++answer_.extensions;
    const Label& label = front_.labels[i];
    const double work = label.work + problem_.gpu[k].work;
    FunctionView after = Extend(front_.FunctionOf(label), bound_.Costs(t).taken_up[k]);
    if (after.empty()) return;
    if (most_worth_ < kInfinity) {
      ClampSlopes(after, problem_.capacity, most_worth_, clamped_);
      after = clamped_;
    }
    if (work >= problem_.work - kWorkRounding) {  // the rest is known: its best without any need to work
      const double cost = LeastSum(after, bound_.free_values().At(t + 1));
      if (cost <= threshold_) Complete(t, static_cast<int>(i), k, cost);
      return;
    }
    if (Beyond(after, t, work, bound_.values())) return;
    for (const ValueFunctions& values : other_values_) {
      if (Beyond(after, t, work, values)) return;
    }
    const size_t begin = next_.segments.size();
    next_.segments.insert(next_.segments.end(), after.begin(), after.end());
    next_.labels.push_back({work, begin, next_.segments.size(), {static_cast<int>(i), static_cast<int>(k)}});
  }

  /// Whether a label cannot end at the threshold, as those value functions see it.
  bool Beyond(FunctionView after, size_t t, double work, const ValueFunctions& values) const {
    const double least = LeastSum(after, values.At(t + 1)) + values.work_price * (problem_.work - work);
    return least > threshold_ + 2 * bound_.tie() * static_cast<double>(problem_.slots.size());
  }

  /// Only what costs less is of interest from here on.
  void Complete(size_t t, int parent, size_t k, double cost) {
    threshold_ = cost;
    found_.assign(t + 1, k);
    for (size_t s = t; s > 0; --s) {
      const Step& step = steps_[s][static_cast<size_t>(parent)];
      found_[s - 1] = static_cast<size_t>(step.point);
      parent = step.parent;
    }
  }

  /// A label stays where it is somewhere cheaper than all that have done as much work.
  void KeepUndominated() {
    std::sort(next_.labels.begin(), next_.labels.end(), [](const Label& a, const Label& b) { return a.work > b.work; });
    front_.Clear();
    cheapest_.clear();
    for (const Label& label : next_.labels) {
      const FunctionView f = next_.FunctionOf(label);
      if (!cheapest_.empty()) {
        if (NowhereBelow(f, cheapest_, bound_.tie())) continue;
        envelope_.Clear();
        envelope_.Add(cheapest_);
        envelope_.Add(f);
        const FunctionView lower = envelope_.Lowest(bound_.tie());
        cheapest_.assign(lower.begin(), lower.end());
      } else {
        cheapest_.assign(f.begin(), f.end());
      }
      const size_t begin = front_.segments.size();
      front_.segments.insert(front_.segments.end(), f.begin(), f.end());
      front_.labels.push_back({label.work, begin, front_.segments.size(), label.step});
    }
  }

  const Problem& problem_;
  const LevelLimits& limits_;
  LevelBound bound_;
  const double most_worth_;
  LevelAnswer answer_;
  double threshold_ = 0;
  Envelope envelope_;
  Function extended_, clamped_, cheapest_;
  std::vector<Function> before_;
  std::vector<ValueFunctions> other_values_;  // at prices of work around that of the bound
  std::vector<std::vector<double>> forced_;
  std::vector<std::vector<bool>> exact_;
  Front front_, next_;
  std::vector<std::vector<Step>> steps_;
  std::vector<size_t> points_, found_;
};

}  // namespace

LevelAnswer SolveLevels(const Problem& problem, const LevelLimits& limits) {
  return LabelSearch(problem, limits).Search();
}

}  // namespace heliograd::kernel
