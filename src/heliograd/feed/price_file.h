// Price and carbon intensity series in CSV, as ENTSO-E and Electricity Maps publish them.
//
// Enters: bytes of a file. Leaves: steps in UTC. What a row's stamp means is documented at each layout in price_file.cc.
#pragma once

#include <string>
#include <string_view>

#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/trace/step_series.h"

namespace heliograd {

/// Day-ahead prices in EUR/MWh: 15 and 60 minutes may mix; days of 23 and 25 hours; gaps stay gaps. `zone` is used where
/// the file's stamps are local and carry no offset.
Result<StepSeries<EnergyPrice>> ParsePriceSeries(std::string_view content, const std::string& name,
                                                 const TimeZone& zone);

enum class CarbonScope { kDirect, kLifecycle };

/// Hourly carbon intensity in g/kWh, UTC.
Result<StepSeries<CarbonIntensity>> ParseCarbonSeries(std::string_view content, const std::string& name,
                                                      CarbonScope scope);

}  // namespace heliograd
