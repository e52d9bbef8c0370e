// Plans what is left of a run anew: the run's request becomes a dispatch problem, the solver's answer a running plan.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "heliograd/base/result.h"
#include "heliograd/control/plan_runner.h"
#include "heliograd/optimize/solver.h"
#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// One thread.
class Replanning {
 public:
  /// `problem` is the plan's, whose prices and PV may be replaced by newer ones.
  Replanning(DispatchProblem problem, Formulation formulation, std::unique_ptr<DispatchSolver> solver,
             const SolveOptions& options)
      : problem_(std::move(problem)), formulation_(formulation), solver_(std::move(solver)), options_(options) {}

  DispatchProblem& problem() { return problem_; }
  /// Measured energy in the battery, used for the next plan alone; without it the running plan's own value is taken.
  void SetStored(Energy stored) { stored_ = stored; }

  Result<ReplanAnswer> operator()(const ReplanRequest& request);

 private:
  DispatchProblem ProblemFor(const ReplanRequest& request) const;

  DispatchProblem problem_;
  Formulation formulation_;
  std::unique_ptr<DispatchSolver> solver_;
  SolveOptions options_;
  std::optional<Energy> stored_;
};

/// What the running plan has in the battery at an instant of its horizon; before it, what it begins with.
Energy StoredAt(const RunningPlan& plan, Formulation formulation, Stamp stamp);

}  // namespace heliograd
