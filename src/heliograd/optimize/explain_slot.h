// The curves behind one slot of a plan, from the kernel's own solution.
//
// Enters: a problem, a plan of it and a slot. Leaves: the cost of the bus, the value of stored energy and the worth of
// work as curves, with the plan's point on each (docs/kernel.md, section 9). It solves the problem once more, in
// microseconds, and knows no file and no drawing.
#pragma once

#include "heliograd/base/result.h"
#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"
#include "heliograd/plan/slot_explanation.h"

namespace heliograd {

/// Prices are those at which the plan's directions (buying or selling, charging or discharging) are best, where a slot
/// could do either. An error says why there are no such curves: another formulation than `blend`, a plan that is
/// infeasible, or a problem outside the kernel's structure. Precondition: the plan has passed CheckPlan, and the slot
/// is one of its slots. Pure and safe from any thread.
Result<SlotExplanation> ExplainSlot(const DispatchProblem& problem, const Plan& plan, size_t slot);

}  // namespace heliograd
