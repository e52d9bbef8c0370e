#include "heliograd/optimize/kernel_functions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

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

/// The definition: less may be taken for more, and more be had at `most` a unit. Its best place is a corner or x.
double Clamped(FunctionView f, double most, double x) {
  double least = kInfinity;
  for (const Segment& segment : f) {
    for (const double a : {segment.low, segment.high, std::clamp(x, segment.low, segment.high)}) {
      least = std::min(least, segment.At(a) + most * std::max(x - a, 0.0));
    }
  }
  return least;
}

void ExpectClamped(FunctionView f, double limit, double most) {
  Function clamped;
  ClampSlopes(f, limit, most, clamped);
  EXPECT_EQ(clamped.front().low, 0);
  EXPECT_EQ(clamped.back().high, limit);
  EXPECT_EQ(EndOfRun(clamped, 0), clamped.size());
  for (int i = 0; i <= 40; ++i) {
    const double x = limit * i / 40;
    EXPECT_NEAR(ValueAt(clamped, x), Clamped(f, most, x), 1e-10) << x;  // ten pieces of 1e-11 kWh may be left out
  }
}

TEST(ClampSlopes, IsItsDefinitionForRandomConvexFunctions) {
  std::mt19937 random(3);
  const auto uniform = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  for (int i = 0; i < 300; ++i) {
    SCOPED_TRACE(i);
    const double limit = uniform(0.5, 2);
    std::vector<double> places, slopes;
    for (int k = i % 6; k >= 0; --k) places.push_back(uniform(0, limit)), slopes.push_back(uniform(-0.5, 1.5));
    places.push_back(uniform(0, limit));
    std::sort(places.begin(), places.end());
    std::sort(slopes.begin(), slopes.end());
    Function f;
    for (size_t k = 0; k < slopes.size(); ++k) {
      f.push_back({places[k], places[k + 1], k == 0 ? 2 : f.back().CostHigh(), slopes[k]});
    }
    ExpectClamped(f, limit, 0.7);
  }
}

TEST(ClampSlopes, TakesPointsFlatsAndSteepEnds) {
  ExpectClamped(Function{{0.3, 0.3, 1, 0}}, 1, 0.5);
  ExpectClamped(Function{{0, 0, 1, 0}}, 1, 0.5);
  ExpectClamped(Function{{1, 1, 1, 0}}, 1, 0.5);
  ExpectClamped(Function{{0, 0.9, 0, -0.0}}, 1, 0.5);  // once flat to the end of it all
  ExpectClamped(Function{{0, 1, 0, -2}}, 1, 0.5);
  ExpectClamped(Function{{0.2, 0.6, 0, 0.4}, {0.6, 0.6 + 1e-9, 0.16, 1e6}, {0.6 + 1e-9, 0.6 + 2e-9, 0.161, 1e9}}, 1,
                0.5);
}

}  // namespace
}  // namespace heliograd::kernel
