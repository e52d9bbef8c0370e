// A plan as a figure: what feeds the GPU, the grid, the battery and the price over local time.
#pragma once

#include <string>

#include "heliograd/base/time.h"
#include "heliograd/plan/plan.h"
#include "heliograd/report/gnuplot.h"

namespace heliograd {

/// Panels one above the other on one local clock. The title gets the cost added. Panels with nothing to show (no
/// battery) are left out. Precondition: one plan slot per slot of the horizon, and at least one.
Figure PlanFigure(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone, const std::string& title);

}  // namespace heliograd
