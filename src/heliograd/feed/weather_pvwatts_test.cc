#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "heliograd/feed/weather_file.h"
#include "heliograd/feed/weather_testing.h"

namespace heliograd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const WeatherOverrides kRome{.utc_offset_hours = 1};

double Sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

TEST(PvwattsTest, CarriesTheSystemAndItsPower) {
  const WeatherFile file = ParseWeather(PvwattsText(Turin(), 8), "w.csv", kRome).value();
  ASSERT_TRUE(file.pvwatts.has_value());
  EXPECT_EQ(file.pvwatts->version, 8);
  EXPECT_EQ(file.pvwatts->dc_capacity_w, 1000);
  EXPECT_EQ(file.pvwatts->tilt_deg, 0);
  EXPECT_EQ(file.pvwatts->azimuth_deg, 180);
  EXPECT_TRUE(file.pvwatts->roof_mounted);
  EXPECT_EQ(file.pvwatts->module_type, "Standard");
  EXPECT_EQ(file.pvwatts->losses_percent, 14.08);
  EXPECT_EQ(file.pvwatts->inverter_efficiency, 0.96);
  EXPECT_EQ(file.pvwatts->dc_ac_ratio, 1.2);
  ASSERT_THAT(file.pvwatts->ac_w, SizeIs(kHoursPerYear));
  EXPECT_NEAR(file.pvwatts->ac_w[12], 0.7 * Turin().hours[12].ghi_w_m2, 1e-9);
  EXPECT_EQ(file.weather.hours[12].albedo, 0.21);
  EXPECT_EQ(file.weather.source, "w.csv (PVWatts 8)");
}

TEST(PvwattsTest, VersionFiveCountsLongitudeFromGreenwichWestwards) {
  const WeatherFile file = ParseWeather(PvwattsText(Turin(), 5), "w.csv", kRome).value();
  EXPECT_EQ(file.pvwatts->version, 5);
  EXPECT_EQ(file.weather.longitude_deg, 8);
  EXPECT_FALSE(file.weather.hours[12].albedo.has_value());
  EXPECT_EQ(file.weather.stamp, IrradianceStamp::kHourMean);
}

TEST(PvwattsTest, VersionEightWithoutLightAroundSunsetTookInstants) {
  // Local rows shifted so that the sun stands at mid-hour where the row says: instants at 0.1761 h of UTC+1 are
  // instants at mid-hour of a clock 0.3239 h ahead. At that clock no light falls while the sun is down.
  const WeatherFile instants =
      ParseWeather(PvwattsText(Turin(), 8), "w.csv", {.utc_offset_hours = 1 + 0.5 - 0.1761}).value();
  EXPECT_EQ(instants.weather.stamp, IrradianceStamp::kInstant);
  EXPECT_EQ(instants.weather.instant_offset_h, 0.5);
  // Read as a clock an hour off, there is light in the dark, which only means over the hour can explain.
  const WeatherFile means = ParseWeather(PvwattsText(Turin(), 8), "w.csv", {.utc_offset_hours = 2.5}).value();
  EXPECT_EQ(means.weather.stamp, IrradianceStamp::kHourMean);
}

TEST(PvwattsTest, FindsTheZoneOfRealFiles) {
  const std::string golden = ReferencePath("pvwatts/pvwatts_v5_golden_co_4kW_tilt20_rack.csv");
  if (golden.empty()) GTEST_SKIP() << "HELIOGRAD_REFERENCE_DATA does not name the folder of reference data";
  const WeatherFile v5 = ReadWeather(golden, {}).value();
  EXPECT_EQ(v5.weather.utc_offset, std::chrono::hours(-7));
  EXPECT_EQ(v5.weather.longitude_deg, -105.18);
  EXPECT_EQ(v5.weather.stamp, IrradianceStamp::kHourMean);
  EXPECT_EQ(v5.pvwatts->version, 5);
  EXPECT_EQ(v5.pvwatts->dc_capacity_w, 4000);
  EXPECT_FALSE(v5.pvwatts->roof_mounted);
  EXPECT_NEAR(Sum(v5.pvwatts->ac_w), 6023671.24, 0.01);  // the file's own row of totals

  const WeatherFile roof = ReadWeather(ReferencePath("pvwatts/pvwatts_v5_golden_co_4kW_tilt20_roof.csv"), {}).value();
  EXPECT_EQ(roof.weather.utc_offset, std::chrono::hours(-7));
  EXPECT_TRUE(roof.pvwatts->roof_mounted);

  // Lodwar keeps UTC+3, although its longitude of 35.62 degrees alone would suggest UTC+2.
  const WeatherFile v8 = ReadWeather(ReferencePath("pvwatts/pvwatts_v8_lodwar_kenya_1kW_tilt10_rack.csv"), {}).value();
  EXPECT_EQ(v8.weather.utc_offset, std::chrono::hours(3));
  EXPECT_EQ(v8.weather.stamp, IrradianceStamp::kHourMean);
  EXPECT_EQ(v8.pvwatts->version, 8);
  EXPECT_EQ(v8.pvwatts->tilt_deg, 10);
  EXPECT_EQ(v8.weather.hours[0].albedo, 0.21);
}

