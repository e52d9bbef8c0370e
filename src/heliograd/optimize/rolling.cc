#include "heliograd/optimize/rolling.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "heliograd/plan/checker.h"
#include "heliograd/plan/settlement.h"

namespace heliograd {
namespace {

/// Work below this is done: it is what rounding leaves of a job in the sum of its slots.
constexpr double kNoWork = 1e-9;

Energy PerSlot(const DispatchProblem& problem, const std::optional<Power>& limit) {
  return limit ? *limit * problem.horizon.SlotDuration() : Energy::FromSi(std::numeric_limits<double>::infinity());
}

double WorkIn(const DispatchProblem& problem, const SlotDecision& decision) {
  double work = 0;
  for (const LevelShare& part : decision.levels) {
    work += part.share * (problem.horizon.SlotDuration() / problem.gpu.levels[part.level].job_time);
  }
  return work;
}

Energy LoadIn(const DispatchProblem& problem, const SlotDecision& decision) {
  Power draw = problem.gpu.idle;
  for (const LevelShare& part : decision.levels) {
    draw += (problem.gpu.DrawAt(part.level) - problem.gpu.idle) * part.share;
  }
  return draw * problem.horizon.SlotDuration();
}

/// Most work that a slot can do on the grid alone.
double WorkWithoutSun(const DispatchProblem& problem, Formulation formulation) {
  double most = 0;
  const Duration slot = problem.horizon.SlotDuration();
  for (size_t k = 0; k < problem.gpu.levels.size(); ++k) {
    double share = 1;
    if (problem.grid.import_limit && problem.gpu.DrawAt(k) > *problem.grid.import_limit) {
      const Power above_idle = problem.gpu.DrawAt(k) - problem.gpu.idle;
      share = formulation == Formulation::kBlend
                  ? std::max((*problem.grid.import_limit - problem.gpu.idle) / above_idle, 0.0)
                  : 0.0;
    }
    most = std::max(most, share * (slot / problem.gpu.levels[k].job_time));
  }
  return most;
}

class Follower {
 public:
  Follower(const DispatchProblem& real, const Forecaster& forecast, const RollingOptions& options,
           const DispatchSolver& solver)
      : real_(real),
        forecast_(forecast),
        options_(options),
        solver_(solver),
        retention_(RetentionPerSlot(real)),
        work_without_sun_(WorkWithoutSun(real, options.formulation)),
        stored_(real.battery.initial),
        work_left_(real.work) {
    if (options_.solve.work_price) work_price_ = options_.solve.work_price;
  }

  Result<RollingRun> Follow() {
    for (int t = 0; t < real_.horizon.slots; ++t) {
      if (t % options_.replan_every == 0 || ahead_.empty()) {
        if (Result<void> planned = PlanFrom(t); !planned) return Fail(planned.error());
      }
      SlotDecision decision = Decide(t);
      if (options_.battery == BatteryIntent::kFollowsSun) FollowSun(t, decision);
      Settle(t, decision);
      stored_ = (stored_ - decision.battery_discharge + decision.battery_charge * real_.battery.charge_efficiency) *
                retention_;
      stored_ = std::clamp(stored_, Energy(), real_.battery.capacity);
      work_left_ -= WorkIn(real_, decision);
      done_.push_back(std::move(decision));
    }
    return Finish();
  }

 private:
  /// What is planned from slot t on; `ahead_` stays empty where no plan exists.
  Result<void> PlanFrom(int t) {
    DispatchProblem left = real_;
    left.horizon = {real_.horizon.SlotStart(t), real_.horizon.step, real_.horizon.slots - t};
    Outlook outlook = forecast_(t);
    left.pv = std::move(outlook.pv);
    left.import_price = std::move(outlook.import_price);
    left.export_price = std::move(outlook.export_price);
    left.carbon.assign(real_.carbon.begin() + t, real_.carbon.end());
    left.battery.initial = stored_;
    left.work = std::clamp(work_left_, kNoWork, 1.0);
    SolveOptions solve = options_.solve;
    solve.work_price = work_price_;
    ahead_.clear();
    next_ = 0;
    Result<Solution> solution = solver_.Solve(left, options_.formulation, solve);
    if (!solution) return Fail(solution.error());
    if (solution->status == SolveStatus::kNoPlanYet) {
      return Fail("no plan was found in the time allowed: allow more with --time-limit-s, or plan with longer slots.");
    }
    if (solution->status == SolveStatus::kInfeasible) return {};
    work_price_ = solution->work_price;
    ahead_ = std::move(solution->decisions);
    return {};
  }

  SlotDecision Decide(int t) {
    SlotDecision decision;
    if (next_ < ahead_.size()) decision = ahead_[next_++];
    if (work_left_ <= kNoWork) {
      decision.levels.clear();
      return decision;
    }
    const double left_after = work_left_ - WorkIn(real_, decision);
    const double sure = work_without_sun_ * (real_.horizon.slots - 1 - t);
    // The plan of a certain forecast knows better whether the sun helps.
    const bool must_run = ahead_.empty() || (!options_.forecast_is_certain && left_after > sure + kNoWork);
    if (!must_run) return decision;
    const size_t fastest = real_.gpu.levels.size() - 1;
    const double slots = work_left_ * (real_.gpu.levels[fastest].job_time / real_.horizon.SlotDuration());
    const double share = options_.formulation == Formulation::kBlend ? std::min(slots, 1.0) : 1.0;
    const std::vector<LevelShare> full = {{fastest, share}};
    const bool as_planned = decision.levels.size() == 1 && decision.levels[0].level == fastest;
    if (as_planned && decision.levels[0].share >= share) return decision;
    decision.levels = full;
    decision.battery_charge = Energy();
    ++forced_;
    return decision;
  }

