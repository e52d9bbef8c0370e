#include "heliograd/feed/run_calendar_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Hours as slots, 19 h a run, Rome's clock.
RunCalendarRules Rules() { return {*TimeZone::Find("Europe/Rome"), std::chrono::hours(1), 19}; }

Result<RunCalendarYear> Parse(const std::string& content) { return ParseRunCalendar(content, "runs.csv", Rules()); }

std::vector<std::string> ProblemsOf(const std::string& content) {
  const auto year = Parse(content);
  return year ? std::vector<std::string>() : year.error().problems;
}

/// "first+slots" of each run.
std::vector<std::string> RunsOf(const std::string& content) {
  const auto year = Parse(content);
  std::vector<std::string> runs;
  if (!year) return year.error().problems;
  for (const CalendarRun& run : year->runs) runs.push_back(fmt::format("{}+{}", run.first_slot, run.slots));
  return runs;
}

TEST(RunCalendarFile, StartsBecomeSlotsOfAYearThatTheFirstBegins) {
  const std::string content = "start,hours\n2025-01-03 20:00\n# a comment\n\n2025-01-01 20:00,10.5  # the first\n";
  EXPECT_THAT(RunsOf(content), ElementsAre("0+10", "48+19"));
  const auto year = Parse(content);
  EXPECT_EQ(year->begin, StampFromUtc({2025, 1, 1, 19, 0, 0}));
  EXPECT_EQ(year->slots, 365 * 24);
}

TEST(RunCalendarFile, HeaderHoursLineEndsAndMarkMayBeMissing) {
  for (const char* content : {"2025-01-01 20:00\r\n2025-01-02 20:00", "Start\n2025-01-01T20:00\n2025-01-02 20:00,\n",
                              "\xEF\xBB\xBFstart\r2025-01-01 20:00\r2025-01-02 20:00,19"}) {
    EXPECT_THAT(RunsOf(content), ElementsAre("0+19", "24+19")) << content;
  }
}

TEST(RunCalendarFile, TheClockOfTheSiteCounts) {
  // 30 March 2025 has 23 hours in Rome, 26 October 25.
  EXPECT_THAT(RunsOf("2025-03-29 20:00\n2025-03-30 20:00\n2025-10-25 20:00\n2025-10-26 20:00\n"),
              ElementsAre("0+19", "23+19", "5039+19", "5064+19"));
}

TEST(RunCalendarFile, ALeapYearHas366Days) {
  EXPECT_EQ(Parse("2024-01-01 20:00\n2024-12-31 20:00\n")->slots, 366 * 24);
  EXPECT_EQ(Parse("2024-02-29 20:00\n")->slots, 365 * 24);
}

TEST(RunCalendarFile, BadLinesAreToldAllAtOnce) {
  const auto problems = ProblemsOf(
      "2025-01-01 20:00\n2025-02-30 20:00\nMonday\n2025-03-30 02:30\n2025-01-05 20:00,0\n"
      "2025-01-07 20:00,a\n2025-01-07 20:00,3,5\n");
  EXPECT_THAT(problems,
              ElementsAre(AllOf(HasSubstr("runs.csv:2: start is '2025-02-30 20:00'"), HasSubstr("28 days")),
                          "runs.csv:3: start is 'Monday': expected a start such as 2025-03-01 20:00.",
                          AllOf(HasSubstr("runs.csv:4"), HasSubstr("occurs in Europe/Rome")),
                          "runs.csv:5: hours is '0': expected a number from 1 to 8784 h.",
                          AllOf(HasSubstr("runs.csv:6: hours is 'a'")),
                          AllOf(HasSubstr("runs.csv:7: row is '2025-01-07 20:00,3,5'"), HasSubstr("START,HOURS"))));
}

TEST(RunCalendarFile, AtMostTwentyProblemsAreListed) {
  std::string content;
  for (int hour = 0; hour < 40; ++hour) content += fmt::format("2025-01-01 {:02}:00,5\n", hour % 24);
  const auto problems = ProblemsOf(content);
  EXPECT_THAT(problems, SizeIs(21));  // and the line that counts the others
  EXPECT_THAT(problems.back(), HasSubstr("more problems"));
}

TEST(RunCalendarFile, RunsThatOverlapAreNamed) {
  EXPECT_THAT(ProblemsOf("2025-01-02 08:00\n2025-01-01 20:00\n"),
              ElementsAre(AllOf(HasSubstr("runs.csv:1: the run from 2025-01-02 08:00 begins before the run from "
                                          "2025-01-01 20:00 on line 2 has ended, at 2025-01-02 15:00"))));
  EXPECT_THAT(ProblemsOf("2025-01-02 08:00\n2025-01-01 20:00,12\n"), ElementsAre());
  // The year is a circle.
  EXPECT_THAT(ProblemsOf("2025-01-01 08:00\n2025-12-31 20:00\n"),
              ElementsAre(HasSubstr("runs.csv:1: the run from 2025-01-01 08:00 of the next year begins before the run "
                                    "from 2025-12-31 20:00 on line 2")));
}

TEST(RunCalendarFile, StartsLieWithinAYearAndWholeSlotsApart) {
  EXPECT_THAT(ProblemsOf("2025-01-01 20:00\n2026-01-01 20:00\n2025-05-01 20:10\n"),
              ElementsAre(AllOf(HasSubstr("runs.csv:3: start is '2025-05-01 20:10'"), HasSubstr("slots of 60 minutes")),
                          AllOf(HasSubstr("runs.csv:2: start is '2026-01-01 20:00'"), HasSubstr("less than a year"))));
}

TEST(RunCalendarFile, YearsOfNoTrainingAreRefused) {
  EXPECT_THAT(
      ProblemsOf("1850-01-01 20:00\n2261-12-30 20:00\n"),
      ElementsAre(HasSubstr("runs.csv:1: start is '1850-01-01 20:00': expected a start of the years 1900 to 2200"),
                  HasSubstr("runs.csv:2")));
}

TEST(RunCalendarFile, NoRunIsAProblem) {
  for (const char* content : {"", "start,hours\n", "# nothing\n\n"}) {
    EXPECT_THAT(ProblemsOf(content), ElementsAre(HasSubstr("runs.csv: no run"))) << content;
  }
}

}  // namespace
}  // namespace heliograd
