// Plans as JSON, format "heliograd-plan-1": complete (the problem is in the file), exact, and checked when read.
//
// Enters: a problem, its plan and the zone of its local times; or the bytes of a file. Leaves: text; or the same values
// again, after every number has been validated and the plan has passed the checker. The unit is in every name.
#pragma once

#include <string>
#include <string_view>

#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// How a number was obtained.
enum class Origin { kMeasured, kModelled, kAssumed };

/// The card whose power curve a plan follows; empty where the curve does not say.
struct CurveGpu {
  std::string name, uuid;
  friend bool operator==(const CurveGpu&, const CurveGpu&) = default;
};

/// The origin of what went into a plan. The plan's own energies and costs are modelled from these.
struct PlanLabels {
  Origin pv = Origin::kModelled;
  Origin prices = Origin::kAssumed;
  Origin carbon = Origin::kAssumed;
  Origin level_draw = Origin::kAssumed;       // the study takes the draw equal to the limit
  Origin level_job_time = Origin::kMeasured;  // of the power curve
  Origin battery = Origin::kAssumed;
  CurveGpu curve_gpu = {};
  friend bool operator==(const PlanLabels&, const PlanLabels&) = default;
};

struct PlanFile {
  DispatchProblem problem;
  Plan plan;
  TimeZone zone;
  PlanLabels labels;
};

/// One JSON object. Numbers that do not exist are null: the cost of an infeasible plan, a bound that was never found,
/// totals of a baseline that cannot run, limits that are not set. Writing what PlanFromJson read gives the same bytes.
/// Precondition: the horizon starts on a whole second.
std::string PlanToJson(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone,
                       const PlanLabels& labels = {});

/// Reads what PlanToJson wrote. Every key is required, so that a misspelt one is found and nothing is assumed. All
/// mistakes (at most 20) are listed, each with its place in the file; `name` is the file's name in them. A plan that
/// breaks its own problem (CheckPlan) is refused. Memory and time are bounded by the size of the text.
Result<PlanFile> PlanFromJson(std::string_view text, const std::string& name);

}  // namespace heliograd
