#include "heliograd/model/progress_estimate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace heliograd {
namespace {

TEST(ProgressEstimate, PromisesUntilSomethingIsMeasured) {
  const ProgressEstimate estimate({1e-5, 2e-5});
  EXPECT_FALSE(estimate.has_measured());
  EXPECT_DOUBLE_EQ(estimate.RateOf(1).rate, 2e-5);
  EXPECT_NEAR(estimate.RateOf(1).half_width, 1.96 * std::hypot(0.15, 0.02), 1e-12);
}

TEST(ProgressEstimate, LongStretchIsBelieved) {
  ProgressEstimate estimate({1e-5, 2e-5});
  estimate.Add(0, Hours(2), 7200 * 0.9e-5, Seconds(0.1), 1e-6);
  EXPECT_NEAR(estimate.RateOf(0).rate, 0.9e-5, 0.9e-5 * 0.005);
  // The other level shares the factor, less surely.
  EXPECT_NEAR(estimate.RateOf(1).rate, 1.8e-5, 1.8e-5 * 0.01);
  EXPECT_GT(estimate.RateOf(1).half_width, estimate.RateOf(0).half_width);
  EXPECT_LT(estimate.RateOf(1).half_width, 0.1);
}

TEST(ProgressEstimate, CoarseCountsAreDoubted) {
  ProgressEstimate fine({1e-5}), coarse({1e-5});
  fine.Add(0, Minutes(10), 0.005, Seconds(0), 1e-6);
  coarse.Add(0, Minutes(10), 0.005, Seconds(0), 1e-2);
  EXPECT_LT(fine.RateOf(0).half_width, coarse.RateOf(0).half_width / 3);
}

TEST(ProgressEstimate, NoLengthIsNoNews) {
  ProgressEstimate estimate({1e-5});
  estimate.Add(0, Seconds(0), 0.1, Seconds(1), 0);
  EXPECT_FALSE(estimate.has_measured());
}

// Jobs drawn as the model says: the interval of a level that ran, and of one that did not, holds the truth in 95 of
// 100. With 2000 jobs the share scatters by 0.5 %.
TEST(ProgressEstimate, IntervalsHoldTheTruth) {
  std::mt19937 random(11);
  std::normal_distribution<double> normal;
  const ProgressPrior prior;
  const std::vector<double> promised = {1e-5, 1.5e-5, 2e-5, 2.2e-5};
  int held[2] = {0, 0};
  constexpr int kJobs = 2000;
  for (int job = 0; job < kJobs; ++job) {
    const double g = 1 + prior.common_sd * normal(random);
    std::vector<double> truth;
    for (const double rate : promised) truth.push_back(rate * (g + prior.level_sd * normal(random)));
    ProgressEstimate estimate(promised);
    for (size_t level = 0; level < 3; ++level) {
      for (int stretch = 0; stretch < 3; ++stretch) {
        const double seconds = 600;
        const double seen_s = seconds + 5 * std::sqrt(2.0) * normal(random);
        estimate.Add(level, Seconds(seen_s), seconds * truth[level] * (1 + prior.drift_sd * normal(random)), Seconds(5),
                     0);
      }
    }
    for (const auto& [place, level] : {std::pair{0, size_t{1}}, {1, size_t{3}}}) {
      const RateEstimate rate = estimate.RateOf(level);
      if (std::abs(rate.rate - truth[level]) <= rate.half_width * rate.rate) ++held[place];
    }
  }
  for (const int count : held) EXPECT_NEAR(static_cast<double>(count) / kJobs, 0.955, 0.025);
}

}  // namespace
}  // namespace heliograd
