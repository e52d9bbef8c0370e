#include "heliograd/feed/weather_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heliograd/base/file.h"
#include "heliograd/feed/weather_testing.h"

namespace heliograd {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

WeatherYear Parse(const std::string& content, const WeatherOverrides& overrides = {}) {
  auto read = ParseWeather(content, "w.csv", overrides);
  EXPECT_TRUE(read.has_value()) << (read ? "" : read.error().Message());
  return read ? read->weather : WeatherYear();
}

TEST(BuiltinTurinTest, IsACompleteYearWithItsSite) {
  const WeatherYear& year = Turin();
  EXPECT_EQ(year.latitude_deg, 45.0);
  EXPECT_EQ(year.longitude_deg, 8.0);
  EXPECT_EQ(year.elevation_m, 250.0);
  EXPECT_EQ(year.utc_offset, std::chrono::hours(1));
  EXPECT_EQ(year.stamp, IrradianceStamp::kInstant);
  EXPECT_NEAR(year.instant_offset_h, 0.1761, 1e-12);
  ASSERT_THAT(year.hours, SizeIs(kHoursPerYear));
  double ghi = 0, dni = 0, dhi = 0;
  for (const WeatherHour& row : year.hours) {
    ghi += row.ghi_w_m2 / 1000, dni += row.dni_w_m2 / 1000, dhi += row.dhi_w_m2 / 1000;
  }
  // Annual sums in whole kWh/m2, as published with the year: 1436, 1592, 571.
  EXPECT_NEAR(ghi, 1436, 0.5);
  EXPECT_NEAR(dni, 1592, 0.5);
  EXPECT_NEAR(dhi, 571, 0.5);
  EXPECT_FALSE(year.hours[0].albedo.has_value());
}

TEST(BuiltinTurinTest, FirstHourIsLocalMidnightOfTheFirstOfJanuary) {
  const WeatherHour& first = Turin().hours.front();
  EXPECT_EQ(first.source_year, 2016);  // 31 December 2016 23:00 UTC
  EXPECT_EQ(first.ambient_c, 2.1);
  EXPECT_EQ(first.pressure_hpa, 1010.9);
}

TEST(BuiltinTurinTest, AnOverrideMovesItsRowsToAnotherClock) {
  const WeatherYear utc = ReadWeather("builtin:turin", {.utc_offset_hours = 0}).value().weather;
  EXPECT_EQ(utc.utc_offset, std::chrono::hours(0));
  EXPECT_EQ(utc.hours[0].ambient_c, Turin().hours[1].ambient_c);
  EXPECT_EQ(utc.hours[8759].ambient_c, Turin().hours[0].ambient_c);
  EXPECT_EQ(utc.hours[0].hour, 0);
}

TEST(ReadWeatherTest, NamesAnUnknownBuiltin) {
  const auto read = ReadWeather("builtin:tourin", {});
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().Message(),
            "'builtin:tourin' is no built-in weather: expected builtin:turin or the path of a weather file.");
}

TEST(ReadWeatherTest, ReadsAFileAndNamesAnAbsentOne) {
  const std::string path = testing::TempDir() + "/heliograd_weather.epw";
  ASSERT_TRUE(WriteFile(path, EpwText(Turin())).has_value());
  EXPECT_TRUE(ReadWeather(path, {}).has_value());
  const auto absent = ReadWeather(testing::TempDir() + "/no_such_file.epw", {});
  ASSERT_FALSE(absent.has_value());
  EXPECT_THAT(absent.error().Message(), HasSubstr("no_such_file.epw"));
}

TEST(RoundTripTest, EveryFormatGivesTheSameHours) {
  ExpectSameHours(Parse(PvgisText(Turin())), Turin());
  ExpectSameHours(Parse(EpwText(Turin())), Turin());
  ExpectSameHours(Parse(NsrdbText(Turin(), std::nullopt)), Turin());
  ExpectSameHours(Parse(NsrdbText(Turin(), 30)), Turin());
  ExpectSameHours(Parse(PvwattsText(Turin(), 5), {.utc_offset_hours = 1}), Turin());
  ExpectSameHours(Parse(PvwattsText(Turin(), 8), {.utc_offset_hours = 1}), Turin());
}

