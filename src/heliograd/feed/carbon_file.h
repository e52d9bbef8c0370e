// Carbon intensity of the grid: CSV as Electricity Maps publishes it, and what it gives to each slot of a plan.
//
// Enters: bytes of a file. Leaves: steps in UTC, and means per slot. A row's stamp is the beginning of its hour.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/trace/step_series.h"

namespace heliograd {

enum class CarbonScope { kDirect, kLifecycle };

/// Carbon intensity in g/kWh, UTC. Layouts, found by the header: `datetime_utc` with `ci_direct_g_per_kwh` and
/// `ci_lifecycle_g_per_kwh`; the same as the Electricity Maps portal names them (`Datetime (UTC)`, `Carbon intensity
/// gCO2eq/kWh (direct)` and `(Life cycle)` or `(LCA)`); and `start` with `carbon_g_per_kwh`, whose scope is the user's
/// business. Stamps without a suffix are UTC; a row lasts as StepsOf of series_rows.h says. All mistakes are listed.
Result<StepSeries<CarbonIntensity>> ParseCarbonSeries(std::string_view content, const std::string& name,
                                                      CarbonScope scope);

/// The mean over each slot at its own date. An error names the first stretch that the series does not cover.
Result<std::vector<CarbonIntensity>> CarbonPerSlot(const StepSeries<CarbonIntensity>& series, const Horizon& horizon,
                                                   const TimeZone& clock = TimeZone());

/// A whole calendar year (UTC) that stands for others.
struct CarbonYear {
  int year = 0;
  std::vector<CarbonIntensity> hourly;
  std::string note;  // which year it is, for people
};

/// The series must cover one whole calendar year (UTC) without a gap; else an error says what it covers.
Result<CarbonYear> CarbonYearOf(const StepSeries<CarbonIntensity>& series);

/// For plans in other years than the series: the mean over each slot, matched by month, day and hour, UTC. 29 February
/// reads 28 February where the year has none. Weekdays do not match.
std::vector<CarbonIntensity> CarbonPerSlot(const CarbonYear& year, const Horizon& horizon);

}  // namespace heliograd
