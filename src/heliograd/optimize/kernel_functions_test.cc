#include "heliograd/optimize/kernel_functions.h"

#include <gtest/gtest.h>

#include <limits>

namespace heliograd::kernel {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// 0 up to x = 1, -5 from there on.
const Function kJump = {{0, 1, 0, 0}, {1, 2, -5, 0}};

/// Once -5: the higher side of a jump stood for the lower, and levels that could not be left out stayed in the search.
TEST(LeastDifference, OfAFunctionWithItselfIsNothingAtAJumpToo) {
  EXPECT_EQ(LeastDifference(kJump, kJump), 0);
  const Function shifted = {{0, 1 + 5e-12, 0, 0}, {1 + 5e-12, 2, -5, 0}};  // the same place but for rounding
  EXPECT_EQ(LeastDifference(kJump, shifted), 0);
  EXPECT_EQ(LeastDifference(shifted, kJump), 0);
}

TEST(LeastDifference, SeesPointsAndDomainsThatOnlyTouch) {
  const Function point = {{1, 1, 3, 0}};
  EXPECT_EQ(LeastDifference(point, kJump), 8);
  EXPECT_EQ(LeastDifference(kJump, point), -8);
  EXPECT_EQ(LeastDifference(Function{{2, 3, 1, 0}}, kJump), 6);
  EXPECT_EQ(LeastDifference(Function{{4, 5, 1, 0}}, kJump), kInfinity);
}

TEST(LeastSum, TakesTheLowerSideOfAJump) {
  EXPECT_EQ(LeastSum(Function{{0, 1, 2, 0}}, kJump), -3);
  EXPECT_EQ(LeastSum(Function{{0, 1 - 5e-12, 2, 0}}, kJump), -3);  // touches but for rounding
  EXPECT_EQ(LeastSum(Function{{0, 0.5, 2, 0}}, kJump), 2);
}

TEST(BestRelease, MeetsAPlaceThatIsOnePoint) {
  // Only x = 1 of what stays may follow, which leaves z = 0.3 of 1.3; the last digits of 1.3 - 1 and 0.3 differ.
  const Function cost = {{0, 0.3, 0, 0}, {0.3, 1, -1, 0}}, after = {{1, 1, -7, 0}, {1, 3, 0, 0}};
  EXPECT_NEAR(BestRelease(cost, after, 1.3, 1, -kInfinity), 0.3, 1e-11);
}

}  // namespace
}  // namespace heliograd::kernel
