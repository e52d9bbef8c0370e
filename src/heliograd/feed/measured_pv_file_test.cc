#include "heliograd/feed/measured_pv_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

#include "heliograd/base/file.h"
#include "heliograd/base/time.h"

namespace heliograd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A year of hours with that header; hour h of the file has h / 10000.
std::string Year(int year, const std::string& column) {
  std::string text = "time," + column + "\n";
  const Stamp end = StampFromUtc({.year = year + 1});
  int row = 0;
  for (Stamp at = StampFromUtc({.year = year}); at < end; at += std::chrono::hours(1)) {
    text += fmt::format("{}:00,{}\n", FormatCivil(CivilInUtc(at)), row++ / 10000.0);
  }
  return text;
}

std::vector<std::string> ProblemsOf(const std::string& content) {
  const auto pv = ParseMeasuredPv(content, "pv.csv");
  return pv ? std::vector<std::string>() : pv.error().problems;
}

TEST(MeasuredPv, ReadsAYear) {
  const auto pv = ParseMeasuredPv(Year(2019, "ac_w"), "pv.csv");
  ASSERT_TRUE(pv) << pv.error().Message();
  ASSERT_EQ(pv->hourly.size(), 8760u);
  EXPECT_DOUBLE_EQ(pv->hourly[8759], 0.8759);
  EXPECT_FALSE(pv->per_watt);
  EXPECT_EQ(pv->year, 2019);
  EXPECT_TRUE(ParseMeasuredPv(Year(2019, "ac_w_per_w"), "pv.csv")->per_watt);
}

TEST(MeasuredPv, ALeapDayIsLeftOut) {
  const auto pv = ParseMeasuredPv(Year(2020, "ac_w"), "pv.csv");
  ASSERT_TRUE(pv) << pv.error().Message();
  ASSERT_EQ(pv->hourly.size(), 8760u);
  const size_t february_28 = 24 * 58;
  EXPECT_DOUBLE_EQ(pv->hourly[february_28 + 23], (24 * 58 + 23) / 10000.0);
  EXPECT_DOUBLE_EQ(pv->hourly[february_28 + 24], (24 * 60) / 10000.0);  // 1 March
}

TEST(MeasuredPv, RowsOfThePublishedLayoutThatRunEarlyArePutRight) {
  const auto pv = ParseMeasuredPv(Year(2019, "measured_w_per_wp,other"), "pv.csv");
  EXPECT_FALSE(pv);  // a column more in the header than in the rows
  const auto right = ParseMeasuredPv(Year(2019, "measured_w_per_wp"), "pv.csv");
  ASSERT_TRUE(right) << right.error().Message();
  ASSERT_EQ(right->hourly.size(), 8760u);
  const auto sunday = static_cast<size_t>(HourOfTypicalYear({.year = 2019, .month = 10, .day = 27}));
  EXPECT_DOUBLE_EQ(right->hourly[sunday + 1], static_cast<double>(sunday + 1) / 10000);
  EXPECT_EQ(right->hourly[sunday + 2], 0);
  EXPECT_DOUBLE_EQ(right->hourly[sunday + 3], static_cast<double>(sunday + 2) / 10000);
  EXPECT_DOUBLE_EQ(right->hourly[8759], 0.8758);
  EXPECT_THAT(right->notes, ElementsAre(HasSubstr("an hour early")));
}

TEST(MeasuredPv, HoursAndWattsAreReadToo) {
  std::string text = "hour,ac_w\n";
  for (int hour = 0; hour < 8760; ++hour) text += fmt::format("{},{}\n", hour, hour);
  const auto pv = ParseMeasuredPv(text, "pv.csv");
  ASSERT_TRUE(pv) << pv.error().Message();
  EXPECT_DOUBLE_EQ(pv->hourly[17], 17);
  EXPECT_EQ(pv->year, 0);
}

TEST(MeasuredPv, MistakesAreToldWithTheirLine) {
  EXPECT_THAT(ProblemsOf(""), ElementsAre(HasSubstr("pv.csv: empty")));
  EXPECT_THAT(ProblemsOf("when,watt\n"), ElementsAre(HasSubstr("pv.csv:1: header is 'when,watt': expected time with")));
  std::string text = Year(2019, "ac_w_per_w");
  EXPECT_THAT(ProblemsOf(text.substr(0, text.find("2019-03-01 00:00"))),
              ElementsAre(HasSubstr("1416 rows outside 29 February: expected 8760")));
  const auto with = [&](const std::string& row, const std::string& instead) {
    std::string changed = text;
    changed.replace(changed.find(row), row.size(), instead);
    return ProblemsOf(changed);
  };
  EXPECT_THAT(with("01 05:00:00,0.0005", "01 05:00:00,7"),
              ElementsAre(HasSubstr("pv.csv:7: ac_w_per_w is '7': expected a number from 0 to 2")));
  EXPECT_THAT(with("01 05:00:00,0.0005", "01 05:00:00,"), ElementsAre(HasSubstr("pv.csv:7: ac_w_per_w is empty")));
  EXPECT_THAT(with("2019-01-01 05:00:00", "2019-01-01 05:30:00"), ElementsAre(HasSubstr("the beginning of an hour")));
  EXPECT_THAT(with("2019-01-01 05:00:00,0.0005\n", ""),
              ElementsAre(HasSubstr("pv.csv:7: time is '2019-01-01 06:00:00': expected 2019-01-01 05:00, for hours "
                                    "follow each other")));
}

TEST(MeasuredPv, TheRoofInTurinRisesWithTheSunBeforeAndAfterTheClockChange) {
  const char* folder = std::getenv("HELIOGRAD_REFERENCE_DATA");
  if (folder == nullptr) GTEST_SKIP() << "HELIOGRAD_REFERENCE_DATA is not set";
  const std::string path = std::string(folder) + "/measured/turin_pv_measured_2019.csv";
  const auto content = ReadFile(path);
  if (!content) GTEST_SKIP() << content.error().Message();
  const auto pv = ParseMeasuredPv(*content, path);
  ASSERT_TRUE(pv) << pv.error().Message();
  EXPECT_NEAR(std::accumulate(pv->hourly.begin(), pv->hourly.end(), 0.0), 1248.86,
              0.01);  // kWh per kW, as the rows sum
  // The centre of the day's energy in the fortnights before and after the last Sunday of October: the sun moves by a
  // minute of time between them, clouds and the array's facing by less than half an hour.
  const auto centre = [&](size_t first_day) {
    double energy = 0, moment = 0;
    for (size_t hour = 24 * first_day; hour < 24 * (first_day + 14); ++hour) {
      energy += pv->hourly[hour];
      moment += pv->hourly[hour] * (static_cast<double>(hour % 24) + 0.5);
    }
    return moment / energy;
  };
  const size_t sunday = 299;
  EXPECT_NEAR(centre(sunday + 1), centre(sunday - 15), 0.5);
}

}  // namespace
}  // namespace heliograd
