// Rolling re-planning: what a job costs when its planner sees forecasts and the world turns out otherwise.
//
// Enters: the dispatch problem as it really comes to be, and what the planner believes at each slot. Leaves: what was
// really done in each slot, a plan of the real problem like any other: it can be checked, and costs no less than the
// plan made with perfect foresight. It knows no file, no clock and no weather.
#pragma once

#include <functional>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/optimize/solver.h"
#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// What a planner at the start of slot `now` believes of the slots now, now + 1, ...; one value for each left.
struct Outlook {
  std::vector<Energy> pv;
  std::vector<EnergyPrice> import_price;
  std::vector<EnergyPrice> export_price;
};
using Forecaster = std::function<Outlook(int now)>;

/// What the battery does when the sun is not what was expected.
enum class BatteryIntent {
  kPlanned,  // charges and discharges what was planned: the grid takes the whole difference
  /// As inverters do by themselves: what was meant to be charged from PV takes no more than PV spares, and all of it
  /// where nobody pays for the rest; what was meant to feed the load gives no more than the load lacks. Not where a
  /// least energy is asked for at the end, which charging less might miss.
  kFollowsSun
};

struct RollingOptions {
  Formulation formulation = Formulation::kBlend;  // blend or levels: `paper` has plans that no node can carry out
  SolveOptions solve;
  int replan_every = 1;  // slots
  BatteryIntent battery = BatteryIntent::kPlanned;
  /// The forecast is what comes, so that a plan which needs the sun to keep the deadline can be trusted.
  bool forecast_is_certain = false;
};

struct RollingRun {
  Plan plan;  // what was done, of the real problem; nothing is known of its bound
  bool deadline_kept = false;
  bool battery_kept = true;  // what the problem asks for is left in the battery at the end
  int forced_slots = 0;      // run at full power because only that kept the deadline
  int cut_slots = 0;         // the import limit let less through than was decided
};

/// Follows the job slot by slot. Each plan is made from the battery and the work as they are then, with the forecast of
/// that moment; of the plan, what the GPU does and what enters and leaves the cells is kept, and the grid takes what
/// the sun gives differently (BalanceAtGrid). Where the import limit does not let that through, charging gives way
/// first, then the battery gives more, then the GPU runs shorter. Where no plan is possible, or where the work left
/// could not be done any more without sun after the slot, the slot runs at full power.
///
/// Errors are failures of the solver, or a result that the checker refuses. Precondition: Defects(real) is empty.
Result<RollingRun> FollowRolling(const DispatchProblem& real, const Forecaster& forecast, const RollingOptions& options,
                                 const DispatchSolver& solver);

}  // namespace heliograd
