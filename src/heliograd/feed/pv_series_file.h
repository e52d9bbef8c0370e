// PV power of a year given as a series: CSV with header `hour,ac_w`, 8760 rows, hour 0 = 1 January 00:00 local standard
// time.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"

namespace heliograd {

/// 8760 hourly powers. `name` appears in error messages.
Result<std::vector<Power>> ParsePvSeries(std::string_view content, const std::string& name);

}  // namespace heliograd
