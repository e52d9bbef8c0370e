#include "heliograd/report/plan_and_actual.h"

#include <algorithm>
#include <cmath>

namespace heliograd {
namespace {

constexpr double kVisibleSeconds = 1.5;  // dwells are whole seconds
const Energy kVisible = WattHours(1e-9);

void Add(NodeSlot& sum, const NodeSlot& slot) {
  sum.load += slot.load;
  sum.pv_used += slot.pv_used;
  sum.battery_charge += slot.battery_charge;
  sum.battery_discharge += slot.battery_discharge;
  sum.settled.grid_import += slot.settled.grid_import;
  sum.settled.grid_export += slot.settled.grid_export;
  sum.settled.cost += slot.settled.cost;
  sum.settled.carbon += slot.settled.carbon;
  sum.work += slot.work;
}

void AddTo(std::vector<Deviation>& all, const Deviation& part) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.cause == part.cause; });
  if (found == all.end()) {
    all.push_back(part);
    return;
  }
  found->load += part.load;
  found->work += part.work;
  found->cost += part.cost;
}

double Sum(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

bool SetsAnotherLimit(const RunEvent& event) {
  for (const char* kind : {"limit_refused", "limit_lower", "limits_away"}) {
    if (event.kind == kind) return true;
  }
  return event.kind == "limit" && event.set && event.found && Abs(*event.set - *event.found) > Watts(0.5);
}

/// Whether between the first kind and the second one (which ends it) there is a moment of [from, to).
bool Holds(const std::vector<RunEvent>& events, const std::string& begins, const std::string& ends, Stamp from,
           Stamp to) {
  bool on = false;
  for (const RunEvent& event : events) {
    if (event.at >= to) break;
    if (event.kind == begins) on = true;
    if (event.kind == ends) on = on && event.at > from;
  }
  return on;
}

/// "the GPU's forecast has changed: a new plan for ..." of the last new plan before `to`.
std::optional<std::string> LastPlanReason(const std::vector<RunEvent>& events, Stamp to) {
  std::optional<std::string> reason;
  for (const RunEvent& event : events) {
    if (event.at < to && event.kind == "replan") reason = event.text.substr(0, event.text.find(": a new plan"));
  }
  return reason;
}

bool Mentions(const std::string& text, const char* word) { return text.find(word) != std::string::npos; }

std::string CauseOfPlan(const std::string& reason) {
  for (const char* news : {"forecast", "price", "battery"}) {
    if (Mentions(reason, news)) return "new plan: forecast";
  }
  if (Mentions(reason, "of its work") || Mentions(reason, "deadline")) return "new plan: progress";
  if (Mentions(reason, "out of reach")) return "limit not reached";
  if (Mentions(reason, "after the plan's start")) return "late start";
  for (const char* standstill : {"the run goes on", "stood still", "slept"}) {
    if (Mentions(reason, standstill)) return "interruption";
  }
  return "new plan";
}

std::string CauseOfEnd(const CarriedPlan& run) {
  return run.status == "finished" ? "done before the plan" : "the run was over";
}

/// Why levels ran for other times than planned in this slot.
std::string CauseOfTimes(const CarriedPlan& run, int t) {
  const Horizon& horizon = run.plan.problem.horizon;
  const Stamp from = horizon.SlotStart(t), to = horizon.SlotStart(t + 1);
  const ComparedSlot& slot = run.slots[static_cast<size_t>(t)];
  const double missing_s = Sum(slot.planned.level_s) - Sum(slot.actual.level_s);
  if (run.begin >= to) return "late start";
  if (run.has_ended() && run.end <= from) return CauseOfEnd(run);
  if (!slot.entered) return "interruption";
  if (slot.actual.unknown_s > std::max(kVisibleSeconds, 0.5 * std::abs(missing_s))) return "limit not known";
  if (Holds(run.events, "full_power", "full_power_ends", from, to)) return "full power for the deadline";
  if (Holds(run.events, "limits_out", "resumed_run", from, to)) return "limit not reached";
  const bool other_limit = std::any_of(run.events.begin(), run.events.end(), [&](const RunEvent& event) {
    return event.at >= from && event.at < to && SetsAnotherLimit(event);
  });
  if (other_limit) return "limit not reached";
  if (run.has_ended() && run.end < to && missing_s > kVisibleSeconds) return CauseOfEnd(run);
  const double begin_s = InSeconds(Between(from, run.begin));
  if (begin_s > kVisibleSeconds && begin_s >= 0.5 * missing_s) return "late start";
  if (const auto reason = LastPlanReason(run.events, to)) {
    const std::string cause = CauseOfPlan(*reason);
    // A slot that was to be off and saw the job run for moments alone was no other plan.
    const double slot_s = InSeconds(horizon.SlotDuration());
    if (std::abs(missing_s) > 0.05 * slot_s || Sum(slot.planned.level_s) > 0.05 * slot_s) return cause;
  }
  return missing_s < 0 ? "pause late" : "resume late";
}

/// The load of a slot had its levels drawn as the curve says for the times that they really ran.
Energy LoadByTimes(const DispatchProblem& problem, const NodeSlot& slot) {
  Energy load;
  for (size_t k = 0; k < slot.level_s.size(); ++k) load += problem.gpu.DrawAt(k) * Seconds(slot.level_s[k]);
  const Duration rest = problem.horizon.SlotDuration() - Seconds(Sum(slot.level_s));
  return load + problem.gpu.idle * std::max(rest, Duration());
}

double WorkByTimes(const DispatchProblem& problem, const NodeSlot& slot) {
  double work = 0;
  for (size_t k = 0; k < slot.level_s.size(); ++k) {
    work += Seconds(slot.level_s[k]) / problem.gpu.levels[k].job_time;
  }
  return work;
}

bool IsNothing(const Deviation& part) {
  return Abs(part.load) < kVisible && std::abs(part.work) < 1e-12 && Abs(part.cost) < Euros(1e-12);
}

}  // namespace

