// The main job: inputs in, a checked and explained plan out.
#pragma once

#include <string>
#include <vector>

#include "heliograd/app/inputs.h"
#include "heliograd/base/result.h"
#include "heliograd/optimize/solver.h"
#include "heliograd/plan/plan.h"

namespace heliograd {

struct PlanningOptions {
  Formulation formulation = Formulation::kBlend;
  SolveOptions solve;
  bool explain = true;  // ladder, levers, deadline price and reasons; a study of many points leaves them out
};

struct PlannedJob {
  DispatchProblem problem;
  Plan plan;  // has passed the checker, or is infeasible with a reason
};

/// Solves, checks and explains. An error is a failure of the solver or a plan that the checker refused: neither is
/// shown.
Result<PlannedJob> PlanJob(const NodeInputs& inputs, const PlanningOptions& options, const DispatchSolver& solver);

}  // namespace heliograd
