#include "heliograd/app/planning.h"

#include <fmt/format.h>

#include <algorithm>

#include "heliograd/optimize/diagnose.h"
#include "heliograd/optimize/sensitivity.h"
#include "heliograd/plan/baselines.h"
#include "heliograd/plan/checker.h"
#include "heliograd/plan/reasons.h"

namespace heliograd {
namespace {

/// A wrong plan is never shown: what the checker found is the error.
Result<void> RequireSound(const DispatchProblem& problem, const Plan& plan) {
  std::vector<std::string> violations = CheckPlan(problem, plan);
  if (violations.empty()) return {};
  violations.insert(violations.begin(),
                    "the solver's plan does not hold and is not shown. Please report this with the scenario. "
                    "What it breaks:");
  return Fail(std::move(violations));
}

Plan PlanOf(const DispatchProblem& problem, Formulation formulation, const Solution& solution) {
  Plan plan = MakePlan(problem, formulation, solution.decisions);
  plan.status = solution.status == SolveStatus::kOptimal ? PlanStatus::kOptimal : PlanStatus::kFeasible;
  // The bound is the solver's; a rounding error above the objective would claim more than was proven.
  plan.bound = std::min(solution.bound, plan.objective);
  return plan;
}

DiagnosisContext ContextOf(const NodeInputs& inputs, const SolveOptions& options, const DispatchSolver& solver,
                           const ProblemForSlots& over) {
  std::vector<Level> all_levels = inputs.all_levels;
  all_levels.insert(all_levels.end(), inputs.forbidden_levels.begin(), inputs.forbidden_levels.end());
  const auto local = [zone = inputs.zone](Stamp stamp) { return FormatCivil(zone.ToCivil(stamp)); };
  DiagnosisContext context{solver, over, local, DropDominated(std::move(all_levels)).kept};
  if (options.time_limit) context.time_limit = std::min(context.time_limit, *options.time_limit);
  return context;
}

/// What an hour of the deadline and a unit in the battery are worth.
Result<void> PriceChanges(const PlanningOptions& options, const Solution& solution, const DispatchSolver& solver,
                          const ProblemForSlots& over, PlannedJob& job) {
  if (solution.status == SolveStatus::kFeasible) {
    job.plan.notes.push_back(
        "the plan took all of its time and is not proven best, so the price of the deadline and the worth of stored "
        "energy are not told: allow more with --time-limit-s");
    return {};
  }
  auto deadline = PriceDeadline(job.problem, options.formulation, solution, solver, options.solve, over);
  if (!deadline) return Fail(deadline.error());
  job.plan.deadline_price = *deadline;
  job.plan.work_price = solution.work_price;
  if (job.problem.battery.capacity == Energy()) return {};
  const auto stored = StoredValues(job.problem, options.formulation, solution, solver, options.solve);
  if (!stored) return Fail(stored.error());
  for (size_t t = 0; t < stored->size() && t < job.plan.slots.size(); ++t)
    job.plan.slots[t].stored_value = (*stored)[t];
  return {};
}

/// The study's equations let flows cross that one meter or one battery cannot have at once; whoever reads the cost must
/// know.
void NoteImpossibleSlots(Plan& plan) {
  const Energy negligible = WattHours(0.05);
  const auto both = [&](Energy a, Energy b) { return a > negligible && b > negligible; };
  const auto slots = std::count_if(plan.slots.begin(), plan.slots.end(), [&](const PlanSlot& slot) {
    const SlotDecision& d = slot.decision;
    return both(d.grid_import, d.grid_export) || both(d.battery_charge, d.battery_discharge);
  });
  if (slots == 0) return;
  plan.notes.push_back(
      fmt::format("not realisable in {} of {} slots: the study's equations let the node buy and sell, or charge and "
                  "discharge, at once; "
                  "plan with --formulation levels or blend for one meter",
                  slots, plan.slots.size()));
}

}  // namespace

Result<PlannedJob> PlanJob(const NodeInputs& inputs, const PlanningOptions& options, const DispatchSolver& solver) {
  auto problem = ProblemOver(inputs, inputs.slots);
  if (!problem) return Fail(problem.error());
  if (auto defects = Defects(*problem); !defects.empty()) return Fail(std::move(defects));
  const auto solution = solver.Solve(*problem, options.formulation, options.solve);
  if (!solution) return Fail(solution.error());
  if (solution->status == SolveStatus::kNoPlanYet) {
    return Fail(fmt::format(
        "no plan was found within {:g} s: allow more with --time-limit-s, or make it easier with longer slots "
        "(--slot-minutes) or --formulation blend.",
        InSeconds(*options.solve.time_limit)));
  }
  const ProblemForSlots over = [&inputs](int slots) { return ProblemOver(inputs, slots); };

  PlannedJob job{std::move(*problem), {}};
  if (solution->status == SolveStatus::kInfeasible) {
    job.plan.status = PlanStatus::kInfeasible;
    job.plan.formulation = options.formulation;
    auto diagnosis = Diagnose(job.problem, options.formulation, ContextOf(inputs, options.solve, solver, over));
    if (!diagnosis) return Fail(diagnosis.error());
    job.plan.infeasible_reason = diagnosis->sentence;
  } else {
    job.plan = PlanOf(job.problem, options.formulation, *solution);
    if (auto sound = RequireSound(job.problem, job.plan); !sound) return Fail(sound.error());
  }
  job.plan.solve_time = solution->solve_time;
  job.plan.solver = solution->solved_by;
  job.plan.notes = inputs.notes;
  NoteImpossibleSlots(job.plan);
  if (!options.explain) return job;

  job.plan.baselines = MakeBaselines(job.problem, options.formulation);
  if (job.plan.status == PlanStatus::kInfeasible) return job;
  job.plan.levers = SplitSaving(job.plan.baselines, job.plan.totals.cost);
  if (auto done = PriceChanges(options, *solution, solver, over, job); !done) return Fail(done.error());
  ExplainPlan(job.problem, inputs.zone, job.plan);
  return job;
}

}  // namespace heliograd
