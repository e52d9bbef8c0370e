#include "heliograd/feed/pv_series_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A sound series: hour h makes h/10 W. `change` may rewrite a row.
template <typename Change>
std::string Series(Change change, const std::string& line_end = "\n") {
  std::string text = "hour,ac_w" + line_end;
  for (int hour = 0; hour < 8760; ++hour) text += change(hour, fmt::format("{},{:.1f}", hour, hour / 10.0)) + line_end;
  return text;
}
std::string Series() {
  return Series([](int, std::string row) { return row; });
}
/// A sound series but for the rows in place of hour `at`.
std::string SeriesWith(int at, const std::string& instead) {
  return Series([&](int hour, const std::string& row) { return hour == at ? instead : row; });
}

std::vector<std::string> ProblemsOf(const std::string& content) {
  const auto series = ParsePvSeries(content, "pv.csv");
  return series ? std::vector<std::string>() : series.error().problems;
}

TEST(PvSeries, ReadsEveryHour) {
  const auto series = ParsePvSeries(Series(), "pv.csv");
  ASSERT_TRUE(series) << series.error().Message();
  ASSERT_EQ(series->size(), 8760u);
  EXPECT_DOUBLE_EQ(InWatts(series->at(1234)), 123.4);
}

TEST(PvSeries, ByteOrderMarkCrlfBlankEndAndCaseDoNotMatter) {
  const auto same = [](int, std::string row) { return row; };
  EXPECT_THAT(ProblemsOf("\xEF\xBB\xBF" + Series(same, "\r\n") + "\r\n"), ElementsAre());
  EXPECT_THAT(ProblemsOf(Series(same, "\r")), ElementsAre());
  EXPECT_THAT(ProblemsOf(" Hour, AC_W" + Series().substr(9)), ElementsAre());
}

TEST(PvSeries, EmptyFileOrWrongHeader) {
  EXPECT_THAT(ProblemsOf(""), ElementsAre("pv.csv: empty: expected the header hour,ac_w and 8760 rows."));
  EXPECT_THAT(ProblemsOf("\n \n"), ElementsAre(HasSubstr("empty")));
  EXPECT_THAT(ProblemsOf("hour,ac_kw\n0,1\n"), ElementsAre("pv.csv:1: header is 'hour,ac_kw': expected hour,ac_w."));
  EXPECT_THAT(ProblemsOf("\xFF\xFEh\n"), ElementsAre(HasSubstr("header is '\\xFF\\xFEh'")));
}

TEST(PvSeries, TruncatedFileSaysHowManyRowsItHas) {
  const std::string text = Series();
  EXPECT_THAT(ProblemsOf(text.substr(0, text.find("5000,"))),
              ElementsAre("pv.csv: 5000 rows: expected 8760, one for each hour of a year without 29 February."));
}

TEST(PvSeries, LeapYearIsRefused) {
  EXPECT_THAT(ProblemsOf(Series() + "8760,0\n"),
              ElementsAre(HasSubstr("hour is '8760': expected a whole number from 0 to 8759")));
}

TEST(PvSeries, BadPowersAreNamedWithLineAndValue) {
  for (const std::string value : {"nan", "inf", "-1", "1e999", "0x10", "", "1.5 W", "1e10", "1\xE9"}) {
    EXPECT_THAT(ProblemsOf(SeriesWith(7, "7," + value)), ElementsAre(HasSubstr("pv.csv:9: ac_w is "))) << value;
  }
}

TEST(PvSeries, MissingRepeatedAndUnorderedHoursAreToldOnce) {
  EXPECT_THAT(ProblemsOf(SeriesWith(7, "")), ElementsAre(HasSubstr("pv.csv:10: hour is '8': expected 7")));
  EXPECT_THAT(ProblemsOf(SeriesWith(7, "7,1\n7,1")), ElementsAre(HasSubstr("pv.csv:10: hour is '7': expected 8")));
  EXPECT_THAT(ProblemsOf(SeriesWith(7, "1.5,1")),
              ElementsAre(HasSubstr("pv.csv:9: hour is '1.5': expected a whole number")));
  EXPECT_THAT(ProblemsOf(SeriesWith(7, "7")),
              ElementsAre(HasSubstr("pv.csv:9: row is '7': expected 2 fields, as in the header")));
}

TEST(PvSeries, OneWrongColumnIsNotToldLineByLine) {
  const auto problems = ProblemsOf(
      Series([](int hour, const std::string& row) { return hour < 30 ? std::to_string(hour) + ",x" : row; }));
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_EQ(problems.back(), "pv.csv: ac_w: 28 more lines with the same mistake.");
}

TEST(PvSeries, EndlessLineIsRefused) {
  EXPECT_THAT(ProblemsOf("hour,ac_w\n0," + std::string(70000, '1')),
              ElementsAre(HasSubstr("pv.csv:2: longer than 64 KiB")));
  EXPECT_THAT(ProblemsOf(std::string(70000, 'h')), ElementsAre(HasSubstr("a first line longer than 64 KiB")));
}

}  // namespace
}  // namespace heliograd
