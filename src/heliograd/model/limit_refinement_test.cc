#include "heliograd/model/limit_refinement.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <random>

namespace heliograd {
namespace {

std::vector<Power> Grid() {
  std::vector<Power> limits;
  for (int watts = 100; watts <= 320; watts += 10) limits.push_back(Watts(watts));
  return limits;
}

/// Energy and time of a unit as the study's card behaves: least energy at 170 W, no change from 240 W on.
SweepWindow WindowAt(int round, Power limit, double scatter, std::mt19937& random) {
  const double watts = std::min(InWatts(limit), 240.0);
  const double energy = watts <= 170 ? 1 + 0.26 * std::pow((170 - watts) / 70, 2) : 1 + 0.25 * (watts - 170) / 70;
  // Such a time that the power drawn rises with the limit.
  const double time = energy / (60 + watts);
  std::normal_distribution<double> noise(0, scatter);
  return {round, limit, Joules(energy * std::exp(noise(random))), Seconds(time * std::exp(noise(random) / 5))};
}

struct Found {
  SweepResult result;
  size_t windows = 0;
};

/// Rounds until the knee's interval is as narrow as asked, five at most.
Found Sweep(bool adaptive, double width_w, double scatter, std::mt19937& random) {
  const std::vector<Power> grid = Grid();
  std::vector<Power> limits = adaptive ? CoarseLimits(grid) : grid;
  std::vector<SweepWindow> windows;
  Found found;
  for (int round = 0; round < 5; ++round) {
    if (round >= 2) {
      found.result = *AnalyseSweep(windows);
      const auto& knee = found.result.least_energy;
      if (InWatts(knee.high - knee.low) <= width_w) break;
      if (adaptive) limits = LimitsAroundKnee(grid, found.result);
    }
    for (const Power limit : limits) windows.push_back(WindowAt(round, limit, scatter, random));
  }
  found.result = *AnalyseSweep(windows);
  found.windows = windows.size();
  return found;
}

TEST(LimitRefinement, CoarseLimitsHoldBothEnds) {
  const std::vector<Power> coarse = CoarseLimits(Grid());
  EXPECT_EQ(coarse.front(), Watts(100));
  EXPECT_EQ(coarse.back(), Watts(320));
  EXPECT_EQ(coarse[1], Watts(130));
  EXPECT_EQ(coarse.size(), 9u);
  const std::vector<Power> grid = Grid();
  EXPECT_EQ(CoarseLimits(std::span(grid).first(8)).size(), 8u);
}

TEST(LimitRefinement, GoesOnToTheNeighboursOfTheKneesInterval) {
  SweepResult found;
  for (const Power limit : CoarseLimits(Grid())) found.levels.push_back({limit, Joules(1), Seconds(1), 0, 0, false});
  found.least_energy = {Watts(160), Watts(145), Watts(175)};
  const std::vector<Power> finer = LimitsAroundKnee(Grid(), found);
  EXPECT_EQ(finer.front(), Watts(130));
  EXPECT_EQ(finer.back(), Watts(190));
  EXPECT_EQ(finer.size(), 7u);
  found.least_energy = {Watts(100), Watts(100), Watts(100)};
  EXPECT_EQ(LimitsAroundKnee(Grid(), found).size(), 3u);
}

TEST(LimitRefinement, FindsTheKneeInFewerWindowsThanTheFullGrid) {
  std::mt19937 random(3);
  // Half a percent of scatter, as a window of 10 s has. An interval of 95 % misses in more than 10 of 100 with a
  // probability of 1 %.
  int adaptive_holds = 0, full_holds = 0;
  size_t adaptive_windows = 0, full_windows = 0;
  double adaptive_width_w = 0, full_width_w = 0;
  const auto holds = [](const SweepResult& found) {
    return found.least_energy.low <= Watts(170) && found.least_energy.high >= Watts(170);
  };
  constexpr int kSweeps = 100;
  for (int i = 0; i < kSweeps; ++i) {
    const Found adaptive = Sweep(true, 20, 0.005, random), full = Sweep(false, 20, 0.005, random);
    adaptive_holds += holds(adaptive.result) ? 1 : 0;
    full_holds += holds(full.result) ? 1 : 0;
    adaptive_windows += adaptive.windows;
    full_windows += full.windows;
    adaptive_width_w += InWatts(adaptive.result.least_energy.high - adaptive.result.least_energy.low) / kSweeps;
    full_width_w += InWatts(full.result.least_energy.high - full.result.least_energy.low) / kSweeps;
  }
  EXPECT_GE(adaptive_holds, 90);
  EXPECT_GE(full_holds, 90);
  EXPECT_LT(static_cast<double>(adaptive_windows), 0.6 * static_cast<double>(full_windows));
  std::printf("windows a sweep: adaptive %.1f (knee within %.1f W, held in %d of %d), full grid %.1f (%.1f W, %d)\n",
              static_cast<double>(adaptive_windows) / kSweeps, adaptive_width_w, adaptive_holds, kSweeps,
              static_cast<double>(full_windows) / kSweeps, full_width_w, full_holds);
}

}  // namespace
}  // namespace heliograd
