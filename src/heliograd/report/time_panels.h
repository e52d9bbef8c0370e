// Panels one above the other on one local clock, for figures of plans and of runs. Hours count from the horizon's
// start.
#pragma once

#include <string>
#include <vector>

#include "heliograd/base/time.h"
#include "heliograd/report/gnuplot.h"
#include "heliograd/report/time_axis.h"

namespace heliograd {

struct Panel {
  int height_px;
  std::string commands;  // of gnuplot, with a plot
};

/// Gnuplot's words for bars in one colour. Many bars touch, and a border in their own colour then closes the seams.
std::string Bars(const char* colour, int columns);

/// A data block $NAME for `with steps`: hour and value wherever the value changes, and at the end. Runs of equal values
/// are one line, so that dashes show. Precondition: a value per column, and at least one.
std::string StepBlock(const std::string& name, const std::vector<double>& values, const TimeColumns& fit,
                      const Horizon& horizon);

/// The whole figure: `data` are the blocks that the panels plot, `columns` the number of bars over the horizon.
Figure StackPanels(const Horizon& horizon, const TimeZone& zone, const std::string& heading, const std::string& data,
                   const std::vector<Panel>& panels, int columns);

}  // namespace heliograd
