#include "heliograd/plan/plan.h"

#include <algorithm>
#include <utility>

namespace heliograd {
namespace {

constexpr Energy kRoundingResidue = WattHours(1e-9);

/// The load and the progress that a slot's level shares cause.
struct SlotLoad {
  Energy load;
  double progress = 0;
};

SlotLoad LoadOf(const DispatchProblem& problem, const SlotDecision& decision) {
  const Duration slot = problem.horizon.SlotDuration();
  SlotLoad result;
  double off = 1.0;
  for (const LevelShare& part : decision.levels) {
    result.load += problem.gpu.DrawAt(part.level) * slot * part.share;
    result.progress += part.share * (slot / problem.gpu.levels[part.level].job_time);
    off -= part.share;
  }
  result.load += problem.gpu.idle * slot * std::max(off, 0.0);
  return result;
}

}  // namespace

Flows AttributeFlows(const SlotDecision& d, Energy load, double discharge_efficiency) {
  const auto at_least_zero = [](Energy e) { return std::max(e, Energy()); };
  const Energy from_cells = d.battery_discharge * discharge_efficiency;
  // What PV and battery must give to GPU and charger: import serves these two alone and is never sold on.
  const Energy local = at_least_zero(load + d.battery_charge - d.grid_import);
  // The battery cannot feed itself: what it gives and nobody buys must go to the GPU, even before PV.
  const Energy battery_first = std::min({at_least_zero(from_cells - d.grid_export), load, local});
  Flows f;
  f.pv_to_gpu = std::min({d.pv_used, load - battery_first, local - battery_first});
  f.pv_to_battery = std::min({d.pv_used - f.pv_to_gpu, d.battery_charge, local - battery_first - f.pv_to_gpu});
  f.pv_to_grid = d.pv_used - f.pv_to_gpu - f.pv_to_battery;
  f.battery_to_gpu = std::min({from_cells, load - f.pv_to_gpu, at_least_zero(local - f.pv_to_gpu - f.pv_to_battery)});
  f.battery_to_grid = from_cells - f.battery_to_gpu;
  f.grid_to_gpu = at_least_zero(std::min(d.grid_import, load - f.pv_to_gpu - f.battery_to_gpu));
  f.grid_to_battery = d.grid_import - f.grid_to_gpu;
  return f;
}

Plan MakePlan(const DispatchProblem& problem, Formulation formulation, const std::vector<SlotDecision>& decisions) {
  Plan plan;
  plan.formulation = formulation;
  const double retention = RetentionPerSlot(problem);
  const Battery& battery = problem.battery;
  Energy stored = battery.initial;
  Totals& sum = plan.totals;
  Money objective_import;
  plan.slots.reserve(decisions.size());
  for (size_t t = 0; t < decisions.size(); ++t) {
    const SlotDecision& d = decisions[t];
    const SlotLoad load = LoadOf(problem, d);
    PlanSlot slot;
    slot.decision = d;
    slot.load = load.load;
    slot.progress = load.progress;
    slot.flows = AttributeFlows(d, load.load, battery.discharge_efficiency);
    slot.battery_start = stored;
    stored = (stored - d.battery_discharge + d.battery_charge * battery.charge_efficiency) * retention;
    // What rounding leaves in an emptied battery is nothing, and would be shown as something.
    if (Abs(stored) < kRoundingResidue) stored = Energy();
    slot.battery_end = stored;
    plan.slots.push_back(std::move(slot));

    sum.import_cost += d.grid_import * problem.import_price[t];
    sum.export_revenue += d.grid_export * problem.export_price[t];
    sum.wear_cost += d.battery_discharge * battery.wear_cost;
    sum.carbon += d.grid_import * problem.carbon[t];
    sum.grid_import += d.grid_import;
    sum.grid_export += d.grid_export;
    sum.pv_available += problem.pv[t];
    sum.pv_used += d.pv_used;
    sum.load += load.load;
    sum.progress += load.progress;
    objective_import += d.grid_import * ObjectiveImportPrice(problem, static_cast<int>(t));
  }
  sum.carbon_cost = sum.carbon * problem.carbon_price;
  sum.terminal_value = stored * battery.terminal_value;
  sum.cost = sum.import_cost - sum.export_revenue + sum.wear_cost + sum.carbon_cost - sum.terminal_value;
  plan.objective = objective_import - sum.export_revenue + sum.wear_cost - sum.terminal_value;
  return plan;
}

}  // namespace heliograd
