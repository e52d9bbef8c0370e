// A year of PV on a terminal: mean power by month and hour as shaded blocks, and energy by month as bars.
#pragma once

#include <string>

#include "heliograd/report/terminal_style.h"
#include "heliograd/trace/typical_year.h"

namespace heliograd {

/// One line per month, one field per hour of local standard time; darker is more. Precondition: 8760 hours.
std::string DrawYear(const PvYearSeries& year, const TerminalStyle& style);

/// One bar per month with its energy, and the sum of the year. Precondition: 8760 hours.
std::string DrawMonths(const PvYearSeries& year, const TerminalStyle& style);

}  // namespace heliograd
