#include "heliograd/app/replanning.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "heliograd/optimize/keep_cost.h"
#include "heliograd/plan/checker.h"

namespace heliograd {
namespace {

/// The levels that are worth running at the measured rates, with their places in the plan's list.
struct KeptLevels {
  std::vector<Level> levels;
  std::vector<size_t> places;
};

KeptLevels Choose(const std::vector<Level>& all, const ReplanRequest& request) {
  KeptLevels kept;
  for (size_t k = 0; k < all.size(); ++k) {
    if (request.only_level && k != *request.only_level) continue;
    Level level = all[k];
    level.job_time = request.job_times[k];
    // Draws ascend; a level that is measured no faster than one that draws less is left out.
    const bool faster = kept.levels.empty() || level.job_time < kept.levels.back().job_time;
    if (!faster) continue;
    kept.levels.push_back(level);
    kept.places.push_back(k);
  }
  return kept;
}

}  // namespace

Energy StoredAt(const RunningPlan& running, Formulation formulation, Stamp stamp) {
  const Horizon& horizon = running.problem.horizon;
  if (stamp <= horizon.start) return running.problem.battery.initial;
  const Plan plan = MakePlan(running.problem, formulation, running.decisions);
  for (int t = 0; t < horizon.slots; ++t) {
    if (stamp >= horizon.SlotStart(t + 1)) continue;
    const PlanSlot& slot = plan.slots[static_cast<size_t>(t)];
    return slot.battery_start +
           (slot.battery_end - slot.battery_start) * (Between(horizon.SlotStart(t), stamp) / horizon.SlotDuration());
  }
  return plan.slots.empty() ? running.problem.battery.initial : plan.slots.back().battery_end;
}

DispatchProblem Replanning::ProblemFor(const ReplanRequest& request) const {
  DispatchProblem problem = problem_;
  problem.horizon = request.horizon;
  problem.work = std::min(request.work_left, 1.0);
  const double part = request.horizon.SlotDuration() / problem_.horizon.SlotDuration();
  problem.pv.clear();
  problem.import_price.clear();
  problem.export_price.clear();
  problem.carbon.clear();
  for (int i = 0; i < request.horizon.slots; ++i) {
    const auto t = static_cast<size_t>((request.horizon.SlotStart(i) - problem_.horizon.start) /
                                       std::chrono::nanoseconds(problem_.horizon.step));
    problem.pv.push_back(problem_.pv[t] * part);
    problem.import_price.push_back(problem_.import_price[t]);
    problem.export_price.push_back(problem_.export_price[t]);
    problem.carbon.push_back(problem_.carbon[t]);
  }
  const Energy stored = stored_ ? *stored_ : StoredAt(*request.running, formulation_, request.horizon.start);
  problem.battery.initial = std::clamp(stored, Energy(), problem.battery.capacity);
  return problem;
}

Result<ReplanAnswer> Replanning::operator()(const ReplanRequest& request) {
  DispatchProblem problem = ProblemFor(request);
  stored_.reset();
  const std::vector<Level> levels = problem.gpu.levels;
  ReplanAnswer answer;
  const Result<std::optional<Money>> kept_cost = CostOfKeeping(problem, request.kept);
  if (!kept_cost) return Fail(kept_cost.error());
  answer.kept_cost = *kept_cost;

  const KeptLevels kept = Choose(levels, request);
  problem.gpu.levels = kept.levels;
  if (auto defects = Defects(problem); !defects.empty()) return Fail(std::move(defects));
  const Result<Solution> solution = solver_->Solve(problem, formulation_, options_);
  if (!solution) return Fail(solution.error());
  if (solution->status == SolveStatus::kNoPlanYet) return Fail("the solver found no plan in its time");
  if (solution->status == SolveStatus::kInfeasible) return answer;
  Plan plan = MakePlan(problem, formulation_, solution->decisions);
  plan.status = PlanStatus::kFeasible;
  plan.bound = std::min(solution->bound, plan.objective);
  if (const auto violations = CheckPlan(problem, plan); !violations.empty()) {
    return Fail("the solver's plan does not hold: " + violations.front());
  }
  answer.cost = solution->objective;
  // Levels by their place in the plan's own list again.
  RunningPlan running{std::move(problem), solution->decisions};
  for (SlotDecision& decision : running.decisions) {
    for (LevelShare& share : decision.levels) share.level = kept.places[share.level];
  }
  running.problem.gpu.levels = levels;
  for (size_t k = 0; k < levels.size(); ++k) running.problem.gpu.levels[k].job_time = request.job_times[k];
  answer.plan = std::move(running);
  return answer;
}

}  // namespace heliograd
