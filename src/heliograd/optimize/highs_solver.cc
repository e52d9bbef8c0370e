// The dispatch solver over HiGHS: chooses between the branch and bound over linear programs (no whole levels) and the
// mixed-integer solver, and turns what comes back into a Solution.
#include <algorithm>
#include <chrono>

#include "heliograd/optimize/exclusive_search.h"
#include "heliograd/optimize/formulations.h"
#include "heliograd/optimize/integer_search.h"
#include "heliograd/optimize/solver.h"

namespace heliograd {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// The solvers are asked for a little less than the tolerance, so that rounding of the decisions stays within it.
constexpr double kGapShare = 0.999;

SolveDeadline DeadlineFrom(SteadyClock::time_point start, const std::optional<Duration>& limit) {
  if (!limit) return std::nullopt;
  // A limit beyond a year cannot be told from none, and would overflow the clock.
  const double limit_s = std::min(InSeconds(*limit), 366 * 86400.0);
  return start + std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(limit_s));
}

/// What no plan can undercut, from the columns' bounds alone.
double TrivialBound(const LinearModel& model) {
  double bound = model.offset;
  for (size_t j = 0; j < model.cost.size(); ++j) {
    if (model.cost[j] != 0)
      bound += std::min(model.cost[j] * model.column_lower[j], model.cost[j] * model.column_upper[j]);
  }
  return bound;
}

class HighsSolver : public DispatchSolver {
 public:
  std::string Name() const override { return "HiGHS " + HighsSession::Version(); }

  Result<Solution> Solve(const DispatchProblem& problem, Formulation formulation,
                         const SolveOptions& options) const override {
    const auto start = SteadyClock::now();
    const SolveDeadline deadline = DeadlineFrom(start, options.time_limit);
    const double gap = kGapShare * InEuros(options.tolerance);
    const DispatchModel model = BuildDispatchModel(problem, formulation);
    const bool whole_levels = model.linear.HasIntegers();
    const Result<HighsRun> run = whole_levels ? SolveWithIntegers(model.linear, gap, deadline)
                                              : SolveWithExclusivePairs(model.linear, gap, deadline);
    if (!run) return Fail(run.error());

    Solution solution;
    solution.bound = Euros(std::max(run->bound, TrivialBound(model.linear)));
    if (run->has_values) {
      solution.decisions = ReadDecisions(problem, formulation, model, run->columns);
      solution.objective = MakePlan(problem, formulation, solution.decisions).objective;
      solution.bound = std::min(solution.bound, solution.objective);
    }
    solution.solved_by = Name();
    solution.status = StatusOf(*run, solution, options.tolerance);
    if (!run->row_duals.empty()) {
      solution.stored_value = ReadStoredValues(model, run->column_duals, run->row_duals);
      // With whole levels held the work row says nothing of one more unit of work.
      if (!whole_levels) solution.work_price = ReadWorkPrice(model, run->row_duals);
    }
    solution.solve_time = Seconds(std::chrono::duration<double>(SteadyClock::now() - start).count());
    return solution;
  }

 private:
  static SolveStatus StatusOf(const HighsRun& run, const Solution& solution, Money tolerance) {
    if (run.outcome == HighsOutcome::kInfeasible) return SolveStatus::kInfeasible;
    if (!run.has_values) return SolveStatus::kNoPlanYet;
    return solution.objective - solution.bound <= tolerance ? SolveStatus::kOptimal : SolveStatus::kFeasible;
  }
};

}  // namespace

std::unique_ptr<DispatchSolver> MakeHighsSolver() { return std::make_unique<HighsSolver>(); }

}  // namespace heliograd
