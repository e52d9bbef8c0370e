// A measured power curve as a figure, as the study's Figs 7 and 8: energy per unit of work as bars over the limits with
// the SM clock as a line, and time per unit below.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "heliograd/model/limit_sweep.h"
#include "heliograd/report/gnuplot.h"

namespace heliograd {

struct CurveChart {
  std::string title;
  std::string unit;  // of work, for the axes: "unit", "run"
  SweepResult found;
  std::vector<std::optional<double>> sm_clock_mhz;  // of each level
};

/// Bars of dominated levels are pale, error bars are 95 % intervals, the knee's interval is a band behind the bars and
/// the knee a line in it. Precondition: as many clocks as levels, at least one.
Figure CurveFigure(const CurveChart& chart);

}  // namespace heliograd
