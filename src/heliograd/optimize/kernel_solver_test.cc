#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "heliograd/optimize/random_problems.h"
#include "heliograd/optimize/solver_contract_test.h"
#include "heliograd/plan/checker.h"

namespace heliograd {
namespace {

INSTANTIATE_TEST_SUITE_P(Kernel, SolverContract,
                         testing::Values(SolverUnderTest{.name = "kernel",
                                                         .make = MakeKernelSolver,
                                                         .formulations = {Formulation::kLevels, Formulation::kBlend}},
                                         SolverUnderTest{.name = "auto", .make = MakeAutoSolver}),
                         SolverName);
INSTANTIATE_TEST_SUITE_P(Kernel, SolverProperties,
                         testing::Values(SolverUnderTest{.name = "kernel",
                                                         .make = MakeKernelSolver,
                                                         .formulations = {Formulation::kLevels, Formulation::kBlend}},
                                         SolverUnderTest{.name = "auto", .make = MakeAutoSolver}),
                         SolverName);

TEST(AutoSolver, SaysWhichSolverAnswered) {
  DispatchProblem problem = StudyProblem({2025, 1, 1, 20}, 16);
  const auto solver = MakeAutoSolver();
  EXPECT_EQ(solver->Solve(problem, Formulation::kBlend, {})->solved_by, "heliograd kernel");
  // Idling that draws more than the lowest level is outside the kernel's structure.
  problem.gpu.idle = Watts(150);
  EXPECT_EQ(solver->Solve(problem, Formulation::kBlend, {})->solved_by, MakeHighsSolver()->Name());
}

TEST(KernelSolver, RefusesWhatItDoesNotSolve) {
  DispatchProblem problem = StudyProblem({2025, 1, 1, 20}, 16);
  problem.gpu.idle = Watts(150);
  const auto solution = MakeKernelSolver()->Solve(problem, Formulation::kBlend, {});
  ASSERT_FALSE(solution);
  EXPECT_NE(solution.error().Message().find("highs"), std::string::npos);
}

/// Once called infeasible: only the highest level throughout does the work, an import limit makes the battery give in
/// the middle slot all that the first has left, and the walk missed that place by the last digit.
TEST(KernelSolver, WholeLevelsReachAPlaceThatIsOnePoint) {
  DispatchProblem problem = PlainProblem({0.467205, 0.16931, 0.16931}, 12);
  problem.horizon.step = std::chrono::minutes(15);
  problem.gpu.levels = StudyLevels();
  for (Level& level : problem.gpu.levels) level.job_time *= 1 / 13.4;
  problem.work = 0.75 / InHours(problem.gpu.levels.back().job_time) * (1 - 1e-5);
  problem.battery = PlainBattery(482.174, 0.878479);
  problem.battery.initial = WattHours(352.625);
  problem.battery.max_charge = Watts(93.3549);
  problem.battery.wear_cost = EurosPerKilowattHour(0.035128);
  problem.battery.terminal_value = EurosPerKilowattHour(0.124154);
  problem.grid.import_limit = Watts(173.545);
  problem.export_price = {EurosPerKilowattHour(0.318461), EurosPerKilowattHour(0.208752),
                          EurosPerKilowattHour(0.248063)};
  for (int i = 0; i < 200; ++i) {  // many last digits
    problem.pv = {WattHours(34.2586 + 0.01 * i), WattHours(9.33095), WattHours(79.4188)};
    EXPECT_EQ(MakeKernelSolver()->Solve(problem, Formulation::kLevels, {})->status, SolveStatus::kOptimal) << i;
    problem.pv[1] += WattHours(0.001 * i);
    EXPECT_EQ(MakeKernelSolver()->Solve(problem, Formulation::kLevels, {})->status, SolveStatus::kOptimal) << i;
  }
}

/// Once it ran for 65 % of each of 24 hours of one price.
TEST(KernelSolver, AmongPlansOfEqualCostTheWorkIsDoneEarlyAndInOnePiece) {
  for (const bool battery : {false, true}) {
    DispatchProblem problem = PlainProblem(std::vector<double>(24, 0.3), 10);
    if (battery) problem.battery = PlainBattery(500, 0.9);
    problem.work = 0.65;
    const Solution solution = *MakeKernelSolver()->Solve(problem, Formulation::kBlend, {});
    EXPECT_NEAR(InEuros(solution.objective), 6.5 * 0.1 * 0.3, 1e-9);
    for (size_t t = 0; t < 24; ++t) {
      const auto& levels = solution.decisions[t].levels;
      EXPECT_NEAR(levels.empty() ? 0 : levels.front().share, t < 6 ? 1 : t == 6 ? 0.5 : 0, 1e-9) << t;
    }
  }
}

/// Without a battery slots are tied by their work alone: one of them is worked in part, at most.
TEST(KernelSolver, WithoutABatteryOneSlotAtMostMixesLevels) {
  RandomProblems random(41);
  int solved = 0;
  for (int i = 0; i < 300; ++i) {
    SCOPED_TRACE(i);
    DispatchProblem problem = random.Next(false, 24);
    problem.battery = Battery();
    problem.grid.import_limit.reset(), problem.grid.export_limit.reset();
    for (size_t t = 0; t < problem.pv.size(); ++t) {  // else a level is mixed with the next to use the sun up
      problem.pv[t] = Energy();
      problem.import_price[t] =
          EurosPerKilowattHour(0.1 * std::round(10 * InEurosPerKilowattHour(problem.import_price[t])));
    }
    const auto solution = MakeKernelSolver()->Solve(problem, Formulation::kBlend, {});
    if (!solution || solution->decisions.empty()) continue;
    ++solved;
    int mixed = 0;
    for (const SlotDecision& decision : solution->decisions) {
      double on = 0, most = 0;
      for (const LevelShare& share : decision.levels) on += share.share, most = std::max(most, share.share);
      mixed += !(on < 1e-9 || most > 1 - 1e-9);
    }
    EXPECT_LE(mixed, 1);
  }
  EXPECT_GT(solved, 100);
}

/// Once a plan: a mixed plan rounded up to whole levels left too little sun for what the battery must end with.
TEST(KernelSolver, WholeLevelsThatLeaveTheBatteryNoWayAreNoPlan) {
  DispatchProblem problem = PlainProblem({0.5, 0.5}, 10);
  problem.gpu.levels = {{Watts(100), Watts(100), Hours(10)}, {Watts(200), Watts(200), Hours(6)}};
  problem.grid.import_limit = Watts(130);
  problem.battery = PlainBattery(200);
  problem.battery.initial = WattHours(100);
  for (const double final_wh : {0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 140.0, 160.0, 161.0}) {
    for (const double work : {0.05, 0.1, 0.15, 0.2, 0.25, 0.3}) {
      problem.battery.final_min = WattHours(final_wh);
      problem.work = work;
      const Solution ours = *MakeKernelSolver()->Solve(problem, Formulation::kLevels, {});
      const Solution theirs = *MakeHighsSolver()->Solve(problem, Formulation::kLevels, {});
      ASSERT_EQ(ours.status, theirs.status) << final_wh << " Wh, work " << work;
      if (ours.status != SolveStatus::kOptimal) continue;
      EXPECT_NEAR(InEuros(ours.objective), InEuros(theirs.objective), 0.002) << final_wh << " Wh, work " << work;
      Plan plan = MakePlan(problem, Formulation::kLevels, ours.decisions);
      plan.status = PlanStatus::kOptimal;
      plan.bound = ours.bound;
      EXPECT_TRUE(CheckPlan(problem, plan).empty()) << final_wh << " Wh, work " << work;
    }
  }
}

TEST(KernelSolver, AGuessOfTheWorkPriceChangesNothing) {
  const DispatchProblem problem = StudyProblem({2025, 6, 21, 14}, 19);
  const auto solver = MakeKernelSolver();
  const Solution plain = *solver->Solve(problem, Formulation::kBlend, {});
  for (const Money guess : {Euros(1e-6), *plain.work_price, Euros(50)}) {
    const Solution guessed = *solver->Solve(problem, Formulation::kBlend, {Euros(0.001), std::nullopt, guess});
    // Both are optimal to rounding: some 20 slots, each a sum of a few products near 1.
    EXPECT_NEAR(InEuros(guessed.objective), InEuros(plain.objective), 1e-13);
    EXPECT_NEAR(InEuros(*guessed.work_price), InEuros(*plain.work_price), 1e-9);
  }
}

}  // namespace
}  // namespace heliograd
