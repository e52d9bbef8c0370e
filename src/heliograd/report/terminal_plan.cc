#include "heliograd/report/terminal_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/report/number_text.h"
#include "heliograd/report/objective_text.h"
#include "heliograd/report/plan_gantt.h"
#include "heliograd/report/slot_table.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

const Money kNegligible = Euros(0.0005);  // what rounds to zero in text
constexpr const char* kProvenance =
    "All energies and costs are modelled, none is measured: from the scenario's PV, power curve, battery and prices.";

/// Wrapped, each line in the ink.
std::string Painted(const TerminalStyle& style, Ink ink, const std::string& text) {
  std::string drawn;
  for (const std::string& line : WrapText(Printable(text, style.utf8), style.width)) {
    drawn += Paint(style, ink, line) + '\n';
  }
  return drawn;
}

std::string Heading(const std::string& title, const TerminalStyle& style) {
  return fmt::format("\n{}", Painted(style, Ink::kBold, title));
}

std::string LimitText(const Baseline& baseline) {
  return baseline.limit ? fmt::format(" ({})", PowerText(*baseline.limit)) : "";
}

std::string NameOf(const Baseline& baseline) { return baseline.name + LimitText(baseline); }

std::string SpanText(const Horizon& horizon, const TimeZone& zone) {
  const CivilTime start = zone.ToCivil(horizon.start);
  const CivilTime end = zone.ToCivil(horizon.end());
  const std::string end_year = end.year == start.year ? "" : fmt::format(" {}", end.year);
  return fmt::format("{} {} {} to {}{} {}", DayText(start), start.year, ClockText(start), DayText(end), end_year,
                     ClockText(end));
}

std::string HeaderText(const DispatchProblem& problem, const TimeZone& zone, const PlanTitle& title) {
  const std::string job = problem.work >= 1 ? "the whole job" : PercentText(problem.work) + " of the job";
  const std::string place = title.site.empty() ? "" : " at " + title.site;
  const Horizon& horizon = problem.horizon;
  return fmt::format("Plan for {}{}: {} ({}, {} of {}), clock {}", job, place, SpanText(horizon, zone),
                     DurationText(horizon.SlotDuration() * horizon.slots),
                     horizon.slots == 1 ? "1 slot" : fmt::format("{} slots", horizon.slots),
                     DurationText(horizon.SlotDuration()), zone.name());
}

std::string ProofText(const DispatchProblem& problem, const Plan& plan) {
  const Money gap = std::max(Money(), plan.objective - plan.bound);
  const bool proven = plan.status == PlanStatus::kOptimal;
  if (problem.objective == Objective::kCarbon) {
    return fmt::format("{} carbon: no plan emits less than {}", proven ? "proven least" : "low, not proven least",
                       CarbonText(std::max(CarbonBound(plan), CarbonMass())));
  }
  if (proven && MoneyText(plan.bound) != MoneyText(plan.objective)) {
    return fmt::format("optimal within the tolerance: no plan costs less than {}", MoneyText(plan.bound));
  }
  if (proven) return fmt::format("proven optimal: no plan costs less than {}", MoneyText(plan.bound));
  return fmt::format("feasible, not proven optimal: no plan costs less than {}, so at most {} could still be saved",
                     MoneyText(plan.bound), MoneyText(gap));
}

/// What was minimised comes first.
std::string AnswerText(const DispatchProblem& problem, const Plan& plan) {
  const std::string cost = MoneyText(plan.totals.cost);
  if (problem.objective == Objective::kCost) return "Cost " + cost;
  return fmt::format("Carbon {}, at a cost of {}", CarbonText(plan.totals.carbon), cost);
}

std::string SolverText(const Plan& plan) {
  std::string text = fmt::format("formulation {}", FormulationName(plan.formulation));
  if (!plan.solver.empty()) text += ", " + plan.solver;
  if (plan.solve_time > Duration()) text += " in " + DurationText(plan.solve_time);
  return text;
}

