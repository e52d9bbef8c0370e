#include "heliograd/app/curve_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

TEST(CurveFile, TakesTheClockThatCurveWritesAndRefusesOneThatIsNone) {
  const std::string point = "[[points]]\nlimit_w = 150\nseconds_per_unit = 0.1\n";
  EXPECT_TRUE(ParseCurve(point + "sm_clock_mhz = 2100.5\n", "c.toml"));
  const auto wrong = ParseCurve(point + "sm_clock_mhz = -1\n", "c.toml");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().Message().find("points.sm_clock_mhz is -1"), std::string::npos) << wrong.error().Message();
}

using ::testing::HasSubstr;

TEST(CurveFile, SaysWhetherItWasMeasured) {
  const std::string point = "[[points]]\nlimit_w = 150\nseconds_per_unit = 0.1\n";
  EXPECT_FALSE(ParseCurve(point, "c.toml")->modelled);
  EXPECT_TRUE(ParseCurve("[curve]\nobtained = \"modelled\"\n" + point, "c.toml")->modelled);
  EXPECT_THAT(ParseCurve("[curve]\nobtained = \"guessed\"\n" + point, "c.toml").error().Message(),
              HasSubstr("curve.obtained is 'guessed': expected \"measured\" or \"modelled\""));
}

TEST(CurveFile, SaysWhetherItIsCoarse) {
  const std::string points = "[[points]]\nlimit_w = 150\nseconds_per_unit = 1\n";
  EXPECT_FALSE(ParseCurve(points, "c")->coarse);
  EXPECT_TRUE(ParseCurve("[curve]\ncoarse = true\n" + points, "c")->coarse);
  EXPECT_FALSE(ParseCurve("[curve]\ncoarse = 1\n" + points, "c"));
}

TEST(CurveFile, DrawIsEnergyOverTimeWhereMeasuredElseTheLimit) {
  const auto curve = ParseCurve(
      "[[points]]\nlimit_w = 300\nseconds_per_unit = 0.1\n"
      "[[points]]\nlimit_w = 150\nseconds_per_unit = 0.12\nenergy_j_per_unit = 17.4\n",
      "curve.toml");
  ASSERT_TRUE(curve);
  ASSERT_EQ(curve->levels.size(), 2u);
  EXPECT_EQ(InWatts(curve->levels[0].limit), 150);
  EXPECT_DOUBLE_EQ(InWatts(curve->levels[0].draw), 17.4 / 0.12);
  EXPECT_EQ(InWatts(curve->levels[1].draw), 300);
  EXPECT_TRUE(curve->draw_is_assumed);
}

TEST(CurveFile, ACurveOfOneJobHoldsItsUnits) {
  const std::string points = "[[points]]\nlimit_w = 300\nseconds_per_unit = 0.1\n";
  EXPECT_FALSE(ParseCurve(points, "c")->job_units);
  EXPECT_EQ(ParseCurve("[curve]\njob_units = 90\n" + points, "c")->job_units, 90);
  for (const char* wrong : {"0", "-1", "nan", "1e16", "true", "\"90\""}) {
    const auto curve = ParseCurve(std::string("[curve]\njob_units = ") + wrong + "\n" + points, "c");
    ASSERT_FALSE(curve) << wrong;
    EXPECT_THAT(curve.error().problems, testing::ElementsAre(HasSubstr("c:2: curve.job_units")));
  }
}

TEST(CurveFile, IntervalsFollowTheirLevelsInOrderOfLimit) {
  const auto curve = ParseCurve(
      "[curve]\ngain_half_width_percent = 5\n"
      "[[points]]\nlimit_w = 300\nseconds_per_unit = 0.1\n"
      "[[points]]\nlimit_w = 150\nseconds_per_unit = 0.2\nseconds_per_unit_low = 0.19\nseconds_per_unit_high = 0.21\n"
      "energy_j_per_unit = 20\nenergy_j_per_unit_low = 19.8\nenergy_j_per_unit_high = 20.2\n",
      "curve.toml");
  ASSERT_TRUE(curve);
  ASSERT_EQ(curve->spreads.size(), 2u);
  EXPECT_NEAR(curve->spreads[0].time, 0.05, 1e-12);
  EXPECT_NEAR(curve->spreads[0].energy, 0.01, 1e-12);
  EXPECT_EQ(curve->spreads[1].time, 0);
  EXPECT_DOUBLE_EQ(curve->gain_half_width, 0.05);
}

TEST(CurveFile, TheStudysTableIsBuiltIn) {
  const auto curve = ReadCurve("builtin:paper");
  ASSERT_TRUE(curve);
  EXPECT_EQ(curve->levels.size(), 23u);
  EXPECT_DOUBLE_EQ(InHours(curve->levels[5].job_time), 15.65);  // Table IV, 150 W
  EXPECT_FALSE(ReadCurve("builtin:other"));
}

TEST(CurveFile, MistakesAreNamedWithTheirLine) {
  const auto curve = ParseCurve(
      "[[points]]\nlimit_w = -1\nseconds_per_unit = nan\n[[points]]\nlimit_w = 5\nseconds = 3\n", "curve.toml");
  ASSERT_FALSE(curve);
  EXPECT_THAT(curve.error().problems,
              testing::UnorderedElementsAre(HasSubstr("curve.toml:1: points.limit_w is -1"),
                                            HasSubstr("seconds_per_unit is nan"),
                                            HasSubstr("curve.toml:4: there is no key 'seconds'"),
                                            HasSubstr("curve.toml:4: points.seconds_per_unit is missing")));
}

TEST(CurveFile, WithoutPointsThereIsNoCurve) {
  for (const char* content : {"", "points = 3", "points = []", "[points]\nlimit_w = 1", "[[points"}) {
    EXPECT_FALSE(ParseCurve(content, "curve.toml")) << content;
  }
}

}  // namespace
}  // namespace heliograd
