// Linear models with exclusive pairs (of two columns one is zero), solved by branch and bound over warm-started linear
// programs. Where few pairs are broken by the linear optimum, as with import and export of one connection point, this
// is faster than binaries with their large coefficients, and the zeros are exact.
#pragma once

#include <chrono>
#include <optional>

#include "heliograd/optimize/highs_session.h"

namespace heliograd {

/// Point in time after which a solver must come to an end; nothing means never.
using SolveDeadline = std::optional<std::chrono::steady_clock::time_point>;

/// Time left, or nothing without a deadline.
std::optional<Duration> TimeLeft(const SolveDeadline& deadline);

/// Minimises `model` (no integer columns) within `gap`. With a deadline the best point so far comes back, with its
/// bound.
Result<HighsRun> SolveWithExclusivePairs(const LinearModel& model, double gap, const SolveDeadline& deadline);

}  // namespace heliograd
