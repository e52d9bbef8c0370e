// Limits that a killed holder and its killed guard left behind: put back at the next start of heliograd.
#pragma once

#include <string>

#include "heliograd/control/limit_lease.h"

namespace heliograd {

/// What became of a limit, one sentence without a line break.
std::string RestoredText(const LeaseRecord& record, Restored restored);

/// Puts back what dead holders left, and says so on standard error. A limit that cannot be put back is named there with
/// the command that does it; the caller goes on. Costs the look into one folder where nothing was left.
void PutBackLeftLimits();

}  // namespace heliograd
