#include "heliograd/plan/plan_csv.h"

#include <fmt/format.h>

#include <string_view>

#include "heliograd/plan/json_names.h"
#include "heliograd/plan/slot_fields.h"

namespace heliograd {
namespace {

std::string InQuotes(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string Header(Objective objective) {
  std::string header = "start,start_local,duration_s,level_limits_w,level_shares";
  for (const SlotField& field : SlotFields(objective)) header += fmt::format(",{}", field.name);
  return header + ",reason\n";
}

std::string Row(const SlotInPlan& s, const TimeZone& zone) {
  const Horizon& horizon = s.problem.horizon;
  const Stamp start = horizon.SlotStart(static_cast<int>(s.index));
  std::string limits, shares;
  for (const auto& [level, share] : s.slot.decision.levels) {
    const std::string_view separator = limits.empty() ? "" : ";";
    limits += fmt::format("{}{}", separator, InWatts(s.problem.gpu.levels[level].limit));
    shares += fmt::format("{}{}", separator, share);
  }
  std::string row = fmt::format("{},{},{},{},{}", FormatStamp(start), internal::LocalStamp(start, zone),
                                horizon.step.count(), limits, shares);
  for (const SlotField& field : SlotFields(s.problem.objective)) {
    const auto value = field.value(s);
    row += value ? fmt::format(",{}", *value) : std::string(",");
  }
  return row + ',' + InQuotes(s.slot.reason) + '\n';
}

}  // namespace

std::string PlanToCsv(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone) {
  std::string csv = Header(problem.objective);
  double done = 0;
  for (size_t t = 0; t < plan.slots.size(); ++t) {
    csv += Row({problem, plan.slots[t], t, done}, zone);
    done += plan.slots[t].progress;
  }
  return csv;
}

}  // namespace heliograd
