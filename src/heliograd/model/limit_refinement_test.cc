#include "heliograd/model/limit_refinement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
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

/// Energy and time of a unit about as the study's card behaves, with the least energy where `knee_w` says and no change
/// from 70 W above it on.
SweepWindow WindowAt(int round, Power limit, double knee_w, double scatter, std::mt19937& random) {
  const double watts = std::min(InWatts(limit), knee_w + 70);
  const double energy =
      watts <= knee_w ? 1 + 0.26 * std::pow((knee_w - watts) / 70, 2) : 1 + 0.25 * (watts - knee_w) / 70;
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
Found Sweep(bool adaptive, double knee_w, double width_w, double scatter, std::mt19937& random) {
  const std::vector<Power> grid = Grid();
  std::vector<Power> limits = adaptive ? CoarseLimits(grid) : grid;
  std::vector<SweepWindow> windows;
  Found found;
  for (int round = 0; round < 5; ++round) {
    if (round >= 2) {
      found.result = *AnalyseSweep(windows);
      const SweepLimit knee = Framed(grid, found.result, found.result.least_energy);
      if (InWatts(knee.high - knee.low) <= width_w) break;
      if (adaptive) limits = LimitsAroundKnee(grid, found.result);
    }
    for (const Power limit : limits) windows.push_back(WindowAt(round, limit, knee_w, scatter, random));
  }
  found.result = *AnalyseSweep(windows);
  found.result.least_energy = Framed(grid, found.result, found.result.least_energy);
  found.windows = windows.size();
  return found;
}

TEST(SpreadLimits, EvenFactorsWithEndsAndTheStandardLimit) {
  const auto watts = [](const std::vector<Power>& limits) {
    std::vector<double> numbers;
    for (const Power limit : limits) numbers.push_back(InWatts(limit));
    return numbers;
  };
  EXPECT_EQ(watts(SpreadLimits(Watts(100), Watts(320), Watts(320), 6)),
            (std::vector<double>{100, 125, 160, 200, 255, 320}));
  EXPECT_EQ(watts(SpreadLimits(Watts(100), Watts(320), Watts(250), 6)),
            (std::vector<double>{100, 125, 160, 200, 250, 320}));
  EXPECT_EQ(watts(SpreadLimits(Watts(100), Watts(320), Watts(310), 6)),
            (std::vector<double>{100, 125, 160, 200, 255, 310, 320}));
  EXPECT_EQ(watts(SpreadLimits(Watts(115), Watts(115), Watts(115), 6)), (std::vector<double>{115}));
}

TEST(SpreadLimits, AnyRangeKeepsItsEndsAndItsOrder) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> range(20, 1500);
  for (int trial = 0; trial < 1000; ++trial) {
    std::array<int, 3> of = {range(random), range(random), range(random)};
    std::sort(of.begin(), of.end());
    const auto limits = SpreadLimits(Watts(of[0]), Watts(of[2]), Watts(of[1]), 6);
    EXPECT_EQ(limits.front(), Watts(of[0]));
    EXPECT_EQ(limits.back(), Watts(of[2]));
    EXPECT_TRUE(std::is_sorted(limits.begin(), limits.end()));
    EXPECT_EQ(std::adjacent_find(limits.begin(), limits.end()), limits.end());
    EXPECT_NE(std::find(limits.begin(), limits.end(), Watts(of[1])), limits.end());
    EXPECT_LE(limits.size(), 7U);
  }
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

TEST(LimitRefinement, AnIntervalNextToLimitsThatWereLeftOutReachesTheNextMeasuredOne) {
  SweepResult found;
  for (const double watts : {100.0, 140.0, 180.0, 190.0, 200.0, 320.0}) {
    found.levels.push_back({Watts(watts), Joules(1), Seconds(1), 0, 0, false});
  }
  // The least of what was measured is at 140 W; the least of all may be at 170 W.
  SweepLimit knee = Framed(Grid(), found, {Watts(140), Watts(120), Watts(160)});
  EXPECT_EQ(knee.low, Watts(100));
  EXPECT_EQ(knee.high, Watts(180));
  knee = Framed(Grid(), found, {Watts(190), Watts(185), Watts(195)});
  EXPECT_EQ(knee.low, Watts(185));
  EXPECT_EQ(knee.high, Watts(195));
  knee = Framed(Grid(), found, {Watts(100), Watts(100), Watts(120)});
  EXPECT_EQ(knee.low, Watts(100));
  EXPECT_EQ(knee.high, Watts(140));
}

TEST(LimitRefinement, FindsTheKneeInFewerWindowsThanTheFullGrid) {
  std::mt19937 random(3);
  // Half a percent of scatter, as a window of 10 s has; knees all over the grid, between coarse limits too, in turns at
  // the width that `curve` asks for by default and at a narrow one. With 95 % for each sweep fewer than 177 of 190 have
  // a probability of 8 %, fewer than 171 one of 0.2 %.
  int adaptive_holds = 0, full_holds = 0, sweeps = 0;
  size_t adaptive_windows = 0, full_windows = 0;
  double adaptive_width_w = 0, full_width_w = 0;
  for (double knee_w = 130; knee_w <= 220; knee_w += 5) {
    for (int i = 0; i < 10; ++i, ++sweeps) {
      const auto holds = [&](const SweepResult& found) {
        return found.least_energy.low <= Watts(knee_w) && found.least_energy.high >= Watts(knee_w) ? 1 : 0;
      };
      const double width_w = i % 2 == 0 ? 20 : 40;
      const Found adaptive = Sweep(true, knee_w, width_w, 0.005, random);
      const Found full = Sweep(false, knee_w, width_w, 0.005, random);
      adaptive_holds += holds(adaptive.result);
      full_holds += holds(full.result);
      adaptive_windows += adaptive.windows;
      full_windows += full.windows;
      adaptive_width_w += InWatts(adaptive.result.least_energy.high - adaptive.result.least_energy.low);
      full_width_w += InWatts(full.result.least_energy.high - full.result.least_energy.low);
    }
  }
  EXPECT_GE(adaptive_holds, 171);
  EXPECT_GE(full_holds, 171);
  EXPECT_LT(static_cast<double>(adaptive_windows), 0.65 * static_cast<double>(full_windows));
  std::printf("windows a sweep: adaptive %.1f (knee within %.1f W, held in %d of %d), full grid %.1f (%.1f W, %d)\n",
              static_cast<double>(adaptive_windows) / sweeps, adaptive_width_w / sweeps, adaptive_holds, sweeps,
              static_cast<double>(full_windows) / sweeps, full_width_w / sweeps, full_holds);
}

}  // namespace
}  // namespace heliograd
