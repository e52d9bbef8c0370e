#include "heliograd/plan/settlement.h"

#include <algorithm>

namespace heliograd {

Settlement SettleSlot(const DispatchProblem& problem, int slot, const SlotDecision& decision, Energy load) {
  const auto t = static_cast<size_t>(slot);
  const Energy need =
      load + decision.battery_charge - decision.battery_discharge * problem.battery.discharge_efficiency;
  // The planned net draw from the grid; what differs in the load differs here, up to the PV that would be curtailed.
  const Energy net = need - problem.pv[t];
  Settlement settled;
  if (net >= Energy()) {
    settled.grid_import = net;
    settled.grid_export = Energy();
  } else {
    const Energy surplus = -net;
    const bool sells = problem.export_price[t] > EnergyPrice() || decision.grid_export > Energy();
    Energy room = surplus;
    if (problem.grid.export_limit) room = std::min(room, *problem.grid.export_limit * problem.horizon.SlotDuration());
    settled.grid_export = sells ? room : Energy();
  }
  // A plan may import while PV is curtailed (at a negative price), or give back less than there is.
  const Energy planned_balance = decision.pv_used + decision.grid_import +
                                 decision.battery_discharge * problem.battery.discharge_efficiency -
                                 decision.battery_charge - decision.grid_export;
  if (Abs(planned_balance - load) < WattHours(1e-3)) {
    settled.grid_import = decision.grid_import;
    settled.grid_export = decision.grid_export;
  }
  settled.carbon = settled.grid_import * problem.carbon[t];
  settled.cost = settled.grid_import * problem.import_price[t] - settled.grid_export * problem.export_price[t] +
                 decision.battery_discharge * problem.battery.wear_cost + settled.carbon * problem.carbon_price;
  return settled;
}

}  // namespace heliograd