/// The plan beside the cheapest rule, so that no saving is told against a weak one.
std::string HeadlineSaving(const DispatchProblem& problem, const Plan& plan) {
  const auto objective_of = [&](const Totals& totals) { return ObjectiveOf(problem, totals); };
  const Baseline* best = nullptr;
  for (const Baseline& baseline : plan.baselines) {
    if (baseline.totals && (best == nullptr || objective_of(*baseline.totals) < objective_of(*best->totals))) {
      best = &baseline;
    }
  }
  if (best == nullptr) return "";
  // Carbon beside carbon: the money in the objective only decides between equals.
  const bool carbon = problem.objective == Objective::kCarbon;
  const auto compared = [&](const Totals& totals) { return carbon ? totals.carbon * kCarbonWeight : totals.cost; };
  const Money theirs = compared(*best->totals), saving = theirs - compared(plan.totals);
  const std::string part =
      theirs > NegligibleObjective(problem.objective) ? fmt::format(" ({})", PercentText(Abs(saving) / theirs)) : "";
  // Rules without a battery need not leave anything in it.
  const std::string excuse =
      saving < Money() && !best->note.empty()
          ? fmt::format(", which need not leave {} in the battery", EnergyText(problem.battery.final_min))
          : "";
  if (Abs(saving) < NegligibleObjective(problem.objective)) {
    return fmt::format(" That is as much as the best simple rule, \"{}\"{}{}.", best->name, LimitText(*best), excuse);
  }
  return fmt::format(" That is {}{} {} than the best simple rule, \"{}\"{}{}.",
                     ObjectiveText(problem.objective, Abs(saving)), part, saving < Money() ? "more" : "less",
                     best->name, LimitText(*best), excuse);
}

std::string DrawHeader(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone,
                       const TerminalStyle& style, const PlanTitle& title) {
  std::string header = Painted(style, Ink::kBold, HeaderText(problem, zone, title));
  for (const std::string& remark : title.remarks) header += Painted(style, Ink::kPlain, "Note: " + remark + ".");
  if (plan.status == PlanStatus::kInfeasible) {
    return header + Painted(style, Ink::kBad, "No plan exists: " + plan.infeasible_reason);
  }
  return header + Painted(style, Ink::kPlain,
                          fmt::format("{}, {} ({}).{}", AnswerText(problem, plan), ProofText(problem, plan),
                                      SolverText(plan), HeadlineSaving(problem, plan)));
}

std::string FeedsText(const Plan& plan) {
  Flows sum;
  for (const PlanSlot& slot : plan.slots) {
    sum.pv_to_gpu += slot.flows.pv_to_gpu;
    sum.battery_to_gpu += slot.flows.battery_to_gpu;
    sum.grid_to_gpu += slot.flows.grid_to_gpu;
  }
  return fmt::format("GPU node {}: {} from PV, {} from the battery, {} from the grid", EnergyText(plan.totals.load),
                     EnergyText(sum.pv_to_gpu), EnergyText(sum.battery_to_gpu), EnergyText(sum.grid_to_gpu));
}

std::string MoneyBreakdown(const Totals& totals) {
  std::string text =
      fmt::format("bought {} for {}, sold {} for {}", EnergyText(totals.grid_import), MoneyText(totals.import_cost),
                  EnergyText(totals.grid_export), MoneyText(totals.export_revenue));
  if (Abs(totals.wear_cost) > kNegligible) text += fmt::format(", battery wear {}", MoneyText(totals.wear_cost));
  if (Abs(totals.carbon_cost) > kNegligible) text += fmt::format(", priced carbon {}", MoneyText(totals.carbon_cost));
  if (Abs(totals.terminal_value) > kNegligible)
    text += fmt::format(", left in the battery worth {}", MoneyText(totals.terminal_value));
  return text;
}

std::string CarbonLine(const DispatchProblem& problem, const Totals& totals) {
  if (!KnowsCarbon(problem)) return "not known: the scenario has no carbon intensity";
  return fmt::format("{} from what is bought", CarbonText(totals.carbon));
}

std::string StoredValueLine(const DispatchProblem& problem, const Plan& plan) {
  std::optional<EnergyPrice> low, high;
  for (const PlanSlot& slot : plan.slots) {
    if (!slot.stored_value) continue;
    low = low ? std::min(*low, *slot.stored_value) : *slot.stored_value;
    high = high ? std::max(*high, *slot.stored_value) : *slot.stored_value;
  }
  if (!low) return "";
  const Objective objective = problem.objective;
  return fmt::format("worth {} to {}, depending on the hour",
                     objective == Objective::kCarbon ? ObjectivePriceText(objective, *low)
                                                     : fmt::format("{:.3f}", InEurosPerKilowattHour(*low)),
                     ObjectivePriceText(objective, *high));
}

std::string ChangeText(Objective objective, Money change) {
  if (Abs(change) < NegligibleObjective(objective)) return "changes nothing";
  if (change < Money()) return fmt::format("saves {}", ObjectiveText(objective, -change));
  return fmt::format("{} {} more", objective == Objective::kCarbon ? "emits" : "costs",
                     ObjectiveText(objective, change));
}

/// Nothing when the price was not asked for.
std::string DeadlineLine(Objective objective, const DeadlinePrice& price) {
  if (!price.one_hour_later && !price.one_hour_earlier) return "";
  const std::string later =
      price.one_hour_later ? fmt::format("an hour later {}; ", ChangeText(objective, *price.one_hour_later)) : "";
  const std::string earlier = price.one_hour_earlier ? ChangeText(objective, *price.one_hour_earlier) : "cannot be met";
  return fmt::format("{}an hour earlier {}", later, earlier);
}

