// A carried-out plan as text, table and JSON.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "heliograd/report/number_text.h"
#include "heliograd/report/page.h"
#include "heliograd/report/plan_and_actual.h"
#include "heliograd/report/study_figure.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kProvenance = "Money, carbon and flows are modelled: PV, battery, host power and prices are ";
const Money kVisible = Euros(0.0005);  // what rounds to zero in text

std::string ProvenanceText(const CarriedPlan& run) {
  return fmt::format(
      "GPU energy {} {}{}", run.progress_is_told ? "and work are measured." : "is measured, work is reckoned by time.",
      kProvenance, run.money_is_settled ? "those last known to the run." : "those of the plan as it was begun.");
}

std::string HoursText(double seconds) {
  return seconds >= 3600 ? fmt::format("{:.1f} h", seconds / 3600) : DurationText(Seconds(std::round(seconds)));
}

/// "150 W", "150 W 40 min, 140 W 20 min", "off".
std::string LevelsText(const DispatchProblem& problem, const NodeSlot& slot) {
  const double whole = InSeconds(problem.horizon.SlotDuration());
  std::vector<std::pair<double, std::string>> parts;
  for (size_t k = slot.level_s.size(); k-- > 0;) {
    if (slot.level_s[k] < std::max(1.0, 0.005 * whole)) continue;
    const std::string limit = PowerText(problem.gpu.levels[k].limit);
    parts.emplace_back(slot.level_s[k],
                       slot.level_s[k] > 0.995 * whole ? limit : limit + " " + HoursText(slot.level_s[k]));
  }
  if (slot.unknown_s >= std::max(1.0, 0.005 * whole)) {
    parts.emplace_back(slot.unknown_s, "limit not known " + HoursText(slot.unknown_s));
  }
  if (parts.empty()) return "off";
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part.second;
  return text;
}

/// The same of what ran; "-" where the run was over before the slot.
std::string RanText(const DispatchProblem& problem, const ComparedSlot& slot) {
  return slot.part > 0 ? LevelsText(problem, slot.actual) : "-";
}

std::string Signed(Money money) {
  const char* sign = money >= kVisible ? "+" : "";
  return fmt::format("{}{}", sign, MoneyText(money));
}
std::string Signed(Energy energy) {
  if (Abs(energy) < WattHours(0.05)) return "0 Wh";
  return fmt::format("{}{}", energy < Energy() ? "-" : "+", EnergyText(Abs(energy)));
}

std::string SignedPart(double fraction) {
  return std::abs(fraction) < 5e-5 ? "0 %" : fmt::format("{:+.2f} %", 100 * fraction);
}

bool IsVisible(const Deviation& part, double work) {
  return Abs(part.cost) >= kVisible || Abs(part.load) > WattHours(1) || std::abs(part.work) > 0.001 * work;
}

std::string StatusText(const CarriedPlan& run) {
  if (run.status == "stopped_late") return "ended at its deadline";
  return run.status == "running" ? "goes on, or was cut off" : run.status;
}

/// "100.0 % of the work done".
std::string WorkText(const CarriedPlan& run) {
  if (!WorkIsKnown(run.plan.problem.work, run.work_assumed)) return "what work was done is not known";
  return fmt::format("{:.1f} % of the work done", 100 * run.work_done / run.plan.problem.work);
}

using Rows = std::vector<std::vector<std::string>>;
const std::vector<std::string> kTotalsTitles = {"", "plan", "actual", "difference"};
const std::vector<std::string> kDeviationTitles = {"why it went otherwise", "cost", "energy", "work"};

Rows TotalsRows(const CarriedPlan& run, const CarriedTotals& totals) {
  const NodeSlot &plan = totals.planned, &actual = totals.actual;
  const double beta = run.plan.problem.battery.discharge_efficiency, work = run.plan.problem.work;
  const auto energy = [](const char* name, Energy planned, Energy really) {
    return std::vector<std::string>{name, EnergyText(planned), EnergyText(really), Signed(really - planned)};
  };
  return {energy("energy of the node", plan.load, actual.load),
          energy("PV used, stored or sold", plan.pv_used, actual.pv_used),
          energy("from the battery", plan.battery_discharge * beta, actual.battery_discharge * beta),
          energy("bought", plan.settled.grid_import, actual.settled.grid_import),
          energy("sold", plan.settled.grid_export, actual.settled.grid_export),
          {"cost", MoneyText(plan.settled.cost), MoneyText(actual.settled.cost),
           Signed(actual.settled.cost - plan.settled.cost)},
          {"carbon", CarbonText(plan.settled.carbon), CarbonText(actual.settled.carbon), ""},
          {"work", PercentText(plan.work / work), PercentText(actual.work / work),
           SignedPart((actual.work - plan.work) / work)}};
}

