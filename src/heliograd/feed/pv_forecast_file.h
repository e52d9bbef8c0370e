// A PV forecast in CSV: mean power over real time, as forecast services and inverters' portals write it.
#pragma once

#include <string>
#include <string_view>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/trace/step_series.h"

namespace heliograd {

/// Header `start,pv_w`: start has a suffix "Z" or "+01:00", or is local in `zone`; pv_w is the mean AC power from then
/// until the next row, 0 to 1e9 W; a row lasts as StepsOf of series_rows.h says. An empty value, "-", "n/e" or "n/a" is
/// a gap and stays one: a forecast that is not there is never a forecast of zero. All mistakes are listed with their
/// lines.
Result<StepSeries<Power>> ParsePvForecast(std::string_view content, const std::string& name, const TimeZone& zone);

}  // namespace heliograd
