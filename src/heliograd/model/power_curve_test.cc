#include "heliograd/model/power_curve.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

TEST(StudyPowerCurve, HasTheTwentyThreeLimitsOfTableFour) {
  const std::vector<PowerCurvePoint> curve = StudyPowerCurve();
  ASSERT_EQ(curve.size(), 23u);
  EXPECT_EQ(curve.front().limit, Watts(100));
  EXPECT_EQ(curve.front().job_time, Hours(27.52));
  EXPECT_EQ(curve.back().limit, Watts(320));
  EXPECT_EQ(curve.back().job_time, Hours(13.69));
  for (const PowerCurvePoint& point : curve) EXPECT_EQ(point.draw, point.limit);
}

TEST(StudyPowerCurve, ReadsTheMisprintAt260WattsAsNeighboursSuggest) {
  const PowerCurvePoint point = StudyPowerCurve()[16];
  EXPECT_EQ(point.limit, Watts(260));
  EXPECT_EQ(point.job_time, Hours(13.75));
}

TEST(StudyPowerCurve, SpendsLeastEnergyAt150Watts) {
  const std::vector<PowerCurvePoint> curve = StudyPowerCurve();
  const auto energy = [](const PowerCurvePoint& p) { return p.draw * p.job_time; };
  for (const PowerCurvePoint& point : curve) EXPECT_GE(energy(point), Watts(150) * Hours(15.65));
}

}  // namespace
}  // namespace heliograd
