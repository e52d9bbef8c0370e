#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heliograd/feed/weather_file.h"
#include "heliograd/feed/weather_testing.h"

namespace heliograd {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

WeatherYear Parse(const std::string& content, const WeatherOverrides& overrides = {}) {
  return ParseWeather(content, "w.csv", overrides).value().weather;
}

TEST(PvgisTest, RowsAreUtcAndMoveToTheHourNearestToTheLongitude) {
  const WeatherYear year = Parse(PvgisText(Turin()));
  EXPECT_EQ(year.utc_offset, std::chrono::hours(1));  // 8 degrees east / 15 rounds to 1 h
  EXPECT_EQ(year.stamp, IrradianceStamp::kInstant);
  EXPECT_NEAR(year.instant_offset_h, 0.1761, 1e-9);
  EXPECT_EQ(year.source, "w.csv (PVGIS typical year)");
  // The file's last row, 31 December 23:00 UTC, is the first hour of the local year.
  EXPECT_EQ(year.hours[0].source_year, 2016);
  EXPECT_EQ(year.hours[0].month, 1);
}

TEST(PvgisTest, AnInstantKeepsItsMeaningInAZoneOfHalfHours) {
  const WeatherYear india = Parse(PvgisText(Turin()), {.utc_offset_hours = 5.5});
  EXPECT_EQ(india.utc_offset, std::chrono::minutes(330));
  // 00:00 UTC + 0.1761 h is 05:40 local: row 5, 0.6761 h after its start.
  EXPECT_NEAR(india.instant_offset_h, 0.6761, 1e-9);
  EXPECT_EQ(india.hours[5].ambient_c, Turin().hours[1].ambient_c);
  // 23:30 + 0.1761 + 0.5 passes the hour: row h + 6, not h + 5.
  const WeatherYear late = Parse(Replaced(PvgisText(Turin()), "0.1761", "0.7"), {.utc_offset_hours = 5.5});
  EXPECT_NEAR(late.instant_offset_h, 0.2, 1e-9);
  EXPECT_EQ(late.hours[6].ambient_c, Turin().hours[1].ambient_c);
}

TEST(PvgisTest, WestOfGreenwichRowsMoveBack) {
  const WeatherYear west = Parse(PvgisText(Turin()), {.longitude_deg = -105.0});
  EXPECT_EQ(west.utc_offset, std::chrono::hours(-7));
  EXPECT_EQ(west.hours[8760 - 7].ambient_c, Turin().hours[1].ambient_c);
  EXPECT_EQ(west.hours[8760 - 7].day, 31);
}

TEST(PvgisTest, WithoutAnOffsetLineIrradianceIsAtTheStamp) {
  const WeatherYear year = Parse(Replaced(PvgisText(Turin()), "Irradiance Time Offset (h): 0.1761\n", ""));
  EXPECT_EQ(year.instant_offset_h, 0);
  ExpectSameHours(year, Turin());
}

TEST(PvgisTest, ReadsWhatPvgisWritesAsTheBuiltInYear) {
  const std::string path = ReferencePath("weather/PVGIS_tmy_45.000_8.000_2005_2023.csv");
  if (path.empty()) GTEST_SKIP() << "HELIOGRAD_REFERENCE_DATA does not name the folder of reference data";
  const WeatherYear year = ReadWeather(path, {.utc_offset_hours = 1}).value().weather;
  EXPECT_NEAR(year.instant_offset_h, Turin().instant_offset_h, 1e-9);
  constexpr double kRounded = 0.05 + 1e-9;  // the built-in year has one decimal of irradiance and pressure
  ASSERT_EQ(year.hours.size(), Turin().hours.size());
  for (size_t i = 0; i < year.hours.size(); ++i) {
    const WeatherHour &read = year.hours[i], &built_in = Turin().hours[i];
    ASSERT_EQ(std::vector({read.source_year, read.month, read.day, read.hour}),
              std::vector({built_in.source_year, built_in.month, built_in.day, built_in.hour}));
    ASSERT_EQ(read.ambient_c, built_in.ambient_c);
    ASSERT_EQ(read.wind_m_s, built_in.wind_m_s);
    ASSERT_NEAR(read.ghi_w_m2, built_in.ghi_w_m2, kRounded);
    ASSERT_NEAR(read.dni_w_m2, built_in.dni_w_m2, kRounded);
    ASSERT_NEAR(read.dhi_w_m2, built_in.dhi_w_m2, kRounded);
    ASSERT_NEAR(read.pressure_hpa, built_in.pressure_hpa, kRounded);
  }
}

TEST(PvgisTest, ListsBadValuesWithLineColumnValueAndLimits) {
  std::string text = PvgisText(Turin());
  text = Replaced(text, "0100,1.98,90.0,0,0,0,", "0100,900,90.0,5000,-5,nan,");
  EXPECT_THAT(Problems(text), ElementsAre("w.csv:9: T2m is '900': expected a number from -90 to 60 C.",
                                          "w.csv:9: G(h) is '5000': expected a number from -1 to 2000 W/m2.",
                                          "w.csv:9: Gb(n) is '-5': expected a number from -1 to 2000 W/m2.",
                                          "w.csv:9: Gd(h) is 'nan': expected a number from -1 to 2000 W/m2."));
}

TEST(PvgisTest, SmallNegativeIrradianceIsSensorNoiseAndBecomesZero) {
  const WeatherYear year = Parse(Replaced(PvgisText(Turin()), "0100,1.98,90.0,0,0,0,", "0100,1.98,90.0,-0.0,-0.9,0,"));
  EXPECT_EQ(year.hours[2].dni_w_m2, 0);
  EXPECT_FALSE(std::signbit(year.hours[2].ghi_w_m2));
}

TEST(PvgisTest, FindsDuplicateAndMissingHours) {
  EXPECT_THAT(Problems(Replaced(PvgisText(Turin()), "20180101:0100", "20180101:0000")),
              ElementsAre("w.csv:9: a second row for 01-01 00:00 (first on line 8): expected one row per hour.",
                          "w.csv: no row for 01-01 01:00 (1 of 8760 hours): expected every hour of a year."));
}

TEST(PvgisTest, NamesBadStampsOnce) {
  EXPECT_THAT(Problems(Replaced(PvgisText(Turin()), "20180101:0100", "2018-01-01 01:00")),
              ElementsAre(AllOf(HasSubstr("w.csv:9: time(UTC) is '2018-01-01 01:00'"), HasSubstr("20180101:0000"))));
  EXPECT_THAT(Problems(Replaced(PvgisText(Turin()), "20180101:0100", "20180141:0100")),
              ElementsAre(HasSubstr("w.csv:9: month 1, day 41 is no date")));
  EXPECT_THAT(Problems(Replaced(PvgisText(Turin()), "20180101:0100", "20180101:0130")),
              ElementsAre(HasSubstr("w.csv:9: time(UTC)")));
}

TEST(PvgisTest, NamesWhatTheHeaderLacks) {
  EXPECT_THAT(Problems(Replaced(PvgisText(Turin()), "Elevation (m): 250.0\n", "")),
              ElementsAre(HasSubstr("no line 'Elevation (m): ...'")));
  EXPECT_THAT(Problems(Replaced(Replaced(PvgisText(Turin()), "Elevation (m): 250.0\n", ""), "45.000", "north")),
              ElementsAre(HasSubstr("w.csv:1: Latitude is 'north'"), HasSubstr("no line 'Elevation (m): ...'")));
  EXPECT_THAT(Problems(Replaced(PvgisText(Turin()), "45.000", "95")),
              ElementsAre(HasSubstr("w.csv:1: Latitude is '95'")));
  EXPECT_THAT(Problems(Replaced(PvgisText(Turin()), "Gb(n)", "Gb(i)")), ElementsAre(HasSubstr("no column Gb(n)")));
  EXPECT_THAT(Problems("Latitude (decimal degrees): 45\ntime,P,G(i)\n"), Contains(HasSubstr("typical year (TMY)")));
}

TEST(PvgisTest, CutsALongListOfProblems) {
  std::string text = PvgisText(Turin());
  for (size_t at = text.find(",90.0,"); at != std::string::npos; at = text.find(",90.0,", at + 6)) {
    text.replace(at, 6, ",90.0,x");
  }
  const auto problems = Problems(text);
  ASSERT_THAT(problems, SizeIs(3));
  EXPECT_THAT(problems.back(), HasSubstr(": 8758 more lines with the same mistake."));
}

}  // namespace
}  // namespace heliograd
