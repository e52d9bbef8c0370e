// The dispatch problem as the kernel sees it: for each slot the least cost of what the bus draws, as a piecewise linear
// curve, and the GPU as a concave curve of work against energy. Units inside the kernel: kWh, EUR, parts of the job.
//
// Enters: a sound DispatchProblem. Leaves: plain numbers for hot loops, and slot decisions from what a plan draws.
// It knows no value function and no search (docs/kernel.md, section 1).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd::kernel {

/// What a slot may do. A bit that is missing is forbidden.
using Modes = uint8_t;
inline constexpr Modes kBuys = 1, kSells = 2, kCharges = 4, kDischarges = 8;
inline constexpr Modes kAllModes = 15;

/// Least cost of the bus drawing x, along falling x: convex pieces with falling slopes.
struct BusCurve {
  struct Piece {
    double slope, length;  // EUR/kWh, kWh
  };
  double x_high = 0, cost_high = 0;  // where it begins
  int count = 0;
  std::array<Piece, 3> pieces{};

  void Begin(double x, double cost) { x_high = x, cost_high = cost, count = 0; }
  void Add(double slope, double length) { pieces[static_cast<size_t>(count++)] = {slope, length}; }
};

struct Slot {
  double pv = 0;                              // kWh
  double import_price = 0, export_price = 0;  // EUR/kWh; the first as the objective has it
  double most_import = 0, most_export = 0;    // kWh
  bool two_curves = false;                    // buying and selling have no convex curve together
  bool sells_all = false;                     // `paper`: buys all that is used and sells everything else
  bool burns = false;                         // a price is negative: drawing more may pay
  BusCurve curve;                             // of both directions together, or of buying alone
  BusCurve sale_curve;                        // of selling alone, where `two_curves`

  /// The modes among which a search must choose; the rest is settled by cost.
  Modes OpenModes() const {
    return static_cast<Modes>((two_curves ? kBuys | kSells : 0) | (burns ? kCharges | kDischarges : 0));
  }
};

/// Whether two slots of one problem are the same but for their time.
inline bool Alike(const Slot& a, const Slot& b) {
  return a.pv == b.pv && a.import_price == b.import_price && a.export_price == b.export_price &&
         a.most_import == b.most_import && a.most_export == b.most_export;
}

/// A point of the GPU's curve: energy of a slot and the work done by it.
struct GpuPoint {
  double energy = 0, work = 0;
  int level = -1;  // -1: off
};

struct Problem {
  std::vector<Slot> slots;
  std::vector<GpuPoint> gpu;  // rising energy. `blend`: the upper concave hull; else off (where allowed) and all levels
  double capacity = 0, initial = 0, final_min = 0;
  double most_charge = 0, most_discharge = 0;  // r, d
  double alpha = 1, beta = 1, rho = 1;
  double wear = 0, terminal_value = 0;  // EUR/kWh
  double work = 0;
  bool fill_rule = false;  // `paper`, rule (13): no more arrives at the charger than there is room at the slot's start
  double money_scale = 0;  // no plan moves more money than a few times this

  /// What the cells give to the bus (negative: draw from it) when z leaves them.
  double Drawn(double z) const { return z < 0 ? -z / alpha : -beta * z; }
  /// The draw of the GPU along the hull. Precondition: `gpu` is the hull.
  double EnergyOf(double work) const;
  /// The same in a slot that releases z; more where drawing more, for work that nobody asked for, costs less.
  double EnergyIn(const Slot& slot, double work, double z) const;
};

/// The upper concave hull of points of rising energy. The first stays, and so does the last, which does the most work.
std::vector<GpuPoint> UpperHull(const std::vector<GpuPoint>& points);

/// The problem in the kernel's terms, or nothing where its structure is another one: the GPU draws more when idle than
/// at its lowest level. In `paper` it also leaves out negative prices, limits of export, limits of import that may
/// bind, and prices at which a battery cycles for profit: there a slot may charge and discharge at once.
/// `why_not`, when given, then tells which of these it is.
std::optional<Problem> MakeProblem(const DispatchProblem& problem, Formulation formulation,
                                   std::string* why_not = nullptr);

/// What the connection point does when the bus draws x in that slot, at least cost.
struct BusFlows {
  double pv_used = 0, grid_import = 0, grid_export = 0;
  double cost = 0;  // EUR; infinite where x cannot be
};
BusFlows FlowsAt(const Slot& slot, double x);
/// The same in `paper`: GPU and charger use, the cells give to the bus.
BusFlows PaperFlowsAt(const Slot& slot, double used, double given);

}  // namespace heliograd::kernel
