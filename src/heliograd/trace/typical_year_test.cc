#include "heliograd/trace/typical_year.h"

#include <gtest/gtest.h>

#include <numeric>

namespace heliograd {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

/// Hour h of the year makes h + 1 W, so that every hour can be told from its energy.
PvYearSeries Year(std::chrono::seconds utc_offset) {
  PvYearSeries year{{}, utc_offset};
  for (int hour = 0; hour < 8760; ++hour) year.hourly.push_back(Watts(hour + 1));
  return year;
}

Stamp Utc(const std::string& civil) { return StampFromUtc(ParseCivil(civil).value()); }

double FirstSlotWh(const PvYearSeries& year, const std::string& utc, std::chrono::seconds step = hours(1)) {
  return InWattHours(PvEnergyPerSlot(year, {Utc(utc), step, 1}).front());
}

TEST(PvEnergyPerSlot, HourZeroIsNewYearOnTheLocalStandardClock) {
  EXPECT_DOUBLE_EQ(FirstSlotWh(Year(hours(0)), "2025-01-01 00:00"), 1);
  EXPECT_DOUBLE_EQ(FirstSlotWh(Year(hours(1)), "2024-12-31 23:00"), 1);
  EXPECT_DOUBLE_EQ(FirstSlotWh(Year(hours(1)), "2025-01-01 00:00"), 2);
  EXPECT_DOUBLE_EQ(FirstSlotWh(Year(hours(-7)), "2025-01-01 07:00"), 1);
  EXPECT_DOUBLE_EQ(FirstSlotWh(Year(hours(0)), "2025-12-31 23:00"), 8760);
}

TEST(PvEnergyPerSlot, LeapDayRepeatsTheDayBefore) {
  const auto year = Year(hours(0));
  EXPECT_EQ(FirstSlotWh(year, "2024-02-29 12:00"), FirstSlotWh(year, "2024-02-28 12:00"));
  EXPECT_DOUBLE_EQ(FirstSlotWh(year, "2024-03-01 00:00"), 59 * 24 + 1);
  EXPECT_DOUBLE_EQ(FirstSlotWh(year, "2025-03-01 00:00"), 59 * 24 + 1);
}

TEST(PvEnergyPerSlot, HalfHourOffsetMixesTwoHours) {
  const auto kolkata = Year(hours(5) + minutes(30));
  // 00:00Z is 05:30 local: half of hour 5 (6 W) and half of hour 6 (7 W).
  EXPECT_DOUBLE_EQ(FirstSlotWh(kolkata, "2025-01-01 00:00"), 6.5);
  EXPECT_DOUBLE_EQ(FirstSlotWh(kolkata, "2025-01-01 00:00", minutes(30)), 3.0);
  EXPECT_DOUBLE_EQ(FirstSlotWh(kolkata, "2025-01-01 00:30", minutes(30)), 3.5);
}

TEST(PvEnergyPerSlot, ShortSlotsTakeTheirShareAndKeepTheEnergy) {
  const auto year = Year(hours(1));
  for (const int step : {5, 6, 10, 12, 15, 20, 30, 60}) {
    const auto slots = PvEnergyPerSlot(year, {Utc("2025-06-01 05:00"), minutes(step), 24 * 60 / step});
    const Energy sum = std::accumulate(slots.begin(), slots.end(), Energy());
    const double first_hour = 151 * 24 + 6 + 1;  // 1 June is day 151; 05:00Z is 06:00 local
    const double expected = 24 * first_hour + 23 * 24 / 2.0;
    EXPECT_NEAR(InWattHours(sum), expected, 1e-12 * expected) << step;  // 288 roundings of 1.1e-16 at most
  }
}

TEST(PvEnergyPerSlot, SlotsOffTheHourStraddleTwo) {
  EXPECT_NEAR(FirstSlotWh(Year(hours(0)), "2025-01-01 00:45"), 0.25 * 1 + 0.75 * 2, 1e-15);
}

TEST(PvEnergyPerSlot, WholeLeapYearIsTheYearAndOneDay) {
  const auto year = Year(hours(0));
  const auto slots = PvEnergyPerSlot(year, {Utc("2024-01-01"), hours(1), 8784});
  const Energy sum = std::accumulate(slots.begin(), slots.end(), Energy());
  const double day_58 = 24 * (58 * 24 + 1) + 23 * 24 / 2.0;
  EXPECT_DOUBLE_EQ(InWattHours(sum), 8760 * 8761 / 2.0 + day_58);
}

}  // namespace
}  // namespace heliograd
