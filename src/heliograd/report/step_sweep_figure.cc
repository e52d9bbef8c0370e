#include "heliograd/report/step_sweep_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/report/palette.h"

namespace heliograd {
namespace {

constexpr int kWidth = 1000, kHeight = 760;
constexpr double kBarShare = 0.72;  // of the smallest step between limits
constexpr const char* kClockColour = kTextColour;

std::string NumberText(double value) { return std::isfinite(value) ? fmt::format("{:.9g}", value) : "NaN"; }

bool AnyKnown(const std::vector<double>& values) {
  return std::any_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

double SmallestStep(const std::vector<double>& limits_w) {
  double step = limits_w.back() - limits_w.front();
  for (size_t i = 1; i < limits_w.size(); ++i) step = std::min(step, limits_w[i] - limits_w[i - 1]);
  return step > 0 ? step : 1;
}

/// Columns: limit, low, high, clock, time, the study's time, then the bars' tops from the first step up.
std::string DataBlock(const StepSweepChart& chart) {
  std::string block = "$sweep << EOD\n";
  for (size_t i = 0; i < chart.limits_w.size(); ++i) {
    block += fmt::format("{:g} {} {} {} {} {}", chart.limits_w[i], NumberText(chart.energy_low_j[i]),
                         NumberText(chart.energy_high_j[i]), NumberText(chart.sm_clock_mhz[i]),
                         NumberText(chart.time[i]), NumberText(chart.study_time[i]));
    double top = 0;
    for (const StepSweepChart::Step& step : chart.steps) {
      top += std::isnan(step.energy_j[i]) ? step.energy_j[i] : std::max(0.0, step.energy_j[i]);
      block += " " + NumberText(top);
    }
    block += "\n";
  }
  return block + "EOD\n";
}

std::string EnergyPanel(const StepSweepChart& chart, double bar_width) {
  constexpr size_t kFirstTop = 7;
  const bool has_clock = AnyKnown(chart.sm_clock_mhz), has_energy = AnyKnown(chart.energy_low_j);
  std::string script = fmt::format(
      "set tmargin at screen 0.86\nset bmargin at screen 0.40\nset yrange [0:{}]\nset ylabel 'energy, J per "
      "iteration'\nset format x ''\nset xlabel ''\n",
      has_energy ? "*" : "1");
  if (has_clock) {
    script += fmt::format(
        "set y2tics nomirror out scale 0.5 textcolor rgb '{0}'\nset y2range [0:*]\nset y2label 'SM clock, MHz' "
        "textcolor rgb '{0}'\nset border 11\n",
        kClockColour);
  }
  script += "plot ";
  // A higher bar is drawn first, so that the lower ones stand in front of it.
  for (size_t i = chart.steps.size(); i-- > 0;) {
    script += fmt::format("$sweep using 1:{}:({}) with boxes lc rgb '{}' title {}, \\\n  ", kFirstTop + i, bar_width,
                          kSeriesColours[i % kSeriesColours.size()], GnuplotQuoted(chart.steps[i].name));
  }
  script += fmt::format("$sweep using 1:2:(0):($3-$2) with vectors nohead lw 2 lc rgb '{}' title '95 % interval'",
                        kTextColour);
  if (has_clock) {
    script += fmt::format(
        ", \\\n  $sweep using 1:4 axes x1y2 with linespoints lc rgb '{}' lw 2 dt 2 pt 6 ps 0.8 title 'SM clock "
        "(right)'",
        kClockColour);
  }
  return script + "\n";
}

std::string TimePanel(const StepSweepChart& chart) {
  std::string script = fmt::format(
      "unset title\nunset y2tics\nunset y2label\nset border 3\nset tmargin at screen 0.36\nset bmargin at screen "
      "0.10\nset format x '%g'\nset xlabel 'power limit, W'\nset ylabel 'time of an iteration, 1 = highest limit'\n"
      "set yrange [*:*]\nset key default\nset key at graph 0.98,0.95 right top vertical Right samplen 2 textcolor rgb "
      "'{0}'\nplot $sweep using 1:5 with linespoints lc rgb '{1}' lw 2 pt 7 ps 0.8 title 'here'",
      kTextColour, kGridColour);
  if (AnyKnown(chart.study_time)) {
    script += fmt::format(
        ", \\\n  $sweep using 1:6 with lines lc rgb '{}' lw 2 dt 2 title \"the study's (RTX 4070, Table IV)\"",
        kPriceColour);
  }
  return script + "\n";
}

}  // namespace

Figure StepSweepFigure(const StepSweepChart& chart) {
  const double step = SmallestStep(chart.limits_w);
  std::string script = DataBlock(chart);
  script += fmt::format(
      "set multiplot\nset label 1 {} at screen 0.5,0.965 center font ',15' textcolor rgb '{}'\nset lmargin at screen "
      "0.09\nset rmargin at screen 0.91\nset xrange [{}:{}]\nset border 3 lc rgb '{}'\n"
      "set tics nomirror out scale 0.5 textcolor rgb '{}'\nset grid ytics lc rgb '{}' lw 0.5\n"
      "set style fill solid 1.0 noborder\n"
      "set key at screen 0.5,0.945 center top horizontal Left reverse maxrows 2 samplen 2 spacing 1.15 textcolor rgb "
      "'{}'\n",
      GnuplotQuoted(chart.title), kTextColour, chart.limits_w.front() - step, chart.limits_w.back() + step, kTextColour,
      kTextColour, kGuideColour, kTextColour);
  script += EnergyPanel(chart, kBarShare * step) + "unset label 1\n" + TimePanel(chart) + "unset multiplot\n";
  return {script, kWidth, kHeight};
}

}  // namespace heliograd
