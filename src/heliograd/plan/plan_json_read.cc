#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "heliograd/base/text.h"
#include "heliograd/plan/checker.h"
#include "heliograd/plan/json_names.h"
#include "heliograd/plan/json_reader.h"
#include "heliograd/plan/plan_json.h"
#include "heliograd/plan/slot_fields.h"

namespace heliograd {
namespace {

using internal::JsonMistakes;
using internal::JsonObject;

constexpr int64_t kMostSlots = 200'000;  // five years of quarter hours
constexpr int64_t kLongestSlot_s = 86'400;
constexpr size_t kMostLevels = 1000;

/// A number with the unit that `make` names; too large for the unit's base is a mistake.
template <typename Q>
Q Read(const JsonObject& json, std::string_view key, Q (*make)(double)) {
  const Q quantity = make(json.Number(key));
  if (!IsFinite(quantity)) json.Reject(key, "a number of sensible size");
  return quantity;
}

template <typename Q>
std::optional<Q> ReadOrNull(const JsonObject& json, std::string_view key, Q (*make)(double)) {
  const auto number = json.NumberOrNull(key);
  if (!number) return std::nullopt;
  const Q quantity = make(*number);
  if (!IsFinite(quantity)) json.Reject(key, "null or a number of sensible size");
  return quantity;
}

template <typename Q>
std::vector<Q> ReadList(const JsonObject& json, std::string_view key, Q (*make)(double)) {
  std::vector<Q> quantities;
  for (const double number : json.Numbers(key)) quantities.push_back(make(number));
  if (!std::all_of(quantities.begin(), quantities.end(), [](Q q) { return IsFinite(q); })) {
    json.Reject(key, "numbers of sensible size");
  }
  return quantities;
}

template <typename T, size_t N>
T ReadName(const JsonObject& json, std::string_view key, const internal::Names<T, N>& names) {
  const std::string text = json.Text(key);
  std::vector<std::string> known;
  for (const auto& [value, name] : names) {
    if (name == text) return value;
    known.emplace_back(name);
  }
  json.Reject(key, fmt::format("one of {}", fmt::join(known, ", ")));
  return names.front().first;
}

Stamp ReadStamp(const JsonObject& json, std::string_view key) {
  const std::string text = json.Text(key);
  const auto stamp = ParseStamp(text, TimeZone());
  // Written again it must be the same: no other form means an instant beyond doubt.
  if (stamp && FormatStamp(*stamp) == text) return *stamp;
  json.Reject(key, "a time in UTC such as 2025-01-01T19:00:00Z");
  return Stamp();
}

Horizon ReadHorizon(const JsonObject& json) {
  Horizon horizon;
  horizon.start = ReadStamp(json, "start");
  horizon.step = std::chrono::seconds(json.Integer("slot_duration_s", 1, kLongestSlot_s));
  horizon.slots = static_cast<int>(json.Integer("slots", 0, kMostSlots));
  const auto start_s = std::chrono::floor<std::chrono::seconds>(horizon.start).time_since_epoch();
  const auto latest_s = std::chrono::floor<std::chrono::seconds>(Stamp::max()).time_since_epoch();
  if (start_s > latest_s - horizon.step * horizon.slots) {
    json.Reject("slots", "a horizon that ends before the year 2262");
    horizon.slots = 0;
  }
  return horizon;
}

Gpu ReadGpu(const JsonObject& json) {
  Gpu gpu;
  gpu.idle = Read(json, "idle_w", Watts);
  gpu.host = Read(json, "host_w", Watts);
  const auto levels = json.Children("levels");
  if (levels.size() > kMostLevels) json.Reject("levels", fmt::format("at most {} levels", kMostLevels));
  for (const JsonObject& level : levels) {
    gpu.levels.push_back(
        {Read(level, "limit_w", Watts), Read(level, "draw_w", Watts), Read(level, "job_time_h", Hours)});
  }
  return gpu;
}

Battery ReadBattery(const JsonObject& json) {
  Battery b;
  b.capacity = Read(json, "capacity_wh", WattHours);
  b.charge_efficiency = json.Number("charge_efficiency");
  b.discharge_efficiency = json.Number("discharge_efficiency");
  b.self_discharge_per_hour = json.Number("self_discharge_per_hour");
  b.max_charge = ReadOrNull(json, "max_charge_w", Watts);
  b.max_discharge = ReadOrNull(json, "max_discharge_w", Watts);
  b.initial = Read(json, "initial_wh", WattHours);
  b.final_min = Read(json, "final_min_wh", WattHours);
  b.terminal_value = Read(json, "terminal_value_eur_per_kwh", EurosPerKilowattHour);
  b.wear_cost = Read(json, "wear_cost_eur_per_kwh", EurosPerKilowattHour);
  return b;
}

DispatchProblem ReadProblem(const JsonObject& json) {
  DispatchProblem p;
  p.horizon = ReadHorizon(json);
  p.objective = ReadName(json, "objective", internal::kObjectiveNames);
  p.work = json.Number("work");
  p.carbon_price = Read(json, "carbon_price_eur_per_kg", EurosPerKilogram);
  p.gpu = ReadGpu(json.Child("gpu"));
  p.battery = ReadBattery(json.Child("battery"));
  const JsonObject grid = json.Child("grid");
  p.grid.import_limit = ReadOrNull(grid, "import_limit_w", Watts);
  p.grid.export_limit = ReadOrNull(grid, "export_limit_w", Watts);
  p.pv = ReadList(json, "pv_wh", WattHours);
  p.import_price = ReadList(json, "import_price_eur_per_kwh", EurosPerKilowattHour);
  p.export_price = ReadList(json, "export_price_eur_per_kwh", EurosPerKilowattHour);
  p.carbon = ReadList(json, "carbon_g_per_kwh", GramsPerKilowattHour);
  return p;
}

Totals ReadTotals(const JsonObject& json) {
  Totals totals;
  totals.cost = Read(json, "cost_eur", Euros);
  for (const auto& [field, name] : internal::kEnergyTotals) totals.*field = Read(json, name, WattHours);
  totals.carbon = Read(json, "carbon_kg", Kilograms);
  totals.progress = json.Number("progress");
  const JsonObject parts = json.Child("cost");
  for (const auto& [field, name] : internal::kCostParts) totals.*field = Read(parts, name, Euros);
  return totals;
}

std::vector<Baseline> ReadBaselines(const JsonObject& json) {
  std::vector<Baseline> baselines;
  for (const JsonObject& entry : json.Children("baselines")) {
    Baseline baseline;
    baseline.name = entry.Text("name");
    baseline.limit = ReadOrNull(entry, "limit_w", Watts);
    baseline.note = entry.Text("note");
    if (entry.NumberOrNull("cost_eur")) baseline.totals = ReadTotals(entry);
    baselines.push_back(std::move(baseline));
  }
  return baselines;
}

Flows ReadFlows(const JsonObject& json) {
  return {Read(json, "pv_to_gpu_wh", WattHours),       Read(json, "pv_to_battery_wh", WattHours),
          Read(json, "pv_to_grid_wh", WattHours),      Read(json, "grid_to_gpu_wh", WattHours),
          Read(json, "grid_to_battery_wh", WattHours), Read(json, "battery_to_gpu_wh", WattHours),
          Read(json, "battery_to_grid_wh", WattHours)};
}

/// Finds a level of the problem by the two numbers that a slot names it with.
class LevelIndex {
 public:
  explicit LevelIndex(const Gpu& gpu) {
    for (size_t k = 0; k < gpu.levels.size(); ++k)
      index_.emplace(std::pair(gpu.levels[k].limit, gpu.levels[k].draw), k);
  }
  LevelShare Read(const JsonObject& json) const {
    const auto found = index_.find({Watts(json.Number("limit_w")), Watts(json.Number("draw_w"))});
    if (found == index_.end()) json.Reject("limit_w", "limit_w and draw_w of one of the levels of problem.gpu");
    return {found == index_.end() ? 0 : found->second, json.Number("share")};
  }

