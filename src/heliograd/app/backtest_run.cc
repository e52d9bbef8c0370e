#include "heliograd/app/backtest_run.h"

#include <utility>

#include "heliograd/app/interrupt.h"
#include "heliograd/app/parallel.h"
#include "heliograd/plan/baselines.h"
#include "heliograd/plan/checker.h"

namespace heliograd {
namespace {

Result<void> AddPerfect(const DispatchProblem& real, const BacktestOptions& options, const DispatchSolver& solver,
                        StartOutcome& outcome) {
  const auto solution = solver.Solve(real, options.rolling.formulation, options.rolling.solve);
  if (!solution) return Fail(solution.error());
  if (solution->status == SolveStatus::kNoPlanYet) {
    return Fail("no plan was found in the time allowed: allow more with --time-limit-s.");
  }
  if (solution->status == SolveStatus::kInfeasible) {
    outcome.status = StartStatus::kInfeasible;
    return {};
  }
  Plan plan = MakePlan(real, options.rolling.formulation, solution->decisions);
  plan.status = PlanStatus::kFeasible;
  plan.bound = std::min(solution->bound, plan.objective);
  if (const auto broken = CheckPlan(real, plan); !broken.empty()) {
    return Fail("the solver's plan does not hold: " + broken.front());
  }
  outcome.status = StartStatus::kDone;
  outcome.perfect = plan.totals.cost;
  outcome.perfect_import = plan.totals.grid_import;
  outcome.perfect_export = plan.totals.grid_export;
  return {};
}

void AddReferences(const DispatchProblem& real, Formulation formulation, StartOutcome& outcome) {
  const auto cost = [](const Baseline& rung) { return rung.totals ? std::optional(rung.totals->cost) : std::nullopt; };
  const std::vector<Baseline> ladder = MakeBaselines(real, formulation);
  DispatchProblem fastest = real;
  fastest.gpu.levels = {real.gpu.levels.back()};
  const std::vector<Baseline> at_full_power = MakeBaselines(fastest, formulation);
  outcome.reference = {cost(ladder[0]), cost(at_full_power[2]), cost(ladder[1]), cost(ladder[2]), cost(ladder[3])};
}

Result<StartOutcome> RunStart(const BacktestWorld& world, Stamp start, const BacktestOptions& options,
                              const DispatchSolver& solver) {
  StartOutcome outcome;
  outcome.start = start;
  const int first = world.SlotAt(start), end = first + options.slots;
  if (!world.Covers(first, options.slots)) return outcome;
  const DispatchProblem real = world.RealProblem(first, options.slots);
  if (auto defects = Defects(real); !defects.empty()) return Fail(std::move(defects));
  if (auto done = AddPerfect(real, options, solver, outcome); !done) return Fail(done.error());
  if (outcome.status != StartStatus::kDone) return outcome;
  AddReferences(real, options.rolling.formulation, outcome);
  for (const ForecastKind kind : options.forecasts) {
    const Forecaster forecast = [&](int now) { return world.Believed(kind, first + now, end); };
    RollingOptions rolling = options.rolling;
    rolling.forecast_is_certain = kind == ForecastKind::kPerfect;
    const auto run = FollowRolling(real, forecast, rolling, solver);
    if (!run) return Fail(run.error());
    const Totals& totals = run->plan.totals;
    outcome.forecasts.push_back({totals.cost, totals.grid_import, totals.grid_export, run->deadline_kept,
                                 run->battery_kept, run->forced_slots, run->cut_slots});
  }
  return outcome;
}

}  // namespace

Result<std::vector<StartOutcome>> RunBacktest(const BacktestWorld& world, const std::vector<Stamp>& starts,
                                              const BacktestOptions& options, const DispatchSolver& solver,
                                              const std::function<void(size_t)>& progress) {
  std::vector<Result<StartOutcome>> results(starts.size());
  ParallelFor(
      starts.size(), [&](size_t i) { results[i] = RunStart(world, starts[i], options, solver); }, progress);
  if (Interrupted()) return Fail("interrupted: nothing was written.", ErrorKind::kInterrupted);
  std::vector<StartOutcome> outcomes;
  outcomes.reserve(results.size());
  for (size_t i = 0; i < results.size(); ++i) {
    if (!results[i])
      return Fail("start " + FormatStamp(starts[i]) + ": " + results[i].error().Message(), results[i].error().kind);
    outcomes.push_back(*std::move(results[i]));
  }
  return outcomes;
}

}  // namespace heliograd