/// Rule, its cost, what was saved.
Rows SavingsRows(const CarriedPlan& run) {
  Rows rows;
  for (const RungSaving& rung : run.savings.rungs) {
    if (rung.cost && rung.saved) rows.push_back({rung.name, MoneyText(*rung.cost), MoneyText(*rung.saved)});
  }
  return rows;
}

/// What must be known of them, a sentence each.
std::vector<std::string> SavingsRemarks(const CarriedPlan& run) {
  std::vector<std::string> remarks = run.savings.remarks;
  if (!run.savings.unknown.empty()) remarks.push_back("No savings are told: " + run.savings.unknown);
  return remarks;
}

Rows DeviationRows(const CarriedPlan& run, const CarriedTotals& totals) {
  Rows rows;
  for (const Deviation& part : totals.deviations) {
    if (!IsVisible(part, run.plan.problem.work)) continue;
    rows.push_back({part.cause, Signed(part.cost), Signed(part.load), SignedPart(part.work / run.plan.problem.work)});
  }
  return rows;
}

/// The first column to the left, numbers to the right.
std::string Drawn(const std::vector<std::string>& titles, const Rows& rows, const TerminalStyle& style) {
  std::vector<TableColumn> columns{{titles.front(), Align::kLeft, true}};
  for (size_t i = 1; i < titles.size(); ++i) columns.push_back({titles[i]});
  TextTable table(columns);
  for (const auto& row : rows) table.AddRow(row);
  return table.Draw(style);
}

std::string Causes(const ComparedSlot& slot, double work) {
  std::string text;
  for (const Deviation& part : slot.deviations) {
    if (IsVisible(part, work)) text += (text.empty() ? "" : ", ") + part.cause;
  }
  return text;
}

std::vector<std::string> SlotTitles() {
  return {"slot", "planned", "ran", "Wh planned", "Wh", "EUR planned", "EUR", "done", "why"};
}

Rows SlotRows(const CarriedPlan& run) {
  const DispatchProblem& problem = run.plan.problem;
  Rows rows;
  double done = 0;
  int day = 0;
  for (int t = 0; t < problem.horizon.slots; ++t) {
    const ComparedSlot& slot = run.slots[static_cast<size_t>(t)];
    if (!slot.settled && !slot.entered) continue;
    done += slot.actual.work;
    const CivilTime local = run.plan.zone.ToCivil(problem.horizon.SlotStart(t));
    const std::string when = local.day == day ? ClockText(local) : DayText(local) + " " + ClockText(local);
    day = local.day;
    rows.push_back({when, LevelsText(problem, slot.planned), RanText(problem, slot),
                    fmt::format("{:.0f}", InWattHours(slot.planned.load)),
                    slot.settled ? fmt::format("{:.0f}", InWattHours(slot.actual.load))
                                 : fmt::format("{:.0f} so far", InWattHours(slot.gpu_energy)),
                    fmt::format("{:.3f}", InEuros(slot.planned.settled.cost)),
                    slot.settled ? fmt::format("{:.3f}", InEuros(slot.actual.settled.cost)) : "",
                    fmt::format("{:.1f} %", 100 * done / problem.work), Causes(slot, problem.work)});
  }
  return rows;
}

/// What was planned stands in brackets, so that a row fits a terminal of 80 columns.
std::string SlotsTable(const CarriedPlan& run, const TerminalStyle& style) {
  TextTable table({{"slot", Align::kLeft},
                   {"planned", Align::kLeft, true},
                   {"ran", Align::kLeft, true},
                   {"Wh (plan)"},
                   {"EUR (plan)"},
                   {"done"},
                   {"why", Align::kLeft, true, true}});
  const auto both = [](const std::string& actual, const std::string& planned) {
    return actual + (actual.empty() ? "(" : " (") + planned + ")";
  };
  for (const auto& row : SlotRows(run)) {
    table.AddRow({row[0], row[1], row[2], both(row[4], row[3]), both(row[6], row[5]), row[7], row[8]});
  }
  return table.Draw(style);
}

std::string EventsText(const CarriedPlan& run, const TerminalStyle& style) {
  std::string text;
  for (const RunEvent& event : run.events) {
    if (!event.matters && event.kind != "replan" && event.kind != "limit_refused") continue;
    text += Paragraph(FormatLocal(event.at, run.plan.zone) + ": " + event.text, style, 2);
  }
  return text;
}

