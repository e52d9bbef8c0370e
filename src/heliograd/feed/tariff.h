// Prices of electricity: time bands of a week with holidays, or a price series. Import and export are two tariffs.
//
// Enters: bands with prices and a zone, or a price file. Leaves: a price for each slot of a horizon.
#pragma once

#include <array>
#include <string>
#include <variant>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/feed/holidays.h"
#include "heliograd/trace/step_series.h"

namespace heliograd {

/// Kinds of day in a weekly tariff. A holiday takes kHolidayKind whatever its weekday.
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

/// Time-weighted mean price of each slot. `clock` is the one that an error's times are told on.
Result<std::vector<EnergyPrice>> PricesPerSlot(const Tariff& tariff, const Horizon& horizon,
                                               const TimeZone& clock = TimeZone());

/// The study's bands, every day alike: F1 08-20, F2 20-23, F3 23-08.
BandTariff PaperBands(EnergyPrice f1, EnergyPrice f2, EnergyPrice f3, const TimeZone& zone);
/// ARERA's bands (resolution 181/06), on Italy's legal clock (with daylight saving) and calendar: F1 Monday-Friday
/// 08-19; F2 Monday-Friday 07-08 and 19-23, Saturday 07-23; F3 the rest, Sundays and national holidays. An error when
/// the machine has no time zone data.
Result<BandTariff> AreraBands(EnergyPrice f1, EnergyPrice f2, EnergyPrice f3);

/// One band of a user's tariff, as people write it.
struct Band {
  std::string
      days;  // "mon-fri", "sat,sun", "fri-mon", "holiday", "all" (every weekday and holidays); not case-sensitive
  int from_hour = 0;  // 0..23, local clock
  int to_hour = 24;   // 1..24; a band that ends before it begins goes on from midnight of the same kinds of day
  EnergyPrice price;
};

/// Bands that together price each hour of each kind of day exactly once. Errors name the hours without a
/// price, and those with two, with the days they are of.
/// Holidays must be priced when there is a calendar of them; without one their price is never used.
Result<BandTariff> MakeBandTariff(const std::vector<Band>& bands, const TimeZone& zone, HolidayCalendar holidays);

}  // namespace heliograd
