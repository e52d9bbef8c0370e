#include "heliograd/feed/weather_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heliograd/feed/weather_testing.h"

namespace heliograd {
namespace {

/// The built-in year seen by a horizontal plane: its irradiance is the global one, which was observed apart from the
/// beam. `later_h` moves the clock that the rows show.
std::vector<PlaneHour> HorizontalTurin(int later_h) {
  std::vector<PlaneHour> hours;
  for (int i = 0; i < kHoursPerYear; ++i) {
    const WeatherHour& row = Turin().hours[static_cast<size_t>((i - later_h + kHoursPerYear) % kHoursPerYear)];
    hours.push_back(
        {.day_of_year = i / 24, .hour = i % 24, .beam = row.dni_w_m2, .diffuse = row.dhi_w_m2, .plane = row.ghi_w_m2});
  }
  return hours;
}

constexpr Plane kTurin{.latitude_deg = 45, .longitude_deg = 8, .tilt_deg = 0, .azimuth_deg = 180};

TEST(FindUtcOffsetTest, FindsTheClockToHalfAnHour) {
  // Instants 0.1761 h after the hour, taken for mid-hour ones, seem to come from a clock 0.3239 h ahead of UTC+1: the
  // nearest half hour is UTC+1:30.
  EXPECT_EQ(FindUtcOffset(HorizontalTurin(0), kTurin).value(), 1.5);
  EXPECT_EQ(FindUtcOffset(HorizontalTurin(2), kTurin).value(), 3.5);
  EXPECT_EQ(FindUtcOffset(HorizontalTurin(-3), kTurin).value(), -1.5);
}

TEST(FindUtcOffsetTest, FollowsTheLongitude) {
  Plane west = kTurin;
  west.longitude_deg = 8 - 7 * 15;
  EXPECT_EQ(FindUtcOffset(HorizontalTurin(0), west).value(), 1.5 - 7);
}

TEST(FindUtcOffsetTest, KnowsTheQuartersOfAnHourInUse) {
  Plane nepal = kTurin;
  nepal.longitude_deg = 8 + (5.75 - 1.3239) * 15;  // the same sun on Nepal's clock
  EXPECT_EQ(FindUtcOffset(HorizontalTurin(0), nepal).value(), 5.75);
}

TEST(FindUtcOffsetTest, RefusesToGuess) {
  EXPECT_THAT(FindUtcOffset({}, kTurin).error().Message(), testing::HasSubstr("0 hours have 300 W/m2"));
  Plane wall = kTurin;
  wall.tilt_deg = 90;
  EXPECT_THAT(FindUtcOffset(HorizontalTurin(0), wall).error().Message(), testing::HasSubstr("no clock makes"));
}

TEST(HasLightAroundSunsetTest, SeesLightThatAnInstantCannotHave) {
  EXPECT_FALSE(HasLightAroundSunset(HorizontalTurin(0), kTurin, 1.3239));
  EXPECT_TRUE(HasLightAroundSunset(HorizontalTurin(0), kTurin, 2.5));
}

}  // namespace
}  // namespace heliograd