Json LevelsJson(const DispatchProblem& problem, const NodeSlot& slot) {
  Json json = Json::array();
  for (size_t k = 0; k < slot.level_s.size(); ++k) {
    if (slot.level_s[k] <= 0) continue;
    json.push_back({{"limit_w", InWatts(problem.gpu.levels[k].limit)}, {"duration_s", slot.level_s[k]}});
  }
  return json;
}

Json FlowsJson(const NodeSlot& slot, double discharge_efficiency) {
  return {{"load_wh", InWattHours(slot.load)},
          {"pv_used_wh", InWattHours(slot.pv_used)},
          {"battery_to_node_wh", InWattHours(slot.battery_discharge * discharge_efficiency)},
          {"battery_charge_wh", InWattHours(slot.battery_charge)},
          {"grid_import_wh", InWattHours(slot.settled.grid_import)},
          {"grid_export_wh", InWattHours(slot.settled.grid_export)},
          {"cost_eur", InEuros(slot.settled.cost)},
          {"carbon_kg", InKilograms(slot.settled.carbon)},
          {"progress", slot.work}};
}

Json DeviationsJson(const std::vector<Deviation>& parts) {
  Json json = Json::array();
  for (const Deviation& part : parts) {
    json.push_back({{"cause", part.cause},
                    {"load_wh", InWattHours(part.load)},
                    {"progress", part.work},
                    {"cost_eur", InEuros(part.cost)}});
  }
  return json;
}

Json SlotJson(const CarriedPlan& run, int t) {
  const DispatchProblem& problem = run.plan.problem;
  const ComparedSlot& slot = run.slots[static_cast<size_t>(t)];
  const double beta = problem.battery.discharge_efficiency;
  Json planned = FlowsJson(slot.planned, beta), actual = FlowsJson(slot.actual, beta);
  planned["levels"] = LevelsJson(problem, slot.planned);
  actual["levels"] = LevelsJson(problem, slot.actual);
  actual["unknown_limit_s"] = slot.actual.unknown_s;
  actual["off_s"] = slot.off_s;
  actual["unmeasured_s"] = slot.unmeasured_s;
  actual["gpu_energy_wh"] = InWattHours(slot.gpu_energy);
  Json json = {{"start", FormatStamp(problem.horizon.SlotStart(t))},
               {"start_local", FormatLocal(problem.horizon.SlotStart(t), run.plan.zone)},
               {"duration_s", InSeconds(problem.horizon.SlotDuration())},
               {"entered", slot.entered},
               {"settled", slot.settled},
               {"part_before_end", slot.part},
               {"planned", planned}};
  json["actual"] = slot.settled || slot.entered ? actual : Json();
  json["deviations"] = DeviationsJson(slot.deviations);
  return json;
}

}  // namespace

std::string CurvePartText(const CurvePart& part) {
  return fmt::format("{}, {}{}, {:.1f} % of the job{}", DurationText(Seconds(part.duration_s)), EnergyText(part.energy),
                     part.unmeasured_s > 1 ? fmt::format(" ({:.0f} s not measured)", part.unmeasured_s) : "",
                     100 * part.work,
                     part.cost ? fmt::format(", {} where all of it was bought", MoneyText(*part.cost)) : "");
}

Json CurvePartJson(const CurvePart& part) {
  return {{"begin", FormatStamp(part.begin)},
          {"end", FormatStamp(part.end)},
          {"duration_s", part.duration_s},
          {"gpu_energy_wh", InWattHours(part.energy)},
          {"unmeasured_s", part.unmeasured_s},
          {"units", part.units},
          {"work", part.work},
          {"windows", part.windows},
          {"cost_eur", part.cost ? Json(InEuros(*part.cost)) : Json()},
          {"curve", part.file.empty() ? Json() : Json(part.file)}};
}

