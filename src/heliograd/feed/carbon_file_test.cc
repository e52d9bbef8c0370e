#include "heliograd/feed/carbon_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heliograd/base/file.h"

namespace heliograd {
namespace {

using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Stamp Utc(const std::string& civil) { return StampFromUtc(ParseCivil(civil).value()); }

const std::string kHeader = "datetime_utc,ci_direct_g_per_kwh,ci_lifecycle_g_per_kwh,cfe_percent,estimated\n";

std::vector<std::string> ProblemsIn(const std::string& content) {
  const auto series = ParseCarbonSeries(content, "c.csv", CarbonScope::kDirect);
  return series ? std::vector<std::string>() : series.error().problems;
}

std::vector<double> GramsIn(const std::string& content, CarbonScope scope) {
  const auto series = ParseCarbonSeries(content, "c.csv", scope);
  if (!series) return {};
  std::vector<double> grams;
  for (const auto& step : series->steps) grams.push_back(InGramsPerKilowattHour(step.value));
  return grams;
}

StepSeries<CarbonIntensity> Italy2024(CarbonScope scope) {
  const auto content = ReadFile(HELIOGRAD_SOURCE_DIR "/data/carbon/IT_2024_hourly.csv");
  return ParseCarbonSeries(content.value(), "IT_2024_hourly.csv", scope).value();
}

double MeanOfYear(const StepSeries<CarbonIntensity>& series) {
  const auto mean = MeanPerSlot(series, {Utc("2024-01-01"), hours(8784), 1}).value();
  return InGramsPerKilowattHour(mean.front());
}

TEST(CarbonFile, ReadsBothScopes) {
  const std::string content =
      kHeader + "2024-01-01 00:00:00,231.9,303.44,51,False\n2024-01-01 01:00:00,226.96,296.72,52,True\n";
  EXPECT_THAT(GramsIn(content, CarbonScope::kDirect),
              ElementsAre(::testing::DoubleEq(231.9), ::testing::DoubleEq(226.96)));
  EXPECT_THAT(GramsIn(content, CarbonScope::kLifecycle),
              ElementsAre(::testing::DoubleEq(303.44), ::testing::DoubleEq(296.72)));
}

TEST(CarbonFile, ReadsThePortalsNames) {
  const std::string content =
      "Datetime (UTC),Country,Carbon intensity gCO₂eq/kWh (direct),Carbon intensity gCO₂eq/kWh (Life cycle)\n"
      "2024-01-01 00:00:00,Italy,1,2\n2024-01-01 01:00:00,Italy,3,4\n";
  EXPECT_THAT(GramsIn(content, CarbonScope::kDirect), ElementsAre(::testing::DoubleEq(1), ::testing::DoubleEq(3)));
  EXPECT_THAT(GramsIn(content, CarbonScope::kLifecycle), ElementsAre(::testing::DoubleEq(2), ::testing::DoubleEq(4)));
}

TEST(CarbonFile, PlainLayoutServesBothScopes) {
  const std::string content =
      "start,carbon_g_per_kwh\n2025-01-01T00:00Z,100\n2025-01-01T00:30Z,-\n2025-01-01T01:00Z,300\n";
  const auto series = ParseCarbonSeries(content, "c.csv", CarbonScope::kLifecycle).value();
  ASSERT_EQ(series.steps.size(), 2u);
  EXPECT_EQ(series.steps[0].end, Utc("2025-01-01 00:30"));
  EXPECT_EQ(series.steps[1].end, Utc("2025-01-01 01:30"));
}

TEST(CarbonFile, Italy2024IsWholeAndHasThePublishedMeans) {
  const auto direct = Italy2024(CarbonScope::kDirect);
  ASSERT_EQ(direct.steps.size(), 8784u);
  // Electricity Maps' yearly means, rounded to 1 g/kWh.
  EXPECT_NEAR(MeanOfYear(direct), 207, 0.5);
  EXPECT_NEAR(MeanOfYear(Italy2024(CarbonScope::kLifecycle)), 270, 0.5);
}

TEST(CarbonPerSlot, IsStrictAboutDates) {
  const auto series = Italy2024(CarbonScope::kDirect);
  EXPECT_EQ(CarbonPerSlot(series, {Utc("2024-01-01"), hours(1), 1}).value().front(), series.steps.front().value);
  EXPECT_THAT(CarbonPerSlot(series, {Utc("2025-01-01"), hours(1), 1}).error().Message(),
              HasSubstr("no value from 2025-01-01"));
}

TEST(CarbonOfTypicalYear, EqualsTheStrictReadingInItsOwnYear) {
  const auto series = Italy2024(CarbonScope::kDirect);
  const Horizon horizon{Utc("2024-02-27 22:00"), hours(1), 96};  // across the leap day
  EXPECT_EQ(CarbonPerSlot(CarbonYearOf(series).value(), horizon), CarbonPerSlot(series, horizon).value());
}

TEST(CarbonOfTypicalYear, MatchesMonthDayAndHourOfOtherYears) {
  const auto series = Italy2024(CarbonScope::kDirect);
  const CarbonYear typical = CarbonYearOf(series).value();
  const auto per_slot = CarbonPerSlot(typical, {Utc("2025-02-28 23:00"), hours(1), 2});
  EXPECT_EQ(per_slot[0], CarbonPerSlot(series, {Utc("2024-02-28 23:00"), hours(1), 1}).value()[0]);
  EXPECT_EQ(per_slot[1], CarbonPerSlot(series, {Utc("2024-03-01 00:00"), hours(1), 1}).value()[0]);
  EXPECT_EQ(typical.note,
            "IT_2024_hourly.csv: carbon intensity of 2024 stands for the plan's dates, by month, day and hour (UTC).");
}

TEST(CarbonOfTypicalYear, RunsOnIntoTheNextYearAndWeighsHoursByTime) {
  const auto series = Italy2024(CarbonScope::kDirect);
  const auto half_past = CarbonPerSlot(CarbonYearOf(series).value(), {Utc("2025-12-31 23:30"), hours(1), 1})[0];
  const double expected = 0.5 * InGramsPerKilowattHour(series.steps.back().value) +
                          0.5 * InGramsPerKilowattHour(series.steps.front().value);
  EXPECT_NEAR(InGramsPerKilowattHour(half_past), expected, 1e-12 * expected);
}

TEST(CarbonOfTypicalYear, LeapDayReadsTheDayBeforeInACommonYear) {
  StepSeries<CarbonIntensity> series{"2023.csv", {}};
  for (Stamp hour = Utc("2023-01-01"); hour < Utc("2024-01-01"); hour += hours(1)) {
    series.steps.push_back({hour, hour + hours(1), GramsPerKilowattHour(CivilInUtc(hour).day)});
  }
  const auto leap = CarbonPerSlot(CarbonYearOf(series).value(), {Utc("2024-02-28"), hours(24), 3});
  // Means of 24 equal values: equal to a few roundings of 1.1e-16.
  EXPECT_NEAR(InGramsPerKilowattHour(leap[0]), 28, 1e-12);
  EXPECT_NEAR(InGramsPerKilowattHour(leap[1]), 28, 1e-12);
  EXPECT_NEAR(InGramsPerKilowattHour(leap[2]), 1, 1e-12);
}

TEST(CarbonOfTypicalYear, PartOfAYearOrAGapIsRefused) {
  auto series = Italy2024(CarbonScope::kDirect);
  auto cut = series;
  cut.steps.pop_back();
  EXPECT_THAT(CarbonYearOf(cut).error().Message(),
              HasSubstr("covers 2024-01-01T00:00:00Z to 2024-12-31T23:00:00Z: expected one whole calendar year"));
  auto holed = series;
  holed.steps.erase(holed.steps.begin() + 100);
  EXPECT_THAT(CarbonYearOf(holed).error().Message(), HasSubstr("no value from 2024-01-05T04:00:00Z"));
  EXPECT_THAT(CarbonYearOf({"e.csv", {}}).error().Message(), HasSubstr("e.csv: no carbon intensity"));
}

TEST(CarbonFile, UnknownHeaderNamesTheKnownColumns) {
  EXPECT_THAT(
      ProblemsIn("datetime_utc,ci_direkt_g_per_kwh\n"),
      ElementsAre(
          AllOf(HasSubstr("c.csv:1: header is 'datetime_utc,ci_direkt_g_per_kwh': no column for the carbon intensity"),
                HasSubstr("'ci_direkt_g_per_kwh' may be meant as 'ci_direct_g_per_kwh'."))));
  EXPECT_THAT(ProblemsIn("hour,carbon_g_per_kwh\n"),
              ElementsAre(HasSubstr("no column for the time: expected datetime_utc with")));
}

TEST(CarbonFile, EveryMistakeIsNamed) {
  EXPECT_THAT(
      ProblemsIn(
          kHeader +
          "2024-01-01 00:00:00,nan,1,1,False\n2024-01-01 01:00:00,-1,1,1,False\n"
          "2024-01-01 01:00:00,5,1,1,False\n2024-13-01 00:00:00,5,1,1,False\n2024-01-01 02:00:00,5001,1,1,False\n"
          "2024-01-01 03:00:00,5\n"),
      ElementsAre("c.csv:2: ci_direct_g_per_kwh is 'nan': expected a number from 0 to 5000 g/kWh.",
                  "c.csv:3: ci_direct_g_per_kwh is '-1': expected a number from 0 to 5000 g/kWh.",
                  HasSubstr("c.csv:4: datetime_utc is '2024-01-01 01:00:00': expected a time after"),
                  HasSubstr("c.csv:5: datetime_utc is '2024-13-01 00:00:00': expected a time such as"),
                  "c.csv:7: row is '2024-01-01 03:00:00,5': expected 5 fields, as in the header.",
                  "c.csv: ci_direct_g_per_kwh: 1 more line with the same mistake."));
}

TEST(CarbonFile, EmptyFilesEndlessLinesAndOtherLineEnds) {
  EXPECT_THAT(ProblemsIn(""), ElementsAre(HasSubstr("c.csv: empty: expected datetime_utc")));
  EXPECT_THAT(ProblemsIn(kHeader), ElementsAre(HasSubstr("no two rows are within an hour")));
  EXPECT_THAT(ProblemsIn(kHeader + "2024-01-01 00:00:00,,1,1,F\n2024-01-01 01:00:00,-,1,1,F\n"),
              ElementsAre(HasSubstr("no carbon intensity in it")));
  EXPECT_THAT(ProblemsIn(std::string(70000, 'x')), ElementsAre(HasSubstr("a first line longer than 64 KiB")));
  EXPECT_THAT(ProblemsIn(kHeader + std::string(70000, 'x')), ElementsAre(HasSubstr("c.csv:2: longer than 64 KiB")));
  EXPECT_THAT(GramsIn("\xEF\xBB\xBFstart;carbon_g_per_kwh\r\n2025-01-01T00:00Z;1\r\n2025-01-01T01:00Z;2\r\n",
                      CarbonScope::kDirect),
              ElementsAre(::testing::DoubleEq(1), ::testing::DoubleEq(2)));
}

TEST(CarbonFile, OneWrongColumnIsNotToldLineByLine) {
  std::string content = "start,carbon_g_per_kwh\n";
  for (int i = 0; i < 30; ++i) content += fmt::format("2025-01-{:02}T00:00Z,x\n", i + 1);
  const auto problems = ProblemsIn(content);
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_EQ(problems.back(), "c.csv: carbon_g_per_kwh: 28 more lines with the same mistake.");
}

}  // namespace
}  // namespace heliograd
