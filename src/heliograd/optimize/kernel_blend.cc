#include "heliograd/optimize/kernel_blend.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <tuple>

#include "heliograd/optimize/kernel_directions.h"

namespace heliograd::kernel {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A shortfall of work that is rounding, in parts of the job.
constexpr double kWorkRounding = 1e-10;

/// Energies closer than this are the same, kWh.
constexpr double kEnergyRounding = 1e-10;

/// Rounding of sums of money, in parts of all the money that moves.
constexpr double kMoneyRounding = 1e-14;

/// Beside a guessed price of work: below it, where the guess is good, less is done; and where it ties, so little above
/// it lets work win, which moves money by less than rounding.
constexpr double kBelowGuess = 0.98, kAboveTie = 1 + 1e-13;

}  // namespace

double TypicalWorkPrice(const Problem& problem) {
  const GpuPoint& top = problem.gpu.back();
  const double energy = static_cast<double>(problem.slots.size()) * (top.energy + problem.capacity);
  return std::max(problem.money_scale / energy, 1e-6) * top.energy / top.work;
}

BlendRelaxation::BlendRelaxation(const Problem& problem) : problem_(problem), lists_(problem) {
  const size_t slots = problem.slots.size();
  heads_.resize(slots + 1);
  pieces_.Grow(64 + slots * 16);
  for (Schedule* schedule : {&less_, &more_, &next_, &mix_}) {
    schedule->released.resize(slots);
    schedule->work.resize(slots);
  }
  share_of_less_.resize(slots);
}

bool BlendRelaxation::Backward(const std::vector<Modes>& modes, double work_price) {
  drawn_modes_ = modes;
  drawn_price_ = work_price;
  const size_t slots = problem_.slots.size();
  ValueHead& end = heads_[slots];
  end = {problem_.final_min, -problem_.terminal_value * problem_.final_min, problem_.capacity, 0, 0, 0, 0};
  if (problem_.capacity > problem_.final_min) {
    pieces_[0] = {-problem_.terminal_value, problem_.capacity - problem_.final_min, 0, 1};
    end.count = 1;
  }
  for (size_t t = slots; t-- > 0;) {
    const SlotList& list = lists_.Build(problem_.slots[t], work_price, modes[t]);
    const ValueHead& after = heads_[t + 1];
    const size_t first = after.first + after.count;
    if (const size_t need = first + after.count + list.count + 1; need > pieces_.size()) pieces_.Grow(2 * need);
    heads_[t].first = first;
    if (!MergeSlot(after, pieces_.data() + after.first, list, problem_.rho, problem_.capacity, pieces_.data() + first,
                   heads_[t])) {
      return false;
    }
  }
  const ValueHead& start = heads_.front();
  double left = problem_.initial - start.low;
  if (left < -kEnergyRounding || problem_.initial > start.high + kEnergyRounding) return false;
  value_ = start.cost_low;
  for (size_t i = 0; i < start.count && left > 0; ++i) {
    const Piece& piece = pieces_[start.first + i];
    value_ += piece.slope * std::min(left, piece.length);
    left -= piece.length;
  }
  return true;
}

void BlendRelaxation::Forward(Schedule& schedule) const {
  double stored = problem_.initial;
  schedule.total_work = 0;
  for (size_t t = 0; t < problem_.slots.size(); ++t) {
    const ValueHead& head = heads_[t];
    stored = std::clamp(stored, head.low, head.high);
    double left = stored - head.low, kept = head.kept_low, work = head.work_low;
    const Piece* piece = pieces_.data() + head.first;
    const Piece* const end = piece + head.count;
    for (; piece != end && left > 0; ++piece) {
      const double step = std::min(left, piece->length);
      kept += piece->kept * step;
      work += piece->work * step;
      left -= piece->length;
    }
    const double released = stored - kept;
    schedule.released[t] = std::abs(released) < 1e-14 ? 0 : released;
    schedule.work[t] = work;
    schedule.total_work += work;
    stored = problem_.rho * kept;
  }
}

bool BlendRelaxation::Evaluate(const std::vector<Modes>& modes, double work_price, Schedule& schedule) {
  ++evaluations_;
  if (!Backward(modes, work_price)) return false;
  Forward(schedule);
  schedule.cost = value_ + work_price * schedule.total_work;
  if (const double value = value_ + work_price * problem_.work; value > bound_)
    bound_ = value, work_price_ = work_price;
  return true;
}

