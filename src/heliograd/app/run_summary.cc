#include "heliograd/app/run_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "heliograd/report/number_text.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

/// The node's load in a slot: the GPU as measured; the host while the job ran; the node's idle power, which holds the
/// GPU's, while it did not. `part` of the slot was over when the run ended.
Energy LoadOf(const DispatchProblem& problem, const SlotActual& books, double part) {
  const Duration running = Seconds(books.running_s());
  const Duration seen_off = Seconds(books.off_s);
  const Duration unseen = std::max(problem.horizon.SlotDuration() * part - running - seen_off, Duration());
  const Energy off = std::max(problem.gpu.idle * seen_off, books.energy_off);
  return (books.energy - books.energy_off) + problem.gpu.host * running + off + problem.gpu.idle * unseen;
}

double PartBefore(const Horizon& horizon, int slot, Stamp end) {
  return std::clamp(Between(horizon.SlotStart(slot), end) / horizon.SlotDuration(), 0.0, 1.0);
}

SlotDecision PartOf(SlotDecision decision, double part) {
  for (Energy* flow : {&decision.pv_used, &decision.grid_import, &decision.grid_export, &decision.battery_charge,
                       &decision.battery_discharge}) {
    *flow *= part;
  }
  return decision;
}

/// A part of a slot, with that part of its sun, of what may be sold and of the planned flows.
Settlement SettlePart(const DispatchProblem& world, int slot, const SlotDecision& decision, double part, Energy load) {
  if (part == 0) return {};
  if (part == 1) return SettleSlot(world, slot, decision, load);
  DispatchProblem within = world;
  within.pv[static_cast<size_t>(slot)] *= part;
  if (within.grid.export_limit) *within.grid.export_limit *= part;
  return SettleSlot(within, slot, PartOf(decision, part), load);
}

/// What the balance at the bus leaves for PV.
Energy PvUsed(const DispatchProblem& problem, const SlotDecision& decision, const SettledSlot& slot) {
  const Energy used = slot.load + decision.battery_charge + slot.actual.grid_export - slot.actual.grid_import -
                      decision.battery_discharge * problem.battery.discharge_efficiency;
  return std::max(used, Energy());
}

Json LevelsJson(const DispatchProblem& problem, const std::vector<LevelShare>& levels) {
  Json json = Json::array();
  for (const LevelShare& part : levels) {
    json.push_back({{"limit_w", InWatts(problem.gpu.levels[part.level].limit)}, {"share", part.share}});
  }
  return json;
}

Json BooksJson(const DispatchProblem& problem, const SlotActual& books) {
  Json levels = Json::array();
  for (size_t k = 0; k < books.level_s.size(); ++k) {
    if (books.level_s[k] > 0) {
      levels.push_back({{"limit_w", InWatts(problem.gpu.levels[k].limit)}, {"duration_s", books.level_s[k]}});
    }
  }
  const double known_s = books.running_s() + books.off_s - books.unmeasured_s;
  return {{"entered", books.entered},
          {"levels", levels},
          {"unknown_limit_s", books.unknown_s},
          {"off_s", books.off_s},
          {"gpu_energy_wh", InWattHours(books.energy)},
          {"gpu_power_w", known_s > 0 ? Json(InWattHours(books.energy) * 3600 / known_s) : Json()},
          {"unmeasured_s", books.unmeasured_s},
          {"progress", books.work}};
}

Json SlotJson(const RunSummary& run, const SettledRun& settled, int t) {
  const auto i = static_cast<size_t>(t);
  const DispatchProblem& problem = run.plan.problem;
  const PlanSlot& planned = run.plan.plan.slots[i];
  const SettledSlot& slot = settled.slots[i];
  const Duration length = problem.horizon.SlotDuration();
  Json json = {{"start", FormatStamp(problem.horizon.SlotStart(t))},
               {"duration_s", InSeconds(length)},
               {"planned",
                {{"levels", LevelsJson(problem, planned.decision.levels)},
                 {"load_wh", InWattHours(planned.load)},
                 {"power_w", InWatts(planned.load / length)},
                 {"progress", planned.progress},
                 {"grid_import_wh", InWattHours(slot.planned.grid_import)},
                 {"grid_export_wh", InWattHours(slot.planned.grid_export)},
                 {"cost_eur", InEuros(slot.planned.cost)}}}};
  Json actual = BooksJson(problem, run.outcome.slots[i]);
  actual["load_wh"] = InWattHours(slot.load);
  actual["grid_import_wh"] = InWattHours(slot.actual.grid_import);
  actual["grid_export_wh"] = InWattHours(slot.actual.grid_export);
  actual["pv_used_wh"] = InWattHours(slot.pv_used);
  actual["battery_charge_wh"] = InWattHours(slot.battery_charge);
  actual["battery_discharge_wh"] = InWattHours(slot.battery_discharge);
  actual["carbon_kg"] = InKilograms(slot.actual.carbon);
  actual["cost_eur"] = InEuros(slot.actual.cost);
  json["actual"] = actual;
  return json;
}

