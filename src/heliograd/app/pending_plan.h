// A plan that waits for its GPU's power curve: all but the curve is read and found sound before a job begins, and what
// is left of the job is planned once the curve is known.
//
// Enters: a scenario without gpu.curve, the range of the GPU's limits; later what the job has done by then. Leaves: the
// limits to measure; a plan from that moment to the deadline. It measures nothing, and knows no job.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "heliograd/app/command_line.h"
#include "heliograd/app/scenario.h"
#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/meter/meter.h"
#include "heliograd/plan/plan_json.h"

namespace heliograd {

struct PendingPlan {
  Scenario scenario;  // without gpu.curve
  DeviceRecord device;
  std::vector<Power> limits;  // to measure, ascending
  TimeZone zone;
  Stamp start, deadline;  // of the whole job
  double work = 1;        // that is to be done, part of the whole job
};

/// Reads all that the scenario names, so that its mistakes are known before a job begins. Errors: those of a plan, and
/// fewer than three limits that it allows and the GPU takes.
Result<PendingPlan> ReadPendingPlan(const Scenario& scenario, int slot_minutes, const DeviceRecord& device,
                                    const PowerLimitRange& range);

/// Run time that measuring takes, `at_each` at each limit, with the warm-up; slow steps lengthen it.
Duration MeasuringTime(const PendingPlan& pending, Duration at_each);

/// What would be done first, for people.
std::string FirstCurveText(const PendingPlan& pending, Duration at_each);
/// The same as JSON: the GPU, the limits in the order of the text, how long measuring takes and until when is planned.
std::string FirstCurveJson(const PendingPlan& pending, Duration at_each);
/// "100, 160 and 320 W".
std::string LimitsText(const std::vector<Power>& limits);

/// Whole slots from now on that leave little of the time unused: `asked` minutes where they do, else the longest that
/// lose no more than a fiftieth of it.
int RestSlotMinutes(Duration left, int asked);

/// What is left of a job that has done `units_done` of its `units`.
struct RestPlan {
  PlanFile plan;
  double units = 0;       // of the plan's work
  std::string curve;      // which curve it is of, one sentence
  std::string shortfall;  // why the plan is of a part of the work alone, one sentence; empty where it is of all
};

/// Plans it with the stored curve of the GPU, from `now` to the deadline. Where no plan keeps the deadline it is of the
/// part of the work that can be done by then, for the job runs already. Errors: as in planning; nothing can be
/// done by then.
Result<RestPlan> PlanRest(const PendingPlan& pending, const ScenarioFlags& flags, double units, double units_done,
                          Stamp now);

/// The scenario as words of a command line, with times that do not move: what --resume needs before there is a plan.
std::vector<std::string> WordsOf(const ScenarioFlags& flags, const PendingPlan& pending);
/// The same back. Errors: they are no scenario's flags.
Result<ScenarioFlags> ScenarioFlagsOf(std::vector<std::string> words);

}  // namespace heliograd