  void FollowSun(int t, SlotDecision& decision) const {
    if (real_.battery.final_min > Energy()) return;
    const double beta = real_.battery.discharge_efficiency;
    const Energy load = LoadIn(real_, decision), pv = real_.pv[static_cast<size_t>(t)];
    const Flows meant = AttributeFlows(decision, load, beta);
    const bool sells = real_.export_price[static_cast<size_t>(t)] > EnergyPrice();
    if (decision.battery_discharge > Energy()) {
      if (meant.battery_to_grid > WattHours(1e-6)) return;
      decision.battery_discharge = std::min(decision.battery_discharge, std::max(load - pv, Energy()) / beta);
      return;
    }
    const Energy spare = std::max(pv - load, Energy());
    const Energy room =
        std::max((real_.battery.capacity / retention_ - stored_) / real_.battery.charge_efficiency, Energy());
    const Energy wanted = sells ? meant.pv_to_battery : spare;
    decision.battery_charge =
        std::min({meant.grid_to_battery + std::min(wanted, spare), room, PerSlot(real_, real_.battery.max_charge)});
  }

  /// What really flows in slot t.
  void Settle(int t, SlotDecision& decision) {
    const double beta = real_.battery.discharge_efficiency;
    Energy load = LoadIn(real_, decision);
    const Energy pv = real_.pv[static_cast<size_t>(t)];
    const Energy most_import = PerSlot(real_, real_.grid.import_limit);
    const auto above_limit = [&] {
      return load + decision.battery_charge - decision.battery_discharge * beta - pv - most_import;
    };
    if (above_limit() > Energy()) {
      decision.battery_charge -= std::min(decision.battery_charge, above_limit());
      if (above_limit() > Energy() && decision.battery_charge == Energy()) {
        const Energy room = std::min(stored_, PerSlot(real_, real_.battery.max_discharge)) - decision.battery_discharge;
        decision.battery_discharge += std::clamp(above_limit() / beta, Energy(), std::max(room, Energy()));
      }
      if (above_limit() > WattHours(1e-9)) load = RunShorter(decision, load, above_limit());
    }
    const bool sells = real_.export_price[static_cast<size_t>(t)] > EnergyPrice();
    Energy need = load + decision.battery_charge - decision.battery_discharge * beta;
    if (need < Energy()) {  // the battery gives more than the load takes: it cannot give what nobody takes
      const Energy room = sells ? PerSlot(real_, real_.grid.export_limit) : Energy();
      if (-need > room) {
        decision.battery_discharge = std::max(load + room, Energy()) / beta;
        need = load - decision.battery_discharge * beta;
      }
    }
    const GridFlows flows = BalanceAtGrid(real_, t, need, sells);
    decision.pv_used = flows.pv_used;
    decision.grid_import = flows.grid_import;
    decision.grid_export = flows.grid_export;
    if (decision.grid_import > most_import) {  // at a negative price PV was curtailed for more than the line carries
      decision.grid_import = most_import;
      decision.pv_used = need - most_import;
    }
  }

  /// The GPU runs shorter by `excess`, or not at all where a slot is run whole. The load that is left.
  Energy RunShorter(SlotDecision& decision, Energy load, Energy excess) {
    ++cut_;
    const Energy idle = real_.gpu.idle * real_.horizon.SlotDuration();
    const double part = load > idle ? std::clamp((load - idle - excess) / (load - idle), 0.0, 1.0) : 0.0;
    if (options_.formulation == Formulation::kBlend && part > 0) {
      for (LevelShare& level : decision.levels) level.share *= part;
    } else {
      decision.levels.clear();
    }
    return LoadIn(real_, decision);
  }

  Result<RollingRun> Finish() {
    RollingRun run;
    run.plan = MakePlan(real_, options_.formulation, done_);
    run.plan.status = PlanStatus::kFeasible;
    run.plan.solver = solver_.Name();
    run.plan.bound = Money::FromSi(-std::numeric_limits<double>::infinity());
    run.deadline_kept = work_left_ <= 1e-6;  // CheckTolerances::share: what solvers promise of the work
    run.forced_slots = forced_;
    run.cut_slots = cut_;
    DispatchProblem checked = real_;  // what was not done by the deadline is told, not a mistake of the books
    if (!run.deadline_kept) checked.work = std::max(run.plan.totals.progress - kNoWork, kNoWork);
    const Energy missing = checked.battery.final_min - run.plan.slots.back().battery_end;
    run.battery_kept = missing <= WattHours(TolerancesFor(real_).energy_wh * real_.horizon.slots);
    if (!run.battery_kept) checked.battery.final_min = Energy();
    if (auto broken = CheckPlan(checked, run.plan); !broken.empty()) {
      return Fail("what rolling plans did does not hold: " + broken.front());
    }
    return run;
  }

  const DispatchProblem& real_;
  const Forecaster& forecast_;
  const RollingOptions& options_;
  const DispatchSolver& solver_;
  double retention_, work_without_sun_;
  Energy stored_;
  double work_left_;
  std::optional<Money> work_price_;
  std::vector<SlotDecision> ahead_, done_;
  size_t next_ = 0;
  int forced_ = 0, cut_ = 0;
};

}  // namespace

Result<RollingRun> FollowRolling(const DispatchProblem& real, const Forecaster& forecast, const RollingOptions& options,
                                 const DispatchSolver& solver) {
  return Follower(real, forecast, options, solver).Follow();
}

}  // namespace heliograd
