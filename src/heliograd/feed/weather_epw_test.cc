#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heliograd/feed/weather_file.h"
#include "heliograd/feed/weather_testing.h"

namespace heliograd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kSecondRow = "2018,1,1,2,60,?9?9,2.04,1.0,90,99870,0,0,300,0,0,0,";

TEST(EpwTest, HourNIsTheMeanOverTheHourBeforeIt) {
  const WeatherYear year = ParseWeather(EpwText(Turin()), "w.epw", {}).value().weather;
  EXPECT_EQ(year.stamp, IrradianceStamp::kHourMean);
  EXPECT_EQ(year.instant_offset_h, 0);
  EXPECT_EQ(year.utc_offset, std::chrono::hours(1));
  EXPECT_EQ(year.latitude_deg, 45);
  EXPECT_EQ(year.elevation_m, 250);
  EXPECT_EQ(year.source, "w.epw (EPW)");
  // Hour 1 of the file covers 0:00 to 1:00 and is row 0.
  EXPECT_EQ(year.hours[0].hour, 0);
  EXPECT_EQ(year.hours[0].ambient_c, Turin().hours[0].ambient_c);
  EXPECT_EQ(year.hours[0].albedo, 0.21);
}

TEST(EpwTest, CodesForMissingValuesAreRefusedWhereTheModelNeedsThem) {
  const std::string text =
      Replaced(EpwText(Turin()), kSecondRow, "2018,1,1,2,60,?9?9,99.9,1.0,90,99870,0,0,300,0,9999,9999,");
  EXPECT_THAT(
      Problems(text),
      ElementsAre(HasSubstr("w.csv:10: dry bulb temperature is '99.9': expected a measured value, but this is the "
                            "code for a missing one"),
                  HasSubstr("w.csv:10: direct normal radiation is '9999'"),
                  HasSubstr("w.csv:10: diffuse horizontal radiation is '9999'")));
}

TEST(EpwTest, CodesForMissingValuesBecomeUnknownWhereTheModelDoesWithout) {
  std::string text = Replaced(EpwText(Turin()), kSecondRow, "2018,1,1,2,60,?9?9,2.04,1.0,90,999999,0,0,300,9999,0,0,");
  text = Replaced(text, "0.210", "999.000");  // of the first row
  const WeatherYear year = ParseWeather(text, "w.epw", {}).value().weather;
  EXPECT_EQ(year.hours[1].pressure_hpa, 0);
  EXPECT_EQ(year.hours[1].ghi_w_m2, 0);
  EXPECT_FALSE(year.hours[0].albedo.has_value());
  EXPECT_TRUE(year.hours[1].albedo.has_value());
}

TEST(EpwTest, DropsTheLeapDay) {
  const std::string text = EpwText(Turin());
  const size_t march = text.find(",3,1,1,60,");
  const size_t line = text.rfind('\n', march) + 1;
  std::string leap_day;
  for (int hour = 1; hour <= 24; ++hour) {
    leap_day += fmt::format("2008,2,29,{},60,?,50,1,90,99870,0,0,300,0,0,0,0,0,0,0,180,1\n", hour);
  }
  const std::string with_leap_day = text.substr(0, line) + leap_day + text.substr(line);
  ExpectSameHours(ParseWeather(with_leap_day, "w.epw", {}).value().weather, Turin());
}

TEST(EpwTest, ListsValuesOfTheWrongTypeOrUnit) {
  const std::string text =
      Replaced(EpwText(Turin()), kSecondRow, "2018,1,1,2,60,?9?9,900,1.0,90,998.7,0,0,300,0,inf,0x1,");
  EXPECT_THAT(Problems(text),
              ElementsAre("w.csv:10: dry bulb temperature is '900': expected a number from -90 to 60 C.",
                          "w.csv:10: direct normal radiation is 'inf': expected a number from -1 to 2000 W/m2.",
                          "w.csv:10: diffuse horizontal radiation is '0x1': expected a number from -1 to 2000 W/m2.",
                          "w.csv:10: station pressure is '998.7': expected a number from 30000 to 110000 Pa."));
}

TEST(EpwTest, FindsBadDuplicateAndMissingHours) {
  EXPECT_THAT(Problems(Replaced(EpwText(Turin()), "2018,1,1,2,60", "2018,1,1,25,60")),
              ElementsAre("w.csv:10: hour is '25': expected a whole number from 1 to 24."));
  EXPECT_THAT(Problems(Replaced(EpwText(Turin()), "2018,1,1,2,60", "2018,1,1,1,60")),
              ElementsAre(HasSubstr("w.csv:10: a second row for 01-01 00:00 (first on line 9)"),
                          HasSubstr("no row for 01-01 01:00 (1 of")));
  EXPECT_THAT(Problems(Replaced(EpwText(Turin()), kSecondRow, "2018,1,1,2,60\n2018,1,1,")),
              testing::Contains(HasSubstr("w.csv:10: 5 fields: expected at least 22")));
}

TEST(EpwTest, NamesWhatTheHeaderLacks) {
  EXPECT_THAT(Problems(Replaced(EpwText(Turin()), "DATA PERIODS,1,1,", "DATA PERIODS,1,2,")),
              ElementsAre(HasSubstr("w.csv:8: number of rows per hour (DATA PERIODS) is '2': expected 1")));
  EXPECT_THAT(Problems(Replaced(EpwText(Turin()), "DATA PERIODS", "DATA")), ElementsAre(HasSubstr("no DATA PERIODS")));
  EXPECT_THAT(Problems(Replaced(EpwText(Turin()), ",45,8,1.0,250", ",45,8,1.0")),
              ElementsAre(HasSubstr("w.csv:1: LOCATION has 9 fields")));
  EXPECT_THAT(Problems(Replaced(EpwText(Turin()), ",45,8,1.0,250", ",north,8,100,250")),
              ElementsAre(HasSubstr("latitude is 'north'"), HasSubstr("time zone is '100'")));
}

}  // namespace
}  // namespace heliograd
