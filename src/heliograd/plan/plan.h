// The plan: what to draw, buy, sell and store in each slot, with its cost, its proof and its reasons.
//
// Enters: bus totals per slot from an optimiser or a baseline rule. Leaves: a value that is checked (checker.h),
// written and read as JSON (plan_json.h), shown (`report`) and carried out (`control`). It knows no solver.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "heliograd/plan/problem.h"

namespace heliograd {

/// Part of a slot spent at one level. What is left of the slot is spent off, at idle power.
struct LevelShare {
  size_t level = 0;    // index into Gpu::levels
  double share = 0.0;  // in (0, 1]
};

/// Decisions of one slot, as totals at the node's bus. Never negative.
struct SlotDecision {
  std::vector<LevelShare> levels;  // ascending level
  Energy pv_used;                  // the rest of what PV offers is curtailed
  Energy grid_import;
  Energy grid_export;
  Energy battery_charge;     // r: arrives at the charger
  Energy battery_discharge;  // d: leaves the cells
};

/// The bus shown as flows from source to sink: PV first to the GPU, then to the battery, then sold. All at the bus, so
/// battery_to_* is beta d. Import is never sold on, and the battery never feeds itself (where it charges and discharges
/// in one slot, as `paper` may, its output goes to the GPU before PV does).
struct Flows {
  Energy pv_to_gpu, pv_to_battery, pv_to_grid;
  Energy grid_to_gpu, grid_to_battery;
  Energy battery_to_gpu, battery_to_grid;
};

struct PlanSlot {
  SlotDecision decision;
  Flows flows;
  Energy load;                              // of the node: GPU and host, or idle
  Energy battery_start;                     // E at the start of the slot
  Energy battery_end;                       // E at its end, after self-discharge
  double progress = 0;                      // part of the whole job done in this slot
  std::optional<EnergyPrice> stored_value;  // worth of one more unit in the cells at the start of the slot
  std::string reason;                       // in words: why this level and these flows
};

enum class PlanStatus {
  kOptimal,    // proven within the tolerance
  kFeasible,   // valid, but the bound is further away than the tolerance
  kInfeasible  // no plan exists; `infeasible_reason` says why
};

/// Money, energy and carbon of a sequence of slots. cost = import - export revenue + wear + priced carbon - terminal
/// value.
struct Totals {
  Money cost;
  Money import_cost;
  Money export_revenue;
  Money wear_cost;
  Money carbon_cost;
  Money terminal_value;
  Energy grid_import, grid_export;
  Energy pv_available, pv_used;
  Energy load;
  CarbonMass carbon;  // of what is imported; sales earn no credit
  double progress = 0;
};

/// A simple rule to compare with, starting when the plan may start.
struct Baseline {
  std::string name;
  std::optional<Totals> totals;  // nothing when the rule cannot finish the job in the horizon
  std::optional<Power> limit;    // the fixed level it runs at
  std::string note;              // why there are no totals, or what the rule leaves undone
};

/// What each lever is worth: the steps of the ladder of baselines. They sum to the first rung's cost less the plan's.
struct Lever {
  std::string name;  // "levels", "PV", "battery", "timing"
  Money saving;
};

/// What one hour more or less would change of what the job costs: the plan's objective less the node's without the job.
struct DeadlinePrice {
  std::optional<Money> one_hour_later;    // change when the deadline moves an hour later
  std::optional<Money> one_hour_earlier;  // change when it moves an hour earlier; nothing when infeasible
};

struct Plan {
  PlanStatus status = PlanStatus::kInfeasible;
  Formulation formulation = Formulation::kBlend;
  std::string infeasible_reason;
  std::vector<PlanSlot> slots;
  Totals totals;
  Money objective;  // what was minimised: totals.cost, or with Objective::kCarbon cost plus weighted carbon
  Money bound;      // no plan has a lower objective
  Duration solve_time;
  std::string solver;  // name and version
  std::vector<Baseline> baselines;
  std::vector<Lever> levers;
  DeadlinePrice deadline_price;
  /// What a whole job more would cost at the price of its last part: the dual of the work. Nothing with whole levels,
  /// where no one price holds, and where it was not asked for.
  std::optional<Money> work_price;
  std::vector<std::string> notes;  // levels dropped, assumptions made
};

/// Progress, load, battery and flows of each slot from its decision; totals from the slots. What the decisions break is
/// not repaired: the checker finds it.
Plan MakePlan(const DispatchProblem& problem, Formulation formulation, const std::vector<SlotDecision>& decisions);

/// Shows bus totals as flows from source to sink (see Flows).
Flows AttributeFlows(const SlotDecision& decision, Energy load, double discharge_efficiency);

}  // namespace heliograd
