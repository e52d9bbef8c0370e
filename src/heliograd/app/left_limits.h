// Limits that come back, and what is said of it: at a command's end, and at the next start of heliograd where a killed
// holder and its killed guard left them behind.
#pragma once

#include <string>

#include "heliograd/control/limit_lease.h"
#include "heliograd/control/power_limits.h"

namespace heliograd {

/// What became of a limit, one sentence without a line break.
std::string RestoredText(const LeaseRecord& record, Restored restored);

/// Puts the limit of this GPU back, and says on standard error what did not go as planned.
void ReleaseLimits(PowerLimits& limits, const std::string& uuid);

/// Puts back what dead holders left, and says so on standard error. A limit that cannot be put back is named there with
/// the command that does it; the caller goes on. Costs the look into one folder where nothing was left.
void PutBackLeftLimits();

}  // namespace heliograd
