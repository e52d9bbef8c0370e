// A run's folder read back: what `heliograd report DIR` shows, also of a run that goes on or was cut off.
#pragma once

#include <string>

#include "heliograd/base/result.h"
#include "heliograd/report/plan_and_actual.h"

namespace heliograd {

/// Reads plan, journal and, of a run that has ended, its summary. Without one, money is settled with the plan's own
/// prices, PV and flows. Errors: no folder of a run; a file that is absent or broken, with its name and line.
Result<CarriedPlan> ReadCarriedRun(const std::string& folder);

}  // namespace heliograd