std::string DrawSummary(const DispatchProblem& problem, const Plan& plan, const TerminalStyle& style) {
  const Totals& totals = plan.totals;
  TextTable table({{"", Align::kLeft}, {"", Align::kLeft, true}});
  table.AddRow({"energy", FeedsText(plan)});
  table.AddRow({"money", MoneyBreakdown(totals)});
  table.AddRow(
      {"PV", fmt::format("{} used of {} offered", EnergyText(totals.pv_used), EnergyText(totals.pv_available))});
  table.AddRow({"carbon", CarbonLine(problem, totals)});
  const std::string deadline = DeadlineLine(problem.objective, plan.deadline_price);
  if (!deadline.empty()) table.AddRow({"deadline", deadline});
  if (plan.work_price) {
    table.AddRow(
        {"work", fmt::format("1 % more of the job {}", ChangeText(problem.objective, *plan.work_price * 0.01))});
  }
  const std::string stored = StoredValueLine(problem, plan);
  if (!stored.empty()) table.AddRow({"stored", "energy in the battery is " + stored});
  return Heading("What it takes", style) + table.Draw(style);
}

/// Cost, purchases and, where it is known, carbon.
std::vector<std::string> TotalsCells(const DispatchProblem& problem, std::string name, const Totals& totals) {
  std::vector<std::string> cells = {std::move(name), MoneyText(totals.cost), EnergyText(totals.grid_import)};
  if (KnowsCarbon(problem)) cells.push_back(CarbonText(totals.carbon));
  return cells;
}

/// What the plan saves of what is minimised, and of how much.
std::pair<Money, Money> SavingOf(const DispatchProblem& problem, const Totals& rule, const Totals& plan) {
  if (problem.objective == Objective::kCost) return {rule.cost - plan.cost, rule.cost};
  return {(rule.carbon - plan.carbon) * kCarbonWeight, rule.carbon * kCarbonWeight};
}

std::vector<std::string> BaselineCells(const DispatchProblem& problem, const Baseline& baseline, const Plan& plan) {
  const std::string name = NameOf(baseline);
  const size_t columns = KnowsCarbon(problem) ? 6 : 5;
  if (!baseline.totals) {
    std::vector<std::string> cells(columns);
    cells.front() = name + ": cannot finish in time" + (baseline.note.empty() ? "" : ": " + baseline.note);
    return cells;
  }
  std::vector<std::string> cells =
      TotalsCells(problem, name + (baseline.note.empty() ? "" : ", " + baseline.note), *baseline.totals);
  if (plan.status != PlanStatus::kInfeasible) {
    const auto [saving, of] = SavingOf(problem, *baseline.totals, plan.totals);
    cells.push_back(ObjectiveText(problem.objective, saving));
    cells.push_back(of > NegligibleObjective(problem.objective) ? PercentText(saving / of) : "");
  }
  cells.resize(columns);
  return cells;
}

std::string DrawLadder(const DispatchProblem& problem, const Plan& plan, const TerminalStyle& style) {
  const bool infeasible = plan.status == PlanStatus::kInfeasible;
  std::vector<TableColumn> columns = {{"", Align::kLeft, true}, {"cost"}, {"from the grid"}};
  if (KnowsCarbon(problem)) columns.push_back({"carbon"});
  columns.push_back({infeasible ? "" : "plan saves"});
  columns.push_back({""});
  TextTable table(columns);
  for (const Baseline& baseline : plan.baselines) {
    if (infeasible && !baseline.totals) continue;
    table.AddRow(BaselineCells(problem, baseline, plan));
  }
  if (infeasible && table.empty()) return "";
  if (!infeasible) {
    std::vector<std::string> cells = TotalsCells(problem, "this plan", plan.totals);
    cells.resize(columns.size());
    table.AddRow(cells, Ink::kBold);
  }
  return Heading(infeasible ? "Simple rules that run" : "Against simple rules that start at the same time", style) +
         table.Draw(style);
}

/// "sales bring 0.099 EUR less, purchases cost 0.014 EUR less": what a step of the ladder changes.
std::string ChangesText(const Totals& from, const Totals& to) {
  std::vector<std::string> changes;
  const auto add = [&](Money change, const char* what) {
    if (Abs(change) < kNegligible) return;
    changes.push_back(fmt::format("{} {} {}", what, MoneyText(Abs(change)), change > Money() ? "more" : "less"));
  };
  add(to.export_revenue - from.export_revenue, "sales bring");
  add(to.import_cost - from.import_cost, "purchases cost");
  add(to.wear_cost - from.wear_cost, "battery wear costs");
  add(to.carbon_cost - from.carbon_cost, "carbon costs");
  add(to.terminal_value - from.terminal_value, "what is left in the battery is worth");
  return fmt::format("{}", fmt::join(changes, ", "));
}