bool ProgressIsTold(const RunSummary& run) { return run.facts.units > 0 && run.outcome.progress_told; }

SettledRun Settled(const RunSummary& run) {
  return SettleRun(run.plan, run.world, run.outcome.slots, run.outcome.decisions, run.outcome.end);
}

RunSavings SavingsOf(const RunSummary& run, const SettledRun& settled) {
  const RunOutcome& outcome = run.outcome;
  return CompareWithLadder({.world = run.world,
                            .books = outcome.slots,
                            .flows = outcome.decisions,
                            .loads = WholeLoads(run.plan.problem, settled),
                            .job_times = outcome.job_times,
                            .work_is_told = ProgressIsTold(run),
                            .work_done = outcome.work_done,
                            .work_assumed = outcome.work_assumed,
                            .missed_deadline = outcome.late,
                            .end = outcome.end,
                            .cost = settled.cost,
                            .idle_cost = settled.idle_cost,
                            .terminal_value = run.plan.plan.totals.terminal_value});
}

std::string SavingsText(const RunSummary& run, const SettledRun& settled) {
  const RunSavings savings = SavingsOf(run, settled);
  if (!savings.unknown.empty()) return fmt::format("  no savings are told: {}\n", savings.unknown);
  std::string text;
  const bool is_part = run.outcome.work_done < run.plan.problem.work * (1 - 1e-9);
  for (const RungSaving& rung : savings.rungs) {
    if (!rung.saved) continue;
    text += fmt::format("  {} {} than {}{}\n", MoneyText(Abs(*rung.saved)), *rung.saved >= Money() ? "less" : "more",
                        rung.name, is_part ? ", for the work that was done" : "");
  }
  for (const std::string& remark : savings.remarks) text += fmt::format("    {}\n", remark);
  return text;
}

bool InTime(const RunSummary& run) {
  return run.status == "finished" && run.outcome.end <= run.plan.problem.horizon.end();
}

}  // namespace

SettledRun SettleRun(const PlanFile& plan, const DispatchProblem& world, const std::vector<SlotActual>& books,
                     const std::vector<SlotDecision>& decisions, Stamp end) {
  SettledRun settled;
  const DispatchProblem& problem = plan.problem;
  for (int t = 0; t < problem.horizon.slots; ++t) {
    const auto i = static_cast<size_t>(t);
    const PlanSlot& planned = plan.plan.slots[i];
    SettledSlot slot;
    slot.gpu_energy = books[i].energy;
    slot.planned_load = planned.load;
    slot.part = PartBefore(problem.horizon, t, end);
    slot.load = LoadOf(problem, books[i], slot.part);
    slot.planned = SettleSlot(problem, t, planned.decision, planned.load);
    slot.actual = SettlePart(world, t, decisions[i], slot.part, slot.load);
    const SlotDecision flows = PartOf(decisions[i], slot.part);
    slot.battery_charge = flows.battery_charge;
    slot.battery_discharge = flows.battery_discharge;
    slot.pv_used = PvUsed(problem, flows, slot);
    const double rest = 1 - slot.part;
    const Energy idle = problem.gpu.idle * (problem.horizon.SlotDuration() * rest);
    settled.idle_load += idle;
    settled.idle_cost += SettlePart(world, t, decisions[i], rest, idle).cost;
    settled.cost += slot.actual.cost;
    settled.load += slot.load;
    settled.grid_import += slot.actual.grid_import;
    settled.grid_export += slot.actual.grid_export;
    settled.slots.push_back(slot);
  }
  const SlotActual& after = books.back();
  const Energy late_load = after.energy + problem.gpu.host * Seconds(after.running_s());
  settled.cost_after = late_load * world.import_price.back();
  settled.load += late_load;
  settled.grid_import += late_load;
  settled.cost += settled.cost_after - plan.plan.totals.terminal_value;
  return settled;
}

std::vector<Energy> WholeLoads(const DispatchProblem& problem, const SettledRun& settled) {
  std::vector<Energy> loads;
  for (const SettledSlot& slot : settled.slots) {
    loads.push_back(slot.load + problem.gpu.idle * (problem.horizon.SlotDuration() * (1 - slot.part)));
  }
  return loads;
}

Json EventsJson(const std::vector<RunEvent>& events) {
  Json json = Json::array();
  for (const RunEvent& event : events) {
    json.push_back({{"at", FormatStamp(event.at)}, {"kind", event.kind}, {"text", event.text}});
  }
  return json;
}

