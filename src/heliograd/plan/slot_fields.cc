#include "heliograd/plan/slot_fields.h"

#include <algorithm>

#include "heliograd/base/quantity.h"
#include "heliograd/plan/objective.h"
#include "heliograd/plan/written_number.h"

namespace heliograd {
namespace {

double Wh(Energy energy) { return WrittenNumber<Energy>(energy, InWattHours, WattHours); }
/// The energy that a reader of the file will get. Numbers derived from it are then the same for writer and reader.
Energy AsWritten(Energy energy) { return WattHours(Wh(energy)); }
double Price(EnergyPrice price) {
  return WrittenNumber<EnergyPrice>(price, InEurosPerKilowattHour, EurosPerKilowattHour);
}

template <Energy Flows::*flow>
std::optional<double> FlowWh(const SlotInPlan& s) {
  return Wh(s.slot.flows.*flow);
}

template <Energy SlotDecision::*total>
std::optional<double> DecisionWh(const SlotInPlan& s) {
  return Wh(s.slot.decision.*total);
}

using Value = std::optional<double>;

std::vector<SlotField> FieldsOfCost() {
  return {
      {"gpu_power_w",
       [](const SlotInPlan& s) -> Value {
         return InWatts(AsWritten(s.slot.load) / s.problem.horizon.SlotDuration()) + 0.0;
       }},
      {"load_wh", [](const SlotInPlan& s) -> Value { return Wh(s.slot.load); }},
      {"pv_wh", [](const SlotInPlan& s) -> Value { return Wh(s.problem.pv[s.index]); }},
      {"pv_used_wh", DecisionWh<&SlotDecision::pv_used>},
      {"pv_curtailed_wh",
       [](const SlotInPlan& s) -> Value {
         return InWattHours(AsWritten(s.problem.pv[s.index]) - AsWritten(s.slot.decision.pv_used)) + 0.0;  // no -0
       }},
      {"pv_to_gpu_wh", FlowWh<&Flows::pv_to_gpu>},
      {"pv_to_battery_wh", FlowWh<&Flows::pv_to_battery>},
      {"pv_to_grid_wh", FlowWh<&Flows::pv_to_grid>},
      {"grid_to_gpu_wh", FlowWh<&Flows::grid_to_gpu>},
      {"grid_to_battery_wh", FlowWh<&Flows::grid_to_battery>},
      {"battery_to_gpu_wh", FlowWh<&Flows::battery_to_gpu>},
      {"battery_to_grid_wh", FlowWh<&Flows::battery_to_grid>},
      {"grid_import_wh", DecisionWh<&SlotDecision::grid_import>},
      {"grid_export_wh", DecisionWh<&SlotDecision::grid_export>},
      {"battery_charge_wh", DecisionWh<&SlotDecision::battery_charge>},
      {"battery_discharge_wh", DecisionWh<&SlotDecision::battery_discharge>},
      {"battery_wh", [](const SlotInPlan& s) -> Value { return Wh(s.slot.battery_start); }},
      {"battery_end_wh", [](const SlotInPlan& s) -> Value { return Wh(s.slot.battery_end); }},
      {"import_price_eur_per_kwh", [](const SlotInPlan& s) -> Value { return Price(s.problem.import_price[s.index]); }},
      {"export_price_eur_per_kwh", [](const SlotInPlan& s) -> Value { return Price(s.problem.export_price[s.index]); }},
      {"carbon_g_per_kwh",
       [](const SlotInPlan& s) -> Value {
         return WrittenNumber<CarbonIntensity>(s.problem.carbon[s.index], InGramsPerKilowattHour, GramsPerKilowattHour);
       }},
      {kStoredValue,
       [](const SlotInPlan& s) -> Value {
         const bool in_eur = s.slot.stored_value && s.problem.objective == Objective::kCost;
         return in_eur ? Value(Price(*s.slot.stored_value)) : Value();
       }},
      {"progress", [](const SlotInPlan& s) -> Value { return s.slot.progress; }},
      {"progress_total", [](const SlotInPlan& s) -> Value { return s.progress_before + s.slot.progress; }},
  };
}

std::vector<SlotField> FieldsOfCarbon() {
  std::vector<SlotField> fields = FieldsOfCost();
  const auto beside =
      std::find_if(fields.begin(), fields.end(), [](const SlotField& f) { return f.name == kStoredValue; });
  fields.insert(beside + 1, {kStoredCarbon, [](const SlotInPlan& s) -> Value {
                               if (!s.slot.stored_value) return {};
                               return WrittenNumber<EnergyPrice>(
                                   *s.slot.stored_value,
                                   [](EnergyPrice p) { return InGramsPerKilowattHour(CarbonOfObjective(p)); },
                                   [](double g) { return GramsPerKilowattHour(g) * kCarbonWeight; });
                             }});
  return fields;
}

}  // namespace

const std::vector<SlotField>& SlotFields(Objective objective) {
  static const std::vector<SlotField> cost = FieldsOfCost(), carbon = FieldsOfCarbon();
  return objective == Objective::kCarbon ? carbon : cost;
}

}  // namespace heliograd
