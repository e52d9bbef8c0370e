#include "heliograd/optimize/keep_cost.h"

#include "heliograd/optimize/formulations.h"
#include "heliograd/optimize/highs_session.h"

namespace heliograd {

Result<std::optional<Money>> CostOfKeeping(const DispatchProblem& problem, const std::vector<SlotDecision>& decisions) {
  // The formulation in which every level has a column.
  DispatchModel model = BuildDispatchModel(problem, Formulation::kLevels);
  LinearModel& linear = model.linear;
  linear.integer.assign(linear.integer.size(), false);
  linear.exclusive.clear();
  linear.row_lower[static_cast<size_t>(model.work_row)] = -kUnbounded;
  for (size_t t = 0; t < model.slots.size(); ++t) {
    const auto first = static_cast<size_t>(model.slots[t].first_level);
    for (size_t i = 0; i < model.levels.size(); ++i) {
      double share = 0;
      for (const LevelShare& part : decisions[t].levels) share += part.level == model.levels[i] ? part.share : 0;
      linear.column_lower[first + i] = linear.column_upper[first + i] = share;
    }
  }
  HighsSession session;
  if (Result<void> loaded = session.Load(linear, 1e-6); !loaded) return Fail(loaded.error());
  const Result<HighsRun> run = session.Run(Seconds(10));
  if (!run) return Fail(run.error());
  if (run->outcome != HighsOutcome::kOptimal) return std::nullopt;
  return std::optional(Euros(run->objective));
}

}  // namespace heliograd
