// What a slot came to at the node's one bus when the load was not the planned one: what had to be bought, what could be
// sold, and the money.
//
// Enters: a slot of the problem, what the plan decided there, and the energy that the node drew. Leaves: import, export
// and cost. The battery's flows are taken as planned (nobody measured them), PV as the problem says; the grid takes the
// difference. Pure.
#pragma once

#include "heliograd/base/quantity.h"
#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

struct Settlement {
  Energy grid_import, grid_export;
  Money cost;  // import less export, wear of the battery and priced carbon included; no terminal value
  CarbonMass carbon;
};

/// Precondition: `slot` is one of the horizon. With the planned load and sun it gives the import, export and cost of a
/// plan that leaves nothing unsold that pays.
Settlement SettleSlot(const DispatchProblem& problem, int slot, const SlotDecision& decision, Energy load);

/// What PV and the connection point do.
struct GridFlows {
  Energy pv_used;  // the rest is curtailed
  Energy grid_import, grid_export;
};

/// The cheapest way to meet what the bus still needs: `need` is load and charger less what the battery gives, below
/// zero where the battery gives more. PV first, then the grid; what is left is sold within the export limit if `sells`.
/// Only at a negative import price may PV be curtailed for the grid, where that is cheaper. The import limit is not
/// looked at. Precondition: `slot` is one of the horizon.
GridFlows BalanceAtGrid(const DispatchProblem& problem, int slot, Energy need, bool sells);

}  // namespace heliograd
