#include "heliograd/report/plan_columns.h"

#include <fmt/format.h>

#include <algorithm>

namespace heliograd {
namespace {

std::string LimitLabel(const DispatchProblem& problem, const SlotDecision& decision) {
  if (decision.levels.empty()) return "off";
  if (decision.levels.size() > 1) return "mix";
  const LevelShare& part = decision.levels.front();
  const std::string limit = fmt::format("{:.0f}", InWatts(problem.gpu.levels.at(part.level).limit));
  return part.share > 0.995 ? limit : limit + "*";
}

PlanColumn Gather(const DispatchProblem& problem, const Plan& plan, int first, int end) {
  PlanColumn column;
  const double slots = end - first;
  const Duration time = problem.horizon.SlotDuration() * slots;
  for (int t = first; t < end; ++t) {
    const PlanSlot& slot = plan.slots[t];
    column.gpu += slot.load / time;
    column.pv += problem.pv[t] / time;
    column.grid_import += slot.decision.grid_import / time;
    column.grid_export += slot.decision.grid_export / time;
    column.gpu_from_pv += slot.flows.pv_to_gpu / time;
    column.gpu_from_battery += slot.flows.battery_to_gpu / time;
    column.gpu_from_grid += slot.flows.grid_to_gpu / time;
    column.stored += slot.battery_end / slots;
    column.import_price += problem.import_price[t] / slots;
    column.export_price += problem.export_price[t] / slots;
    const std::string limit = LimitLabel(problem, slot.decision);
    column.limit = t == first || limit == column.limit ? limit : "mix";
  }
  column.stored_end = plan.slots[end - 1].battery_end;
  return column;
}

}  // namespace

std::vector<PlanColumn> GatherColumns(const DispatchProblem& problem, const Plan& plan, const TimeColumns& columns) {
  std::vector<PlanColumn> gathered;
  for (int c = 0; c < columns.columns; ++c) {
    gathered.push_back(Gather(problem, plan, columns.FirstSlot(c), columns.EndSlot(c, problem.horizon.slots)));
  }
  return gathered;
}

Power HighestDraw(const DispatchProblem& problem) {
  Power highest = problem.gpu.idle;
  for (size_t k = 0; k < problem.gpu.levels.size(); ++k) highest = std::max(highest, problem.gpu.DrawAt(k));
  return highest;
}

}  // namespace heliograd
