#include "heliograd/app/pending_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "heliograd/app/curve_store.h"
#include "heliograd/app/planning.h"
#include "heliograd/app/slot_length.h"
#include "heliograd/model/limit_refinement.h"
#include "heliograd/report/number_text.h"

namespace heliograd {
namespace {

constexpr size_t kLimits = 6;
constexpr size_t kFewestLimits = 3;   // that make a curve
constexpr double kMostUnused = 0.02;  // of the time that is left
constexpr double kRoomInAPartialPlan = 0.995;

/// The scenario with a curve and limits that stand in, where only its other keys are read.
Result<Scenario> WithStandIn(Scenario scenario) {
  for (const char* assignment : {"gpu.curve=builtin:paper", "gpu.min_limit_w=1", "gpu.max_limit_w=10000"}) {
    if (Result<void> set = scenario.Set(assignment, "stand-in"); !set) return Fail(set.error());
  }
  return scenario;
}

Result<std::vector<Power>> LimitsToMeasure(const Scenario& scenario, const PowerLimitRange& range) {
  const auto watts = [&](const char* key, Power otherwise) {
    const auto number = scenario.OptionalNumber(key);
    return number ? Watts(*number) : otherwise;
  };
  const Power lowest = std::max(range.lowest, watts("gpu.min_limit_w", range.lowest));
  const Power highest = std::min(range.highest, watts("gpu.max_limit_w", range.highest));
  std::vector<Power> limits;
  if (lowest < highest) {
    limits = SpreadLimits(lowest, highest, std::clamp(range.standard, lowest, highest), kLimits);
  }
  if (limits.size() >= kFewestLimits) return limits;
  return Fail(fmt::format("gpu.min_limit_w and gpu.max_limit_w leave fewer than three of the limits that the GPU takes "
                          "({:.0f} to {:.0f} W), of which no curve can be measured: allow more, or give --curve FILE",
                          InWatts(range.lowest), InWatts(range.highest)),
              ErrorKind::kUsage);
}

Result<PlannedJob> PlanFrom(const Scenario& scenario, const ScenarioFlags& flags, int slot_minutes, InputCache& cache,
                            NodeInputs& inputs) {
  Result<NodeInputs> read = ReadInputs(scenario, slot_minutes, cache);
  if (!read) return Fail(read.error());
  inputs = std::move(*read);
  return PlanJob(inputs, flags.Options(), *flags.Solver());
}

/// The part of the whole job that full power does over the horizon.
double ReachableWork(const DispatchProblem& problem) {
  const Duration whole = problem.horizon.SlotDuration() * static_cast<double>(problem.horizon.slots);
  return whole / problem.gpu.levels.back().job_time;
}

}  // namespace

Result<PendingPlan> ReadPendingPlan(const Scenario& scenario, int slot_minutes, const DeviceRecord& device,
                                    const PowerLimitRange& range) {
  const Result<Scenario> stand_in = WithStandIn(scenario);
  if (!stand_in) return Fail(stand_in.error());
  InputCache cache;
  const auto inputs = ReadInputs(*stand_in, slot_minutes, cache);
  if (!inputs) return Fail(inputs.error());
  const auto to_the_minute = ReadInputs(*stand_in, 1, cache);
  if (!to_the_minute) return Fail(to_the_minute.error());
  const auto limits = LimitsToMeasure(scenario, range);
  if (!limits) return Fail(limits.error());
  return PendingPlan{scenario,
                     device,
                     *limits,
                     to_the_minute->zone,
                     to_the_minute->start,
                     to_the_minute->start + std::chrono::minutes(to_the_minute->slots),
                     to_the_minute->work};
}

Duration MeasuringTime(const PendingPlan& pending, Duration at_each) {
  return at_each * (static_cast<double>(pending.limits.size()) + 1);
}

std::string LimitsText(const std::vector<Power>& limits) {
  std::string text;
  for (size_t i = 0; i < limits.size(); ++i) {
    text += fmt::format("{}{:.0f}", i == 0 ? "" : i + 1 == limits.size() ? " and " : ", ", InWatts(limits[i]));
  }
  return text + " W";
}

std::string FirstCurveText(const PendingPlan& pending, Duration at_each) {
  return fmt::format(
      "no power curve of {} ({}) is stored: the job's first minutes measure one, at {} (about {}); then "
      "what is left is planned to {}\n",
      pending.device.name, pending.device.uuid, LimitsText(pending.limits),
      DurationText(MeasuringTime(pending, at_each)), FormatLocal(pending.deadline, pending.zone));
}

std::string FirstCurveJson(const PendingPlan& pending, Duration at_each) {
  nlohmann::ordered_json json = {{"status", "curve_not_measured"},
                                 {"gpu", pending.device.name},
                                 {"gpu_uuid", pending.device.uuid},
                                 {"measured_limits_w", nlohmann::ordered_json::array()},
                                 {"measuring_s", InSeconds(MeasuringTime(pending, at_each))},
                                 {"deadline", FormatStamp(pending.deadline)}};
  for (const Power limit : pending.limits) json["measured_limits_w"].push_back(std::round(InWatts(limit)));
  return json.dump(2) + "\n";
}

int RestSlotMinutes(Duration left, int asked) {
  for (const int minutes : kSlotMinutes) {
    if (minutes > asked || Minutes(minutes) > left) continue;
    if (std::fmod(InSeconds(left), minutes * 60.0) <= kMostUnused * InSeconds(left)) return minutes;
  }
  return 1;
}

Result<RestPlan> PlanRest(const PendingPlan& pending, const ScenarioFlags& flags, double units, double units_done,
                          Stamp now) {
  RestPlan rest;
  Scenario scenario = pending.scenario;
  const Result<std::string> curve = TakeStoredCurve(scenario, pending.device.uuid, units);
  if (!curve) return Fail(curve.error());
  rest.curve = *curve;
  rest.units = units - units_done;
  double work = pending.work * rest.units / units;
  const Stamp start = std::chrono::floor<std::chrono::seconds>(now);
  const auto set = [&scenario](const std::string& assignment) { return scenario.Set(assignment, "what is left"); };
  for (const std::string& assignment : {fmt::format("job.work={:.12g}", work), "job.start=" + FormatStamp(start),
                                        "job.deadline=" + FormatStamp(pending.deadline)}) {
    if (Result<void> done = set(assignment); !done) return Fail(done.error());
  }
  const int slot_minutes = RestSlotMinutes(Between(start, pending.deadline), flags.slot_minutes);
  InputCache cache;
  NodeInputs inputs;
  auto job = PlanFrom(scenario, flags, slot_minutes, cache, inputs);
  if (!job) return Fail(job.error());
  // The job runs already: what can be done by the deadline is planned, and it goes on from there at full power.
  for (const double part : {kRoomInAPartialPlan, 0.8, 0.6, 0.4, 0.2}) {
    if (job->plan.status != PlanStatus::kInfeasible) break;
    if (rest.shortfall.empty()) rest.shortfall = job->plan.infeasible_reason;
    const double reachable = std::min(ReachableWork(job->problem), work) * part;
    if (Result<void> done = set(fmt::format("job.work={:.12g}", reachable)); !done) return Fail(done.error());
    rest.units = (units - units_done) * reachable / work;
    job = PlanFrom(scenario, flags, slot_minutes, cache, inputs);
    if (!job) return Fail(job.error());
  }
  if (job->plan.status == PlanStatus::kInfeasible) return Fail(rest.shortfall);
  rest.plan = {std::move(job->problem), std::move(job->plan), inputs.zone, inputs.labels};
  return rest;
}

std::vector<std::string> WordsOf(const ScenarioFlags& flags, const PendingPlan& pending) {
  std::vector<std::string> words = {flags.IsUsers() ? std::string(kUserScenario) : flags.source};
  const auto add = [&words](const std::string& flag, const std::string& value) {
    if (value.empty()) return;
    words.push_back(flag);
    words.push_back(value);
  };
  for (const std::string& set : flags.sets) add("--set", set);
  add("--pv-series", flags.pv_series);
  add("--start", FormatStamp(pending.start));
  add("--deadline", FormatStamp(pending.deadline));
  add("--slot-minutes", fmt::format("{}", flags.slot_minutes));
  add("--formulation", flags.formulation);
  add("--tolerance-eur", fmt::format("{}", flags.tolerance_eur));
  add("--time-limit-s", fmt::format("{}", flags.time_limit_s));
  add("--solver", flags.solver);
  return words;
}

Result<ScenarioFlags> ScenarioFlagsOf(std::vector<std::string> words) {
  ScenarioFlags flags;
  CLI::App app;
  flags.AddTo(app);
  std::reverse(words.begin(), words.end());  // as the parser takes them
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    return Fail(std::string("the scenario that the run was begun with cannot be read: ") + error.what());
  }
  return flags;
}

}  // namespace heliograd
