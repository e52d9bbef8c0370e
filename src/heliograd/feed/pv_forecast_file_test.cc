#include "heliograd/feed/pv_forecast_file.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

Result<StepSeries<Power>> Parse(std::string_view text) { return ParsePvForecast(text, "pv.csv", TimeZone()); }

TEST(PvForecastFile, ReadsStepsAndKeepsGaps) {
  const auto series =
      Parse("start,pv_w\n2025-06-01T10:00Z,100\n2025-06-01T10:30Z,250.5\n2025-06-01T11:00Z,\n2025-06-01T11:30Z,0\n");
  ASSERT_TRUE(series) << series.error().Message();
  ASSERT_EQ(series->steps.size(), 3u);
  EXPECT_EQ(series->steps[0].start, StampFromUtc({2025, 6, 1, 10, 0, 0}));
  EXPECT_EQ(series->steps[0].end, StampFromUtc({2025, 6, 1, 10, 30, 0}));
  EXPECT_EQ(series->steps[1].value, Watts(250.5));
  EXPECT_EQ(series->steps[1].end, StampFromUtc({2025, 6, 1, 11, 0, 0}));
  EXPECT_EQ(series->steps[2].value, Watts(0));
}

TEST(PvForecastFile, MistakesAreNamedWithTheirLines) {
  for (const auto& [text, words] : {std::pair{"", "is empty"},
                                    {"time,power\n", "expected start,pv_w"},
                                    {"start,pv_w\n2025-06-01T10:00Z,-5\n2025-06-01T11:00Z,5\n", "pv.csv:2"},
                                    {"start,pv_w\nsoon,5\n2025-06-01T11:00Z,5\n", "pv.csv:2"},
                                    {"start,pv_w\n2025-06-01T11:00Z,5\n2025-06-01T10:00Z,5\n", "pv.csv:3"},
                                    {"start,pv_w\n", "has no value"}}) {
    const auto series = Parse(text);
    ASSERT_FALSE(series) << text;
    EXPECT_NE(series.error().Message().find(words), std::string::npos) << series.error().Message();
  }
}

}  // namespace
}  // namespace heliograd
