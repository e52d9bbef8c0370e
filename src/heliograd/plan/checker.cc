#include "heliograd/plan/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

namespace heliograd {
namespace {

constexpr size_t kMostSentences = 100;

/// Numbers of one slot in Wh, as the plan states them.
struct SlotNumbers {
  double load, pv, pv_used, import, export_, charge, discharge, at_bus, start, end;
};

class Checker {
 public:
  Checker(const DispatchProblem& problem, const Plan& plan)
      : problem_(problem),
        plan_(plan),
        tolerance_(TolerancesFor(problem)),
        slot_h_(static_cast<double>(problem.horizon.step.count()) / 3600.0),
        retention_(std::exp(slot_h_ * std::log1p(-problem.battery.self_discharge_per_hour))) {}

  std::vector<std::string> Run() {
    if (plan_.status == PlanStatus::kInfeasible) {
      CheckInfeasible();
      return std::move(sentences_);
    }
    if (plan_.slots.size() != problem_.pv.size()) {
      Say("the plan has {} slots, the problem {}.", plan_.slots.size(), problem_.pv.size());
      return std::move(sentences_);
    }
    double stored = InWattHours(problem_.battery.initial);
    for (slot_ = 0; slot_ < plan_.slots.size(); ++slot_) {
      const SlotNumbers n = Numbers(plan_.slots[slot_]);
      CheckLevels(plan_.slots[slot_], n);
      CheckBus(n);
      CheckFlows(plan_.slots[slot_].flows, n);
      CheckBattery(n, stored);
      CheckOneDirection(n);
      if (plan_.formulation == Formulation::kPaper) CheckPaperRules(n);
      stored = n.end;
      Count(n, plan_.slots[slot_].progress);
    }
    CheckEnd(stored);
    CheckTotals(stored);
    return std::move(sentences_);
  }

 private:
  template <typename... Args>
  void Say(fmt::format_string<Args...> format, Args&&... args) {
    if (sentences_.size() < kMostSentences) sentences_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }
  std::string At() const { return FormatStamp(problem_.horizon.SlotStart(static_cast<int>(slot_))); }

  // Comparisons are written so that a value that is not a number fails them.
  void Equal(std::string_view what, double value, double expected, double tolerance, std::string_view unit = "Wh") {
    if (!(std::abs(value - expected) <= tolerance)) {
      Say("slot {}: {} is {:.9g} {}, expected {:.9g}.", At(), what, value, unit, expected);
    }
  }
  void AtMost(std::string_view what, double value, double limit, double tolerance, std::string_view unit = "Wh") {
    if (!(value <= limit + tolerance)) {
      Say("slot {}: {} is {:.9g} {}, more than {:.9g}.", At(), what, value, unit, limit);
    }
  }
  void NotNegative(std::string_view what, double value) {
    if (!(value >= -tolerance_.energy_wh) || !std::isfinite(value)) {
      Say("slot {}: {} is {:.9g} Wh, less than 0 or not finite.", At(), what, value);
    }
  }
  void Limit(std::string_view what, double value, const std::optional<Power>& limit) {
    if (limit) AtMost(what, value, InWatts(*limit) * slot_h_, tolerance_.energy_wh);
  }

  SlotNumbers Numbers(const PlanSlot& slot) const {
    const SlotDecision& d = slot.decision;
    SlotNumbers n{};
    n.load = InWattHours(slot.load);
    n.pv = InWattHours(problem_.pv[slot_]);
    n.pv_used = InWattHours(d.pv_used);
    n.import = InWattHours(d.grid_import);
    n.export_ = InWattHours(d.grid_export);
    n.charge = InWattHours(d.battery_charge);
    n.discharge = InWattHours(d.battery_discharge);
    n.at_bus = n.discharge * problem_.battery.discharge_efficiency;
    n.start = InWattHours(slot.battery_start);
    n.end = InWattHours(slot.battery_end);
    return n;
  }

  void CheckInfeasible() {
    if (plan_.infeasible_reason.empty()) Say("the plan is infeasible but gives no reason.");
    if (!plan_.slots.empty()) Say("the plan is infeasible but has {} slots.", plan_.slots.size());
  }

