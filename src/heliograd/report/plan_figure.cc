#include "heliograd/report/plan_figure.h"

#include <fmt/format.h>

#include <algorithm>

#include "heliograd/report/number_text.h"
#include "heliograd/report/palette.h"
#include "heliograd/report/plan_columns.h"
#include "heliograd/report/time_axis.h"

namespace heliograd {
namespace {

constexpr int kMostColumns = 400;  // finer bars than this are thinner than a pixel pair
constexpr int kMostSeparateBars = 60;
constexpr int kLabelCells = 110;  // so many characters of labels fit below the figure
constexpr int kWidth = 1000;
constexpr int kTitleHeight = 64;
constexpr int kAxisHeight = 62;
constexpr int kPanelGap = 24;

struct Panel {
  int height_px;
  std::string commands;
};

/// $plan, a row per column of time: 1 its middle (hours from the start); power to the GPU from 2 PV, 3 PV and battery,
/// 4 all three; 5 import, 6 minus export, 7 PV offered (W). $steps, a row per start of a column and one at the end: 1
/// hour, 2 load (W), 3 import and 4 export price (EUR/kWh). $battery, a row per end of a column after one at the start:
/// 1 hour, 2 stored (Wh).
std::string DataBlocks(const DispatchProblem& problem, const std::vector<PlanColumn>& columns, const TimeColumns& fit) {
  const double slot_h = InHours(problem.horizon.SlotDuration());
  std::string plan = "$plan << EOD\n";
  std::string steps = "$steps << EOD\n";
  std::string battery = fmt::format("$battery << EOD\n0 {:.3f}\n", InWattHours(problem.battery.initial));
  for (int c = 0; c < fit.columns; ++c) {
    const PlanColumn& column = columns[c];
    const double start_h = fit.FirstSlot(c) * slot_h;
    const double end_h = fit.EndSlot(c, problem.horizon.slots) * slot_h;
    const double pv_w = InWatts(column.gpu_from_pv);
    const double battery_w = InWatts(column.gpu_from_battery);
    plan += fmt::format("{:.5f} {:.3f} {:.3f} {:.3f} {:.3f} {:.3f} {:.3f}\n", (start_h + end_h) / 2, pv_w,
                        pv_w + battery_w, pv_w + battery_w + InWatts(column.gpu_from_grid), InWatts(column.grid_import),
                        -InWatts(column.grid_export), InWatts(column.pv));
    const std::string values =
        fmt::format("{:.3f} {:.5f} {:.5f}", InWatts(column.gpu), InEurosPerKilowattHour(column.import_price),
                    InEurosPerKilowattHour(column.export_price));
    steps += fmt::format("{:.5f} {}\n", start_h, values);
    if (c + 1 == fit.columns) steps += fmt::format("{:.5f} {}\n", end_h, values);
    battery += fmt::format("{:.5f} {:.3f}\n", end_h, InWattHours(column.stored_end));
  }
  return plan + "EOD\n" + steps + "EOD\n" + battery + "EOD\n";
}

std::string TickList(const Horizon& horizon, const TimeZone& zone, bool labelled) {
  const TimeColumns fit = FitColumns(horizon, kLabelCells);
  const double slot_h = InHours(horizon.SlotDuration());
  std::string list;
  bool first = true;
  for (const TimeMark& mark : MarkTime(horizon, fit, zone)) {
    const double hour = fit.FirstSlot(mark.column) * slot_h;
    const bool dated = first || mark.date_begins;
    // Labels are made of digits and names of days and months only, so the double quotes that "\n" needs are safe.
    const std::string label = !labelled ? "" : dated ? fmt::format("{}\\n{}", mark.label, mark.date) : mark.label;
    list += fmt::format("{}\"{}\" {:.5f}", first ? "" : ", ", label, hour);
    first = false;
  }
  return list;
}

/// Thin lines through all panels where a new day (month, year) begins.
std::string DayLines(const Horizon& horizon, const TimeZone& zone) {
  const TimeColumns fit = FitColumns(horizon, kLabelCells);
  std::string lines;
  for (const TimeMark& mark : MarkTime(horizon, fit, zone)) {
    if (!mark.date_begins || mark.column == 0) continue;
    const double hour = fit.FirstSlot(mark.column) * InHours(horizon.SlotDuration());
    lines += fmt::format(
        "set arrow from first {0:.5f}, graph 0 to first {0:.5f}, graph 1 nohead lc rgb '#888888' dt 3 lw 1\n", hour);
  }
  return lines;
}

/// Bars in one colour. Many bars touch, and a border in their own colour then closes the seams.
std::string Bars(const char* colour, int columns) {
  return columns <= kMostSeparateBars
             ? fmt::format("with boxes lc rgb '{}'", colour)
             : fmt::format("with boxes lc rgb '{0}' lw 0.5 fs solid 1.0 border rgb '{0}'", colour);
}

Panel PowerPanel(const DispatchProblem& problem, int columns) {
  return {230, fmt::format("set ylabel 'GPU power, W'\nset yrange [0:{:.3f}]\n"
                           "plot $plan using 1:4 {} title 'from the grid', \\\n"
                           "  '' using 1:3 {} title 'from the battery', \\\n"
                           "  '' using 1:2 {} title 'from PV', \\\n"
                           "  $steps using 1:2 with steps lc rgb '{}' lw 1.5 title 'GPU power'\n",
                           InWatts(HighestDraw(problem)) * 1.05 + 1, Bars(kGridColour, columns),
                           Bars(kBatteryColour, columns), Bars(kPvColour, columns), kTextColour)};
}

Panel GridPanel(int columns) {
  return {140, fmt::format("set ylabel 'at the meter, W'\n"
                           "plot $plan using 1:5 {} title 'grid import', \\\n"
                           "  '' using 1:6 {} title 'grid export', \\\n"
                           "  '' using 1:7 with histeps lc rgb '{}' lw 2 title 'PV offered', \\\n"
                           "  0 lc rgb '{}' lw 0.5 notitle\n",
                           Bars(kGridColour, columns), Bars(kExportColour, columns), kPvColour, kTextColour)};
}

Panel BatteryPanel(const DispatchProblem& problem) {
  return {110,
          fmt::format("set ylabel 'battery, Wh'\nset yrange [0:{:.3f}]\n"
                      "plot $battery using 1:2 with filledcurves y1=0 fs solid 0.35 lc rgb '{}' title 'stored', \\\n"
                      "  '' using 1:2 with lines lc rgb '{}' lw 1.5 notitle\n",
                      InWattHours(problem.battery.capacity) * 1.08, kBatteryColour, kBatteryColour)};
}

/// Prices with some air around them, so that no line lies on the frame.
Panel PricePanel(const std::vector<PlanColumn>& columns) {
  EnergyPrice low = columns.front().import_price;
  EnergyPrice high = low;
  for (const PlanColumn& column : columns) {
    low = std::min({low, column.import_price, column.export_price});
    high = std::max({high, column.import_price, column.export_price});
  }
  const EnergyPrice air = std::max((high - low) * 0.12, EurosPerKilowattHour(0.01));
  return {110, fmt::format("set ylabel 'EUR/kWh'\nset yrange [{:.5f}:{:.5f}]\n"
                           "plot $steps using 1:3 with steps lc rgb '{}' lw 2.5 title 'import price', \\\n"
                           "  '' using 1:4 with steps lc rgb '{}' lw 2.5 dt 2 title 'export price'\n",
                           InEurosPerKilowattHour(low - air), InEurosPerKilowattHour(high + air), kPriceColour,
                           kExportColour)};
}

std::string CommonSettings(const Horizon& horizon, int columns, const TimeZone& zone) {
  const double hours = InHours(horizon.SlotDuration()) * horizon.slots;
  return fmt::format(
             "set xrange [0:{:.5f}]\nset style fill solid 1.0 noborder\nset boxwidth {} relative\n"
             "set border 3 lc rgb '{}'\nset tics nomirror out scale 0.5 textcolor rgb '{}'\nset grid ytics lc rgb '{}' "
             "lw 0.5\n"
             "set key left top vertical Left reverse samplen 1.5 spacing 1.15 textcolor rgb '{}'\n"
             "set ytics autofreq\n",
             hours, columns <= kMostSeparateBars ? 0.94 : 1.0, kTextColour, kTextColour, kGuideColour, kTextColour) +
         DayLines(horizon, zone);
}

/// Puts the next plot and its legend, to the right of the data, on the page.
std::string Place(int top_px, int height_px, int total_px) {
  const double top = 1.0 - static_cast<double>(top_px) / total_px;
  const double bottom = 1.0 - static_cast<double>(top_px + height_px) / total_px;
  return fmt::format(
      "set tmargin at screen {:.4f}\nset bmargin at screen {:.4f}\nset lmargin at screen 0.085\n"
      "set rmargin at screen 0.83\nset key at screen 0.845, screen {:.4f}\n",
      top, bottom, top);
}

}  // namespace

Figure PlanFigure(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone, const std::string& title) {
  const TimeColumns fit = FitColumns(problem.horizon, kMostColumns);
  const std::vector<PlanColumn> columns = GatherColumns(problem, plan, fit);
  std::vector<Panel> panels{PowerPanel(problem, fit.columns), GridPanel(fit.columns)};
  if (problem.battery.capacity > kVisibleEnergy) panels.push_back(BatteryPanel(problem));
  panels.push_back(PricePanel(columns));

  int total_px = kTitleHeight + kAxisHeight;
  for (const Panel& panel : panels) total_px += panel.height_px + kPanelGap;

  const std::string heading =
      fmt::format("{}: what feeds the GPU, at a modelled cost of {}", title, MoneyText(plan.totals.cost));
  std::string script = DataBlocks(problem, columns, fit);
  script += fmt::format("set multiplot\nset label 1 {} at screen 0.085, screen {:.4f} font ',16' textcolor rgb '{}'\n",
                        GnuplotQuoted(heading), 1.0 - 26.0 / total_px, kTextColour);
  script += CommonSettings(problem.horizon, fit.columns, zone);
  int top_px = kTitleHeight;
  for (size_t i = 0; i < panels.size(); ++i) {
    const bool last = i + 1 == panels.size();
    script += Place(top_px, panels[i].height_px, total_px);
    script += fmt::format("set xtics ({})\n", TickList(problem.horizon, zone, last));
    if (last) script += fmt::format("set xlabel {}\n", GnuplotQuoted("local time, " + zone.name()));
    script += panels[i].commands + "unset label 1\nset yrange [*:*]\n";
    top_px += panels[i].height_px + kPanelGap;
  }
  return {script + "unset multiplot\n", kWidth, total_px};
}

}  // namespace heliograd
