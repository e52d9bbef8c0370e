#include "heliograd/app/vary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> ValuesOf(std::string_view text) {
  const auto variation = ParseVariation(text);
  return variation ? variation->values : std::vector<std::string>();
}

TEST(Vary, BothEndsOfARangeCountAlthoughStepsRound) {
  EXPECT_THAT(ValuesOf("battery.charge_efficiency=0.1:0.3:0.1"), ElementsAre("0.1", "0.2", "0.3"));
  EXPECT_THAT(ValuesOf("pv.dc_capacity_w=300:100:-100"), ElementsAre("300", "200", "100"));
  EXPECT_THAT(ValuesOf("pv.dc_capacity_w=100:250:100"), ElementsAre("100", "200"));
}

TEST(Vary, TimesStepByMinutesHoursAndDays) {
  EXPECT_THAT(ValuesOf("job.start=2025-01-01 22:00:2025-01-02 00:00:1h"),
              ElementsAre("2025-01-01 22:00", "2025-01-01 23:00", "2025-01-02 00:00"));
  EXPECT_THAT(ValuesOf("job.start=2025-01-01:2025-01-03:1d"),
              ElementsAre("2025-01-01 00:00", "2025-01-02 00:00", "2025-01-03 00:00"));
}

TEST(Vary, ListsTakeAnyValueOfTheKey) {
  EXPECT_THAT(ValuesOf("pv.mounting=roof,rack"), ElementsAre("roof", "rack"));
  EXPECT_THAT(ValuesOf("job.hours=16"), ElementsAre("16"));
}

TEST(Vary, WhatIsNoRangeIsRefused) {
  for (const char* text : {"job.hours", "job.hours=1:2:0", "job.hours=2:1:1", "job.hours=0:2:1", "job.hours=a:b:c",
                           "pv.mounting=roof,wall", "job.hours=1:1e9:1e-9", "job.hours=", "job.hours=1,,2"}) {
    const auto variation = ParseVariation(text);
    ASSERT_FALSE(variation) << text;
    EXPECT_EQ(variation.error().kind, ErrorKind::kUsage) << text;
  }
  EXPECT_THAT(ParseVariation("job.hors=1:2:1").error().Message(), HasSubstr("job.hours"));
}

TEST(Vary, TheLastVariationChangesFastest) {
  const std::vector<Variation> grid = {{"a", {"1", "2"}}, {"b", {"x", "y", "z"}}};
  EXPECT_EQ(PointsIn(grid), 6u);
  EXPECT_THAT(AssignmentsAt(grid, 0), ElementsAre("a=1", "b=x"));
  EXPECT_THAT(AssignmentsAt(grid, 2), ElementsAre("a=1", "b=z"));
  EXPECT_THAT(AssignmentsAt(grid, 3), ElementsAre("a=2", "b=x"));
}

}  // namespace
}  // namespace heliograd
