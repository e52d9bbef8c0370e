// Reasons: why each slot of a plan is as it is, in words.
//
// Enters: a problem, its plan and the zone of the clock that people read. Leaves: one short sentence per slot. A reason
// is made by rules (reasons.cc) in a fixed order; each rule holds when its claim is true of the numbers of the plan, so
// a reason may be incomplete but not wrong. Flows below 0.05 Wh, which print as zero, are passed over.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/time.h"
#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// No reason is longer, in bytes.
inline constexpr size_t kLongestReason = 89;

struct Reason {
  std::string_view gpu_rule;    // which rule spoke for the GPU
  std::string_view store_rule;  // which for battery and spare PV; may be empty
  std::string text;
};

/// One reason per slot: what the GPU does, then what the battery or spare PV does, as in "grid at its lowest price
/// 0.25: runs at 210 W; charges battery at 0.25 for 08:00". Prices are EUR/kWh, times local. Where both do not fit, the
/// second stays. Precondition: the plan has passed CheckPlan. Pure and deterministic; safe from any thread.
std::vector<Reason> Reasons(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone);

/// Writes them into PlanSlot::reason.
void ExplainPlan(const DispatchProblem& problem, const TimeZone& zone, Plan& plan);

}  // namespace heliograd
