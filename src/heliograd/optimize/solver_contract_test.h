// What every DispatchSolver must do. A solver's own test names it once:
//
//   INSTANTIATE_TEST_SUITE_P(Highs, SolverContract, testing::Values(SolverUnderTest{.name = "highs", ...}),
//   SolverName);
//
// The tests are in solver_contract_test.cc (known answers, limits, status) and solver_properties_test.cc (random
// problems).
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "heliograd/optimize/solver.h"
#include "heliograd/optimize/test_problems.h"

namespace heliograd {

/// A solver and what it is able to do; a test of something it does not claim is skipped.
struct SolverUnderTest {
  std::string name;
  std::function<std::unique_ptr<DispatchSolver>()> make;
  std::vector<Formulation> formulations = {Formulation::kPaper, Formulation::kLevels, Formulation::kBlend};
  bool has_duals = true;  // for `blend`: stored_value and work_price
};

inline std::string SolverName(const testing::TestParamInfo<SolverUnderTest>& info) { return info.param.name; }
inline void PrintTo(const SolverUnderTest& solver, std::ostream* out) { *out << solver.name; }

class SolverContract : public testing::TestWithParam<SolverUnderTest> {
 protected:
  static constexpr double kTolerance = 1e-6;  // EUR, asked for unless a test says otherwise

  SolverContract() : solver_(GetParam().make()) {}

  bool Supports(Formulation formulation) const;
  /// Solves, expects no error, and expects every plan that comes back to keep the rules and its promise on the bound.
  Solution Solve(const DispatchProblem& problem, Formulation formulation,
                 SolveOptions options = {Euros(kTolerance), {}}) const;
  /// The optimal objective in EUR; a failure of the test when there is none.
  double Cost(const DispatchProblem& problem, Formulation formulation) const;
  /// Expects an optimal plan of this cost, where the solver supports the formulation.
  void ExpectCost(const DispatchProblem& problem, Formulation formulation, double eur) const;
  void ExpectInfeasible(const DispatchProblem& problem, Formulation formulation) const;

  std::unique_ptr<DispatchSolver> solver_;
};

class SolverProperties : public SolverContract {};

}  // namespace heliograd
