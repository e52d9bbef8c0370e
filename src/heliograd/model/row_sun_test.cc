#include "heliograd/model/row_sun.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>

namespace heliograd {
namespace {

constexpr int kDaysPerMonth[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

WeatherYear YearAt(double latitude_deg, double longitude_deg, int utc_offset_h, IrradianceStamp stamp) {
  WeatherYear weather;
  weather.latitude_deg = latitude_deg;
  weather.longitude_deg = longitude_deg;
  weather.utc_offset = std::chrono::hours(utc_offset_h);
  weather.stamp = stamp;
  for (int month = 1; month <= 12; ++month) {
    for (int day = 1; day <= kDaysPerMonth[month - 1]; ++day) {
      for (int hour = 0; hour < 24; ++hour) {
        WeatherHour row;
        row.month = month;
        row.day = day;
        row.hour = hour;
        row.ambient_c = 10;
        weather.hours.push_back(row);
      }
    }
  }
  return weather;
}

/// The sun that stands for a row, if it is up.
std::optional<SunDirection> At(RowSun& sun, size_t row) {
  const std::optional<double> time_h = sun.SunlitTime(row);
  if (!time_h) return std::nullopt;
  return sun.Direction(row, *time_h);
}

double ZenithAt(const WeatherYear& weather, size_t row) {
  RowSun sun(weather);
  return At(sun, row)->zenith_deg;
}

size_t RowOf(int month, int day, int hour) {
  int days = day - 1;
  for (int before = 1; before < month; ++before) days += kDaysPerMonth[before - 1];
  return static_cast<size_t>(24 * days + hour);
}

// In Golden on 21 March 2005 the sun rises at 06:03 and sets at 18:12 standard time (published almanac times).
TEST(RowSun, TakesTheMiddleOfTheSunlitPartAtSunriseAndSunset) {
  const WeatherYear golden = YearAt(39.73, -105.18, -7, IrradianceStamp::kHourMean);
  RowSun sun(golden);
  EXPECT_FALSE(At(sun, RowOf(3, 21, 5)));
  ASSERT_TRUE(At(sun, RowOf(3, 21, 6)));
  ASSERT_TRUE(At(sun, RowOf(3, 21, 18)));
  EXPECT_FALSE(At(sun, RowOf(3, 21, 19)));
  // The middle of 06:03..07:00 is 06:31: half an hour of a sun that climbs 15 cos(latitude) = 11.5 degrees an hour.
  EXPECT_NEAR(At(sun, RowOf(3, 21, 6))->zenith_deg, 90 + 0.27 - 0.48 * 11.5, 0.5);
  // The middle of 18:00..18:12 is 18:06, one degree above the horizon at most.
  EXPECT_NEAR(At(sun, RowOf(3, 21, 18))->zenith_deg, 90 + 0.27 - 0.1 * 11.5, 0.5);
}

TEST(RowSun, TakesInstantsAsTheyAre) {
  WeatherYear weather = YearAt(45, 8, 1, IrradianceStamp::kInstant);
  weather.instant_offset_h = 0.25;
  RowSun sun(weather);
  const double days = DaysSinceJ2000(2005, 6, 1) + 11.25 / 24.0;
  const SunDirection direct =
      Observer(45, 8, 0).Direction(GeocentricSunAt(days, TerrestrialMinusUniversalSeconds(2005)), 11.25, 1013.25, 10);
  ASSERT_TRUE(At(sun, RowOf(6, 1, 12)));
  EXPECT_NEAR(At(sun, RowOf(6, 1, 12))->zenith_deg, direct.zenith_deg, 2 * SunTrack::kLargestErrorDeg);
}

TEST(RowSun, TheSourceYearMovesTheSun) {
  WeatherYear weather = YearAt(45, 8, 1, IrradianceStamp::kHourMean);
  const size_t noon = RowOf(3, 20, 12);
  const double without = ZenithAt(weather, noon);
  for (WeatherHour& row : weather.hours) row.source_year = 2005;
  EXPECT_EQ(ZenithAt(weather, noon), without);
  for (WeatherHour& row : weather.hours) row.source_year = 2008;
  // Three years of 365.2422 days less the leap day: the date comes 0.27 days later in the sun's year, when the sun
  // climbs 0.395 degrees a day.
  EXPECT_NEAR(ZenithAt(weather, noon), without - 0.27 * 0.395, 0.01);
}

TEST(RowSun, KnowsPolarNightAndMidnightSun) {
  for (const IrradianceStamp stamp : {IrradianceStamp::kHourMean, IrradianceStamp::kInstant}) {
    const WeatherYear svalbard = YearAt(78.2, 15.6, 1, stamp);
    RowSun sun(svalbard);
    for (int hour = 0; hour < 24; ++hour) {
      EXPECT_TRUE(At(sun, RowOf(6, 21, hour))) << hour;
      EXPECT_FALSE(At(sun, RowOf(12, 21, hour))) << hour;
    }
  }
}

TEST(RowSun, AgreesWithTheSunsHeightWhateverTheClockShows) {
  // Clocks far from solar time put sunrise and sunset on other dates than noon; the sun must follow its height all the
  // same.
  for (int utc_offset_h : {-12, -6, 0, 7, 14}) {
    for (double latitude : {-33.0, 66.0, 68.5}) {
      WeatherYear weather = YearAt(latitude, -170, utc_offset_h, IrradianceStamp::kInstant);
      RowSun sun(weather);
      const Observer observer(latitude, -170, 0);
      for (size_t row = 0; row < weather.hours.size(); row += 1) {
        const WeatherHour& hour = weather.hours[row];
        const double days = DaysSinceJ2000(2005, hour.month, hour.day) + (hour.hour - utc_offset_h) / 24.0;
        const double zenith = observer
                                  .Direction(GeocentricSunAt(days, TerrestrialMinusUniversalSeconds(2005)),
                                             hour.hour - utc_offset_h, 1013.25, 10)
                                  .zenith_deg;
        // The day ends at 90.83 degrees, which refraction lifts to 90.2; below that nothing is lifted. Near the polar
        // circle, where days begin and end whole, the sun may stand another tenth from it.
        if (zenith < 90.1) {
          EXPECT_TRUE(At(sun, row)) << latitude << " " << utc_offset_h << " row " << row << " z " << zenith;
        } else if (zenith > 90.95) {
          EXPECT_FALSE(At(sun, row)) << latitude << " " << utc_offset_h << " row " << row << " z " << zenith;
        }
      }
    }
  }
}

/// FindLit against SunlitTime and Direction row by row, which share its rule but not its passes over columns.
void ExpectSameRowByRow(const WeatherYear& weather) {
  RowSun many(weather);
  RowSun single(weather);
  LitHours lit;
  size_t row = 0;
  while (row < weather.hours.size()) {
    const size_t next = many.FindLit(row, lit);
    ASSERT_GT(next, row);
    size_t found = 0;
    for (; row < next; ++row) {
      const std::optional<SunDirection> expected = At(single, row);
      const bool is_lit = found < lit.count && lit.row[found] == row;
      ASSERT_EQ(is_lit, expected.has_value()) << row;
      if (!is_lit) continue;
      const SunDirection sun = lit.sun[found++];
      // The same arithmetic; only the track may begin at another date, within its bound.
      EXPECT_NEAR(sun.zenith_deg, expected->zenith_deg, SunTrack::kLargestErrorDeg) << row;
      EXPECT_NEAR(sun.cos_zenith, expected->cos_zenith, kRadiansPerDegree * SunTrack::kLargestErrorDeg) << row;
      EXPECT_NEAR(std::hypot(sun.north, sun.east), 1.0, 1e-9) << row;
    }
    EXPECT_EQ(found, lit.count);
  }
}

TEST(RowSun, FindsTheSameHoursAndSunForManyRowsAsForOne) {
  for (IrradianceStamp stamp : {IrradianceStamp::kHourMean, IrradianceStamp::kInstant}) {
    ExpectSameRowByRow(YearAt(45.07, 7.67, 1, stamp));
    ExpectSameRowByRow(YearAt(69.65, 18.96, 1, stamp));    // polar day and night
    ExpectSameRowByRow(YearAt(-17.7, 177.4, -11, stamp));  // light over midnight
  }
}

}  // namespace
}  // namespace heliograd