TEST(PvwattsTest, AsksForTheZoneWhereTheSunDoesNotTell) {
  std::string text = PvwattsText(Turin(), 5);
  WeatherYear dark = Turin();
  for (WeatherHour& row : dark.hours) row.dni_w_m2 = 0;
  EXPECT_THAT(Problems(PvwattsText(dark, 5)), ElementsAre(HasSubstr("give the UTC offset")));
  EXPECT_THAT(Problems(Replaced(text, "Array Tilt (deg):,0", "Array Tilt (deg):,90")),
              ElementsAre(HasSubstr("no clock makes the irradiance on the plane agree with the sun")));
}

TEST(PvwattsTest, RefusesSystemsThatTheModelDoesNotKnow) {
  const std::string text = PvwattsText(Turin(), 8);
  EXPECT_THAT(Problems(Replaced(text, "Fixed (roof mount)", "1-Axis Tracking"), kRome),
              ElementsAre(HasSubstr("Array Type is '1-Axis Tracking': expected Fixed (open rack)")));
  EXPECT_THAT(Problems(Replaced(text, "No (0)", "Yes (0.65)"), kRome), ElementsAre(HasSubstr("Bifacial")));
  EXPECT_THAT(Problems(Replaced(text, "\"Jan\",\"0\"", "\"Jan\",\"5\""), kRome),
              ElementsAre(HasSubstr("Monthly Irradiance Loss (%) is '5'")));
  EXPECT_THAT(Problems(Replaced(text, "\"Standard\"", "\"Magic\""), kRome),
              ElementsAre(HasSubstr("Module Type is 'Magic': expected Standard, Premium, Thin film")));
}

TEST(PvwattsTest, ListsAllProblemsOfHeaderAndRows) {
  std::string text = Replaced(PvwattsText(Turin(), 5), "DC System Size (kW):,1", "DC System Size (kW):,big");
  text = Replaced(text, "Invert Efficiency:,96", "Invert Efficiency:,0.96");
  text = Replaced(text, "\n1,1,1,0,0,2.04,", "\n1,1,1,-3,1e999,-300,");
  EXPECT_THAT(Problems(text, kRome),
              ElementsAre("w.csv:7: DC System Size (kW) is 'big': expected a number from 0.001 to 10000000 kW.",
                          "w.csv:13: Inverter Efficiency (%) is '0.96': expected a number from 50 to 100 %.",
                          "w.csv:18: Beam Irradiance is '-3': expected a number from -1 to 2000 W/m2.",
                          "w.csv:18: Diffuse Irradiance is '1e999': expected a number from -1 to 2000 W/m2.",
                          "w.csv:18: Ambient Temperature is '-300': expected a number from -90 to 60 C."));
}

TEST(PvwattsTest, FindsDuplicateAndMissingHoursAndAbsentParts) {
  EXPECT_THAT(Problems(Replaced(PvwattsText(Turin(), 5), "\n1,1,1,", "\n1,1,0,"), kRome),
              ElementsAre(HasSubstr("w.csv:18: a second row for 01-01 00:00"), HasSubstr("no row for 01-01 01:00")));
  EXPECT_THAT(Problems(Replaced(PvwattsText(Turin(), 5), "Elev (m):", "Height:"), kRome),
              ElementsAre(HasSubstr("no line 'Elev (m)'")));
  EXPECT_THAT(Problems(Replaced(PvwattsText(Turin(), 5), "AC System Output", "AC"), kRome),
              ElementsAre(HasSubstr("w.csv:16: no column AC System Output")));
  EXPECT_THAT(Problems("PVWatts: Hourly PV Performance Data\n"), ElementsAre(HasSubstr("no row of column names")));
}

}  // namespace
}  // namespace heliograd