BlendRelaxation::Tangent BlendRelaxation::WithoutBattery(double work_price) {
  Tangent sum{work_price};
  double cost = 0, work = 0;
  for (size_t t = 0; t < problem_.slots.size(); ++t) {
    const Slot& slot = problem_.slots[t];
    if (t == 0 || !Alike(slot, problem_.slots[t - 1])) {
      std::tie(cost, work) = lists_.At(slot, work_price, kAllModes, 0);
    }
    sum.cost += cost;
    sum.work += work;
  }
  sum.cost += work_price * sum.work;
  return sum;
}

std::optional<double> BlendRelaxation::PriceWithoutBattery() {
  const double target = problem_.work;
  Tangent less = WithoutBattery(0);
  if (less.cost == kInfinity || less.work >= target) return std::nullopt;
  double price = TypicalWorkPrice(problem_);
  const double most_price = 100 * price;
  Tangent more = WithoutBattery(price);
  while (more.work < target) {
    if (price > most_price) return std::nullopt;
    less = more;
    price *= 2;
    more = WithoutBattery(price);
  }
  while (true) {
    const double crossing = (more.cost - less.cost) / (more.work - less.work);
    if (!(crossing > less.price && crossing < more.price)) return more.price;
    const Tangent next = WithoutBattery(crossing);
    if (next.work <= less.work || next.work >= more.work) return crossing;
    (next.work < target ? less : more) = next;
  }
}

Outcome BlendRelaxation::Bracket(const std::vector<Modes>& modes, std::optional<double> guess,
                                 const std::function<bool()>& is_late) {
  const double target = problem_.work;
  if (!guess) guess = PriceWithoutBattery();
  // A little less than the guess, then a hair more: where it is right both tangents meet at it, and that is the proof.
  // Without a guess no price at all: its tangent is of use wherever the search goes.
  double price = guess.value_or(0) * kBelowGuess;
  if (!Evaluate(modes, price, next_)) return Outcome::kInfeasible;
  if (next_.total_work >= target) {
    for (double factor = kBelowGuess;; factor *= factor) {
      std::swap(more_, next_);
      more_price_ = price;
      if (price <= 0) return Outcome::kSolved;
      if (is_late && is_late()) return Outcome::kStopped;
      price = factor < 1e-3 ? 0 : price * factor;
      Evaluate(modes, price, next_);
      if (next_.total_work < target) break;
    }
    std::swap(less_, next_);
    less_price_ = price;
    return Outcome::kSolved;
  }
  const double most_price = 1e9 * std::max(price, TypicalWorkPrice(problem_));
  for (double factor = guess ? kAboveTie / kBelowGuess : 2;; factor = std::min(factor * factor, 16.0)) {
    std::swap(less_, next_);
    less_price_ = price;
    if (price > most_price) return Outcome::kInfeasible;
    if (is_late && is_late()) return Outcome::kStopped;
    price = price > 0 ? price * factor : TypicalWorkPrice(problem_);
    Evaluate(modes, price, next_);
    if (next_.total_work >= target) break;
    if (next_.total_work >= target - kWorkRounding && price > most_price / 16) break;
  }
  std::swap(more_, next_);
  more_price_ = price;
  return Outcome::kSolved;
}

Outcome BlendRelaxation::Solve(const std::vector<Modes>& modes, std::optional<double> guess,
                               const std::function<bool()>& is_late) {
  const double target = problem_.work;
  bound_ = -kInfinity;
  if (const Outcome found = Bracket(modes, guess, is_late); found != Outcome::kSolved) return found;
  if (more_price_ <= 0) {  // the work comes for nothing
    less_ = more_;
    less_price_ = more_price_;
    Mix();
    return Outcome::kSolved;
  }
  const double rounding = kMoneyRounding * (problem_.money_scale + std::abs(more_.cost));
  while (true) {
    if (is_late && is_late()) return Outcome::kStopped;
    const double reach = more_.total_work - less_.total_work;
    const double price =
        std::clamp(reach > 0 ? (more_.cost - less_.cost) / reach : more_price_, less_price_, more_price_);
    if (bound_ >= less_.cost + price * (target - less_.total_work) - rounding) break;  // the tangents' crossing
    Evaluate(modes, price, next_);
    if (next_.total_work <= less_.total_work || next_.total_work >= more_.total_work) break;
    if (next_.total_work < target) {
      std::swap(less_, next_);
      less_price_ = price;
    } else {
      std::swap(more_, next_);
      more_price_ = price;
    }
  }
  Mix();
  return Outcome::kSolved;
}

