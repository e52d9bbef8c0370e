#include "heliograd/plan/plan_json.h"

#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "heliograd/plan/json_names.h"
#include "heliograd/plan/objective.h"
#include "heliograd/plan/slot_fields.h"
#include "heliograd/plan/written_number.h"

namespace heliograd {
namespace internal {

std::string LocalStamp(Stamp stamp, const TimeZone& zone) {
  const CivilTime c = zone.ToCivil(stamp);
  const long offset_min = zone.OffsetAt(stamp).count() / 60;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute,
                     c.second, offset_min < 0 ? '-' : '+', std::abs(offset_min) / 60, std::abs(offset_min) % 60);
}

}  // namespace internal

namespace {

using internal::NameOf;
using Json = nlohmann::ordered_json;

double Number(Energy q) { return WrittenNumber<Energy>(q, InWattHours, WattHours); }
double Number(Power q) { return InWatts(q) + 0.0; }  // -0 + 0 is 0
double Number(Money q) { return InEuros(q) + 0.0; }
double Number(EnergyPrice q) { return WrittenNumber<EnergyPrice>(q, InEurosPerKilowattHour, EurosPerKilowattHour); }
double Number(CarbonIntensity q) {
  return WrittenNumber<CarbonIntensity>(q, InGramsPerKilowattHour, GramsPerKilowattHour);
}
double Milliseconds(Duration q) {
  return WrittenNumber<Duration>(
      q, [](Duration d) { return InSeconds(d) * 1000; }, [](double ms) { return Seconds(ms / 1000); });
}

/// A value of the objective, as carbon.
double CarbonNumber(Money q) {
  return WrittenNumber<Money>(
      q, [](Money m) { return InKilograms(CarbonOfObjective(m)); },
      [](double kg) { return Kilograms(kg) * kCarbonWeight; });
}

template <typename Q>
Json NumberOrNull(const std::optional<Q>& q) {
  return q ? Json(Number(*q)) : Json();
}

template <typename Q>
Json Numbers(const std::vector<Q>& quantities) {
  Json list = Json::array();
  for (const Q q : quantities) list.push_back(Number(q));
  return list;
}

void WriteTotals(Json& json, const std::optional<Totals>& totals) {
  json["cost_eur"] = totals ? Json(Number(totals->cost)) : Json();
  for (const auto& [field, name] : internal::kEnergyTotals) {
    json[name] = totals ? Json(Number((*totals).*field)) : Json();
  }
  json["carbon_kg"] = totals ? Json(InKilograms(totals->carbon) + 0.0) : Json();
  json["progress"] = totals ? Json(totals->progress) : Json();
  Json parts = Json::object();
  for (const auto& [field, name] : internal::kCostParts) {
    parts[name] = totals ? Json(Number((*totals).*field)) : Json();
  }
  json["cost"] = std::move(parts);
}

Json LevelJson(const Level& level) { return {{"limit_w", Number(level.limit)}, {"draw_w", Number(level.draw)}}; }

Json SlotJson(const SlotInPlan& s, const TimeZone& zone) {
  const Horizon& horizon = s.problem.horizon;
  const Stamp start = horizon.SlotStart(static_cast<int>(s.index));
  Json json;
  json["start"] = FormatStamp(start);
  json["start_local"] = internal::LocalStamp(start, zone);
  json["duration_s"] = horizon.step.count();
  json["levels"] = Json::array();
  for (const LevelShare& part : s.slot.decision.levels) {
    Json level = LevelJson(s.problem.gpu.levels[part.level]);
    level["share"] = part.share;
    json["levels"].push_back(std::move(level));
  }
  for (const SlotField& field : SlotFields(s.problem.objective)) {
    const auto value = field.value(s);
    json[field.name] = value ? Json(*value) : Json();
  }
  json["reason"] = s.slot.reason;
  return json;
}

Json SlotsJson(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone) {
  Json slots = Json::array();
  double done = 0;
  for (size_t t = 0; t < plan.slots.size(); ++t) {
    slots.push_back(SlotJson({problem, plan.slots[t], t, done}, zone));
    done += plan.slots[t].progress;
  }
  return slots;
}

Json BaselinesJson(const std::vector<Baseline>& baselines) {
  Json list = Json::array();
  for (const Baseline& baseline : baselines) {
    Json json = {{"name", baseline.name}, {"limit_w", NumberOrNull(baseline.limit)}, {"note", baseline.note}};
    WriteTotals(json, baseline.totals);
    list.push_back(std::move(json));
  }
  return list;
}

Json LeversJson(const std::vector<Lever>& levers) {
  Json list = Json::array();
  for (const Lever& lever : levers) list.push_back({{"name", lever.name}, {"saving_eur", Number(lever.saving)}});
  return list;
}

Json BatteryJson(const Battery& b) {
  return {{"capacity_wh", Number(b.capacity)},
          {"charge_efficiency", b.charge_efficiency},
          {"discharge_efficiency", b.discharge_efficiency},
          {"self_discharge_per_hour", b.self_discharge_per_hour},
          {"max_charge_w", NumberOrNull(b.max_charge)},
          {"max_discharge_w", NumberOrNull(b.max_discharge)},
          {"initial_wh", Number(b.initial)},
          {"final_min_wh", Number(b.final_min)},
          {"terminal_value_eur_per_kwh", Number(b.terminal_value)},
          {"wear_cost_eur_per_kwh", Number(b.wear_cost)}};
}

Json GpuJson(const Gpu& gpu) {
  Json levels = Json::array();
  for (const Level& level : gpu.levels) {
    Json json = LevelJson(level);
    json["job_time_h"] = WrittenNumber<Duration>(level.job_time, InHours, Hours);
    levels.push_back(std::move(json));
  }
  return {{"idle_w", Number(gpu.idle)}, {"host_w", Number(gpu.host)}, {"levels", std::move(levels)}};
}

Json ProblemJson(const DispatchProblem& p) {
  return {
      {"start", FormatStamp(p.horizon.start)},
      {"slot_duration_s", p.horizon.step.count()},
      {"slots", p.horizon.slots},
      {"objective", NameOf(internal::kObjectiveNames, p.objective)},
      {"work", p.work},
      {"carbon_price_eur_per_kg", InEurosPerKilogram(p.carbon_price)},
      {"gpu", GpuJson(p.gpu)},
      {"battery", BatteryJson(p.battery)},
      {"grid",
       {{"import_limit_w", NumberOrNull(p.grid.import_limit)}, {"export_limit_w", NumberOrNull(p.grid.export_limit)}}},
      {"pv_wh", Numbers(p.pv)},
      {"import_price_eur_per_kwh", Numbers(p.import_price)},
      {"export_price_eur_per_kwh", Numbers(p.export_price)},
      {"carbon_g_per_kwh", Numbers(p.carbon)}};
}

Json LabelsJson(const PlanLabels& labels) {
  Json json = Json::object();
  for (const auto& [field, name] : internal::kLabelNames) json[name] = NameOf(internal::kOriginNames, labels.*field);
  for (const std::string_view name : {"battery_wh", "gpu_energy_wh", "cost_eur", "carbon_kg"}) {
    json[name] = NameOf(internal::kOriginNames, Origin::kModelled);
  }
  json["curve_gpu"] = {{"name", labels.curve_gpu.name}, {"uuid", labels.curve_gpu.uuid}};
  return json;
}

/// A value of the objective in its own unit: `name`_eur, which is null where carbon is minimised, and then beside it
/// `name`_carbon_kg.
void WriteObjective(Json& json, const DispatchProblem& problem, const std::string& name,
                    const std::optional<Money>& value) {
  const bool carbon = problem.objective == Objective::kCarbon;
  json[name + "_eur"] = carbon ? Json() : NumberOrNull(value);
  if (carbon) json[name + "_carbon_kg"] = value ? Json(CarbonNumber(*value)) : Json();
}

}  // namespace

