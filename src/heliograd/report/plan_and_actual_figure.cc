// A carried-out plan as figures: power, progress, events and price on one clock; money by cause.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/report/number_text.h"
#include "heliograd/report/palette.h"
#include "heliograd/report/plan_and_actual.h"
#include "heliograd/report/plan_columns.h"
#include "heliograd/report/time_panels.h"

namespace heliograd {
namespace {

constexpr int kMostColumns = 400;
constexpr int kMostBins = 600;
const char* const kLimitColour = "#888888";

/// The plan's horizon, longer where the run was late.
Horizon ShownHorizon(const CarriedPlan& run) {
  Horizon horizon = run.plan.problem.horizon;
  while (horizon.end() < run.end && horizon.slots < 3 * run.plan.problem.horizon.slots) ++horizon.slots;
  return horizon;
}

double HourOf(const CarriedPlan& run, Stamp stamp) { return InHours(Between(run.plan.problem.horizon.start, stamp)); }

/// $flow, a row per column that is over: 1 its middle; load from 2 PV, 3 PV and battery, 4 all three (W).
std::string FlowBlock(const CarriedPlan& run, const TimeColumns& fit) {
  const DispatchProblem& problem = run.plan.problem;
  const double slot_h = InHours(problem.horizon.SlotDuration());
  std::string block = "$flow << EOD\n";
  bool is_empty = true;
  for (int c = 0; c < fit.columns; ++c) {
    Energy pv, battery, grid;
    int slots = 0;
    const int end = std::min(fit.EndSlot(c, problem.horizon.slots), problem.horizon.slots);
    for (int t = fit.FirstSlot(c); t < end; ++t) {
      const ComparedSlot& slot = run.slots[static_cast<size_t>(t)];
      if (!slot.settled) continue;
      const NodeSlot& actual = slot.actual;
      const Flows flows = AttributeFlows({{},
                                          actual.pv_used,
                                          actual.settled.grid_import,
                                          actual.settled.grid_export,
                                          actual.battery_charge,
                                          actual.battery_discharge},
                                         actual.load, problem.battery.discharge_efficiency);
      pv += flows.pv_to_gpu;
      battery += flows.battery_to_gpu;
      grid += flows.grid_to_gpu;
      ++slots;
    }
    if (slots == 0) continue;
    const double hours = slots * slot_h;
    is_empty = false;
    const double pv_w = InWattHours(pv) / hours, battery_w = InWattHours(battery) / hours;
    block += fmt::format("{:.5f} {:.3f} {:.3f} {:.3f}\n", (fit.FirstSlot(c) + fit.FirstSlot(c) + slots) * slot_h / 2,
                         pv_w, pv_w + battery_w, pv_w + battery_w + InWattHours(grid) / hours);
  }
  return block + (is_empty ? "0 0 0 0\nEOD\n" : "EOD\n");  // gnuplot plots no empty block
}

/// $measured: mean power of the GPU between looks at least a bin apart; $limit: in force; $done: work, %.
std::string TrailBlocks(const CarriedPlan& run, double hours) {
  const double bin_h = hours / kMostBins;
  std::string power = "$measured << EOD\n", limit = "$limit << EOD\n", done = "$done << EOD\n0 0\n";
  double last_h = HourOf(run, run.begin);
  Energy last_energy;
  std::optional<Power> last_limit;
  for (const RunPoint& point : run.trail) {
    const double hour = HourOf(run, point.at);
    if (point.limit && point.limit != last_limit) {
      if (last_limit) limit += fmt::format("{:.5f} {:.3f}\n", hour, InWatts(*last_limit));
      limit += fmt::format("{:.5f} {:.3f}\n", hour, InWatts(*point.limit));
      last_limit = point.limit;
    }
    if (hour - last_h < bin_h) continue;
    const double mean_w = InWattHours(point.energy - last_energy) / (hour - last_h);
    if (mean_w >= 0) power += fmt::format("{:.5f} {:.3f}\n{:.5f} {:.3f}\n", last_h, mean_w, hour, mean_w);
    done += fmt::format("{:.5f} {:.4f}\n", hour, 100 * point.work_done / run.plan.problem.work);
    last_h = hour;
    last_energy = point.energy;
  }
  const double end_h = HourOf(run, run.end);
  if (last_limit) limit += fmt::format("{:.5f} {:.3f}\n", end_h, InWatts(*last_limit));
  done += fmt::format("{:.5f} {:.4f}\n", end_h, 100 * run.work_done / run.plan.problem.work);
  if (run.trail.empty() || last_h <= HourOf(run, run.begin)) power += "0 0\n";
  if (!last_limit) limit += "0 0\n";
  return power + "EOD\n" + limit + "EOD\n" + done + "EOD\n";
}

/// $aim: the plan's progress, %, at each slot's end.
std::string AimBlock(const CarriedPlan& run) {
  const DispatchProblem& problem = run.plan.problem;
  std::string block = "$aim << EOD\n0 0\n";
  double done = 0;
  for (int t = 0; t < problem.horizon.slots; ++t) {
    done += run.slots[static_cast<size_t>(t)].planned.work;
    block +=
        fmt::format("{:.5f} {:.4f}\n", (t + 1) * InHours(problem.horizon.SlotDuration()), 100 * done / problem.work);
  }
  return block + "EOD\n";
}

/// A value per column over the shown horizon; past the plan's end the last slot's.
template <typename Value>
std::vector<double> ColumnMeans(const TimeColumns& fit, const Horizon& shown, int slots, const Value& value) {
  std::vector<double> means;
  for (int c = 0; c < fit.columns; ++c) {
    double sum = 0;
    const int end = fit.EndSlot(c, shown.slots);
    for (int t = fit.FirstSlot(c); t < end; ++t) sum += value(static_cast<size_t>(std::min(t, slots - 1)), t < slots);
    means.push_back(sum / (end - fit.FirstSlot(c)));
  }
  return means;
}

bool IsTrouble(const RunEvent& event) {
  return (event.matters && event.kind != "replan") || event.kind == "limit_refused" || event.kind == "interrupted";
}

/// Times of what happened, one block per lane: $paused has begin and end.
std::string EventBlocks(const CarriedPlan& run) {
  std::string paused = "$paused << EOD\n", limits = "$limits << EOD\n", plans = "$plans << EOD\n",
              trouble = "$trouble << EOD\n";
  double since = -1;  // the hour of a pause that lasts
  for (const RunEvent& event : run.events) {
    const double hour = HourOf(run, event.at);
    if (event.kind == "pause") since = hour;
    if ((event.kind == "resume" || event.kind == "end") && since >= 0) {
      paused += fmt::format("{:.5f} 4 {:.5f} 0\n", since, hour - since);
      since = -1;
    }
    if (event.kind == "limit") limits += fmt::format("{:.5f} 3\n", hour);
    if (event.kind == "replan") plans += fmt::format("{:.5f} 2\n", hour);
    if (IsTrouble(event)) trouble += fmt::format("{:.5f} 1\n", hour);
  }
  if (since >= 0) paused += fmt::format("{:.5f} 4 {:.5f} 0\n", since, HourOf(run, run.end) - since);
  // A point below the panel keeps a block that would be empty.
  return paused + "0 -9 0 0\nEOD\n" + limits + "0 -9\nEOD\n" + plans + "0 -9\nEOD\n" + trouble + "0 -9\nEOD\n";
}

Panel PowerPanel(const CarriedPlan& run, int columns, double column_h) {
  Power top = HighestDraw(run.plan.problem);
  for (const RunPoint& point : run.trail) {
    if (point.limit) top = std::max(top, *point.limit);
  }
  return {260, fmt::format("set ylabel 'node power, W'\nset boxwidth {:.6f} absolute\nset yrange [0:{:.3f}]\n"
                           "plot $flow using 1:4 {} title 'from the grid', \\\n"
                           "  '' using 1:3 {} title 'from the battery', \\\n"
                           "  '' using 1:2 {} title 'from PV', \\\n"
                           "  $limit using 1:2 with lines lc rgb '{}' lw 1.2 dt 3 title 'limit in force', \\\n"
                           "  $measured using 1:2 with lines lc rgb '{}' lw 1.6 title 'GPU, measured', \\\n"
                           "  $planned using 1:2 with steps lc rgb '{}' lw 1.8 dt 2 title 'planned'\n",
                           column_h * (columns > 60 ? 1.0 : 0.94), InWatts(top) * 1.05 + 1, Bars(kGridColour, columns),
                           Bars(kBatteryColour, columns), Bars(kPvColour, columns), kLimitColour, kTextColour,
                           kPriceColour)};
}

Panel ProgressPanel() {
  return {130, fmt::format("set ylabel 'work done, %'\nset yrange [0:105]\n"
                           "plot $done using 1:2 with lines lc rgb '{}' lw 2.4 title 'done', \\\n"
                           "  $aim using 1:2 with lines lc rgb '{}' lw 1.8 dt 2 title 'planned'\n",
                           kTextColour, kPriceColour)};
}

Panel EventPanel() {
  return {96, fmt::format("set ylabel ''\nset yrange [0.4:4.6]\n"
                          "set ytics ('trouble' 1, 'new plan' 2, 'limit set' 3, 'paused' 4)\n"
                          "plot $paused using 1:2:3:4 with vectors nohead lc rgb '{}' lw 7 notitle, \\\n"
                          "  $limits using 1:2 with points pt 7 ps 0.55 lc rgb '{}' notitle, \\\n"
                          "  $plans using 1:2 with points pt 5 ps 0.6 lc rgb '{}' notitle, \\\n"
                          "  $trouble using 1:2 with points pt 9 ps 1.0 lc rgb '{}' notitle\n"
                          "set ytics autofreq\n",
                          kLimitColour, kGridColour, kBatteryColour, kPriceColour)};
}

Panel PricePanel() {
  return {90, fmt::format("set ylabel 'EUR/kWh'\nset offsets 0, 0, graph 0.15, graph 0.15\n"
                          "plot $import_price using 1:2 with steps lc rgb '{}' lw 2.5 title 'import price', \\\n"
                          "  $export_price using 1:2 with steps lc rgb '{}' lw 2.5 dt 2 title 'export price'\n",
                          kPriceColour, kExportColour)};
}

}  // namespace

Figure CarriedPlanFigure(const CarriedPlan& run) {
  const DispatchProblem& problem = run.plan.problem;
  const Horizon shown = ShownHorizon(run);
  const TimeColumns fit = FitColumns(shown, kMostColumns);
  const double slot_h = InHours(problem.horizon.SlotDuration());
  const auto step = [&](const char* name, const auto& value) {
    return StepBlock(name, ColumnMeans(fit, shown, problem.horizon.slots, value), fit, shown);
  };
  std::string data = FlowBlock(run, fit) + TrailBlocks(run, slot_h * shown.slots) + AimBlock(run) + EventBlocks(run);
  data += step("planned",
               [&](size_t t, bool in_plan) { return in_plan ? InWattHours(run.slots[t].planned.load) / slot_h : 0; });
  data += step("import_price", [&](size_t t, bool) { return InEurosPerKilowattHour(problem.import_price[t]); });
  data += step("export_price", [&](size_t t, bool) { return InEurosPerKilowattHour(problem.export_price[t]); });
  const CarriedTotals totals = SumUp(run);
  const std::string heading = fmt::format(
      "Run against plan: {:.0f} % done{}, {} planned, {} in the end (modelled)", 100 * run.work_done / problem.work,
      run.has_ended() ? "" : " so far", MoneyText(totals.planned.settled.cost), MoneyText(totals.actual.settled.cost));
  return StackPanels(
      shown, run.plan.zone, heading, data,
      {PowerPanel(run, fit.columns, slot_h * fit.slots_per_column), ProgressPanel(), EventPanel(), PricePanel()},
      fit.columns);
}

Figure DeviationFigure(const CarriedPlan& run) {
  const CarriedTotals totals = SumUp(run);
  struct Bar {
    std::string name;
    double from, to;
    const char* colour;
  };
  std::vector<Bar> bars;
  double at = InEuros(totals.planned.settled.cost);
  bars.push_back({"planned", 0, at, kLimitColour});
  for (const Deviation& part : totals.deviations) {
    if (Abs(part.cost) < Euros(0.0005)) continue;
    const double next = at + InEuros(part.cost);
    bars.push_back({part.cause, at, next, next > at ? kPriceColour : kBatteryColour});
    at = next;
  }
  bars.push_back({"actual", 0, InEuros(totals.actual.settled.cost), kLimitColour});
  const int row_px = 34, top_px = 60, bottom_px = 72;
  const int height = static_cast<int>(bars.size()) * row_px + top_px + bottom_px;
  std::string script = fmt::format(
      "set label 1 {} at screen 0.03, screen {:.4f} font ',16' textcolor rgb '{}'\n"
      "set lmargin at screen 0.26\nset rmargin at screen 0.95\nset tmargin at screen {:.4f}\nset bmargin at screen "
      "{:.4f}\n"
      "unset key\nset border 1 lc rgb '{}'\nset tics nomirror out scale 0.5 textcolor rgb '{}'\nset xlabel 'EUR'\n"
      "set grid xtics lc rgb '{}' lw 0.5\nset style fill solid 1.0 noborder\nset yrange [{}:-0.6]\n"
      "set offsets graph 0.06, graph 0.06, 0, 0\n",
      GnuplotQuoted("How the planned cost became the actual one"), 1.0 - 26.0 / height, kTextColour,
      1.0 - static_cast<double>(top_px) / height, static_cast<double>(bottom_px) / height, kTextColour, kTextColour,
      kGuideColour, static_cast<double>(bars.size()) - 0.4);
  script += "set ytics (";
  for (size_t i = 0; i < bars.size(); ++i) {
    script += fmt::format("{}{} {}", i > 0 ? ", " : "", GnuplotQuoted(bars[i].name), i);
  }
  script += ")\n$bars << EOD\n";
  for (size_t i = 0; i < bars.size(); ++i) {
    script += fmt::format("{:.6f} {} {:.6f} {:.6f} {} {:.6f}\n", bars[i].to, i, std::min(bars[i].from, bars[i].to),
                          std::max(bars[i].from, bars[i].to), fmt::format("0x{}", bars[i].colour + 1),
                          bars[i].to - bars[i].from);
  }
  script += fmt::format(
      "EOD\nplot $bars using 1:2:3:4:($2-0.34):($2+0.34):5 with boxxyerror lc rgb variable, \\\n"
      "  '' using 4:2:(sprintf('%+.3f', $6)) with labels left offset 0.6,0 textcolor rgb '{}'\n",
      kTextColour);
  return {script, 1000, height};
}

}  // namespace heliograd
