#include "heliograd/optimize/kernel_directions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "heliograd/optimize/random_problems.h"
#include "heliograd/optimize/solver.h"
#include "heliograd/plan/checker.h"

namespace heliograd {
namespace {

TEST(DirectionBound, LiesBelowEveryPlanAndItsDirectionsLeadToOne) {
  RandomProblems random(17);
  const auto solver = MakeKernelSolver();
  int met = 0;
  for (int i = 0; i < 400; ++i) {
    SCOPED_TRACE(i);
    const DispatchProblem problem = random.Next(i % 2 == 1, 12);
    const auto kernel = kernel::MakeProblem(problem, Formulation::kBlend);
    if (!kernel) continue;
    const Solution exact = *solver->Solve(problem, Formulation::kBlend, {Euros(1e-9), std::nullopt});
    kernel::DirectionBound bound(*kernel);
    const bool found = bound.Maximize(kernel::TypicalWorkPrice(*kernel), {});
    if (exact.status != SolveStatus::kOptimal) {
      EXPECT_FALSE(found);
      continue;
    }
    ASSERT_TRUE(found);
    ++met;
    // Sums of some 12 slots; the exact cost is known to 1e-9.
    EXPECT_LE(bound.bound(), InEuros(exact.objective) + 1e-9);
    kernel::BlendRelaxation fixed(*kernel);
    ASSERT_EQ(fixed.Solve(bound.more(), bound.work_price(), {}), kernel::Outcome::kSolved);
    EXPECT_GE(fixed.bound(), InEuros(exact.objective) - 2e-9);
  }
  EXPECT_GT(met, 200);
}

/// A horizon of hourly prices, export above import in about half of the slots.
DispatchProblem LongProblem(int slots, double import_low, double import_high, double export_low, double export_high) {
  std::mt19937 random(5);
  const auto uniform = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  DispatchProblem problem = StudyProblem({2025, 1, 1, 0}, slots);
  for (size_t t = 0; t < problem.pv.size(); ++t) {
    const double hour = static_cast<double>(t % 24), sun = std::max(0.0, 1 - std::pow((hour - 12.5) / 5.5, 2));
    problem.pv[t] = WattHours(700 * sun * uniform(0.2, 1));
    problem.import_price[t] = EurosPerKilowattHour(uniform(import_low, import_high));
    problem.export_price[t] = EurosPerKilowattHour(uniform(export_low, export_high));
  }
  problem.battery.capacity = WattHours(5000);
  problem.work = std::min(1.0, 0.6 * slots / InHours(problem.gpu.levels.back().job_time));
  return problem;
}

void ExpectProven(const DispatchProblem& problem) {
  const auto solution = MakeKernelSolver()->Solve(problem, Formulation::kBlend, {Euros(0.001), Seconds(60)});
  ASSERT_TRUE(solution);
  EXPECT_EQ(solution->status, SolveStatus::kOptimal);
  Plan plan = MakePlan(problem, Formulation::kBlend, solution->decisions);
  plan.status = PlanStatus::kOptimal;
  plan.bound = solution->bound;
  EXPECT_TRUE(CheckPlan(problem, plan).empty());
}

/// Once open at 220 EUR after 3 seconds: slots were split one by one.
TEST(DirectionBound, AYearOfPricesOnBothSidesOfEachOtherIsProven) {
  ExpectProven(LongProblem(8760, 0.1, 0.4, 0.1, 0.4));
}

/// Once 5 seconds for 48 hours, and no proof for more.
TEST(DirectionBound, NegativePricesBelowTheSaleAreProven) {
  ExpectProven(LongProblem(48, -0.11, -0.01, 0.05, 0.05));
  ExpectProven(LongProblem(336, -0.11, -0.01, -0.005, -0.001));
  ExpectProven(LongProblem(336, -0.1, 0.2, -0.1, 0.15));
}

}  // namespace
}  // namespace heliograd
