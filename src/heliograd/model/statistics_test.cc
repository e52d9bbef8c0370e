#include "heliograd/model/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace heliograd {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

TEST(Statistics, StudentTIsThatOfPrintedTables) {
  // Printed to three decimals.
  EXPECT_NEAR(StudentT975(1), 12.706, 5e-4);
  EXPECT_NEAR(StudentT975(2), 4.303, 5e-4);
  EXPECT_NEAR(StudentT975(3), 3.182, 5e-4);
  EXPECT_NEAR(StudentT975(4), 2.776, 5e-4);
  EXPECT_NEAR(StudentT975(9), 2.262, 5e-4);
  EXPECT_NEAR(StudentT975(39), 2.023, 5e-4);
  EXPECT_NEAR(StudentT975(1e6), 1.960, 5e-4);
  EXPECT_NEAR(StudentT975(0), 12.706, 5e-4);
}

TEST(Statistics, MedianOfOddEvenAndNothing) {
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(Median({}), 0);
}

TEST(Statistics, IsotonicRegressionPoolsWhatFalls) {
  const std::vector<double> values = {1, 3, 2, 4}, weights = {1, 1, 1, 1};
  EXPECT_THAT(IsotonicRegression(values, weights), ElementsAre(1, 2.5, 2.5, 4));
}

TEST(Statistics, IsotonicRegressionWeighsWhatItPools) {
  const std::vector<double> values = {5, 2, 1}, weights = {1, 2, 1};
  EXPECT_THAT(IsotonicRegression(values, weights), ElementsAre(DoubleEq(2.5), DoubleEq(2.5), DoubleEq(2.5)));
}

TEST(Statistics, StandardErrorSeesThatASeriesDependsOnItsPast) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  std::vector<double> independent(2000), walking(2000);
  double state = 0;
  for (size_t i = 0; i < independent.size(); ++i) {
    independent[i] = normal(random);
    state = 0.9 * state + normal(random);
    walking[i] = state;
  }
  // 1 / sqrt(2000) = 0.0224. The widest bandwidth's variance scatters by sqrt(4/3 x 256 / 2000) = 41 %, and the largest
  // is taken: up to four of these, 1.63 as a factor of the error.
  EXPECT_GE(StandardErrorOfMean(independent), 0.021);
  EXPECT_LE(StandardErrorOfMean(independent), 0.0224 * 1.63);
  // An AR(1) series with 0.9 has 1 / (1 - 0.9) / sqrt(2000) = 0.224; a bandwidth of a few times 10 sees most of it.
  EXPECT_GE(StandardErrorOfMean(walking), 0.16);
}

}  // namespace
}  // namespace heliograd
