// The slots of a plan as a table: time, level, powers, battery, price, reason.
#pragma once

#include <string>

#include "heliograd/base/time.h"
#include "heliograd/plan/plan.h"
#include "heliograd/report/terminal_style.h"

namespace heliograd {

/// Mean powers over each slot and the energy stored at its end; runs of equal slots are one row. Precondition: one plan
/// slot per slot of the horizon.
std::string DrawSlotTable(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone,
                          const TerminalStyle& style);

}  // namespace heliograd
