// What it costs to go on with a plan's power levels when prices, PV or the battery are not what they were.
#pragma once

#include <optional>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// The least objective (as Solution::objective) with the level shares of `decisions` as they are: battery and grid are
/// planned anew around them, by a linear program. Work is not asked for. Flows of both directions in one slot, which
/// pay only where selling is dearer than buying, are not forbidden, so the answer may then be too low. Nothing when the
/// limits of grid and battery do not allow it. Precondition: one decision per slot, Defects(problem) is empty.
Result<std::optional<Money>> CostOfKeeping(const DispatchProblem& problem, const std::vector<SlotDecision>& decisions);

}  // namespace heliograd