template <typename OnStretch>
void BlendRelaxation::ForEachStretch(const OnStretch& on_stretch) const {
  double apart = 0, less_work = 0, more_work = 0;  // what less_ has stored beyond more_
  size_t begin = 0;
  for (size_t t = 0; t < mix_.work.size(); ++t) {
    apart = problem_.rho * (apart + more_.released[t] - less_.released[t]);
    less_work += less_.work[t];
    more_work += more_.work[t];
    if (std::abs(apart) > kEnergyRounding && t + 1 < mix_.work.size()) continue;
    on_stretch(begin, t + 1, less_work, more_work);
    apart = less_work = more_work = 0;
    begin = t + 1;
  }
}

void BlendRelaxation::Mix() {
  double lacking = problem_.work;
  ForEachStretch(
      [&](size_t, size_t, double less_work, double more_work) { lacking -= std::min(less_work, more_work); });
  mix_.total_work = 0;
  ForEachStretch([&](size_t begin, size_t end, double less_work, double more_work) {
    const double reach = std::abs(more_work - less_work);
    const double busy = reach > 0 ? std::clamp(lacking / reach, 0.0, 1.0) : 1;
    lacking -= busy * reach;
    const double a = more_work >= less_work ? 1 - busy : busy, b = 1 - a;
    for (size_t t = begin; t < end; ++t) {
      share_of_less_[t] = a;
      mix_.released[t] = a * less_.released[t] + b * more_.released[t];
      mix_.work[t] = a * less_.work[t] + b * more_.work[t];
      mix_.total_work += mix_.work[t];
    }
  });
  const double reach = more_.total_work - less_.total_work;
  const double more_share = reach > 0 ? (mix_.total_work - less_.total_work) / reach : 1;
  mix_.cost = less_.cost + more_share * (more_.cost - less_.cost);
}

double BlendRelaxation::ListCost(size_t t, Modes modes, double work_price, double released) {
  const SlotList& list = lists_.Build(problem_.slots[t], work_price, modes);
  double left = released - list.z_low, cost = list.cost_low, work = list.work_low;
  for (const Piece& piece : list.pieces()) {
    if (left <= 0) break;
    const double step = std::min(left, piece.length);
    cost += piece.slope * step;
    work += piece.work * step;
    left -= piece.length;
  }
  return cost + work_price * work;
}

double BlendRelaxation::RelaxedCost(size_t t, Modes modes) {
  return share_of_less_[t] * ListCost(t, modes, less_price_, less_.released[t]) +
         (1 - share_of_less_[t]) * ListCost(t, modes, more_price_, more_.released[t]);
}

bool BlendRelaxation::Draw(const std::vector<Modes>& modes, double work_price) {
  return (work_price == drawn_price_ && modes == drawn_modes_) || Backward(modes, work_price);
}

std::vector<double> BlendRelaxation::StoredValues(const std::vector<Modes>& modes, double work_price,
                                                  const std::vector<double>& released) {
  if (!Draw(modes, work_price)) return {};
  std::vector<double> values(problem_.slots.size());
  double stored = problem_.initial;
  for (size_t t = 0; t < values.size(); ++t) {
    const ValueHead& head = heads_[t];
    double left = stored - head.low;
    for (size_t i = 0; i < head.count; ++i) {
      const Piece& piece = pieces_[head.first + i];
      values[t] = -piece.slope;
      left -= piece.length;
      if (left < -kEnergyRounding) break;  // else the unit lies beyond: at a kink, or where a piece is rounding
    }
    stored = problem_.rho * (stored - released[t]);
  }
  return values;
}

std::vector<std::pair<double, double>> BlendRelaxation::ValueFunction(size_t t) const {
  const ValueHead& head = heads_[t];
  std::vector<std::pair<double, double>> points = {{head.low, head.cost_low}};
  for (size_t i = 0; i < head.count; ++i) {
    const Piece& piece = pieces_[head.first + i];
    points.push_back({points.back().first + piece.length, points.back().second + piece.slope * piece.length});
  }
  return points;
}

namespace {

const std::function<bool()> kNever;

/// A subproblem: what each slot may still do.
struct Node {
  std::vector<Modes> modes;
  double bound;
  std::optional<double> work_price;  // to begin with
};

class DirectionSearch {
 public:
  DirectionSearch(const Problem& problem, const BlendLimits& limits)
      : problem_(problem), limits_(limits), relaxation_(problem) {}

