// Prices of electricity: time bands of a week with holidays, or a price series. Import and export are two tariffs.
//
// Enters: bands with prices and a zone, or a price file. Leaves: a price for each slot of a horizon.
#pragma once

#include <array>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/trace/step_series.h"

namespace heliograd {

enum class HolidayCalendar { kNone, kItaly };

/// True on national holidays of the calendar (Italy: ARERA 181/06 and Easter Monday; see pv.md of the reference notes).
bool IsHoliday(const CivilTime& date, HolidayCalendar calendar);

/// Kinds of day in a weekly tariff. A holiday takes kHoliday whatever its weekday.
inline constexpr size_t kDayKinds = 8;  // Monday .. Sunday, holiday
inline constexpr size_t kHolidayKind = 7;

/// Prices that repeat every week, by hour of the local clock.
struct BandTariff {
  TimeZone zone;
  HolidayCalendar holidays = HolidayCalendar::kNone;
  std::array<std::array<EnergyPrice, 24>, kDayKinds> price{};
};

/// A fixed price, weekly bands, or a published series.
using Tariff = std::variant<EnergyPrice, BandTariff, StepSeries<EnergyPrice>>;

/// Time-weighted mean price of each slot.
Result<std::vector<EnergyPrice>> PricesPerSlot(const Tariff& tariff, const Horizon& horizon);

/// The study's bands, every day alike: F1 08-20, F2 20-23, F3 23-08.
BandTariff PaperBands(EnergyPrice f1, EnergyPrice f2, EnergyPrice f3, const TimeZone& zone);
/// ARERA's bands (delibera 181/06), on Italy's legal clock (with daylight saving) and calendar.
Result<BandTariff> AreraBands(EnergyPrice f1, EnergyPrice f2, EnergyPrice f3);

}  // namespace heliograd
