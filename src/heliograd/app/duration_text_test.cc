#include "heliograd/app/duration_text.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

TEST(DurationText, ReadsWhatPeopleWrite) {
  EXPECT_EQ(*ParseDuration("90", "--for"), Seconds(90));
  EXPECT_EQ(*ParseDuration("60s", "--for"), Seconds(60));
  EXPECT_EQ(*ParseDuration(" 1.5 min ", "--for"), Seconds(90));
  EXPECT_EQ(*ParseDuration("2h", "--for"), Hours(2));
  EXPECT_EQ(*ParseDuration("250ms", "--for"), Seconds(0.25));
  EXPECT_EQ(*ParseDuration("3d", "--for"), Hours(72));
}

TEST(DurationText, RefusesTheRest) {
  for (const char* text : {"", "soon", "0", "-5s", "5 weeks", "s", "1e999", "nan", "5s s"}) {
    const Result<Duration> duration = ParseDuration(text, "--for");
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().kind, ErrorKind::kUsage);
    EXPECT_NE(duration.error().Message().find("--for"), std::string::npos);
  }
}

}  // namespace
}  // namespace heliograd
