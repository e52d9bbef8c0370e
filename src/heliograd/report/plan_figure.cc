#include "heliograd/report/plan_figure.h"

#include <fmt/format.h>

#include <algorithm>

#include "heliograd/report/number_text.h"
#include "heliograd/report/palette.h"
#include "heliograd/report/plan_columns.h"
#include "heliograd/report/time_axis.h"
#include "heliograd/report/time_panels.h"

namespace heliograd {
namespace {

constexpr int kMostColumns = 400;  // finer bars than this are thinner than a pixel pair

/// $plan, a row per column of time: 1 its middle (hours from the start); power to the GPU from 2 PV, 3 PV and battery,
/// 4 all three; 5 import, 6 minus export, 7 PV offered (W).
std::string PowerBlock(const Horizon& horizon, const std::vector<PlanColumn>& columns, const TimeColumns& fit) {
  const double slot_h = InHours(horizon.SlotDuration());
  std::string block = "$plan << EOD\n";
  for (int c = 0; c < fit.columns; ++c) {
    const PlanColumn& column = columns[c];
    const double pv_w = InWatts(column.gpu_from_pv);
    const double battery_w = InWatts(column.gpu_from_battery);
    block += fmt::format("{:.5f} {:.3f} {:.3f} {:.3f} {:.3f} {:.3f} {:.3f}\n",
                         (fit.FirstSlot(c) + fit.EndSlot(c, horizon.slots)) * slot_h / 2, pv_w, pv_w + battery_w,
                         pv_w + battery_w + InWatts(column.gpu_from_grid), InWatts(column.grid_import),
                         -InWatts(column.grid_export), InWatts(column.pv));
  }
  return block + "EOD\n";
}

/// $battery, a row at the start and one per end of a column: 1 hour, 2 stored (Wh).
std::string BatteryBlock(const DispatchProblem& problem, const std::vector<PlanColumn>& columns,
                         const TimeColumns& fit) {
  std::string block = fmt::format("$battery << EOD\n0 {:.3f}\n", InWattHours(problem.battery.initial));
  for (int c = 0; c < fit.columns; ++c) {
    block +=
        fmt::format("{:.5f} {:.3f}\n", fit.EndSlot(c, problem.horizon.slots) * InHours(problem.horizon.SlotDuration()),
                    InWattHours(columns[c].stored_end));
  }
  return block + "EOD\n";
}

/// All the numbers of the figure; $gpu in W, prices in EUR/kWh.
std::string DataBlocks(const DispatchProblem& problem, const std::vector<PlanColumn>& columns, const TimeColumns& fit) {
  std::vector<double> gpu_w, import_price, export_price;
  for (const PlanColumn& column : columns) {
    gpu_w.push_back(InWatts(column.gpu));
    import_price.push_back(InEurosPerKilowattHour(column.import_price));
    export_price.push_back(InEurosPerKilowattHour(column.export_price));
  }
  const Horizon& horizon = problem.horizon;
  return PowerBlock(horizon, columns, fit) + BatteryBlock(problem, columns, fit) +
         StepBlock("gpu", gpu_w, fit, horizon) + StepBlock("import_price", import_price, fit, horizon) +
         StepBlock("export_price", export_price, fit, horizon);
}

Panel PowerPanel(const DispatchProblem& problem, int columns) {
  return {230, fmt::format("set ylabel 'GPU power, W'\nset yrange [0:{:.3f}]\n"
                           "plot $plan using 1:4 {} title 'from the grid', \\\n"
                           "  '' using 1:3 {} title 'from the battery', \\\n"
                           "  '' using 1:2 {} title 'from PV', \\\n"
                           "  $gpu using 1:2 with steps lc rgb '{}' lw 1.5 title 'GPU power'\n",
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
                           "plot $import_price using 1:2 with steps lc rgb '{}' lw 2.5 title 'import price', \\\n"
                           "  $export_price using 1:2 with steps lc rgb '{}' lw 2.5 dt 2 title 'export price'\n",
                           InEurosPerKilowattHour(low - air), InEurosPerKilowattHour(high + air), kPriceColour,
                           kExportColour)};
}

}  // namespace

Figure PlanFigure(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone, const std::string& title) {
  const TimeColumns fit = FitColumns(problem.horizon, kMostColumns);
  const std::vector<PlanColumn> columns = GatherColumns(problem, plan, fit);
  std::vector<Panel> panels{PowerPanel(problem, fit.columns), GridPanel(fit.columns)};
  if (problem.battery.capacity > kVisibleEnergy) panels.push_back(BatteryPanel(problem));
  panels.push_back(PricePanel(columns));

  const std::string heading =
      fmt::format("{}: what feeds the GPU, at a modelled cost of {}", title, MoneyText(plan.totals.cost));
  return StackPanels(problem.horizon, zone, heading, DataBlocks(problem, columns, fit), panels, fit.columns);
}

}  // namespace heliograd