std::string CarriedPlanText(const CarriedPlan& run, const TerminalStyle& style) {
  const CarriedTotals totals = SumUp(run);
  const DispatchProblem& problem = run.plan.problem;
  const TimeZone& zone = run.plan.zone;
  std::string text = Paragraph(fmt::format("Run {}: {}, {} to {}", StatusText(run), WorkText(run),
                                           FormatLocal(run.begin, zone), FormatLocal(run.end, zone)),
                               style);
  const Duration spare = Between(run.end, problem.horizon.end());
  text += Paragraph(fmt::format("deadline {}{}", FormatLocal(problem.horizon.end(), zone),
                                run.status == "finished" ? fmt::format(": {} {}", DurationText(Abs(spare)),
                                                                       spare >= Duration() ? "to spare" : "late")
                                                         : ""),
                    style);
  text +=
      Paragraph(fmt::format("GPU {}: {} measured{}", run.gpu, EnergyText(totals.gpu_energy),
                            totals.unmeasured_s > 1 ? fmt::format(", {:.0f} s not measured", totals.unmeasured_s) : ""),
                style);
  if (run.curve) {
    text += Paragraph("Curve measured before the plan, in none of the sums: " + CurvePartText(*run.curve), style);
  }
  if (!run.has_ended()) {
    text += Paragraph(
        fmt::format("The sums are of the {} slots of {} that are over.", totals.slots, problem.horizon.slots), style);
  }
  text += "\n" + Drawn(kTotalsTitles, TotalsRows(run, totals), style);
  if (const Rows savings = SavingsRows(run); !savings.empty()) {
    text += "\n" + Paragraph(fmt::format("For the {:.1f} % of the work that is in these sums:",
                                         100 * totals.actual.work / problem.work),
                             style);
    text += Drawn({"rule", "its cost", "saved"}, savings, style);
  }
  for (const std::string& remark : SavingsRemarks(run)) text += Paragraph(remark, style, 2);
  const Rows deviations = DeviationRows(run, totals);
  if (!deviations.empty()) text += "\n" + Drawn(kDeviationTitles, deviations, style);
  text += "\n" + SlotsTable(run, style);
  const std::string events = EventsText(run, style);
  if (!events.empty()) text += "\nWhat happened:\n" + events;
  return text + "\n" + Paragraph(ProvenanceText(run), style);
}

