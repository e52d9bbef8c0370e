#include "heliograd/plan/settlement.h"

#include <algorithm>

namespace heliograd {
namespace {

/// Energies of a slot that are the same but for rounding.
constexpr Energy kSame = WattHours(1e-3);

/// Import less export, as what the plans minimise has it.
Money TradeCost(const DispatchProblem& problem, int slot, Energy grid_import, Energy grid_export) {
  return grid_import * ObjectiveImportPrice(problem, slot) -
         grid_export * problem.export_price[static_cast<size_t>(slot)];
}

}  // namespace

GridFlows BalanceAtGrid(const DispatchProblem& problem, int slot, Energy need, bool sells) {
  const auto t = static_cast<size_t>(slot);
  const Energy pv = problem.pv[t], net = need - pv;
  if (net >= Energy()) {
    if (problem.import_price[t] < EnergyPrice()) return {Energy(), std::max(need, Energy()), Energy()};
    return {pv, net, Energy()};
  }
  Energy room = -net;
  if (problem.grid.export_limit) room = std::min(room, *problem.grid.export_limit * problem.horizon.SlotDuration());
  const GridFlows sun_first = {need + (sells ? room : Energy()), Energy(), sells ? room : Energy()};
  const bool is_paid_to_buy =
      need > Energy() && problem.import_price[t] * need < -sun_first.grid_export * problem.export_price[t];
  return is_paid_to_buy ? GridFlows{Energy(), need, Energy()} : sun_first;
}

Settlement SettleSlot(const DispatchProblem& problem, int slot, const SlotDecision& decision, Energy load) {
  const auto t = static_cast<size_t>(slot);
  const Energy need =
      load + decision.battery_charge - decision.battery_discharge * problem.battery.discharge_efficiency;
  // What differs from the planned load differs at the grid, up to the PV that would be curtailed.
  const bool sells = problem.export_price[t] > EnergyPrice() || decision.grid_export > Energy();
  const GridFlows flows = BalanceAtGrid(problem, slot, need, sells);
  Settlement settled;
  settled.grid_import = flows.grid_import;
  settled.grid_export = flows.grid_export;
  // A plan may import while PV is curtailed (at a negative price), or give back less than there is. Where there is less
  // PV than it counted on, or so much more that its flows are no longer the best, they are not what happens.
  const Energy planned_balance = decision.pv_used + decision.grid_import +
                                 decision.battery_discharge * problem.battery.discharge_efficiency -
                                 decision.battery_charge - decision.grid_export;
  const bool fits = Abs(planned_balance - load) < kSame && decision.pv_used <= problem.pv[t] + kSame;
  if (fits && TradeCost(problem, slot, decision.grid_import, decision.grid_export) <=
                  TradeCost(problem, slot, flows.grid_import, flows.grid_export) + Euros(1e-9)) {
    settled.grid_import = decision.grid_import;
    settled.grid_export = decision.grid_export;
  }
  settled.carbon = settled.grid_import * problem.carbon[t];
  settled.cost = settled.grid_import * problem.import_price[t] - settled.grid_export * problem.export_price[t] +
                 decision.battery_discharge * problem.battery.wear_cost + settled.carbon * problem.carbon_price;
  return settled;
}

}  // namespace heliograd
