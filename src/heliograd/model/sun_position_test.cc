#include "heliograd/model/sun_position.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace heliograd {
namespace {

// The report's worked example (appendix A.5): 17 October 2003, 12:30:30 at UTC-7, with 67 s between the time scales.
TEST(SunPosition, EqualsTheExampleOfTheReport) {
  const double days = DaysSinceJ2000(2003, 10, 17) + (19.0 + 30.5 / 60.0) / 24.0;
  const Observer golden(39.742476, -105.1786, 1830.14);
  const SunDirection sun = golden.Direction(GeocentricSunAt(days, 67.0), days, 820.0, 11.0);
  EXPECT_NEAR(sun.zenith_deg, 50.11162, 5e-6);  // printed to five decimals
  EXPECT_NEAR(sun.AzimuthDeg(), 194.34024, 5e-6);
}

SunDirection SunNearTurin(int month, int day, double utc_hours, double air_c) {
  const double days = DaysSinceJ2000(2005, month, day) + utc_hours / 24.0;
  return Observer(45.07, 7.69, 240)
      .Direction(GeocentricSunAt(days, TerrestrialMinusUniversalSeconds(2005)), days, 985, air_c);
}

TEST(SunPosition, EqualsReferenceVectorsNearTurin) {
  const SunDirection june = SunNearTurin(6, 21, 11.5, 25);
  EXPECT_NEAR(june.zenith_deg, 21.6251, 5e-5);  // the vectors are rounded to the decimals shown
  EXPECT_NEAR(june.AzimuthDeg(), 179.371, 5e-4);
  const SunDirection december = SunNearTurin(12, 21, 8.5, 2);
  EXPECT_NEAR(december.zenith_deg, 79.437, 5e-4);
  EXPECT_NEAR(december.AzimuthDeg(), 139.307, 5e-4);
}

TEST(SunPosition, DirectionAgreesWithItsAngle) {
  for (double hour = 0; hour < 24; hour += 0.25) {
    const SunDirection sun = SunNearTurin(3, 1, hour, 10);
    EXPECT_NEAR(sun.cos_zenith, std::cos(kRadiansPerDegree * sun.zenith_deg), 1e-12);
    EXPECT_NEAR(sun.sin_zenith, std::sin(kRadiansPerDegree * sun.zenith_deg), 1e-12);
    EXPECT_NEAR(sun.north * sun.north + sun.east * sun.east, 1, 1e-12);
  }
}

TEST(SunTrack, StaysWithinItsBoundOfTheFullAlgorithm) {
  double largest_deg = 0;
  for (int year : {1975, 2005, 2016, 2023}) {
    const double seconds = TerrestrialMinusUniversalSeconds(year);
    for (int month = 1; month <= 12; ++month) {
      const double first = DaysSinceJ2000(year, month, 1);
      const SunTrack track(first, first + SunTrack::kLongestDays, seconds);
      for (double day = 0; day <= SunTrack::kLongestDays; day += 0.37) {
        const GeocentricSun full = GeocentricSunAt(first + day, seconds);
        const GeocentricSun fast = track.At(first + day);
        const double declination =
            (std::asin(fast.sin_declination) - std::asin(full.sin_declination)) / kRadiansPerDegree;
        largest_deg =
            std::max({largest_deg, std::abs(fast.noon_angle_deg - full.noon_angle_deg), std::abs(declination)});
      }
    }
  }
  RecordProperty("largest_error_micro_deg", static_cast<int>(largest_deg * 1e6));
  EXPECT_LT(largest_deg, SunTrack::kLargestErrorDeg);
}

TEST(SunTrack, FollowsASingleInstant) {
  const double days = DaysSinceJ2000(2010, 5, 5) + 0.3;
  const SunTrack track(days, days, 66.0);
  EXPECT_TRUE(track.Covers(days));
  EXPECT_NEAR(track.At(days).noon_angle_deg, GeocentricSunAt(days, 66.0).noon_angle_deg, 1e-9);
}

TEST(Observer, DayArcIsHalfATurnAtTheEquinoxAndEndsAtThePolarCircle) {
  // At -0.8333 degrees the equinox day on the equator is longer than half a turn by twice that angle.
  EXPECT_NEAR(Observer(0, 0, 0).HalfDayArcDeg(0), 90.8333, 1e-9);
  const double june = std::sin(kRadiansPerDegree * 23.4);
  EXPECT_EQ(Observer(80, 0, 0).HalfDayArcDeg(june), 180);
  EXPECT_EQ(Observer(-80, 0, 0).HalfDayArcDeg(june), 0);
  EXPECT_EQ(Observer(90, 0, 0).HalfDayArcDeg(june), 180);
  EXPECT_EQ(Observer(-90, 0, 0).HalfDayArcDeg(june), 0);
}

TEST(SunPosition, IsFiniteAtThePoles) {
  for (double latitude : {-90.0, 90.0}) {
    for (double hour = 0; hour < 24; ++hour) {
      const double days = DaysSinceJ2000(2001, 6, 21) + hour / 24.0;
      const SunDirection sun = Observer(latitude, 12, 0).Direction(GeocentricSunAt(days, 64), days, 1013.25, -20);
      EXPECT_TRUE(std::isfinite(sun.zenith_deg));
      EXPECT_TRUE(std::isfinite(sun.AzimuthDeg()));
    }
  }
}

TEST(SunPosition, KnowsTheCalendar) {
  EXPECT_EQ(DaysSinceJ2000(2000, 1, 1), -0.5);
  EXPECT_EQ(DaysSinceJ2000(2001, 1, 1), 365.5);
  EXPECT_EQ(DaysSinceJ2000(1999, 12, 31), -1.5);
}

}  // namespace
}  // namespace heliograd