/// Why the last step, from the rules to the plan, may cost money.
std::string DearPlanText(const DispatchProblem& problem, const Plan& plan) {
  if (problem.objective == Objective::kCarbon) return "the plan emits the least carbon, not costs the least";
  if (problem.battery.final_min > Energy()) {
    return fmt::format("the plan must leave {} in the battery, rules without a battery need not",
                       EnergyText(problem.battery.final_min));
  }
  if (plan.formulation == Formulation::kPaper) return "the study's equations never switch off, the rules do";
  return "the plan is not proven optimal, or as good as the rule within the tolerance";
}

/// Why a lever costs money, from the two totals that it lies between.
std::string NegativeLeverText(const DispatchProblem& problem, const Plan& plan, const Lever& lever, const Totals& from,
                              const Totals& to) {
  std::string why;
  if (lever.name == "timing") {
    why = DearPlanText(problem, plan);
  } else if (lever.name.find("battery") != std::string::npos) {
    why =
        "its simple rule stores spare PV instead of selling it, loses part of it in conversion and self-discharge, "
        "and may not need the rest before the end; what the plan makes of the battery counts as timing";
  } else {
    why = "the rule with it costs more than the one without";
  }
  const std::string changes = ChangesText(from, to);
  return fmt::format("{} is below zero{}: {}.", lever.name, changes.empty() ? "" : " (" + changes + ")", why);
}

std::string DrawNegativeLevers(const DispatchProblem& problem, const Plan& plan, const TerminalStyle& style) {
  std::vector<const Totals*> steps;
  for (const Baseline& baseline : plan.baselines) {
    if (baseline.totals) steps.push_back(&*baseline.totals);
  }
  steps.push_back(&plan.totals);
  if (steps.size() != plan.levers.size() + 1) return "";  // a plan file without its whole ladder
  std::string drawn;
  for (size_t k = 0; k < plan.levers.size(); ++k) {
    const Lever& lever = plan.levers[k];
    if (lever.saving > -kNegligible) continue;
    drawn += Painted(style, Ink::kPlain, NegativeLeverText(problem, plan, lever, *steps[k], *steps[k + 1]));
  }
  return drawn;
}

std::string DrawLevers(const DispatchProblem& problem, const Plan& plan, const TerminalStyle& style) {
  if (plan.levers.empty()) return "";
  Money largest;
  for (const Lever& lever : plan.levers) largest = std::max(largest, Abs(lever.saving));
  TextTable table({{"", Align::kLeft}, {""}, {"", Align::kLeft}});
  for (const Lever& lever : plan.levers) {
    const double part = largest > Money() ? std::max(0.0, lever.saving / largest) : 0.0;
    std::string bar;
    for (int i = 0; i < std::lround(part * 16); ++i) bar += style.utf8 ? "■" : "#";
    table.AddRow({lever.name, MoneyText(lever.saving), bar});
  }
  Money together;
  for (const Lever& lever : plan.levers) together += lever.saving;
  table.AddRow({"together", MoneyText(together), ""}, Ink::kBold);
  const bool carbon = problem.objective == Objective::kCarbon;
  return Heading(carbon ? "What each lever saves in money" : "What each lever saves", style) + table.Draw(style) +
         DrawNegativeLevers(problem, plan, style);
}

std::string DrawNotes(const Plan& plan, const TerminalStyle& style, const PlanTitle& title) {
  std::string drawn;
  for (const std::string& note : plan.notes) {
    if (std::find(title.remarks.begin(), title.remarks.end(), note) != title.remarks.end()) continue;
    drawn += fmt::format("- {}", Paragraph(Printable(note, style.utf8), style, 2));
  }
  return drawn.empty() ? "" : Heading("Notes", style) + drawn;
}

}  // namespace

std::string DrawPlan(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone, const TerminalStyle& asked,
                     const PlanTitle& title) {
  TerminalStyle style = asked;
  style.width = std::max(style.width, kLeastWidth);
  std::string drawn = DrawHeader(problem, plan, zone, style, title);
  if (plan.status != PlanStatus::kInfeasible) {
    drawn += '\n';
    drawn += DrawGantt(problem, plan, zone, style) + GanttLegend(problem, plan, style);
    drawn += Painted(style, Ink::kPlain, kProvenance);
    if (style.table) drawn += Heading("Slots", style) + DrawSlotTable(problem, plan, zone, style);
    drawn += DrawSummary(problem, plan, style);
  }
  drawn += DrawLadder(problem, plan, style);
  if (plan.status != PlanStatus::kInfeasible) drawn += DrawLevers(problem, plan, style);
  return drawn + DrawNotes(plan, style, title);
}

}  // namespace heliograd
