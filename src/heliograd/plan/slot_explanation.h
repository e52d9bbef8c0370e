// Why a slot of a plan does what it does: the three curves that meet in it, with the plan's point on each.
//
// A pure value. `optimize` computes it (explain_slot.h), `report` draws and words it. The curves are those of the
// objective: with Objective::kCarbon, or a price of carbon, bought energy costs ObjectiveImportPrice.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "heliograd/base/quantity.h"

namespace heliograd {

struct CostPoint {
  Energy energy;
  Money cost;
};

struct WorkPoint {
  Energy energy;
  double work = 0;  // part of the whole job
};

/// Slopes of a curve on both sides of a point. Nothing where the curve ends.
struct Slopes {
  std::optional<EnergyPrice> less;  // on the side of less energy
  std::optional<EnergyPrice> more;  // on the side of more energy
};

/// All curves are polylines by rising energy, linear between their points.
struct SlotExplanation {
  size_t slot = 0;
  Money work_price;  // lambda: cost of one more whole job
  EnergyPrice import_price, export_price;

  // The connection point: least cost C of what the bus draws. Less than zero: the battery gives more than the GPU uses.
  std::vector<CostPoint> bus_curve;
  CostPoint bus;
  Slopes bus_price;  // what a unit less saves, what a unit more costs

  // Least cost of all that follows, less the worth of its work, over stored energy: V_t at the slot's start and V_t+1
  // at its end. One point each where there is no battery.
  std::vector<CostPoint> value_before, value_after;
  CostPoint before, after;
  Slopes worth_before, worth_after;  // -V': what a unit less would lose, what a unit more would save

  // The GPU: the most work that each energy of the slot does.
  std::vector<WorkPoint> hull;
  WorkPoint gpu;
  Slopes gpu_worth;  // lambda times work per energy: what a unit less would lose, what a unit more would bring

  Money wear;  // of what leaves the cells
  /// C + wear - lambda work + V_t+1 - V_t: what the slot's choice costs more than the best there is at these prices.
  /// Zero in every slot of an optimal plan.
  Money excess;
  Money plan_excess;  // what the plan costs more than the bound at these prices
};

}  // namespace heliograd
