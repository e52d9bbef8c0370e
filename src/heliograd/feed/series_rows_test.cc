#include "heliograd/feed/series_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Stamp kStart = StampFromUtc({.year = 2025, .month = 1, .day = 1});

/// The lengths, in minutes, that rows at these minutes after kStart are given.
std::vector<long> LengthsOf(const std::vector<int>& starts_min, ProblemList& problems) {
  std::vector<SeriesRow<EnergyPrice>> rows;
  for (const int start : starts_min)
    rows.push_back({rows.size() + 2, kStart + minutes(start), EurosPerKilowattHour(1)});
  const auto steps = StepsOf(rows, problems);
  std::vector<long> lengths;
  for (const auto& step : steps) lengths.push_back((step.end - step.start) / minutes(1));
  return lengths;
}

TEST(StepsOf, ARowLastsUntilTheNextOrAsLongAsTheOneBefore) {
  ProblemList problems("f.csv");
  EXPECT_THAT(LengthsOf({0, 15, 30, 60, 120}, problems), ElementsAre(15, 15, 30, 60, 60));
  EXPECT_THAT(LengthsOf({0, 300, 315, 600}, problems), ElementsAre(15, 15, 15, 15));
  EXPECT_TRUE(problems.empty());
}

TEST(StepsOf, StepsThatDoNotDivideTheHourAndLoneRowsAreProblems) {
  ProblemList odd("f.csv");
  LengthsOf({0, 60, 110}, odd);
  EXPECT_THAT(odd.Failure().value().problems, ElementsAre(HasSubstr("f.csv:4: begins 3000 s after the row before")));
  ProblemList lone("f.csv");
  LengthsOf({0, 300, 600}, lone);
  EXPECT_THAT(lone.Failure().value().problems, ElementsAre(HasSubstr("f.csv: no two rows are within an hour")));
  ProblemList none("f.csv");
  EXPECT_TRUE(LengthsOf({}, none).empty());
  EXPECT_FALSE(none.empty());
}

TEST(SeparatorOf, TakesTheMostFrequentOfTheFirstLine) {
  EXPECT_EQ(SeparatorOf("a,b,c;d\n;;;;;;"), ',');
  EXPECT_EQ(SeparatorOf("a;b\r\n1,5;2,5"), ';');
  EXPECT_EQ(SeparatorOf("a\tb"), '\t');
  EXPECT_EQ(SeparatorOf(""), ',');
}

TEST(IsGap, KnowsWhatPublishersWrite) {
  for (const char* gap : {"", " ", "-", "n/e", "N/E", "N/A", "n/a"}) EXPECT_TRUE(IsGap(gap)) << gap;
  for (const char* value : {"0", "-1", "nan", "none"}) EXPECT_FALSE(IsGap(value)) << value;
}

}  // namespace
}  // namespace heliograd