  void CheckLevels(const PlanSlot& slot, const SlotNumbers& n) {
    const auto& levels = slot.decision.levels;
    double running = 0, draw_w = 0, progress = 0;
    for (size_t i = 0; i < levels.size(); ++i) {
      const auto [level, share] = levels[i];
      if (level >= problem_.gpu.levels.size()) {
        Say("slot {}: level {} does not exist, the GPU has {}.", At(), level, problem_.gpu.levels.size());
        return;
      }
      if (i > 0 && level <= levels[i - 1].level) Say("slot {}: the levels are not in ascending order.", At());
      if (!(share > 0)) Say("slot {}: the share of level {} is {:.9g}, expected more than 0.", At(), level, share);
      running += share;
      draw_w += share * (InWatts(problem_.gpu.levels[level].draw) + InWatts(problem_.gpu.host));
      progress += share * slot_h_ / InHours(problem_.gpu.levels[level].job_time);
    }
    AtMost("the sum of shares", running, 1, tolerance_.share, "of the slot");
    if (plan_.formulation != Formulation::kBlend && levels.size() > 1) {
      Say("slot {}: {} levels share the slot, expected at most one.", At(), levels.size());
    }
    if (plan_.formulation != Formulation::kBlend && !levels.empty()) {
      Equal("the share of the level", running, 1, tolerance_.share, "of the slot");
    }
    draw_w += std::max(1 - running, 0.0) * InWatts(problem_.gpu.idle);
    Equal("the load", n.load, draw_w * slot_h_, tolerance_.energy_wh);
    Equal("the progress", slot.progress, progress, tolerance_.relative_rounding, "of the job");
  }

  void CheckBus(const SlotNumbers& n) {
    NotNegative("the PV energy used", n.pv_used);
    NotNegative("the import", n.import);
    NotNegative("the export", n.export_);
    NotNegative("the charge", n.charge);
    NotNegative("the discharge", n.discharge);
    AtMost("the PV energy used", n.pv_used, n.pv, tolerance_.energy_wh);
    Limit("the import", n.import, problem_.grid.import_limit);
    Limit("the export", n.export_, problem_.grid.export_limit);
    Equal("what enters the bus", n.pv_used + n.import + n.at_bus, n.load + n.charge + n.export_, tolerance_.energy_wh);
  }

  void CheckFlows(const Flows& flows, const SlotNumbers& n) {
    const double pv_gpu = InWattHours(flows.pv_to_gpu), pv_battery = InWattHours(flows.pv_to_battery),
                 pv_grid = InWattHours(flows.pv_to_grid), grid_gpu = InWattHours(flows.grid_to_gpu),
                 grid_battery = InWattHours(flows.grid_to_battery), battery_gpu = InWattHours(flows.battery_to_gpu),
                 battery_grid = InWattHours(flows.battery_to_grid);
    NotNegative("the flow from PV to the GPU", pv_gpu);
    NotNegative("the flow from PV to the battery", pv_battery);
    NotNegative("the flow from PV to the grid", pv_grid);
    NotNegative("the flow from the grid to the GPU", grid_gpu);
    NotNegative("the flow from the grid to the battery", grid_battery);
    NotNegative("the flow from the battery to the GPU", battery_gpu);
    NotNegative("the flow from the battery to the grid", battery_grid);
    const double tolerance = tolerance_.energy_wh;
    Equal("the sum of flows from PV", pv_gpu + pv_battery + pv_grid, n.pv_used, tolerance);
    Equal("the sum of flows from the grid", grid_gpu + grid_battery, n.import, tolerance);
    Equal("the sum of flows from the battery", battery_gpu + battery_grid, n.at_bus, tolerance);
    Equal("the sum of flows to the GPU", pv_gpu + grid_gpu + battery_gpu, n.load, tolerance);
    Equal("the sum of flows to the battery", pv_battery + grid_battery, n.charge, tolerance);
    Equal("the sum of flows to the grid", pv_grid + battery_grid, n.export_, tolerance);
  }

