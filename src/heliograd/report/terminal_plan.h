// A plan as people read it on a terminal.
//
// The room `report`. Enters: traces, plans and problems from lower rooms. Leaves: text, pages and gnuplot scripts. It
// computes no plan, changes nothing, and knows neither solver nor device; only gnuplot.h starts a process and writes a
// file.
#pragma once

#include <string>
#include <vector>

#include "heliograd/base/time.h"
#include "heliograd/plan/plan.h"
#include "heliograd/report/terminal_style.h"

namespace heliograd {

/// What the headline says beside what problem and plan tell.
struct PlanTitle {
  std::string site{};                  // name of the place; empty = not said
  std::vector<std::string> remarks{};  // those of the plan's notes that the headline says, and the notes then do not
};

/// What the plan costs and how sure that is, the plan drawn over time, the table of slots (with style.table), the
/// ladder of baselines, what each lever saves, the price of the deadline, carbon, and notes. An infeasible plan gives
/// its reason and the baselines that run. Text from files is made harmless to a terminal. Pure and thread-safe.
/// Precondition: unless infeasible, one plan slot per slot of the horizon.
std::string DrawPlan(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone, const TerminalStyle& style,
                     const PlanTitle& title = {});

}  // namespace heliograd
