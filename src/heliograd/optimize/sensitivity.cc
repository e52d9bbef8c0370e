#include "heliograd/optimize/sensitivity.h"

#include <algorithm>

namespace heliograd {
namespace {

/// The objective of the best plan, or nothing without one that is proven: the difference of two costs of which one may
/// fall is no price.
Result<std::optional<Money>> Cost(const DispatchProblem& problem, Formulation formulation, const DispatchSolver& solver,
                                  const SolveOptions& options) {
  const Result<Solution> solution = solver.Solve(problem, formulation, options);
  if (!solution) return Fail(solution.error());
  if (solution->status != SolveStatus::kOptimal) return std::nullopt;
  return solution->objective;
}

/// `cost` less that of the node without the job in the same hours.
Result<std::optional<Money>> JobCost(const DispatchProblem& problem, Formulation formulation,
                                     const std::optional<Money>& cost, const DispatchSolver& solver,
                                     const SolveOptions& options) {
  if (!cost) return std::nullopt;
  const auto without = Cost(WithoutJob(problem), formulation, solver, options);
  if (!without) return Fail(without.error());
  return *without ? std::optional(*cost - **without) : std::nullopt;
}

/// Change against `job_cost` with another number of slots.
Result<std::optional<Money>> ChangeWithSlots(int slots, Formulation formulation, Money job_cost,
                                             const DispatchSolver& solver, const SolveOptions& options,
                                             const ProblemForSlots& problem_for_slots) {
  if (slots <= 0) return std::nullopt;
  const Result<DispatchProblem> moved = problem_for_slots(slots);
  if (!moved) return std::nullopt;  // the data ends: that side of the deadline has no price
  const auto cost = Cost(*moved, formulation, solver, options);
  if (!cost) return Fail(cost.error());
  const auto other = JobCost(*moved, formulation, *cost, solver, options);
  if (!other) return Fail(other.error());
  if (!*other) return std::nullopt;
  const Money change = **other - job_cost;
  return Abs(change) <= options.tolerance ? Money() : change;
}

}  // namespace

DispatchProblem WithoutJob(DispatchProblem problem) {
  problem.work = 0;
  return problem;
}

Result<DeadlinePrice> PriceDeadline(const DispatchProblem& problem, Formulation formulation, const Solution& solution,
                                    const DispatchSolver& solver, const SolveOptions& options,
                                    const ProblemForSlots& problem_for_slots) {
  const auto slots_per_hour = static_cast<int>(std::chrono::hours(1) / problem.horizon.step);
  const auto job_cost = JobCost(problem, formulation, solution.objective, solver, options);
  if (!job_cost) return Fail(job_cost.error());
  if (!*job_cost) return DeadlinePrice{};
  const auto change = [&](int slots) {
    return ChangeWithSlots(slots, formulation, **job_cost, solver, options, problem_for_slots);
  };
  const auto later = change(problem.horizon.slots + slots_per_hour);
  if (!later) return Fail(later.error());
  const auto earlier = change(problem.horizon.slots - slots_per_hour);
  if (!earlier) return Fail(earlier.error());
  return DeadlinePrice{*later, *earlier};
}

Result<std::vector<std::optional<EnergyPrice>>> StoredValues(const DispatchProblem& problem, Formulation formulation,
                                                             const Solution& solution, const DispatchSolver& solver,
                                                             const SolveOptions& options) {
  std::vector<std::optional<EnergyPrice>> values(problem.pv.size());
  if (problem.battery.capacity <= Energy()) return values;
  if (!solution.stored_value.empty()) {
    std::copy(solution.stored_value.begin(), solution.stored_value.end(), values.begin());
    return values;
  }
  Energy step = problem.battery.capacity / 100;
  if (problem.battery.initial + step > problem.battery.capacity) step = -step;
  DispatchProblem changed = problem;
  changed.battery.initial += step;
  const auto cost = Cost(changed, formulation, solver, options);
  if (!cost) return Fail(cost.error());
  if (*cost) values.front() = EnergyPrice::FromSi((solution.objective - **cost).in_si() / step.in_si());
  return values;
}

Result<std::optional<Money>> WorkPrice(const DispatchProblem& problem, Formulation formulation,
                                       const Solution& solution, const DispatchSolver& solver,
                                       const SolveOptions& options) {
  if (solution.work_price) return solution.work_price;
  const double step = problem.work / 20;
  DispatchProblem changed = problem;
  changed.work -= step;
  const auto cost = Cost(changed, formulation, solver, options);
  if (!cost || !*cost) return cost;
  return (solution.objective - **cost) / step;
}

}  // namespace heliograd
