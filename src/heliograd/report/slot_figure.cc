#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/report/number_text.h"
#include "heliograd/report/objective_text.h"
#include "heliograd/report/palette.h"
#include "heliograd/report/slot_text.h"

namespace heliograd {
namespace {

constexpr int kPanelWidth = 470, kHeight = 480;
constexpr const char* kPointColour = kPriceColour;

struct Panel {
  std::string title, x_label, y_label, plots;
  double x_low = 0, x_high = 1, y_low = 0, y_high = 1;
};

std::string CostBlock(const std::string& name, const std::vector<CostPoint>& points) {
  std::string block = fmt::format("${} << EOD\n", name);
  for (const CostPoint& point : points) {
    block += fmt::format("{:.6f} {:.9f}\n", InWattHours(point.energy), InEuros(point.cost));
  }
  return block + "EOD\n";
}

std::string HullBlock(const std::vector<WorkPoint>& points) {
  std::string block = "$hull << EOD\n";
  for (const WorkPoint& point : points) {
    block += fmt::format("{:.6f} {:.9f}\n", InWattHours(point.energy), 100 * point.work);
  }
  return block + "EOD\n";
}

void Cover(Panel& panel, const std::vector<CostPoint>& points) {
  for (const CostPoint& point : points) {
    panel.y_low = std::min(panel.y_low, InEuros(point.cost));
    panel.y_high = std::max(panel.y_high, InEuros(point.cost));
  }
}

/// Room on all sides, so that no line lies on the frame.
void AddAir(Panel& panel) {
  const double x = std::max(0.04 * (panel.x_high - panel.x_low), 1e-3);
  const double y = std::max(0.08 * (panel.y_high - panel.y_low), 1e-6);
  panel.x_low -= x, panel.x_high += x, panel.y_low -= y, panel.y_high += y;
}

/// A dashed line through a point, y per Wh, over the panel's width.
std::string Tangent(double x, double y, double slope, const char* colour, const std::string& title) {
  return fmt::format(", \\\n  {:.9f} + {:.12f} * (x - {:.6f}) with lines lc rgb '{}' lw 1.5 dt 2 title {}", y, slope, x,
                     colour, GnuplotQuoted(title));
}

std::string Dot(double x, double y, const char* colour, const std::string& title) {
  return fmt::format(", \\\n  '+' using ({:.6f}):({:.9f}) every ::0::0 with points pt 7 ps 1.3 lc rgb '{}' {}", x, y,
                     colour, title.empty() ? "notitle" : "title " + GnuplotQuoted(title));
}

/// A price that both sides of a point allow: as `preferred` where that is one.
std::optional<EnergyPrice> PriceWithin(const Slopes& slopes, const std::optional<EnergyPrice>& preferred) {
  const auto [low, high] = std::pair(slopes.more, slopes.less);
  if (preferred && (!low || *preferred >= *low) && (!high || *preferred <= *high)) return preferred;
  if (low && high) return (*low + *high) / 2;
  return low ? low : high;
}

/// The price of energy in this slot at which GPU and connection point both stay as they are.
std::optional<EnergyPrice> EnergyPriceOf(const SlotExplanation& why) {
  const auto larger = [](auto a, auto b) { return !a ? b : !b ? a : std::optional(std::max(*a, *b)); };
  const auto smaller = [](auto a, auto b) { return !a ? b : !b ? a : std::optional(std::min(*a, *b)); };
  return PriceWithin({smaller(why.gpu_worth.less, why.bus_price.more), larger(why.gpu_worth.more, why.bus_price.less)},
                     std::nullopt);
}

/// A gram of carbon is weighed as a euro, so that the numbers stand for either.
std::string UnitOf(const DispatchProblem& problem) { return problem.objective == Objective::kCarbon ? "g CO2" : "EUR"; }

Panel BusPanel(const DispatchProblem& problem, const SlotExplanation& why) {
  Panel panel;
  panel.title =
      problem.objective == Objective::kCarbon ? "Connection point: carbon C(x)" : "Connection point: cost C(x)";
  panel.x_label = "the bus draws x, Wh";
  panel.y_label = UnitOf(problem);
  panel.x_low = InWattHours(why.bus_curve.front().energy);
  panel.x_high = InWattHours(why.bus_curve.back().energy);
  panel.y_low = panel.y_high = InEuros(why.bus.cost);
  Cover(panel, why.bus_curve);
  const double x = InWattHours(why.bus.energy), y = InEuros(why.bus.cost), pv = InWattHours(problem.pv[why.slot]);
  panel.plots = fmt::format("$bus using 1:2 with lines lc rgb '{}' lw 2.5 title 'least cost'", kGridColour);
  if (why.bus_price.more) {
    panel.plots += Tangent(x, y, InEuros(*why.bus_price.more * WattHours(1)), kTextColour,
                           "one more: " + ObjectivePriceText(problem.objective, *why.bus_price.more));
  }
  panel.plots +=
      Dot(x, y, kPointColour,
          fmt::format("the plan: {}, {}", EnergyText(why.bus.energy), ObjectiveText(problem.objective, why.bus.cost)));
  AddAir(panel);
  if (pv > 0) {
    panel.plots += fmt::format(
        ", \\\n  '+' using ({0:.6f}):({1:.9f}):(0):({2:.9f}) every ::0::0 with vectors nohead lc rgb '{3}' lw "
        "1.5 title {4}",
        pv, panel.y_low, panel.y_high - panel.y_low, kPvColour,
        GnuplotQuoted("PV: " + EnergyText(problem.pv[why.slot])));
  }
  return panel;
}

Panel ValuePanel(const DispatchProblem& problem, const Plan& plan, const SlotExplanation& why) {
  Panel panel;
  panel.title = problem.objective == Objective::kCarbon ? "Battery: carbon of all that follows, V(E)"
                                                        : "Battery: cost of all that follows, V(E)";
  panel.x_label = "stored energy E, Wh";
  panel.y_label = UnitOf(problem);
  panel.x_high = InWattHours(problem.battery.capacity);
  panel.y_low = panel.y_high = InEuros(why.before.cost);
  Cover(panel, why.value_before);
  Cover(panel, why.value_after);
  panel.plots = fmt::format(
      "$before using 1:2 with linespoints pt 7 ps 0.35 lc rgb '{}' lw 2.5 title 'at the slot''s start', \\\n"
      "  $after using 1:2 with linespoints pt 7 ps 0.35 lc rgb '{}' lw 2.5 title 'at its end'",
      kBatteryColour, kExportColour);
  const auto next = why.slot + 1 < plan.slots.size() ? plan.slots[why.slot + 1].stored_value : std::nullopt;
  const auto add = [&](const CostPoint& point, const std::optional<EnergyPrice>& worth, const char* colour) {
    const double x = InWattHours(point.energy), y = InEuros(point.cost);
    if (worth)
      panel.plots += Tangent(x, y, -InEuros(*worth * WattHours(1)), colour,
                             "worth " + ObjectivePriceText(problem.objective, *worth));
    panel.plots += Dot(x, y, colour, "");
  };
  add(why.before, PriceWithin(why.worth_before, plan.slots[why.slot].stored_value), kBatteryColour);
  add(why.after, PriceWithin(why.worth_after, next), kExportColour);
  AddAir(panel);
  return panel;
}

Panel GpuPanel(const DispatchProblem& problem, const SlotExplanation& why) {
  Panel panel;
  panel.title = "GPU: work done with the slot's energy";
  panel.x_label = "energy of the node, Wh";
  panel.y_label = "% of the job";
  panel.x_low = InWattHours(why.hull.front().energy);
  panel.x_high = InWattHours(why.hull.back().energy);
  panel.y_high = 100 * std::max(why.hull.back().work, why.gpu.work);
  panel.plots = fmt::format(
      "$hull using 1:2 with linespoints pt 7 ps 0.6 lc rgb '{}' lw 2.5 title 'levels and their mixes'", kGridColour);
  const double x = InWattHours(why.gpu.energy), y = 100 * why.gpu.work;
  const auto price = EnergyPriceOf(why);
  if (price && why.work_price > Money()) {
    panel.plots += Tangent(x, y, 100 * (*price * WattHours(1) / why.work_price), kTextColour,
                           fmt::format("{} for energy at {} a job", ObjectivePriceText(problem.objective, *price),
                                       ObjectiveText(problem.objective, why.work_price)));
  }
  panel.plots +=
      Dot(x, y, kPointColour, fmt::format("the plan: {}, {}", EnergyText(why.gpu.energy), PercentText(why.gpu.work)));
  AddAir(panel);
  return panel;
}

std::string Draw(const Panel& panel, size_t place, size_t panels) {
  const double width = 1.0 / static_cast<double>(panels), left = width * static_cast<double>(place);
  return fmt::format(
      "set lmargin at screen {:.4f}\nset rmargin at screen {:.4f}\nset tmargin at screen 0.68\nset bmargin at screen "
      "0.13\n"
      "set title {} font ',13' textcolor rgb '{}' offset 0,6.2\nset xlabel {}\nset ylabel {}\n"
      "set key at screen {:.4f},0.83 left top vertical Left reverse samplen 3 spacing 1.1 textcolor rgb '{}'\n"
      "set xrange [{:.6f}:{:.6f}]\nset yrange [{:.9f}:{:.9f}]\nplot {}\n",
      left + 0.21 * width, left + 0.97 * width, GnuplotQuoted(panel.title), kTextColour, GnuplotQuoted(panel.x_label),
      GnuplotQuoted(panel.y_label), left + 0.2 * width, kTextColour, panel.x_low, panel.x_high, panel.y_low,
      panel.y_high, panel.plots);
}

}  // namespace

Figure SlotExplanationFigure(const DispatchProblem& problem, const Plan& plan, const SlotExplanation& explanation,
                             const TimeZone& zone) {
  const bool has_battery = problem.battery.capacity > Energy();
  std::vector<Panel> panels = {BusPanel(problem, explanation)};
  if (has_battery) panels.push_back(ValuePanel(problem, plan, explanation));
  panels.push_back(GpuPanel(problem, explanation));
  const CivilTime start = zone.ToCivil(problem.horizon.SlotStart(static_cast<int>(explanation.slot)));
  const std::string heading = fmt::format("Slot {}, {} {}: why it does what it does (modelled)", explanation.slot,
                                          DayText(start), ClockText(start));
  std::string script = CostBlock("bus", explanation.bus_curve) + CostBlock("before", explanation.value_before) +
                       CostBlock("after", explanation.value_after) + HullBlock(explanation.hull);
  script += fmt::format(
      "set multiplot\nset label 1 {} at screen 0.5,0.955 center font ',16' textcolor rgb '{}'\nset border 3 lc rgb "
      "'{}'\n"
      "set tics nomirror out scale 0.5 textcolor rgb '{}'\nset grid lc rgb '{}' lw 0.5\nset samples 200\n",
      GnuplotQuoted(heading), kTextColour, kTextColour, kTextColour, kGuideColour);
  for (size_t i = 0; i < panels.size(); ++i) {
    script += Draw(panels[i], i, panels.size()) + "unset label 1\n";
  }
  return {script + "unset multiplot\n", kPanelWidth * static_cast<int>(panels.size()), kHeight};
}

}  // namespace heliograd
