// The checker: re-simulates a plan slot by slot and says everything that it breaks.
//
// Enters: a problem and a plan for it, from any source. Leaves: one sentence per violation. It shares no arithmetic
// with the optimiser or with MakePlan, so that one mistake cannot hide another. No plan is shown or carried out
// unchecked.
#pragma once

#include <string>
#include <vector>

#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// How far a sound plan may miss a constraint, given what solvers of linear and mixed-integer programs promise.
struct CheckTolerances {
  /// Of balances, bounds and limits in one slot, Wh. Solvers hold each row to 1e-7 (HiGHS and Gurobi: 1e-7 and 1e-6 by
  /// default) in units of about the largest coefficient: 1e-7 of the largest energy that a slot can move, at least 1e-4
  /// Wh (1e-7 kWh). What the cells hold may miss by the sum of the slots before, each weighed by its self-discharge.
  double energy_wh = 1e-4;
  /// Of "one of two flows is zero", Wh. A binary may be 1e-6 from whole and then opens that share of the largest flow.
  double exclusive_wh = 1e-3;
  /// Of shares (a binary 1e-6 from whole) and of the work done (a row of numbers near 1).
  double share = 1e-6;
  /// Of sums that are only added again in another order: 2^-53 per term, a year of quarter hours has 35,040.
  double relative_rounding = 1e-11;
};

CheckTolerances TolerancesFor(const DispatchProblem& problem);

/// Every violation, in order of time, as one sentence with the slot's start, the value and the limit; empty when the
/// plan is sound. A sound infeasible plan has a reason and no slots. Not more than 100 sentences. Pure; safe from any
/// thread.
std::vector<std::string> CheckPlan(const DispatchProblem& problem, const Plan& plan);

}  // namespace heliograd
