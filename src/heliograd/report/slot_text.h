// Why one slot of a plan does what it does, in words and as a figure of its three curves.
//
// Enters: the curves with the plan's point on each (plan/slot_explanation.h), the problem and the plan. Leaves: text,
// or a gnuplot script. It computes no price.
#pragma once

#include <string>

#include "heliograd/base/time.h"
#include "heliograd/plan/plan.h"
#include "heliograd/plan/slot_explanation.h"
#include "heliograd/report/gnuplot.h"
#include "heliograd/report/terminal_style.h"

namespace heliograd {

/// What the slot, the connection point, the battery and the GPU do, each with the prices that decide. A sentence
/// compares the numbers that it names, so that it is true of any plan. Pure and thread-safe.
std::string SlotExplanationText(const DispatchProblem& problem, const Plan& plan, const SlotExplanation& explanation,
                                const TimeZone& zone, const TerminalStyle& style);

/// Three panels: cost of the bus; value of stored energy before and after the slot, with tangents; work against energy
/// of the GPU with the price of work as tangent. Without a battery two. Pure and thread-safe.
Figure SlotExplanationFigure(const DispatchProblem& problem, const Plan& plan, const SlotExplanation& explanation,
                             const TimeZone& zone);

}  // namespace heliograd
