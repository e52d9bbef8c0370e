#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heliograd/feed/weather_file.h"
#include "heliograd/feed/weather_testing.h"

namespace heliograd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

WeatherYear Parse(const std::string& content, const WeatherOverrides& overrides = {}) {
  return ParseWeather(content, "w.csv", overrides).value().weather;
}

TEST(NsrdbTest, WithAMinuteColumnARowIsAnInstant) {
  const WeatherYear year = Parse(NsrdbText(Turin(), 30));
  EXPECT_EQ(year.stamp, IrradianceStamp::kInstant);
  EXPECT_EQ(year.instant_offset_h, 0.5);
  EXPECT_EQ(year.utc_offset, std::chrono::hours(1));
  EXPECT_EQ(year.longitude_deg, 8);
  EXPECT_EQ(year.hours[0].albedo, 0.21);
  EXPECT_EQ(Parse(NsrdbText(Turin(), 0)).instant_offset_h, 0);
}

TEST(NsrdbTest, WithoutAMinuteColumnARowIsTheMeanOverItsHour) {
  const WeatherYear year = Parse(NsrdbText(Turin(), std::nullopt));
  EXPECT_EQ(year.stamp, IrradianceStamp::kHourMean);
  EXPECT_EQ(year.instant_offset_h, 0);
  EXPECT_EQ(year.hours[0].ambient_c, Turin().hours[0].ambient_c);
}

/// The header of a file whose rows are in UTC although the place is not.
std::string InUtc(const std::string& text, const std::string& local) {
  return Replaced(text, "8,1,250,1\n", "8,0,250," + local + "\n");
}

TEST(NsrdbTest, RowsInUtcMoveToLocalStandardTime) {
  const WeatherYear year = Parse(InUtc(NsrdbText(Turin(), 30), "1"));
  EXPECT_EQ(year.utc_offset, std::chrono::hours(1));
  EXPECT_EQ(year.hours[1].ambient_c, Turin().hours[0].ambient_c);
  const WeatherYear half = Parse(InUtc(NsrdbText(Turin(), 30), "5.5"));
  EXPECT_EQ(half.instant_offset_h, 0);
  EXPECT_EQ(half.hours[6].ambient_c, Turin().hours[0].ambient_c);  // 00:30 UTC is 06:00
}

TEST(NsrdbTest, HourMeansCannotMoveByHalfAnHour) {
  EXPECT_THAT(Problems(InUtc(NsrdbText(Turin(), std::nullopt), "5.5")),
              ElementsAre(HasSubstr("means over hours of UTC+0 and cannot move to UTC+5.5")));
}

TEST(NsrdbTest, AnOverrideCorrectsTheZoneOfLocalRows) {
  const WeatherYear year = Parse(NsrdbText(Turin(), 30), {.utc_offset_hours = 2});
  EXPECT_EQ(year.utc_offset, std::chrono::hours(2));
  ExpectSameHours(year, Turin());
}

/// A file as SAM users write it: short names, another order, a row of units, no minute.
std::string SamText() {
  std::string text =
      "lat,lon,tz,elev,units,year\n45,8,1,250,yes,2007\n"
      "Mo,Day,Hr,Wspd,Tdry,Beam,Diffuse,Pres,Albedo\n-,-,h,m/s,C,W/m2,W/m2,mbar,-\n";
  for (const WeatherHour& row : Turin().hours) {
    text += fmt::format("{},{},{},{},{},{},{},{},-999\n", row.month, row.day, row.hour, row.wind_m_s, row.ambient_c,
                        row.dni_w_m2, row.dhi_w_m2, row.pressure_hpa);
  }
  return text;
}

TEST(NsrdbTest, TakesTheNamesOfSam) {
  const WeatherYear year = Parse(SamText());
  ExpectSameHours(year, Turin());
  EXPECT_EQ(year.stamp, IrradianceStamp::kHourMean);
  EXPECT_EQ(year.hours[0].source_year, 2007);
  EXPECT_EQ(year.hours[0].ghi_w_m2, 0);
  EXPECT_FALSE(year.hours[12].albedo.has_value());
  EXPECT_EQ(year.hours[0].pressure_hpa, 1010.9);
}

