#include "heliograd/trace/mean_in_force.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

TEST(MeanInForce, WeighsAValueByHowLongItHeld) {
  // 1000 until 30, 2000 from there on; the window is 20 to 60: a quarter and three quarters.
  const std::vector<Sample> samples = {{0, 28, 0, 1000, true}, {30, 100, 0, 2000, true}};
  EXPECT_NEAR(*MeanInForce(samples, 20, 60), 1750, 1e-9);
}

TEST(MeanInForce, TheFirstValueHoldsFromTheBeginning) {
  EXPECT_NEAR(*MeanInForce({{50, 50, 0, 7, true}}, 0, 100), 7, 1e-9);
}

TEST(MeanInForce, WithoutSamplesOrLengthThereIsNone) {
  EXPECT_FALSE(MeanInForce({}, 0, 100));
  EXPECT_FALSE(MeanInForce({{0, 10, 0, 7, true}}, 100, 100));
}

}  // namespace
}  // namespace heliograd