 private:
  std::map<std::pair<Power, Power>, size_t> index_;
};

/// A value of the objective: `name`_carbon_kg where carbon is minimised. Earlier versions wrote its weight as
/// `name`_eur.
std::optional<Money> ReadObjective(const JsonObject& json, Objective objective, const std::string& name) {
  const std::string carbon_key = name + "_carbon_kg";
  const auto carbon_kg = objective == Objective::kCarbon ? json.NumberIfAny(carbon_key) : std::nullopt;
  const std::optional<Money> eur = ReadOrNull(json, name + "_eur", Euros);
  if (!carbon_kg) return eur;
  const Money value = Kilograms(*carbon_kg) * kCarbonWeight;
  if (!IsFinite(value)) json.Reject(carbon_key, "null or a number of sensible size");
  return value;
}

/// As ReadObjective.
std::optional<EnergyPrice> ReadStoredValue(const JsonObject& json, Objective objective) {
  const auto carbon_g = objective == Objective::kCarbon ? json.NumberIfAny(kStoredCarbon) : std::nullopt;
  const std::optional<EnergyPrice> eur = ReadOrNull(json, kStoredValue, EurosPerKilowattHour);
  if (!carbon_g) return eur;
  const EnergyPrice value = GramsPerKilowattHour(*carbon_g) * kCarbonWeight;
  if (!IsFinite(value)) json.Reject(kStoredCarbon, "null or a number of sensible size");
  return value;
}

PlanSlot ReadSlot(const JsonObject& json, Objective objective, const LevelIndex& levels) {
  PlanSlot slot;
  for (const JsonObject& level : json.Children("levels")) slot.decision.levels.push_back(levels.Read(level));
  slot.decision.pv_used = Read(json, "pv_used_wh", WattHours);
  slot.decision.grid_import = Read(json, "grid_import_wh", WattHours);
  slot.decision.grid_export = Read(json, "grid_export_wh", WattHours);
  slot.decision.battery_charge = Read(json, "battery_charge_wh", WattHours);
  slot.decision.battery_discharge = Read(json, "battery_discharge_wh", WattHours);
  slot.flows = ReadFlows(json);
  slot.load = Read(json, "load_wh", WattHours);
  slot.battery_start = Read(json, "battery_wh", WattHours);
  slot.battery_end = Read(json, "battery_end_wh", WattHours);
  slot.progress = json.Number("progress");
  slot.stored_value = ReadStoredValue(json, objective);
  slot.reason = json.Text("reason");
  return slot;
}

Plan ReadPlan(const JsonObject& json, const DispatchProblem& problem) {
  Plan plan;
  plan.status = ReadName(json, "status", internal::kStatusNames);
  const auto formulation = FormulationFromName(json.Text("formulation"));
  if (!formulation) json.Reject("formulation", "one of paper, levels, blend");
  plan.formulation = formulation.value_or(Formulation::kBlend);
  plan.infeasible_reason = json.Text("infeasible_reason");
  if (plan.status != PlanStatus::kInfeasible) {
    plan.totals = ReadTotals(json);
    const auto objective = ReadObjective(json, problem.objective, "objective");
    if (!objective) json.Reject("objective_eur", "a number");
    plan.objective = objective.value_or(Money());
    const double no_bound = -std::numeric_limits<double>::infinity();
    plan.bound = ReadObjective(json, problem.objective, "bound").value_or(Euros(no_bound));
  }
  plan.solve_time = Read<Duration>(json, "solve_ms", [](double ms) { return Seconds(ms / 1000); });
  plan.solver = json.Text("solver");
  plan.baselines = ReadBaselines(json);
  for (const JsonObject& lever : json.Children("levers")) {
    plan.levers.push_back({lever.Text("name"), Read(lever, "saving_eur", Euros)});
  }
  const JsonObject deadline = json.Child("deadline_price");
  plan.deadline_price.one_hour_later = ReadObjective(deadline, problem.objective, "one_hour_later");
  plan.deadline_price.one_hour_earlier = ReadObjective(deadline, problem.objective, "one_hour_earlier");
  if (json.Has("work_price_eur")) plan.work_price = ReadObjective(json, problem.objective, "work_price");
  plan.notes = json.Texts("notes");
  const LevelIndex levels(problem.gpu);
  for (const JsonObject& slot : json.Children("slots")) plan.slots.push_back(ReadSlot(slot, problem.objective, levels));
  return plan;
}

TimeZone ReadZone(const JsonObject& json) {
  const auto zone = TimeZone::Find(json.Text("timezone"));
  if (!zone) json.Reject("timezone", "an IANA name such as Europe/Rome or an offset such as +01:00");
  return zone.value_or(TimeZone());
}

PlanLabels ReadLabels(const JsonObject& json) {
  PlanLabels labels;
  for (const auto& [field, name] : internal::kLabelNames) labels.*field = ReadName(json, name, internal::kOriginNames);
  if (json.Has("curve_gpu")) {  // plan files of before have none
    const JsonObject gpu = json.Child("curve_gpu");
    labels.curve_gpu = {gpu.Text("name"), gpu.Text("uuid")};
  }
  return labels;
}

/// Times and derived numbers of a slot must be what the rest of the file makes them, up to the last digits.
void CompareSlot(const JsonObject& json, const SlotInPlan& s, const TimeZone& zone) {
  const auto expect_text = [&](std::string_view key, const std::string& expected) {
    if (json.Text(key) != expected) json.Reject(key, Quoted(expected));
  };
  const Horizon& horizon = s.problem.horizon;
  const Stamp start = horizon.SlotStart(static_cast<int>(s.index));
  expect_text("start", FormatStamp(start));
  expect_text("start_local", internal::LocalStamp(start, zone));
  json.Integer("duration_s", horizon.step.count(), horizon.step.count());
  for (const SlotField& field : SlotFields(s.problem.objective)) {
    if (field.name == kStoredValue || field.name == kStoredCarbon) continue;  // read, not derived
    const auto stated = json.NumberOrNull(field.name);
    const auto expected = field.value(s);
    const bool same = stated && expected ? std::abs(*stated - *expected) <= 1e-9 * std::max(1.0, std::abs(*expected))
                                         : stated.has_value() == expected.has_value();
    if (!same) {
      json.Reject(field.name, expected ? fmt::format("{:.9g} from the rest of the file", *expected) : "null");
    }
  }
}

void CompareSlots(const JsonObject& json, const PlanFile& file) {
  double done = 0;
  const auto slots = json.Children("slots");
  for (size_t t = 0; t < slots.size(); ++t) {
    CompareSlot(slots[t], {file.problem, file.plan.slots[t], t, done}, file.zone);
    done += file.plan.slots[t].progress;
  }
}

}  // namespace

Result<PlanFile> PlanFromJson(std::string_view text, const std::string& name) {
  const auto json = internal::ParseJson(text, name, "a plan as 'heliograd plan --json' prints it");
  if (!json) return Fail(json.error());
  JsonMistakes mistakes(name);
  const JsonObject root(&*json, "", mistakes);
  const std::string expected = fmt::format("'{}', written by this version of heliograd", internal::kPlanFormat);
  if (!root.Has("format")) root.Reject("format", expected + " (heliograd plan -o FILE)");
  if (!mistakes.any() && root.Text("format") != internal::kPlanFormat && !mistakes.any()) {
    root.Reject("format", expected);
  }
  if (mistakes.any()) return Fail(mistakes.sentences());
  PlanFile file;
  file.zone = ReadZone(root);
  file.labels = ReadLabels(root.Child("labels"));
  file.problem = ReadProblem(root.Child("problem"));
  file.plan = ReadPlan(root, file.problem);
  if (mistakes.any()) return Fail(mistakes.sentences());
  for (const std::string& violation : CheckPlan(file.problem, file.plan))
    mistakes.Add("the plan is not sound:", violation);
  if (!mistakes.any()) CompareSlots(root, file);
  if (mistakes.any()) return Fail(mistakes.sentences());
  return file;
}

}  // namespace heliograd
