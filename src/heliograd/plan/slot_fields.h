// The numbers that stand for one slot in files: the same names and values in JSON and in CSV, the unit in each name.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// A slot of a plan, with what came before it.
struct SlotInPlan {
  const DispatchProblem& problem;
  const PlanSlot& slot;
  size_t index;
  double progress_before;  // part of the whole job done in the slots before
};

struct SlotField {
  std::string_view name;
  std::optional<double> (*value)(const SlotInPlan&);  // nothing where it is not known
};

/// battery_wh is E at the slot's start and battery_end_wh at its end; battery_discharge_wh leaves the cells and
/// battery_charge_wh arrives at the charger, all flows with _to_ are taken at the bus. gpu_power_w is the mean draw of
/// the node over the slot, progress the part of the whole job done in it and progress_total the part done by its end.
/// What one more unit stored is worth is told in what is minimised: with Objective::kCarbon stored_value_eur_per_kwh is
/// empty and stored_value_carbon_g_per_kwh stands beside it.
const std::vector<SlotField>& SlotFields(Objective objective);
inline constexpr std::string_view kStoredValue = "stored_value_eur_per_kwh";
inline constexpr std::string_view kStoredCarbon = "stored_value_carbon_g_per_kwh";

}  // namespace heliograd
