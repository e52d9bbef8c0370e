// A plan as CSV: one row per slot, the unit in each column's name, the same numbers as in JSON.
#pragma once

#include <string>

#include "heliograd/base/time.h"
#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// Columns: start and start_local (RFC 3339), duration_s, level_limits_w and level_shares (several levels of a slot are
/// separated by ';', empty when the GPU is off), then the numbers of slot_fields.h (empty where unknown), then the
/// reason in double quotes. Lines end in LF. An infeasible plan gives the header alone.
std::string PlanToCsv(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone);

}  // namespace heliograd
