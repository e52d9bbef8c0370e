// Solvers of the dispatch problem, behind one interface.
//
// Enters: a DispatchProblem and which formulation of it to solve. Leaves: decisions per slot with a proof (bound), or
// the finding that none exist. A solver may not read files, print, or change global state; whoever calls it checks the
// plan.
//
// Every implementation passes the contract suite in solver_contract_test.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

struct SolveOptions {
  Money tolerance = Euros(0.001);      // absolute: stop when cost - bound is no more
  std::optional<Duration> time_limit;  // then the best plan so far, with its bound
  /// A guess, such as the price of a plan before the forecast changed. It only saves time.
  std::optional<Money> work_price = std::nullopt;
};

enum class SolveStatus {
  kOptimal,     // objective - bound <= tolerance
  kFeasible,    // time limit: a plan, not proven
  kInfeasible,  // proven: no plan exists
  kNoPlanYet    // time limit before any plan was found
};

struct Solution {
  SolveStatus status = SolveStatus::kNoPlanYet;
  std::vector<SlotDecision> decisions;  // one per slot when there is a plan
  Money objective;                      // of the decisions
  Money bound;                          // proven lower bound of the objective
  Duration solve_time;                  // wall clock, building the model included
  std::vector<EnergyPrice>
      stored_value;  // per slot: worth of one more unit stored at its start; empty when the solver has no duals
  std::optional<Money> work_price;  // cost of one more whole job, from duals
  std::string solved_by;            // the solver that answered, name and version
};

/// Thread-safe: Solve may run from several threads at once.
class DispatchSolver {
 public:
  virtual ~DispatchSolver() = default;
  /// Name and version, for people.
  virtual std::string Name() const = 0;
  /// Errors are failures of the solver itself; infeasible is a status. Precondition: Defects(problem) is empty.
  virtual Result<Solution> Solve(const DispatchProblem& problem, Formulation formulation,
                                 const SolveOptions& options) const = 0;
};

/// The solver over HiGHS (linear and mixed-integer programming).
std::unique_ptr<DispatchSolver> MakeHighsSolver();

/// The solver made for this problem (docs/kernel.md). What lies outside its structure is an error that says so.
std::unique_ptr<DispatchSolver> MakeKernelSolver();

/// The kernel where the problem has its structure, HiGHS elsewhere; Solution::solved_by says which.
std::unique_ptr<DispatchSolver> MakeAutoSolver();

enum class SolverChoice { kAuto, kKernel, kHighs };
std::unique_ptr<DispatchSolver> MakeSolver(SolverChoice choice);
/// Names as they stand on the command line: "auto", "kernel", "highs".
std::optional<SolverChoice> SolverChoiceFromName(std::string_view name);

}  // namespace heliograd