TEST(RoundTripTest, YearsAndPressureSurviveWhereTheFormatHasThem) {
  ExpectSameYearsAndPressure(Parse(PvgisText(Turin())), Turin());
  ExpectSameYearsAndPressure(Parse(EpwText(Turin())), Turin());
  ExpectSameYearsAndPressure(Parse(NsrdbText(Turin(), 30)), Turin());
}

TEST(RoundTripTest, LineEndsAndByteOrderMarkChangeNothing) {
  ExpectSameHours(Parse("\xEF\xBB\xBF" + PvgisText(Turin(), "\r\n")), Turin());
  ExpectSameHours(Parse(PvgisText(Turin(), "\r")), Turin());
}

TEST(ParseWeatherTest, OverridesReplaceTheSite) {
  const WeatherYear year =
      Parse(EpwText(Turin()), {.utc_offset_hours = 2, .latitude_deg = 46.5, .longitude_deg = 9.5, .elevation_m = 1000});
  EXPECT_EQ(year.latitude_deg, 46.5);
  EXPECT_EQ(year.longitude_deg, 9.5);
  EXPECT_EQ(year.elevation_m, 1000);
  EXPECT_EQ(year.utc_offset, std::chrono::hours(2));
  ExpectSameHours(year, Turin());
}

TEST(ParseWeatherTest, RefusesImpossibleOverridesAllAtOnce) {
  const auto read = ParseWeather("x", "w.csv", {.utc_offset_hours = 100, .latitude_deg = 91});
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(read.error().problems, ElementsAre(HasSubstr("UTC offset"), HasSubstr("latitude")));
}

TEST(ParseWeatherTest, SaysWhichFormatsAreKnownAndWhatWasFound) {
  EXPECT_THAT(Problems("id;name\n1;2\n"),
              ElementsAre(AllOf(HasSubstr("w.csv:1: the first line is 'id;name'"), HasSubstr("PVGIS"), HasSubstr("EPW"),
                                HasSubstr("NSRDB"), HasSubstr("PVWatts"))));
  EXPECT_THAT(Problems("{\"inputs\": 1}"), ElementsAre(HasSubstr("JSON")));
  EXPECT_THAT(Problems(std::string("\xFF\xFEL\0a\0", 6)), ElementsAre(HasSubstr("UTF-16")));
  EXPECT_THAT(Problems("724699,BROOMFIELD,CO,-7.0,40.130,-105.240,1689\n"), ElementsAre(HasSubstr("TMY3")));
}

TEST(ParseWeatherTest, RefusesAnEmptyFile) {
  EXPECT_THAT(Problems(""), ElementsAre("w.csv: the file is empty: expected a weather file."));
  EXPECT_THAT(Problems("\n \r\n"), ElementsAre(HasSubstr("empty")));
}

TEST(ParseWeatherTest, RefusesALineWithoutEnd) {
  EXPECT_THAT(Problems(std::string(1 << 20, 'x')), ElementsAre(HasSubstr("w.csv:1: the line is longer than 64 KiB")));
  for (const std::string& start :
       {PvgisText(Turin()).substr(0, 1000), EpwText(Turin()).substr(0, 1000), NsrdbText(Turin(), 30).substr(0, 1000),
        PvwattsText(Turin(), 5).substr(0, 1500),
        std::string("# at lat 1 lon 1 elev 1, local standard time UTC+1\n#instantaneous at "
                    "hour + 0.5 h\nmonth,day,hour,src_year,ghi,dni,dhi,tamb,wind,pres_hpa\n")}) {
    EXPECT_THAT(Problems(start + std::string(1 << 20, '1')), Contains(HasSubstr("longer than 64 KiB")));
  }
}

TEST(ParseWeatherTest, SurvivesATruncationAnywhere) {
  for (const std::string& whole : {PvgisText(Turin()), EpwText(Turin()), NsrdbText(Turin(), 30),
                                   PvwattsText(Turin(), 5), PvwattsText(Turin(), 8)}) {
    for (size_t size = 1; size < 2500; size += 61) {
      EXPECT_FALSE(ParseWeather(std::string_view(whole).substr(0, size), "w.csv", {}).has_value()) << size;
    }
    const auto half = Problems(whole.substr(0, whole.size() / 2), {.utc_offset_hours = 1});
    EXPECT_THAT(half.back(), HasSubstr("to 12-31 "));  // the missing hours, named as one range
  }
}

}  // namespace
}  // namespace heliograd
