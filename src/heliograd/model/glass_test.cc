#include "heliograd/model/glass.h"

#include <gtest/gtest.h>

#include <cmath>

#include "heliograd/model/sun_position.h"

namespace heliograd {
namespace {

double CosDeg(double degrees) { return std::cos(kRadiansPerDegree * degrees); }

// Reference vectors rounded to five decimals.
TEST(Glass, Version5EqualsTheReferenceVectors) {
  EXPECT_NEAR(IncidenceModifierV5(CosDeg(60), false), 0.94600, 5e-6);
  EXPECT_NEAR(IncidenceModifierV5(CosDeg(70), false), 0.85972, 5e-6);
  EXPECT_NEAR(IncidenceModifierV5(CosDeg(80), false), 0.63412, 5e-6);
}

TEST(Glass, Version8EqualsTheReferenceVectors) {
  EXPECT_NEAR(CoverV8::Beam(CosDeg(60)), 0.99606, 5e-6);
  EXPECT_NEAR(CoverV8::Beam(CosDeg(70)), 0.91956, 5e-6);
  EXPECT_NEAR(CoverV8::Beam(CosDeg(80)), 0.69549, 5e-6);
  EXPECT_NEAR(CoverV8(20).sky(), 0.97417, 5e-6);
  EXPECT_NEAR(CoverV8(20).ground(), 0.66276, 5e-6);
}

TEST(Glass, ACoatingLetsMoreThrough) {
  for (double angle : {50.0, 70.0, 85.0}) {
    EXPECT_GT(IncidenceModifierV5(CosDeg(angle), true), IncidenceModifierV5(CosDeg(angle), false));
  }
}

TEST(Glass, AnglesOutsideTheRangeReadItsEnd) {
  EXPECT_EQ(CoverV8::Beam(-0.5), CoverV8::Beam(CosDeg(89)));
  EXPECT_EQ(CoverV8::Beam(1.0), CoverV8::Beam(CosDeg(1)));
  EXPECT_FALSE(HasIncidenceModifierV5(1.0));
  EXPECT_FALSE(HasIncidenceModifierV5(0.0));
  EXPECT_TRUE(HasIncidenceModifierV5(0.5));
}

TEST(Glass, EveryTiltGivesSharesWithinZeroAndOne) {
  for (double tilt = 0; tilt <= 90; tilt += 1) {
    const CoverV8 cover(tilt);
    EXPECT_GE(cover.sky(), 0);
    EXPECT_LE(cover.sky(), 1);
    EXPECT_GE(cover.ground(), 0);
    EXPECT_LE(cover.ground(), 1);
  }
}

}  // namespace
}  // namespace heliograd