std::string PlanToJson(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone,
                       const PlanLabels& labels) {
  const bool planned = plan.status != PlanStatus::kInfeasible;
  Json json;
  json["format"] = internal::kPlanFormat;
  json["status"] = NameOf(internal::kStatusNames, plan.status);
  json["formulation"] = FormulationName(plan.formulation);
  json["infeasible_reason"] = plan.infeasible_reason;
  WriteTotals(json, planned ? std::optional(plan.totals) : std::nullopt);
  WriteObjective(json, problem, "objective", planned ? std::optional(plan.objective) : std::nullopt);
  WriteObjective(json, problem, "bound", planned && IsFinite(plan.bound) ? std::optional(plan.bound) : std::nullopt);
  json["solve_ms"] = Milliseconds(plan.solve_time);
  json["solver"] = plan.solver;
  json["timezone"] = zone.name();
  json["baselines"] = BaselinesJson(plan.baselines);
  json["levers"] = LeversJson(plan.levers);
  json["deadline_price"] = Json::object();
  WriteObjective(json["deadline_price"], problem, "one_hour_later", plan.deadline_price.one_hour_later);
  WriteObjective(json["deadline_price"], problem, "one_hour_earlier", plan.deadline_price.one_hour_earlier);
  WriteObjective(json, problem, "work_price", plan.work_price);
  json["notes"] = plan.notes;
  json["labels"] = LabelsJson(labels);
  json["slots"] = SlotsJson(problem, plan, zone);
  json["problem"] = ProblemJson(problem);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace heliograd