  /// A price of work to begin with; nothing where looking for one would take as long as the search itself.
  static std::optional<double> GuessOf(const Problem& problem) {
    constexpr size_t kLongHorizon = 1500, kBlock = 24, kEvery = 16;
    if (problem.slots.size() < kLongHorizon) return std::nullopt;
    Problem sample = problem;
    sample.slots.clear();
    for (size_t t = 0; t < problem.slots.size(); ++t) {
      if (t / kBlock % kEvery == kEvery / 2) sample.slots.push_back(problem.slots[t]);
    }
    const double share = static_cast<double>(sample.slots.size()) / static_cast<double>(problem.slots.size());
    sample.work *= share;
    sample.money_scale *= share;
    sample.final_min = sample.initial = 0;
    BlendRelaxation relaxation(sample);
    const std::vector<Modes> modes(sample.slots.size(), kAllModes);
    if (relaxation.Solve(modes, std::nullopt, {}) != Outcome::kSolved) return std::nullopt;
    return relaxation.work_price();
  }

  BlendAnswer Search() {
    open_.push_back({std::vector<Modes>(problem_.slots.size(), kAllModes), -kInfinity,
                     limits_.guess > 0 ? std::optional(limits_.guess) : GuessOf(problem_)});
    answer_.cost = kInfinity;
    bool stopped = false;
    while (!open_.empty() && !stopped) {
      const Node node = std::move(open_.back());
      open_.pop_back();
      if (!CanImprove(node.bound)) continue;
      if (answer_.nodes > 0 && limits_.is_late && limits_.is_late()) {
        closed_bound_ = std::min(closed_bound_, node.bound);
        stopped = true;
        break;
      }
      ++answer_.nodes;
      // The first node gives a plan however short the time.
      const auto& is_late = answer_.nodes == 1 ? kNever : limits_.is_late;
      const Outcome outcome = relaxation_.Solve(node.modes, node.work_price, is_late);
      if (outcome == Outcome::kStopped) {
        closed_bound_ = std::min(closed_bound_, node.bound);
        stopped = true;
      } else if (outcome == Outcome::kSolved) {
        Expand(node);
      }
      if (!bounded_ && !open_.empty() && SlotsSeen() >= kBoundSlots) BoundAll();
    }
    for (const Node& node : open_) closed_bound_ = std::min(closed_bound_, node.bound);
    answer_.has_plan = answer_.cost < kInfinity;
    answer_.bound = std::min(closed_bound_, answer_.cost);
    answer_.outcome = stopped ? Outcome::kStopped : answer_.has_plan ? Outcome::kSolved : Outcome::kInfeasible;
    answer_.evaluations = relaxation_.evaluations();
    if (answer_.has_plan && problem_.capacity > 0) {
      answer_.stored_values = relaxation_.StoredValues(ModesOfPlan(), answer_.work_price, answer_.released);
    }
    return std::move(answer_);
  }

 private:
  /// Slots looked at, over all nodes, before the bound that does not mix is worth its time.
  static constexpr size_t kBoundSlots = 1000;
  /// The same for a proof to the last digit.
  static constexpr size_t kExactSlots = 1536;

  size_t SlotsSeen() const { return static_cast<size_t>(answer_.nodes) * problem_.slots.size(); }

  /// Exact while that is cheap, then to the gap that is allowed.
  double Gap() const {
    const double exact = 1e-13 * problem_.money_scale + 1e-12;
    return !bounded_ && SlotsSeen() < kExactSlots ? std::min(exact, limits_.gap) : limits_.gap;
  }

  /// Keeps the bound of what is not looked at any further.
  bool CanImprove(double bound) {
    if (answer_.cost == kInfinity || bound < answer_.cost - Gap()) return true;
    closed_bound_ = std::min(closed_bound_, bound);
    return false;
  }

  /// A bound of all nodes in which no slot mixes its directions, and the plans that it leads to.
  void BoundAll() {
    bounded_ = true;
    DirectionBound directions(problem_);
    const double price = relaxation_.work_price();
    const bool found = directions.Maximize(price > 0 ? price : TypicalWorkPrice(problem_), limits_.is_late);
    for (Node& node : open_) node.bound = std::max(node.bound, directions.bound());
    floor_ = directions.bound();
    if (!found) return;
    for (const auto* modes : {&directions.more(), &directions.less()}) {
      if (relaxation_.Solve(*modes, directions.work_price(), limits_.is_late) != Outcome::kSolved) continue;
      if (const double cost = TrueCost(); cost < answer_.cost) KeepPlan(cost);
    }
  }

