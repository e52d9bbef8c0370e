#include "heliograd/report/slot_table.h"

#include <fmt/format.h>

#include "heliograd/report/number_text.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

std::string LevelText(const DispatchProblem& problem, const SlotDecision& decision) {
  if (decision.levels.empty()) return "off";
  std::string text;
  double on = 0;
  for (const LevelShare& part : decision.levels) {
    if (!text.empty()) text += " + ";
    text += PowerText(problem.gpu.levels.at(part.level).limit);
    if (part.share < 0.995) text += fmt::format(" for {:.0f} %", part.share * 100);
    on += part.share;
  }
  return on < 0.995 && decision.levels.size() > 1 ? text + ", then off" : text;
}

/// Import as a positive number with a plus, sale with a minus; a slot of the study's formulation may have both.
std::string GridText(const SlotDecision& decision, Duration slot) {
  std::string text;
  if (decision.grid_import > WattHours(0.05)) text = fmt::format("+{}", PowerText(decision.grid_import / slot));
  if (decision.grid_export > WattHours(0.05))
    text += fmt::format("{}-{}", text.empty() ? "" : " ", PowerText(decision.grid_export / slot));
  return text.empty() ? "0 W" : text;
}

/// Everything of a row but its time and the battery's content.
std::vector<std::string> CellsOf(const DispatchProblem& problem, const Plan& plan, int t) {
  const PlanSlot& slot = plan.slots[t];
  const Duration length = problem.horizon.SlotDuration();
  return {LevelText(problem, slot.decision), PowerText(problem.pv[t] / length), GridText(slot.decision, length),
          fmt::format("{:.3f}", InEurosPerKilowattHour(problem.import_price[t])), slot.reason};
}

std::string SpanText(const Horizon& horizon, const TimeZone& zone, int begin, int end) {
  const CivilTime from = zone.ToCivil(horizon.SlotStart(begin));
  return fmt::format("{} {}-{}", DayText(from), ClockText(from), ClockText(zone.ToCivil(horizon.SlotStart(end))));
}

}  // namespace

std::string DrawSlotTable(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone,
                          const TerminalStyle& style) {
  TextTable table({{"time", Align::kLeft},
                   {"limit", Align::kLeft, true},
                   {"PV"},
                   {"grid"},
                   {"stored"},
                   {"EUR/kWh"},
                   {"because", Align::kLeft, true, true}});
  const int slots = static_cast<int>(plan.slots.size());
  for (int begin = 0; begin < slots;) {
    const std::vector<std::string> cells = CellsOf(problem, plan, begin);
    const bool stores = plan.slots[begin].decision.battery_charge > WattHours(0.05) ||
                        plan.slots[begin].decision.battery_discharge > WattHours(0.05);
    int end = begin + 1;
    // A battery that fills or empties changes its content in each slot, so each keeps its row.
    while (!stores && end < slots && CellsOf(problem, plan, end) == cells) ++end;
    table.AddRow({SpanText(problem.horizon, zone, begin, end), cells[0], cells[1], cells[2],
                  EnergyText(plan.slots[end - 1].battery_end), cells[3], cells[4]});
    begin = end;
  }
  return table.Draw(style);
}

}  // namespace heliograd