  void CheckBattery(const SlotNumbers& n, double stored) {
    const Battery& battery = problem_.battery;
    const double capacity = InWattHours(battery.capacity);
    const double drift = stored_tolerance_wh_;
    Equal("the energy stored at the start", n.start, stored, tolerance_.energy_wh);
    Equal("the energy stored at the end", n.end,
          retention_ * (n.start - n.discharge + battery.charge_efficiency * n.charge), tolerance_.energy_wh);
    stored_tolerance_wh_ = retention_ * stored_tolerance_wh_ + tolerance_.energy_wh;
    AtMost("the energy stored at the end", n.end, capacity, stored_tolerance_wh_);
    if (!(n.end >= -stored_tolerance_wh_)) Say("slot {}: the energy stored at the end is {:.9g} Wh.", At(), n.end);
    AtMost("the discharge from the stored energy", n.discharge, n.start, drift + tolerance_.energy_wh);
    Limit("the charge", n.charge, battery.max_charge);
    Limit("the discharge", n.discharge, battery.max_discharge);
  }

  void CheckOneDirection(const SlotNumbers& n) {
    if (plan_.formulation == Formulation::kPaper) return;
    AtMost("the smaller of import and export", std::min(n.import, n.export_), 0, tolerance_.exclusive_wh);
    AtMost("the smaller of charge and discharge", std::min(n.charge, n.discharge), 0, tolerance_.exclusive_wh);
  }

  void CheckPaperRules(const SlotNumbers& n) {
    if (plan_.slots[slot_].decision.levels.size() != 1) {
      Say("slot {}: {} levels run, rule (3) of the study asks for one in every slot.", At(),
          plan_.slots[slot_].decision.levels.size());
    }
    Equal("the PV energy used (rule 5 of the study: nothing is curtailed)", n.pv_used, n.pv, tolerance_.energy_wh);
    AtMost("the charge (rule 13 of the study)", n.charge, InWattHours(problem_.battery.capacity) - n.start,
           stored_tolerance_wh_ + tolerance_.energy_wh);
  }

  void Count(const SlotNumbers& n, double progress) {
    const double import_price = InEurosPerKilowattHour(problem_.import_price[slot_]);
    const double export_price = InEurosPerKilowattHour(problem_.export_price[slot_]);
    const double carbon_g = InGramsPerKilowattHour(problem_.carbon[slot_]);
    sum_.import_eur += n.import / 1000 * import_price;
    sum_.export_eur += n.export_ / 1000 * export_price;
    sum_.wear_eur += n.discharge / 1000 * InEurosPerKilowattHour(problem_.battery.wear_cost);
    sum_.carbon_kg += n.import / 1000 * carbon_g / 1000;
    sum_.money_moved += n.import / 1000 * std::abs(import_price) + n.export_ / 1000 * std::abs(export_price);
    sum_.price_sum += std::abs(import_price) + std::abs(export_price) +
                      std::abs(carbon_g) / 1000 * CarbonEurosPerKilogram() +
                      InEurosPerKilowattHour(problem_.battery.wear_cost);
    sum_.import_wh += n.import;
    sum_.export_wh += n.export_;
    sum_.pv_wh += n.pv;
    sum_.pv_used_wh += n.pv_used;
    sum_.load_wh += n.load;
    sum_.progress += progress;
  }

  /// Price of carbon in the objective.
  double CarbonEurosPerKilogram() const {
    return InEurosPerKilogram(problem_.objective == Objective::kCarbon ? kCarbonWeight : problem_.carbon_price);
  }

  void CheckEnd(double stored) {
    if (!(sum_.progress >= problem_.work - tolerance_.share)) {
      Say("the plan does {:.9g} of the job, {:.9g} is asked for.", sum_.progress, problem_.work);
    }
    const double final_min = InWattHours(problem_.battery.final_min);
    if (!(stored >= final_min - stored_tolerance_wh_)) {
      Say("the battery ends with {:.9g} Wh, {:.9g} Wh is asked for.", stored, final_min);
    }
  }

  void SameTotal(std::string_view what, double value, double expected, double magnitude, std::string_view unit) {
    if (!(std::abs(value - expected) <= tolerance_.relative_rounding * std::max(magnitude, 1.0))) {
      Say("the total of {} is {:.9g} {}, the slots add up to {:.9g}.", what, value, unit, expected);
    }
  }