TEST(NsrdbTest, SaysWhichYearIsAssumedWhereNoneIsGiven) {
  const WeatherYear year = Parse(Replaced(Replaced(SamText(), ",units,year", ",units"), ",yes,2007", ",yes"));
  EXPECT_EQ(year.hours[0].source_year, 2005);
  EXPECT_THAT(year.source, HasSubstr("without years: 2005"));
}

TEST(NsrdbTest, RefusesHalfHourlyData) {
  std::string text = NsrdbText(Turin(), 0);
  const size_t second = text.find("2018,1,1,1,0,");
  text.insert(second, "2016,1,1,0,30,2.1,0,0,0,0.21,1010.9,0.72\n");
  EXPECT_THAT(Problems(text),
              ElementsAre("w.csv:5: rows every 30 minutes: expected one row per hour; download the data "
                          "with an interval of 60 minutes."));
}

TEST(NsrdbTest, RefusesMinutesThatDiffer) {
  EXPECT_THAT(Problems(Replaced(NsrdbText(Turin(), 30), "2018,1,1,1,30,", "2018,1,1,1,15,")),
              ElementsAre("w.csv:5: Minute is '15': expected 30, as in the first row."));
}

TEST(NsrdbTest, DropsTheLeapDay) {
  const std::string text = NsrdbText(Turin(), 30);
  ExpectSameHours(Parse(text + "2008,2,29,0,30,50,0,0,0,0.2,1000,1\n"), Turin());
}

TEST(NsrdbTest, ListsBadValuesAndHours) {
  const std::string text =
      Replaced(NsrdbText(Turin(), 30), "2018,1,1,1,30,2.04,0,0,0,0.21,998.7,", "2018,1,1,1,30,300,-2,0,5000,7,99870,");
  EXPECT_THAT(Problems(text), ElementsAre("w.csv:5: GHI is '5000': expected a number from -1 to 2000 W/m2.",
                                          "w.csv:5: DHI is '-2': expected a number from -1 to 2000 W/m2.",
                                          "w.csv:5: Temperature is '300': expected a number from -90 to 60 C.",
                                          "w.csv:5: Pressure is '99870': expected a number from 300 to 1100 hPa.",
                                          "w.csv:5: Surface Albedo is '7': expected a number from 0 to 1."));
  EXPECT_THAT(Problems(Replaced(NsrdbText(Turin(), 30), "2018,1,1,1,30,", "2018,1,1,24,30,")),
              ElementsAre("w.csv:5: Hour is '24': expected a whole number from 0 to 23."));
  EXPECT_THAT(Problems(Replaced(NsrdbText(Turin(), 30), "2018,1,1,1,30,", "2016,1,1,0,30,")),
              ElementsAre(HasSubstr("w.csv:5: a second row for 01-01 00:00"), HasSubstr("no row for 01-01 01:00")));
}

TEST(NsrdbTest, NamesWhatIsAbsent) {
  EXPECT_THAT(Problems(Replaced(NsrdbText(Turin(), 30), ",DNI,", ",Sun,")),
              ElementsAre(HasSubstr("w.csv:3: no column DNI: expected one of these names: dni, dn, beam")));
  EXPECT_THAT(
      Problems(Replaced(Replaced(NsrdbText(Turin(), 30), ",Time Zone,", ",Zone,"), ",Local Time Zone", ",Local")),
      ElementsAre(HasSubstr("the header does not name Time Zone")));
  EXPECT_THAT(Problems(Replaced(NsrdbText(Turin(), 30), "1,250,1\n", "CET,250,1\n")),
              ElementsAre("w.csv:2: Time Zone is 'CET': expected a number from -12 to 14 hours from UTC."));
  EXPECT_THAT(Problems("Latitude,Longitude\n"), testing::Contains(HasSubstr("no line of values")));
}

}  // namespace
}  // namespace heliograd
