#include "heliograd/model/limit_sweep.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "heliograd/model/truth_trials.h"

namespace heliograd {
namespace {

/// Three limits and two rounds without scatter; the second round's sensor shows 10 % more.
std::vector<SweepWindow> Exact() {
  std::vector<SweepWindow> windows;
  const double limits[] = {100, 150, 200}, energy[] = {120, 100, 110}, time[] = {2, 1.2, 1};
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 3; ++i) {
      windows.push_back({round, Watts(limits[i]), Joules(energy[i] * (1 + 0.1 * round)), Seconds(time[i])});
    }
  }
  return windows;
}

TEST(LimitSweep, ARoundsGainFallsOut) {
  const auto result = AnalyseSweep(Exact());
  ASSERT_TRUE(result) << result.error().Message();
  EXPECT_NEAR(result->energy_scatter, 0, 1e-9);
  EXPECT_EQ(InWatts(result->least_energy.limit), 150);
  EXPECT_EQ(InWatts(result->least_energy.low), 125);
  EXPECT_EQ(InWatts(result->least_energy.high), 175);
  EXPECT_NEAR(result->levels[2].energy / result->levels[1].energy, 1.1, 1e-9);
  EXPECT_TRUE(result->levels[0].dominated);
  EXPECT_FALSE(result->levels[1].dominated);
  EXPECT_FALSE(result->levels[2].dominated);
}

TEST(LimitSweep, ALevelMissingInARoundIsFitted) {
  std::vector<SweepWindow> windows = Exact();
  windows.push_back({2, Watts(100), Joules(240), Seconds(2)});
  windows.push_back({2, Watts(200), Joules(220), Seconds(1)});
  const auto result = AnalyseSweep(windows);
  ASSERT_TRUE(result) << result.error().Message();
  // The third round shows twice as much; that is its shift, not the levels'.
  EXPECT_NEAR(result->levels[2].energy / result->levels[1].energy, 1.1, 1e-6);
  EXPECT_NEAR(result->energy_scatter, 0, 1e-6);
}

TEST(LimitSweep, TooLittleSaysWhatIsMissing) {
  std::vector<SweepWindow> windows = Exact();
  EXPECT_NE(AnalyseSweep(std::span(windows).first(3)).error().Message().find("2 rounds"), std::string::npos);
  windows[0].energy = Joules(0);
  EXPECT_NE(AnalyseSweep(windows).error().Message().find("above 0"), std::string::npos);
}

TEST(LimitSweep, IntervalsHoldTheSimulatedCard) {
  // 60 sweeps; with a coverage of 95 % fewer than 47 hits have a probability of 1.2e-6.
  SweepTally tally;
  for (uint64_t seed = 0; seed < 60; ++seed) tally.Add(RunSweepTrial({.rounds = 3, .scatter = 0.01}, seed));
  EXPECT_GE(tally.energy_covered, 47);
  EXPECT_GE(tally.energy_time_covered, 47);
  EXPECT_GE(tally.binding_covered, 47);
  EXPECT_GE(tally.knee_close, 47) << "within 10 W of the knee";
}

}  // namespace
}  // namespace heliograd
