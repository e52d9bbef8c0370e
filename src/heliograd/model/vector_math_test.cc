#include "heliograd/model/vector_math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace heliograd {
namespace {

TEST(VectorMath, CosineKeepsItsBound) {
  for (double turn = -700.3; turn < 700; turn += 0.0137) {
    EXPECT_NEAR(CosineOfTurn(turn), std::cos(2 * std::numbers::pi * (turn - std::round(turn))), 1e-11) << turn;
  }
}

TEST(VectorMath, AngleKeepsItsBound) {
  for (double angle = -0.5 * std::numbers::pi; angle <= 0.5 * std::numbers::pi; angle += 1e-4) {
    EXPECT_NEAR(AngleOfUnitVector(std::cos(angle), std::sin(angle)), angle, 2e-13) << angle;
  }
}

TEST(VectorMath, ExponentialKeepsItsBoundAndHoldsItsEnds) {
  for (double x = -700; x <= 700; x += 0.0131) EXPECT_NEAR(Exponential(x) / std::exp(x), 1, 1e-11) << x;
  EXPECT_EQ(Exponential(0), 1);
  EXPECT_EQ(Exponential(1e6), Exponential(700));
  EXPECT_EQ(Exponential(-1e6), Exponential(-700));
}

TEST(VectorMath, LogarithmKeepsItsBound) {
  for (double x = 1e-300; x < 1e300; x *= 1.37) EXPECT_NEAR(RoughLogarithm(x), std::log(x), 1e-6) << x;
  for (double x = 0.5; x < 2.5; x += 1e-4) EXPECT_NEAR(RoughLogarithm(x), std::log(x), 1e-6) << x;
}

}  // namespace
}  // namespace heliograd
