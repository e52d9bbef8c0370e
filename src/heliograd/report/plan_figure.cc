#include "heliograd/report/plan_figure.h"

#include <fmt/format.h>

#include <iterator>

#include "heliograd/report/number_text.h"
#include "heliograd/report/palette.h"
#include "heliograd/report/plan_columns.h"
#include "heliograd/report/time_axis.h"

namespace heliograd {
namespace {

constexpr int kMostColumns = 400;  // finer bars than this are thinner than a pixel pair
constexpr int kLabelCells = 110;   // so many characters of labels fit below the figure
constexpr int kWidth = 1000;
constexpr int kTitleHeight = 64;
constexpr int kAxisHeight = 62;
constexpr int kPanelGap = 16;

struct Panel {
  int height_px;
  std::string commands;
};

/// Columns of $plan: 1 middle, 2 start, 3 end (hours from the start), 4 PV, 5 PV + battery, 6 PV + battery + grid to
/// the GPU (W), 7 load (W), 8 import, 9 minus export, 10 PV offered (W), 11 battery at the end (Wh), 12 import and 13
/// export price (EUR/kWh).
std::string DataBlock(const DispatchProblem& problem, const std::vector<PlanColumn>& columns, const TimeColumns& fit) {
  const double slot_h = InHours(problem.horizon.SlotDuration());
  std::string block = "$plan << EOD\n";
  for (int c = 0; c < fit.columns; ++c) {
    const PlanColumn& column = columns[c];
    const double start_h = fit.FirstSlot(c) * slot_h;
    const double end_h = fit.EndSlot(c, problem.horizon.slots) * slot_h;
    const double pv_w = InWatts(column.gpu_from_pv);
    const double battery_w = InWatts(column.gpu_from_battery);
    fmt::format_to(std::back_inserter(block),
                   "{:.5f} {:.5f} {:.5f} {:.3f} {:.3f} {:.3f} {:.3f} {:.3f} {:.3f} {:.3f} {:.3f} {:.5f} {:.5f}\n",
                   (start_h + end_h) / 2, start_h, end_h, pv_w, pv_w + battery_w,
                   pv_w + battery_w + InWatts(column.gpu_from_grid), InWatts(column.gpu), InWatts(column.grid_import),
                   -InWatts(column.grid_export), InWatts(column.pv), InWattHours(column.stored_end),
                   InEurosPerKilowattHour(column.import_price), InEurosPerKilowattHour(column.export_price));
  }
  // The last row ends the steps: the values of the last column at its end.
  block += "EOD\n$battery << EOD\n";
  fmt::format_to(std::back_inserter(block), "0 {:.3f}\n", InWattHours(problem.battery.initial));
  for (int c = 0; c < fit.columns; ++c) {
    fmt::format_to(std::back_inserter(block), "{:.5f} {:.3f}\n", fit.EndSlot(c, problem.horizon.slots) * slot_h,
                   InWattHours(columns[c].stored_end));
  }
  return block + "EOD\n";
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

Panel PowerPanel(const DispatchProblem& problem) {
  return {230,
          fmt::format("set ylabel 'GPU power, W'\nset yrange [0:{:.3f}]\n"
                      "plot $plan using 1:6 with boxes lc rgb '{}' title 'from the grid', \\\n"
                      "  '' using 1:5 with boxes lc rgb '{}' title 'from the battery', \\\n"
                      "  '' using 1:4 with boxes lc rgb '{}' title 'from PV', \\\n"
                      "  '' using 2:7:($3-$2):(0) with vectors nohead lc rgb '{}' lw 2 title 'GPU power'\n",
                      InWatts(HighestDraw(problem)) * 1.05 + 1, kGridColour, kBatteryColour, kPvColour, kTextColour)};
}

Panel GridPanel() {
  return {140, fmt::format("set ylabel 'at the meter, W'\n"
                           "plot $plan using 1:8 with boxes lc rgb '{}' title 'grid import', \\\n"
                           "  '' using 1:9 with boxes lc rgb '{}' title 'grid export', \\\n"
                           "  '' using 1:10 with lines lc rgb '{}' lw 2 title 'PV offered', \\\n"
                           "  0 lc rgb '{}' lw 0.5 notitle\n",
                           kGridColour, kExportColour, kPvColour, kTextColour)};
}

Panel BatteryPanel(const DispatchProblem& problem) {
  return {110,
          fmt::format("set ylabel 'battery, Wh'\nset yrange [0:{:.3f}]\n"
                      "plot $battery using 1:2 with filledcurves y1=0 fs solid 0.35 lc rgb '{}' title 'stored', \\\n"
                      "  '' using 1:2 with lines lc rgb '{}' lw 1.5 notitle\n",
                      InWattHours(problem.battery.capacity) * 1.08, kBatteryColour, kBatteryColour)};
}

Panel PricePanel() {
  return {110, fmt::format(
                   "set ylabel 'EUR/kWh'\n"
                   "plot $plan using 2:12:($3-$2):(0) with vectors nohead lc rgb '{}' lw 2.5 title 'import price', \\\n"
                   "  '' using 2:13:($3-$2):(0) with vectors nohead lc rgb '{}' lw 2.5 dt 2 title 'export price'\n",
                   kPriceColour, kExportColour)};
}

std::string CommonSettings(const Horizon& horizon, int columns, const TimeZone& zone) {
  const double hours = InHours(horizon.SlotDuration()) * horizon.slots;
  return fmt::format(
             "set xrange [0:{:.5f}]\nset style fill solid 1.0 noborder\nset boxwidth {} relative\n"
             "set border 3 lc rgb '{}'\nset tics nomirror out scale 0.5 textcolor rgb '{}'\nset grid ytics lc rgb '{}' "
             "lw 0.5\n"
             "set key outside right top vertical Left reverse samplen 1.5 spacing 1.15 textcolor rgb '{}'\n"
             "set ytics autofreq\n",
             hours, columns <= 60 ? 0.94 : 1.0, kTextColour, kTextColour, kGuideColour, kTextColour) +
         DayLines(horizon, zone);
}

std::string Place(int top_px, int height_px, int total_px) {
  return fmt::format(
      "set tmargin at screen {:.4f}\nset bmargin at screen {:.4f}\nset lmargin at screen 0.085\n"
      "set rmargin at screen 0.83\n",
      1.0 - static_cast<double>(top_px) / total_px, 1.0 - static_cast<double>(top_px + height_px) / total_px);
}

}  // namespace

Figure PlanFigure(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone, const std::string& title) {
  const TimeColumns fit = FitColumns(problem.horizon, kMostColumns);
  std::vector<Panel> panels{PowerPanel(problem), GridPanel()};
  if (problem.battery.capacity > kVisibleEnergy) panels.push_back(BatteryPanel(problem));
  panels.push_back(PricePanel());

  int total_px = kTitleHeight + kAxisHeight;
  for (const Panel& panel : panels) total_px += panel.height_px + kPanelGap;

  const std::string heading = fmt::format("{}: {} modelled cost", title, MoneyText(plan.totals.cost));
  std::string script = DataBlock(problem, GatherColumns(problem, plan, fit), fit);
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