  void CheckTotals(double stored) {
    const Totals& t = plan_.totals;
    const double carbon_eur = sum_.carbon_kg * InEurosPerKilogram(problem_.carbon_price);
    const double terminal_eur = stored / 1000 * InEurosPerKilowattHour(problem_.battery.terminal_value);
    const double before_carbon = sum_.import_eur - sum_.export_eur + sum_.wear_eur - terminal_eur;
    const double weighed_carbon_eur = sum_.carbon_kg * CarbonEurosPerKilogram();
    const double objective = before_carbon + weighed_carbon_eur;
    const double money = sum_.money_moved + sum_.wear_eur + std::abs(weighed_carbon_eur) + terminal_eur;
    SameTotal("import cost", InEuros(t.import_cost), sum_.import_eur, money, "EUR");
    SameTotal("export revenue", InEuros(t.export_revenue), sum_.export_eur, money, "EUR");
    SameTotal("wear cost", InEuros(t.wear_cost), sum_.wear_eur, money, "EUR");
    SameTotal("carbon cost", InEuros(t.carbon_cost), carbon_eur, money, "EUR");
    SameTotal("terminal value", InEuros(t.terminal_value), terminal_eur, money, "EUR");
    SameTotal("cost", InEuros(t.cost), before_carbon + carbon_eur, money, "EUR");
    SameTotal("objective", InEuros(plan_.objective), objective, money, "EUR");
    SameTotal("import", InWattHours(t.grid_import), sum_.import_wh, sum_.import_wh, "Wh");
    SameTotal("export", InWattHours(t.grid_export), sum_.export_wh, sum_.export_wh, "Wh");
    SameTotal("PV available", InWattHours(t.pv_available), sum_.pv_wh, sum_.pv_wh, "Wh");
    SameTotal("PV used", InWattHours(t.pv_used), sum_.pv_used_wh, sum_.pv_used_wh, "Wh");
    SameTotal("load", InWattHours(t.load), sum_.load_wh, sum_.load_wh, "Wh");
    SameTotal("carbon", InKilograms(t.carbon), sum_.carbon_kg, std::abs(sum_.carbon_kg), "kg");
    SameTotal("progress", t.progress, sum_.progress, sum_.progress, "of the job");
    // Decisions that miss their rows by the tolerance may undercut the bound by what that energy and work costs.
    const double slack_eur = tolerance_.energy_wh / 1000 * sum_.price_sum + tolerance_.share * money;
    if (!(InEuros(plan_.bound) <= objective + slack_eur)) {
      Say("the bound is {:.9g} EUR, above the objective {:.9g}.", InEuros(plan_.bound), objective);
    }
  }

  struct Sums {
    double import_eur = 0, export_eur = 0, wear_eur = 0, carbon_kg = 0, money_moved = 0, price_sum = 0;
    double import_wh = 0, export_wh = 0, pv_wh = 0, pv_used_wh = 0, load_wh = 0, progress = 0;
  };

  const DispatchProblem& problem_;
  const Plan& plan_;
  CheckTolerances tolerance_;
  double slot_h_;
  double retention_;
  size_t slot_ = 0;
  double stored_tolerance_wh_ = 0;
  Sums sum_;
  std::vector<std::string> sentences_;
};

}  // namespace

CheckTolerances TolerancesFor(const DispatchProblem& problem) {
  double largest_wh = InWattHours(problem.battery.capacity);
  for (const Energy pv : problem.pv) largest_wh = std::max(largest_wh, InWattHours(pv));
  for (size_t level = 0; level < problem.gpu.levels.size(); ++level) {
    largest_wh = std::max(largest_wh, InWattHours(problem.gpu.DrawAt(level) * problem.horizon.SlotDuration()));
  }
  CheckTolerances tolerances;
  tolerances.energy_wh = std::max(tolerances.energy_wh, 1e-7 * largest_wh);
  tolerances.exclusive_wh = 10 * tolerances.energy_wh;
  return tolerances;
}

std::vector<std::string> CheckPlan(const DispatchProblem& problem, const Plan& plan) {
  if (plan.status != PlanStatus::kInfeasible) {
    auto defects = Defects(problem);
    if (!defects.empty()) return defects;
  }
  return Checker(problem, plan).Run();
}

}  // namespace heliograd
