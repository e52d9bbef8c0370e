// A plan drawn over time: lanes of GPU power, PV, battery, grid and price above the local clock.
#pragma once

#include <string>

#include "heliograd/base/time.h"
#include "heliograd/plan/plan.h"
#include "heliograd/report/terminal_style.h"

namespace heliograd {

/// Lanes that have nothing to show (no PV, no battery, no sale) are left out. Every line ends with a newline and is no
/// wider than the style allows. Precondition: one plan slot per slot of the horizon, and at least one.
std::string DrawGantt(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone,
                      const TerminalStyle& style);

/// How to read the lanes, as sentences.
std::string GanttLegend(const DispatchProblem& problem, const Plan& plan, const TerminalStyle& style);

}  // namespace heliograd