std::string RunSummaryJson(const RunSummary& run) {
  const DispatchProblem& problem = run.plan.problem;
  const SettledRun settled = Settled(run);
  const RunSavings savings = SavingsOf(run, settled);
  Json json = {{"format", "heliograd-run-summary-1"},
               {"status", run.status},
               {"exit_code", run.exit_code ? Json(*run.exit_code) : Json()},
               {"command", run.facts.command},
               {"gpu", {{"uuid", run.facts.gpu_uuid}, {"name", run.facts.gpu_name}}},
               {"timezone", run.plan.zone.name()},
               {"begin", FormatStamp(run.outcome.begin)},
               {"end", FormatStamp(run.outcome.end)},
               {"plan_start", FormatStamp(problem.horizon.start)},
               {"deadline", FormatStamp(problem.horizon.end())},
               {"in_time", InTime(run)},
               {"progress_from", ProgressIsTold(run) ? "the job" : "time"},
               {"work", problem.work},
               {"work_done", run.outcome.work_done},
               {"gpu_energy_wh", InWattHours(run.outcome.energy)},
               {"gpu_energy_obtained", "measured"},
               {"unmeasured_s", run.outcome.unmeasured_s},
               {"load_wh", InWattHours(settled.load)},
               {"idle_to_deadline_wh", InWattHours(settled.idle_load)},
               {"idle_to_deadline_eur", InEuros(settled.idle_cost)},
               {"planned_load_wh", InWattHours(run.plan.plan.totals.load)},
               {"grid_import_wh", InWattHours(settled.grid_import)},
               {"planned_grid_import_wh", InWattHours(run.plan.plan.totals.grid_import)},
               {"cost_eur", InEuros(settled.cost)},
               {"cost_obtained", "modelled: measured GPU energy; PV, battery, host and prices as last planned with"},
               {"planned_cost_eur", InEuros(run.plan.plan.totals.cost)},
               {"baselines", BaselinesJson(savings)},
               {"savings", SavingsJson(savings)},
               {"work_assumed", run.outcome.work_assumed},
               {"limits_reached", run.outcome.limits_reached},
               {"late", run.outcome.late},
               {"plans", run.outcome.plans},
               {"pauses", run.outcome.pauses}};
  json["curve_measured"] = run.facts.curve ? CurvePartJson(*run.facts.curve) : Json();
  json["events"] = EventsJson(run.events);
  json["slots"] = Json::array();
  for (int t = 0; t < problem.horizon.slots; ++t) json["slots"].push_back(SlotJson(run, settled, t));
  const SlotActual& after = run.outcome.slots.back();
  json["after_deadline"] = after.entered ? BooksJson(problem, after) : Json();
  if (after.entered) json["after_deadline"]["cost_eur"] = InEuros(settled.cost_after);
  return json.dump(2) + "\n";
}

std::string RunSummaryText(const RunSummary& run) {
  const PlanFile& plan = run.plan;
  const DispatchProblem& problem = plan.problem;
  const RunOutcome& outcome = run.outcome;
  const SettledRun settled = Settled(run);
  std::string text = fmt::format("Run {}", run.status == "stopped_late" ? "ended at its deadline" : run.status);
  text += fmt::format(", {}{}, {} to {}\n",
                      WorkIsKnown(problem.work, outcome.work_assumed)
                          ? fmt::format("{:.1f} % of the work done", 100 * outcome.work_done / problem.work)
                          : "what work was done is not known",
                      ProgressIsTold(run)   ? ""
                      : run.facts.units > 0 ? " (the job told nothing)"
                                            : " by time",
                      FormatLocal(outcome.begin, plan.zone), FormatLocal(outcome.end, plan.zone));
  const Duration spare = Between(outcome.end, problem.horizon.end());
  if (run.status == "finished") {
    text += fmt::format("  deadline {}: {} {}\n", FormatLocal(problem.horizon.end(), plan.zone),
                        DurationText(Abs(spare)), spare >= Duration() ? "to spare" : "late");
  }
  text += fmt::format("                        plan        actual\n");
  text += fmt::format("  energy of the node    {:<11} {} (GPU {}, measured)\n", EnergyText(plan.plan.totals.load),
                      EnergyText(settled.load), EnergyText(outcome.energy));
  text += fmt::format("  bought                {:<11} {}\n", EnergyText(plan.plan.totals.grid_import),
                      EnergyText(settled.grid_import));
  text += fmt::format("  cost                  {:<11} {}\n", MoneyText(plan.plan.totals.cost), MoneyText(settled.cost));
  if (run.status != "running" && settled.idle_load > WattHours(0.5)) {
    text += fmt::format(
        "  up to the run's end; the idle node until the deadline, with its sun and battery, would add {} and {}\n",
        EnergyText(settled.idle_load), MoneyText(settled.idle_cost));
  }
  text += SavingsText(run, settled);
  if (const auto& part = run.facts.curve) {
    text += fmt::format("  curve measured before the plan: {}; in none of the sums above\n", CurvePartText(*part));
  }
  for (const RunEvent& event : run.events) {
    if (event.matters) text += fmt::format("  {}: {}\n", FormatLocal(event.at, plan.zone), event.text);
  }
  if (outcome.unmeasured_s > 1) {
    text += fmt::format("  {:.0f} s of it were not measured\n", outcome.unmeasured_s);
  }
  text += "GPU energy is measured; PV, battery, host power and prices are those last known to the run.\n";
  return text;
}

}  // namespace heliograd
