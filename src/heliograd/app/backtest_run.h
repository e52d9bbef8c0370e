// Runs the jobs of a backtest: for each start the plan of perfect foresight, the simple rules, and each forecast with
// rolling re-planning.
//
// Enters: a world and its starts. Leaves: one record per start. It prints nothing.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "heliograd/app/backtest_world.h"
#include "heliograd/base/result.h"
#include "heliograd/optimize/rolling.h"

namespace heliograd {

/// Simple rules that all know what comes: a limit is chosen with hindsight (plan/baselines.h).
inline constexpr std::array<std::string_view, 5> kReferences = {
    "full power from the grid", "full power + PV", "best fixed limit from the grid", "best fixed limit + PV",
    "best fixed limit + PV + battery (greedy)"};
inline constexpr size_t kFullPowerWithPv = 1, kBestLimitWithPv = 3;

enum class StartStatus {
  kDone,
  kGap,        // a price is not known: left out
  kInfeasible  // not even perfect foresight can do the job
};

struct ForecastOutcome {
  Money cost;
  Energy grid_import, grid_export;
  bool deadline_kept = false;
  bool battery_kept = true;
  int forced_slots = 0, cut_slots = 0;

  /// What was asked for was done, so that its cost can be compared.
  bool Complete() const { return deadline_kept && battery_kept; }
};

struct StartOutcome {
  Stamp start;
  StartStatus status = StartStatus::kGap;
  Money perfect;  // the plan that knows what comes
  Energy perfect_import, perfect_export;
  std::array<std::optional<Money>, kReferences.size()> reference;  // nothing where the rule cannot run
  std::vector<ForecastOutcome> forecasts;                          // as asked
};

struct BacktestOptions {
  std::vector<ForecastKind> forecasts;
  RollingOptions rolling;
  int slots = 0;  // from a start to its deadline
};

/// Every start, on all cores; `progress` as ParallelFor says. An interrupt is an error.
Result<std::vector<StartOutcome>> RunBacktest(const BacktestWorld& world, const std::vector<Stamp>& starts,
                                              const BacktestOptions& options, const DispatchSolver& solver,
                                              const std::function<void(size_t)>& progress);

}  // namespace heliograd