  void Expand(const Node& node) {
    const double bound = std::max({relaxation_.bound(), node.bound, floor_});
    const double cost = TrueCost();
    if (cost < answer_.cost) KeepPlan(cost);
    if (!CanImprove(bound)) return;
    const std::optional<size_t> slot = WorstSlot(node.modes);
    if (!slot) {
      closed_bound_ = std::min(closed_bound_, bound);
      return;
    }
    Branch(node, *slot, bound);
  }

  BusFlows Flows(size_t t) const {
    const Slot& slot = problem_.slots[t];
    const Schedule& plan = relaxation_.schedule();
    const double z = plan.released[t];
    return FlowsAt(slot, problem_.EnergyIn(slot, plan.work[t], z) + problem_.Drawn(z));
  }

  double SlotCost(size_t t) const {
    const Schedule& plan = relaxation_.schedule();
    return Flows(t).cost + problem_.wear * std::max(plan.released[t], 0.0);
  }

  /// Of the mixed schedule, each slot in the direction that is cheapest.
  double TrueCost() const {
    const Schedule& plan = relaxation_.schedule();
    double stored = problem_.initial, cost = 0;
    for (size_t t = 0; t < problem_.slots.size(); ++t) {
      cost += SlotCost(t);
      stored = problem_.rho * (stored - plan.released[t]);
    }
    return cost - problem_.terminal_value * stored;
  }

  void KeepPlan(double cost) {
    const Schedule& plan = relaxation_.schedule();
    answer_.cost = cost;
    answer_.released = plan.released;
    answer_.work = plan.work;
    answer_.work_price = relaxation_.work_price();
  }

  /// The plan's way in each slot, where two are open: between them the relaxation mixes, and what a unit is worth to a
  /// mix it is not worth to a slot that may only buy or only sell.
  std::vector<Modes> ModesOfPlan() const {
    std::vector<Modes> modes(problem_.slots.size(), kAllModes);
    for (size_t t = 0; t < modes.size(); ++t) {
      const Slot& slot = problem_.slots[t];
      const double z = answer_.released[t];
      if (slot.two_curves) {
        const double x = problem_.EnergyIn(slot, answer_.work[t], z) + problem_.Drawn(z);
        modes[t] &= static_cast<Modes>(~(FlowsAt(slot, x).grid_export > 0 ? kBuys : kSells));
      }
      if (slot.burns) modes[t] &= static_cast<Modes>(~(z < 0 ? kDischarges : kCharges));
    }
    return modes;
  }

  /// The slot whose relaxation is furthest from what it costs.
  std::optional<size_t> WorstSlot(const std::vector<Modes>& modes) {
    std::optional<size_t> worst;
    double most = -kInfinity;
    for (size_t t = 0; t < modes.size(); ++t) {
      if (BitsToChoose(t, modes[t]) == 0) continue;
      const double excess = SlotCost(t) - relaxation_.RelaxedCost(t, modes[t]);
      if (excess > most) most = excess, worst = t;
    }
    return worst;
  }

  /// The pair of modes that is still open in that slot, or none.
  Modes BitsToChoose(size_t t, Modes modes) const {
    const Modes open = modes & problem_.slots[t].OpenModes();
    for (const Modes pair : {static_cast<Modes>(kBuys | kSells), static_cast<Modes>(kCharges | kDischarges)}) {
      if ((open & pair) == pair) return pair;
    }
    return 0;
  }

  void Branch(const Node& node, size_t t, double bound) {
    const Modes pair = BitsToChoose(t, node.modes[t]);
    const bool direction = pair == (kBuys | kSells);
    const Modes first = direction ? kBuys : kCharges, second = direction ? kSells : kDischarges;
    const bool likely_second = direction ? Flows(t).grid_export > 0 : relaxation_.schedule().released[t] > 0;
    for (const bool take_second : {!likely_second, likely_second}) {  // the last is looked at first
      Node child{node.modes, bound, relaxation_.work_price()};
      child.modes[t] = static_cast<Modes>(child.modes[t] & ~(take_second ? first : second));
      open_.push_back(std::move(child));
    }
  }

  const Problem& problem_;
  const BlendLimits& limits_;
  BlendRelaxation relaxation_;
  std::vector<Node> open_;
  BlendAnswer answer_;
  double closed_bound_ = kInfinity;
  bool bounded_ = false;
  double floor_ = -kInfinity;  // of every node
};

}  // namespace

BlendAnswer SolveBlend(const Problem& problem, const BlendLimits& limits) {
  return DirectionSearch(problem, limits).Search();
}

}  // namespace heliograd::kernel
