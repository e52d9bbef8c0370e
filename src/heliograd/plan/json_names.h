// Names that the writer and the reader of plan files share. Private to the room.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "heliograd/plan/plan.h"
#include "heliograd/plan/plan_json.h"

namespace heliograd::internal {

inline constexpr std::string_view kPlanFormat = "heliograd-plan-1";

template <typename T, size_t N>
using Names = std::array<std::pair<T, std::string_view>, N>;

inline constexpr Names<PlanStatus, 3> kStatusNames = {
    {{PlanStatus::kOptimal, "optimal"}, {PlanStatus::kFeasible, "feasible"}, {PlanStatus::kInfeasible, "infeasible"}}};
inline constexpr Names<Objective, 2> kObjectiveNames = {{{Objective::kCost, "cost"}, {Objective::kCarbon, "carbon"}}};
inline constexpr Names<Origin, 3> kOriginNames = {
    {{Origin::kMeasured, "measured"}, {Origin::kModelled, "modelled"}, {Origin::kAssumed, "assumed"}}};

/// Which labels of a file stand for which field.
inline constexpr Names<Origin PlanLabels::*, 7> kLabelNames = {{{&PlanLabels::pv, "pv_wh"},
                                                                {&PlanLabels::prices, "import_price_eur_per_kwh"},
                                                                {&PlanLabels::prices, "export_price_eur_per_kwh"},
                                                                {&PlanLabels::carbon, "carbon_g_per_kwh"},
                                                                {&PlanLabels::level_draw, "draw_w"},
                                                                {&PlanLabels::level_job_time, "job_time_h"},
                                                                {&PlanLabels::battery, "battery"}}};

template <typename T, size_t N>
std::string_view NameOf(const Names<T, N>& names, T value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  return "";
}

/// Sums that a plan and each baseline have, in Wh.
inline constexpr Names<Energy Totals::*, 5> kEnergyTotals = {{{&Totals::grid_import, "grid_import_wh"},
                                                              {&Totals::grid_export, "grid_export_wh"},
                                                              {&Totals::pv_available, "pv_wh"},
                                                              {&Totals::pv_used, "pv_used_wh"},
                                                              {&Totals::load, "gpu_energy_wh"}}};
/// Parts of the cost: cost = import - export revenue + wear + carbon - terminal value.
inline constexpr Names<Money Totals::*, 5> kCostParts = {{{&Totals::import_cost, "import_eur"},
                                                          {&Totals::export_revenue, "export_revenue_eur"},
                                                          {&Totals::wear_cost, "wear_eur"},
                                                          {&Totals::carbon_cost, "carbon_eur"},
                                                          {&Totals::terminal_value, "terminal_value_eur"}}};

/// RFC 3339 with the zone's offset: "2025-01-01T20:00:00+01:00".
std::string LocalStamp(Stamp stamp, const TimeZone& zone);

}  // namespace heliograd::internal