std::string CarriedPlanJson(const CarriedPlan& run) {
  const CarriedTotals totals = SumUp(run);
  const DispatchProblem& problem = run.plan.problem;
  const double beta = problem.battery.discharge_efficiency;
  Json json = {{"format", "heliograd-run-report-1"},
               {"status", run.status},
               {"command", run.command},
               {"gpu", run.gpu},
               {"timezone", run.plan.zone.name()},
               {"begin", FormatStamp(run.begin)},
               {"end", FormatStamp(run.end)},
               {"deadline", FormatStamp(problem.horizon.end())},
               {"in_time", run.status == "finished" && run.end <= problem.horizon.end()},
               {"work", problem.work},
               {"work_done", run.work_done},
               {"progress_from", run.progress_is_told ? "the job" : "time"},
               {"gpu_energy_wh", InWattHours(totals.gpu_energy)},
               {"gpu_energy_obtained", "measured"},
               {"unmeasured_s", totals.unmeasured_s},
               {"obtained", ProvenanceText(run)},
               {"settled_slots", totals.slots},
               {"planned", FlowsJson(totals.planned, beta)},
               {"actual", FlowsJson(totals.actual, beta)},
               {"deviations", DeviationsJson(totals.deviations)}};
  json["curve_measured"] = run.curve ? CurvePartJson(*run.curve) : Json();
  json["baselines"] = BaselinesJson(run.savings);
  json["savings"] = SavingsJson(run.savings);
  json["slots"] = Json::array();
  for (int t = 0; t < problem.horizon.slots; ++t) json["slots"].push_back(SlotJson(run, t));
  json["events"] = Json::array();
  for (const RunEvent& event : run.events) {
    json["events"].push_back({{"at", FormatStamp(event.at)}, {"kind", event.kind}, {"text", event.text}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string CarriedPlanCsv(const CarriedPlan& run) {
  const DispatchProblem& problem = run.plan.problem;
  std::string csv =
      "start,settled,planned_levels,levels,planned_load_wh,load_wh,gpu_energy_wh,planned_pv_used_wh,pv_used_wh,"
      "planned_battery_to_node_wh,battery_to_node_wh,planned_grid_import_wh,grid_import_wh,planned_grid_export_wh,"
      "grid_export_wh,planned_cost_eur,cost_eur,planned_carbon_kg,carbon_kg,planned_progress,progress,off_s,"
      "unmeasured_s,causes\n";
  for (int t = 0; t < problem.horizon.slots; ++t) {
    const ComparedSlot& slot = run.slots[static_cast<size_t>(t)];
    const double beta = problem.battery.discharge_efficiency;
    // What is not known yet is an empty cell, never zero.
    const auto pair = [&](double planned, double actual) {
      return slot.settled ? fmt::format(",{},{}", planned, actual) : fmt::format(",{},", planned);
    };
    const bool known = slot.settled || slot.entered;
    csv += fmt::format("{},{},{},{}", FormatStamp(problem.horizon.SlotStart(t)), slot.settled ? "yes" : "no",
                       CsvCell(LevelsText(problem, slot.planned)), known ? CsvCell(RanText(problem, slot)) : "");
    csv += pair(InWattHours(slot.planned.load), InWattHours(slot.actual.load));
    csv += known ? fmt::format(",{}", InWattHours(slot.gpu_energy)) : ",";
    csv += pair(InWattHours(slot.planned.pv_used), InWattHours(slot.actual.pv_used));
    csv += pair(InWattHours(slot.planned.battery_discharge) * beta, InWattHours(slot.actual.battery_discharge) * beta);
    csv += pair(InWattHours(slot.planned.settled.grid_import), InWattHours(slot.actual.settled.grid_import));
    csv += pair(InWattHours(slot.planned.settled.grid_export), InWattHours(slot.actual.settled.grid_export));
    csv += pair(InEuros(slot.planned.settled.cost), InEuros(slot.actual.settled.cost));
    csv += pair(InKilograms(slot.planned.settled.carbon), InKilograms(slot.actual.settled.carbon));
    csv += known ? fmt::format(",{},{},{},{}", slot.planned.work, slot.actual.work, slot.off_s, slot.unmeasured_s)
                 : fmt::format(",{},,,", slot.planned.work);
    csv += "," + CsvCell(Causes(slot, problem.work)) + "\n";
  }
  return csv;
}

Result<std::string> CarriedPlanPage(const CarriedPlan& run) {
  const Result<std::string> main = RenderFigure(CarriedPlanFigure(run), FigureFormat::kSvg);
  if (!main) return Fail(main.error());
  const Result<std::string> money = RenderFigure(DeviationFigure(run), FigureFormat::kSvg);
  if (!money) return Fail(money.error());
  const CarriedTotals totals = SumUp(run);
  const DispatchProblem& problem = run.plan.problem;
  Page page("A run against its plan");
  page.AddParagraph(fmt::format("{}: {}, {}, {} to {}, deadline {}.", run.command, StatusText(run), WorkText(run),
                                FormatLocal(run.begin, run.plan.zone), FormatLocal(run.end, run.plan.zone),
                                FormatLocal(problem.horizon.end(), run.plan.zone)));
  page.AddParagraph(fmt::format("{}: {} measured. {}", run.gpu, EnergyText(totals.gpu_energy), ProvenanceText(run)));
  if (run.curve) {
    page.AddParagraph("Curve measured before the plan, in none of the sums: " + CurvePartText(*run.curve) + ".");
  }
  page.AddFigure(*main, "Bars: what fed the node, by slot. Dashed: the plan. Line: the GPU's measured power.",
                 fmt::format("Power, progress, events and price over the run: {} planned, {} in the end.",
                             MoneyText(totals.planned.settled.cost), MoneyText(totals.actual.settled.cost)));
  page.AddFoldedTable("The slots as a table", SlotTitles(), SlotRows(run));
  page.AddHeading("Plan and actual");
  page.AddTable(kTotalsTitles, TotalsRows(run, totals));
  if (const auto rows = SavingsRows(run); !rows.empty()) {
    page.AddHeading("Saved");
    page.AddParagraph(fmt::format("What each simpler rule would have cost for the {:.1f} % of the work that was done.",
                                  100 * totals.actual.work / problem.work));
    page.AddTable({"rule", "its cost", "saved"}, rows);
  }
  for (const std::string& remark : SavingsRemarks(run)) page.AddParagraph(remark + ".");
  page.AddHeading("Why it went otherwise");
  page.AddFigure(*money, "Cost by cause: to the right dearer, to the left cheaper than planned.",
                 "Bars from the planned to the actual cost, one per cause.");
  page.AddFoldedTable("The causes as a table", kDeviationTitles, DeviationRows(run, totals));
  page.AddHeading("What happened");
  std::vector<std::vector<std::string>> events;
  for (const RunEvent& event : run.events) {
    events.push_back({FormatLocal(event.at, run.plan.zone), event.kind, event.text});
  }
  page.AddFoldedTable(fmt::format("{} events", events.size()), {"when", "kind", "what"}, events);
  return page.Html();
}

}  // namespace heliograd
