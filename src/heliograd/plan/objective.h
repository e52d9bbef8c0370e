// What a plan minimises, in its own unit: euros, or the carbon that they stand for.
//
// Enters: values of the objective as solvers give them. Leaves: carbon, where carbon is minimised. Solvers know money
// alone: with Objective::kCarbon a value of the objective in EUR is grams of carbon (kCarbonWeight) plus euros that
// only decide between plans of equal carbon, so that it reads as carbon to about a gram per euro of cost.
#pragma once

#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// What the plan minimises, of totals: their cost, or with Objective::kCarbon their carbon, weighed, and their cost
/// less what carbon is priced at.
inline Money ObjectiveOf(const DispatchProblem& problem, const Totals& totals) {
  if (problem.objective == Objective::kCost) return totals.cost;
  return totals.cost - totals.carbon_cost + totals.carbon * kCarbonWeight;
}

/// The carbon that a value of the objective stands for. Precondition: Objective::kCarbon.
inline CarbonMass CarbonOfObjective(Money objective) { return objective / kCarbonWeight; }
inline CarbonIntensity CarbonOfObjective(EnergyPrice price) { return price / kCarbonWeight; }

/// The least carbon that any plan emits, by the bound: the money in the bound is taken as this plan's.
/// Precondition: Objective::kCarbon.
inline CarbonMass CarbonBound(const Plan& plan) {
  return CarbonOfObjective(plan.bound - (plan.totals.cost - plan.totals.carbon_cost));
}

}  // namespace heliograd