NodeSlot PlannedSlot(const PlanFile& plan, int slot) {
  const PlanSlot& planned = plan.plan.slots[static_cast<size_t>(slot)];
  NodeSlot node;
  node.level_s.resize(plan.problem.gpu.levels.size());
  for (const LevelShare& part : planned.decision.levels) {
    node.level_s[part.level] += part.share * InSeconds(plan.problem.horizon.SlotDuration());
  }
  node.load = planned.load;
  node.pv_used = planned.decision.pv_used;
  node.battery_charge = planned.decision.battery_charge;
  node.battery_discharge = planned.decision.battery_discharge;
  node.settled = SettleSlot(plan.problem, slot, planned.decision, planned.load);
  node.work = planned.progress;
  return node;
}

std::vector<Deviation> Attribute(const CarriedPlan& run, int t) {
  const ComparedSlot& slot = run.slots[static_cast<size_t>(t)];
  const DispatchProblem& problem = run.plan.problem;
  const SlotDecision& decision = run.plan.plan.slots[static_cast<size_t>(t)].decision;
  const Energy by_times = LoadByTimes(problem, slot.actual) - LoadByTimes(problem, slot.planned);
  const Energy planned_load = slot.planned.load;
  // What the slot's load would have been had the idle node been counted to its end.
  const Energy not_counted = problem.gpu.idle * (problem.horizon.SlotDuration() * (1 - slot.part));
  const Energy whole_load = slot.actual.load + not_counted;
  const Money with_times = SettleSlot(problem, t, decision, planned_load + by_times).cost;
  const Money with_load = SettleSlot(problem, t, decision, whole_load).cost;
  const double work_by_times = WorkByTimes(problem, slot.actual) - WorkByTimes(problem, slot.planned);
  const Deviation times = {CauseOfTimes(run, t), by_times, work_by_times, with_times - slot.planned.settled.cost};
  // The node's idle power holds the GPU's: off time drew otherwise where the GPU alone took more than that.
  const Energy off_load = std::max(slot.gpu_energy_off - problem.gpu.idle * Seconds(slot.off_s), Energy());
  const Money with_off = SettleSlot(problem, t, decision, whole_load - off_load).cost;
  const Deviation draw = {slot.unmeasured_s > 1 ? "draw (partly not measured)" : "draw while running",
                          whole_load - planned_load - by_times - off_load, 0, with_off - with_times};
  const Deviation draw_off = {"draw while off", off_load, 0, with_load - with_off};
  const Deviation pace = {"progress", Energy(), slot.actual.work - slot.planned.work - work_by_times, Money()};
  // The slot in which the run ended lacks the sun and flows of the time after it as well.
  const Deviation world = {slot.part < 1 ? CauseOfEnd(run) : "forecast", -not_counted, 0,
                           slot.actual.settled.cost - with_load};
  std::vector<Deviation> parts;
  for (const Deviation& part : {times, draw, draw_off, pace, world}) {
    if (!IsNothing(part)) AddTo(parts, part);
  }
  return parts;
}

CarriedTotals SumUp(const CarriedPlan& run) {
  CarriedTotals totals;
  for (const ComparedSlot& slot : run.slots) {
    totals.gpu_energy += slot.gpu_energy;
    totals.unmeasured_s += slot.unmeasured_s;
    if (!slot.settled) continue;
    ++totals.slots;
    Add(totals.planned, slot.planned);
    Add(totals.actual, slot.actual);
    for (const Deviation& part : slot.deviations) AddTo(totals.deviations, part);
  }
  totals.gpu_energy += run.gpu_energy_after;
  if (run.has_ended()) {
    Add(totals.actual, run.after);
    const Deviation late = {"after the deadline", run.after.load, run.after.work, run.after.settled.cost};
    if (!IsNothing(late)) AddTo(totals.deviations, late);
    totals.planned.settled.cost -= run.terminal_value;
    totals.actual.settled.cost -= run.terminal_value;
  }
  std::stable_sort(totals.deviations.begin(), totals.deviations.end(),
                   [](const Deviation& a, const Deviation& b) { return Abs(a.cost) > Abs(b.cost); });
  return totals;
}

}  // namespace heliograd
