#include <gtest/gtest.h>

#include "heliograd/optimize/solver_contract_test.h"

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
