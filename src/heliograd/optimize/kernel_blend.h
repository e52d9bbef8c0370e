// The kernel of `blend`: value functions backward, a plan forward, a search on the price of work, and branch and bound
// over the directions of slots that have no convex cost.
//
// Enters: a kernel::Problem whose GPU points are the concave hull. Leaves: what each slot releases from the cells and
// how much work it does, with a bound and the prices of work and of stored energy (docs/kernel.md, sections 3 to 5).
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "heliograd/optimize/kernel_slopes.h"

namespace heliograd::kernel {

/// The pieces of all value functions, one after the other. A long horizon has gigabytes of them: growing moves pages
/// rather than copying them beside the old ones, and what is never written takes no memory.
class PieceStore {
 public:
  PieceStore() = default;
  PieceStore(const PieceStore&) = delete;
  PieceStore& operator=(const PieceStore&) = delete;
  ~PieceStore() { std::free(pieces_); }

  size_t size() const { return size_; }
  /// Keeps what was written; the rest is not initialised. std::bad_alloc where there is no memory left.
  void Grow(size_t size) {
    static_assert(std::is_trivially_copyable_v<Piece>);
    void* grown = size <= SIZE_MAX / sizeof(Piece) ? std::realloc(pieces_, size * sizeof(Piece)) : nullptr;
    if (grown == nullptr) throw std::bad_alloc();
    pieces_ = static_cast<Piece*>(grown);
    size_ = size;
  }
  Piece* data() { return pieces_; }
  const Piece* data() const { return pieces_; }
  Piece& operator[](size_t i) { return pieces_[i]; }
  const Piece& operator[](size_t i) const { return pieces_[i]; }

 private:
  Piece* pieces_ = nullptr;
  size_t size_ = 0;
};

/// A price of work to begin a search with: of the energy along the whole hull, at the mean of the prices.
double TypicalWorkPrice(const Problem& problem);

/// What the slots do. Costs are the relaxation's where directions are still open.
struct Schedule {
  std::vector<double> released;  // z per slot, kWh
  std::vector<double> work;      // per slot
  double cost = 0, total_work = 0;
};

enum class Outcome { kSolved, kInfeasible, kStopped };

/// The relaxation with given modes, solved: value functions at the price of work at which two schedules are both
/// optimal, and their mix, which does exactly the work asked for.
class BlendRelaxation {
 public:
  explicit BlendRelaxation(const Problem& problem);

  /// `guess` is a price of work to begin with; else that of the node without its battery. kStopped where `is_late` says
  /// so.
  Outcome Solve(const std::vector<Modes>& modes, std::optional<double> guess, const std::function<bool()>& is_late);

  double bound() const { return bound_; }
  double work_price() const { return work_price_; }
  /// The mix, and what it costs in the relaxation.
  const Schedule& schedule() const { return mix_; }
  /// What the schedule's slot costs in the relaxation.
  double RelaxedCost(size_t t, Modes modes);
  /// Draws the value functions at that price of work and with those modes, where the last were others. False where the
  /// modes leave no way.
  bool Draw(const std::vector<Modes>& modes, double work_price);
  /// -V': worth of one more unit stored at the start of each slot, along a schedule that releases so much, with
  /// the value functions of Draw; empty where the modes leave no way.
  std::vector<double> StoredValues(const std::vector<Modes>& modes, double work_price,
                                   const std::vector<double>& released);
  /// V before slot t (after the last slot: t = their number) as Draw drew it, over stored energy: points (kWh, EUR) of
  /// rising energy.
  std::vector<std::pair<double, double>> ValueFunction(size_t t) const;
  int evaluations() const { return evaluations_; }

 private:
  /// False where the energy has no way through the slots.
  bool Backward(const std::vector<Modes>& modes, double work_price);
  void Forward(Schedule& schedule) const;
  /// Finds schedules on both sides of the work that is asked for, or one at no price that does enough.
  Outcome Bracket(const std::vector<Modes>& modes, std::optional<double> guess, const std::function<bool()>& is_late);
  /// The best schedule at that price; raises the bound where its tangent is higher.
  bool Evaluate(const std::vector<Modes>& modes, double work_price, Schedule& schedule);
  /// What the slots together cost and do at that price of work when nothing enters or leaves the cells.
  struct Tangent {
    double price = 0, cost = 0, work = 0;
  };
  Tangent WithoutBattery(double work_price);
  /// The price of work there: near to the node's own, and found without a value function. Nothing where the work
  /// cannot be done so, or comes for nothing.
  std::optional<double> PriceWithoutBattery();
  /// Stretches of slots at whose ends less_ and more_ have stored as much: (begin, end, work of less_, of more_).
  template <typename OnStretch>
  void ForEachStretch(const OnStretch& on_stretch) const;
  /// Both schedules are best at the price that was found, and so is whatever follows one of them in some stretches and
  /// the other in the rest. The busier one comes first: among plans of equal cost the work is done early and in one
  /// piece rather than in a part of every slot.
  void Mix();
  double ListCost(size_t t, Modes modes, double work_price, double released);

  const Problem& problem_;
  SlotLists lists_;
  std::vector<ValueHead> heads_;  // one more than slots
  PieceStore pieces_;
  std::vector<Modes> drawn_modes_;  // of the value functions as they are
  double drawn_price_ = -1;
  double value_ = 0;  // V_0 at the initial energy
  Schedule less_, more_, next_, mix_;
  double less_price_ = 0, more_price_ = 0;
  std::vector<double> share_of_less_;  // per slot of mix_
  double bound_ = 0, work_price_ = 0;
  int evaluations_ = 0;
};

struct BlendLimits {
  double gap = 1e-3;              // EUR: absolute distance from the optimum that is allowed
  std::function<bool()> is_late;  // may be empty
  double guess = 0;               // of the price of work
};

struct BlendAnswer {
  Outcome outcome = Outcome::kInfeasible;
  bool has_plan = false;
  std::vector<double> released, work;
  double cost = 0, bound = 0;  // of the plan; no plan costs less
  double work_price = 0;
  std::vector<double> stored_values;
  int nodes = 0, evaluations = 0;
};

BlendAnswer SolveBlend(const Problem& problem, const BlendLimits& limits);

}  // namespace heliograd::kernel
