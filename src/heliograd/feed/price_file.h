// Price series in CSV, as ENTSO-E's Transparency Platform publishes day-ahead prices, and in two plain layouts.
//
// Enters: bytes of a file. Leaves: steps in UTC. What a row's time means stands at ParsePriceSeries.
#pragma once

#include <string>
#include <string_view>

#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/feed/carbon_file.h"
#include "heliograd/trace/step_series.h"

namespace heliograd {

/// Prices in EUR/MWh or EUR/kWh, as the column's name says; -20..20 EUR/kWh; 15 and 60 minutes may mix; days of 23 and
/// 25 hours; an empty value, "-", "n/e" or "n/a" is a gap and stays one. Three layouts, found by the header:
///  - ENTSO-E: `MTU (CET/CEST)` or another zone, with `Day-ahead Price (EUR/MWh)`: see entsoe_price.h.
///  - `date,hour_local,price_eur_mwh`: hour h lasts from h to h + 1 on the clock of `zone`. Such files often hold the
///    hour that occurs twice in autumn only once: then it is summer time, and the second is a gap.
///  - `start` with `price_eur_per_kwh` or `price_eur_per_mwh`: start has a suffix "Z" or "+01:00", or is local in
///  `zone`;
///    a row lasts as StepsOf of series_rows.h says.
/// All mistakes are listed, each with its line.
Result<StepSeries<EnergyPrice>> ParsePriceSeries(std::string_view content, const std::string& name,
                                                 const TimeZone& zone);

}  // namespace heliograd
