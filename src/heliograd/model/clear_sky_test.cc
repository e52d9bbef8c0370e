#include "heliograd/model/clear_sky.h"

#include <gtest/gtest.h>

#include <cmath>

namespace heliograd {
namespace {

TEST(ClearSky, KnownAnswers) {
  // Sun overhead, air mass 1: 1098 exp(-0.057) and 1353 x 0.7.
  const ClearSky overhead = ClearSkyAt(1);
  EXPECT_NEAR(overhead.ghi_w_m2, 1037.16, 0.01);
  EXPECT_NEAR(overhead.dni_w_m2, 947.1, 0.5);  // Kasten and Young give 0.9997 air masses
  // 60 degrees, air mass 1.994 (Kasten and Young): by hand.
  const ClearSky sixty = ClearSkyAt(0.5);
  EXPECT_NEAR(sixty.ghi_w_m2, 549 * std::exp(-0.114), 0.01);
  EXPECT_NEAR(sixty.dni_w_m2, 1353 * std::pow(0.7, std::pow(1.994, 0.678)), 0.5);
}

TEST(ClearSky, PartsAddUpAndNothingIsNegativeDownToTheHorizon) {
  double last = 0;
  for (double cosine = 1e-4; cosine <= 1; cosine += 1e-3) {
    const ClearSky sky = ClearSkyAt(cosine);
    EXPECT_GE(sky.dni_w_m2, 0);
    EXPECT_GE(sky.dhi_w_m2, -1e-12);
    EXPECT_NEAR(sky.ghi_w_m2, sky.dhi_w_m2 + sky.dni_w_m2 * cosine, 1e-9);
    EXPECT_GE(sky.ghi_w_m2, last);  // a higher sun gives more
    last = sky.ghi_w_m2;
  }
  EXPECT_EQ(ClearSkyAt(0).ghi_w_m2, 0);
  EXPECT_EQ(ClearSkyAt(-0.3).dni_w_m2, 0);
}

TEST(ClearSky, AYearIsDarkAtNightAndSymmetricAboutNoonAtTheEquator) {
  WeatherYear weather;
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (int month = 1; month <= 12; ++month) {
    for (int day = 1; day <= kDays[month - 1]; ++day) {
      for (int hour = 0; hour < 24; ++hour) {
        WeatherHour row;
        row.source_year = 2005;
        row.month = month;
        row.day = day;
        row.hour = hour;
        row.ghi_w_m2 = row.dni_w_m2 = row.dhi_w_m2 = 1;  // nothing of it stays
        row.ambient_c = 21;
        weather.hours.push_back(row);
      }
    }
  }
  const WeatherYear clear = UnderClearSky(weather);
  ASSERT_EQ(clear.hours.size(), weather.hours.size());
  double morning = 0, afternoon = 0;
  for (const WeatherHour& row : clear.hours) {
    if (row.hour < 5 || row.hour > 18) {
      EXPECT_EQ(row.ghi_w_m2 + row.dni_w_m2 + row.dhi_w_m2, 0);
    }
    if (row.hour == 12) {
      EXPECT_GT(row.ghi_w_m2, 800);
    }
    (row.hour < 12 ? morning : afternoon) += row.ghi_w_m2;
    EXPECT_EQ(row.ambient_c, 21);
  }
  // The equation of time is near zero over a year (its mean is under a minute).
  EXPECT_NEAR(morning / afternoon, 1, 0.01);
}

}  // namespace
}  // namespace heliograd
