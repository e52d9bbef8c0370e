#include "heliograd/plan/plan_facts.h"

#include <algorithm>

namespace heliograd {
namespace {

/// Work counts as done when what is left is less than a solver's tolerance.
constexpr double kWorkTolerance = 1e-6;

SlotFacts FactsOf(const DispatchProblem& problem, const PlanSlot& slot, size_t t) {
  SlotFacts facts{};
  facts.load_wh = InWattHours(slot.load);
  facts.pv_to_gpu_wh = InWattHours(slot.flows.pv_to_gpu);
  facts.pv_to_battery_wh = InWattHours(slot.flows.pv_to_battery);
  facts.pv_to_grid_wh = InWattHours(slot.flows.pv_to_grid);
  facts.grid_to_gpu_wh = InWattHours(slot.flows.grid_to_gpu);
  facts.grid_to_battery_wh = InWattHours(slot.flows.grid_to_battery);
  facts.battery_to_gpu_wh = InWattHours(slot.flows.battery_to_gpu);
  facts.battery_to_grid_wh = InWattHours(slot.flows.battery_to_grid);
  facts.curtailed_wh = InWattHours(problem.pv[t] - slot.decision.pv_used);
  facts.export_wh = InWattHours(slot.decision.grid_export);
  facts.stored_wh = InWattHours(slot.battery_start);
  facts.import_price = InEurosPerKilowattHour(problem.import_price[t]);
  facts.export_price = InEurosPerKilowattHour(problem.export_price[t]);
  facts.runs = !slot.decision.levels.empty();
  return facts;
}

void TraceWork(const DispatchProblem& problem, const Plan& plan, std::vector<SlotFacts>& slots) {
  double done = 0;
  for (size_t t = 0; t < slots.size(); ++t) {
    slots[t].done_before = done >= problem.work - kWorkTolerance;
    done += plan.slots[t].progress;
  }
}

void TraceStore(const DispatchProblem& problem, std::vector<SlotFacts>& slots) {
  const double retention = RetentionPerSlot(problem);
  const double alpha = problem.battery.charge_efficiency, beta = problem.battery.discharge_efficiency;
  StoreOrigin origin;
  origin.start_wh = InWattHours(problem.battery.initial);
  for (SlotFacts& slot : slots) {
    slot.origin = origin;
    const double held_wh = origin.total_wh();
    const double taken_wh = (slot.battery_to_gpu_wh + slot.battery_to_grid_wh) / beta;
    const double kept = held_wh > 0 ? std::max(1 - taken_wh / held_wh, 0.0) : 0;
    if (kept * held_wh < kShown_wh) origin = {};
    const bool first_purchase = origin.grid_wh == 0;
    if (slot.grid_to_battery_wh > kShown_wh) {
      origin.lowest_price = first_purchase ? slot.import_price : std::min(origin.lowest_price, slot.import_price);
      origin.highest_price = first_purchase ? slot.import_price : std::max(origin.highest_price, slot.import_price);
    }
    origin.start_wh *= kept * retention;
    origin.pv_wh = (origin.pv_wh * kept + alpha * slot.pv_to_battery_wh) * retention;
    origin.grid_wh = (origin.grid_wh * kept + alpha * slot.grid_to_battery_wh) * retention;
  }
}

void LookAhead(std::vector<SlotFacts>& slots) {
  std::optional<size_t> discharge, sun;
  for (size_t t = slots.size(); t-- > 0;) {
    slots[t].next_discharge = discharge;
    slots[t].next_sun = sun;
    if (slots[t].battery_to_gpu_wh + slots[t].battery_to_grid_wh > kShown_wh) discharge = t;
    if (slots[t].runs && slots[t].pv_to_gpu_wh > kShown_wh) sun = t;
  }
}

void ComparePrices(PlanFacts& facts) {
  facts.lowest_price = facts.highest_price = facts.slots.front().import_price;
  for (const SlotFacts& slot : facts.slots) {
    facts.lowest_price = std::min(facts.lowest_price, slot.import_price);
    facts.highest_price = std::max(facts.highest_price, slot.import_price);
    facts.mean_price += slot.import_price / static_cast<double>(facts.slots.size());
    if (slot.runs && slot.grid_to_gpu_wh > kShown_wh) {
      facts.dearest_run = std::max(facts.dearest_run.value_or(slot.import_price), slot.import_price);
    }
  }
}

std::optional<size_t> ThriftiestLevel(const DispatchProblem& problem) {
  const Duration horizon = problem.horizon.SlotDuration() * problem.horizon.slots;
  std::optional<size_t> best;
  const auto energy = [&](size_t level) { return problem.gpu.DrawAt(level) * problem.gpu.levels[level].job_time; };
  for (size_t level = 0; level < problem.gpu.levels.size(); ++level) {
    if (problem.gpu.levels[level].job_time * problem.work > horizon) continue;
    if (!best || energy(level) < energy(*best)) best = level;
  }
  return best;
}

}  // namespace

PlanFacts GatherFacts(const DispatchProblem& problem, const Plan& plan) {
  PlanFacts facts;
  for (size_t t = 0; t < plan.slots.size(); ++t) facts.slots.push_back(FactsOf(problem, plan.slots[t], t));
  if (facts.slots.empty()) return facts;
  TraceWork(problem, plan, facts.slots);
  TraceStore(problem, facts.slots);
  LookAhead(facts.slots);
  ComparePrices(facts);
  facts.thriftiest_level = ThriftiestLevel(problem);
  return facts;
}

}  // namespace heliograd
