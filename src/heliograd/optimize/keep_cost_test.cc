#include "heliograd/optimize/keep_cost.h"

#include <gtest/gtest.h>

#include "heliograd/optimize/solver.h"
#include "heliograd/plan/test_problems.h"

namespace heliograd {
namespace {

std::vector<SlotDecision> Best(const DispatchProblem& problem, Money* cost) {
  const Result<Solution> solution = MakeAutoSolver()->Solve(problem, Formulation::kBlend, {});
  EXPECT_TRUE(solution);
  *cost = solution->objective;
  return solution->decisions;
}

TEST(KeepCost, OfTheBestPlanIsItsOwnCost) {
  for (const DispatchProblem& problem : {StudyProblem(20, 19), RichProblem()}) {
    Money cost;
    const auto decisions = Best(problem, &cost);
    const auto kept = CostOfKeeping(problem, decisions);
    ASSERT_TRUE(kept && *kept);
    EXPECT_NEAR(InEuros(**kept), InEuros(cost), 0.001 + 1e-6);  // the solver's tolerance
  }
}

TEST(KeepCost, IsNeverBelowTheBestPlanOfTheSameWork) {
  DispatchProblem problem = StudyProblem(20, 19);
  Money cost, cost_now;
  const auto decisions = Best(problem, &cost);
  for (Energy& pv : problem.pv) pv *= 0.3;
  for (size_t t = 0; t < 6; ++t) problem.import_price[t] *= 3;
  const auto kept = CostOfKeeping(problem, decisions);
  Best(problem, &cost_now);
  ASSERT_TRUE(kept && *kept);
  EXPECT_GT(InEuros(**kept), InEuros(cost_now) - 0.001);
  EXPECT_GT(InEuros(**kept), InEuros(cost));
}

TEST(KeepCost, NothingBeyondTheImportLimit) {
  DispatchProblem problem = StudyProblem(20, 19);
  Money cost;
  const auto decisions = Best(problem, &cost);
  problem.grid.import_limit = Watts(10);
  const auto kept = CostOfKeeping(problem, decisions);
  ASSERT_TRUE(kept);
  EXPECT_FALSE(*kept);
}

}  // namespace
}  // namespace heliograd
