#include "heliograd/model/simulated_power.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "heliograd/model/phase_energy.h"

namespace heliograd {
namespace {

double EnergyOfPieces(std::span<const PowerPiece> power, double begin_s, double end_s) {
  const FilteredPower exact(power, 0);
  return exact.EnergyUntil(end_s) - exact.EnergyUntil(begin_s);
}

TEST(SimulatedPower, DrawsTheStudysPowerWhileBusyAndKeepsItsClockUpBetween) {
  const std::vector<BusyStretch> stretches = {{1, 2, 1.0}, {2, 4, 0.3}};
  const std::vector<PowerPiece> power = PowerOfStretches(stretches, 5);
  // 15 + 46.7 * 1.05^2 + 170 u: 236.5 W, 117.5 W and 66.5 W (the notes give 236 and 117 W for the study's two phases).
  const double up_w = 15 + 46.7 * 1.05 * 1.05;
  EXPECT_NEAR(EnergyOfPieces(power, 0, 1), up_w, 1e-9);
  EXPECT_NEAR(EnergyOfPieces(power, 1, 2), up_w + 170, 1e-9);
  EXPECT_NEAR(EnergyOfPieces(power, 2, 4), 2 * (up_w + 51), 1e-9);
  EXPECT_NEAR(EnergyOfPieces(power, 4, 5), up_w, 1e-9);
}

TEST(SimulatedPower, KeepsToALimitAndTakesLonger) {
  for (const double utilisation : {0.0, 0.1, 0.3, 0.85, 1.0}) {
    GpuOperatingPoint before = PointOfUtilisation(utilisation, Watts(kStudyGpuLowestLimitW));
    EXPECT_LE(InWatts(before.power), kStudyGpuLowestLimitW);
    for (double limit_w = 110; limit_w <= kStudyGpuHighestLimitW; limit_w += 10) {
      const GpuOperatingPoint point = PointOfUtilisation(utilisation, Watts(limit_w));
      EXPECT_LE(InWatts(point.power), limit_w);
      // More power is never slower.
      EXPECT_LE(point.slowdown, before.slowdown);
      EXPECT_GE(point.clock_mhz, before.clock_mhz);
      before = point;
    }
    // 320 W are more than anything here draws: the limit might as well not be there.
    EXPECT_EQ(before.clock_mhz, PointOfUtilisation(utilisation, std::nullopt).clock_mhz);
    EXPECT_EQ(before.slowdown, 1);
  }
  const std::vector<BusyStretch> stretches = {{0, 1, 1.0}};
  const double limited_j = EnergyOfPieces(PowerOfStretches(stretches, 1, Watts(150)), 0, 1);
  EXPECT_LE(limited_j, 150);
  EXPECT_GT(limited_j, 145);  // a clock step of 15 MHz is worth less than 5 W
}

TEST(SimulatedPower, AverageOfASecondShowsTheMeanOfTheLastSecond) {
  // Busy in every other half second: each reading of a whole second is the mean of both.
  std::vector<BusyStretch> stretches;
  for (int i = 0; i < 20; ++i) stretches.push_back({i + 0.0, i + 0.5, 1.0});
  const auto readings = ReadSimulatedPower(PowerOfStretches(stretches, 20), 3, SimulatedSensor::kAverageOfOneS);
  ASSERT_TRUE(readings) << readings.error().Message();
  EXPECT_FALSE(readings->timing.contiguous);
  EXPECT_EQ(readings->timing.window_s, 1);
  EXPECT_NEAR(readings->timing.period_s, 0.1, 1e-3);
  const double mean_w = 15 + 46.7 * 1.05 * 1.05 + 85;
  for (const SensorTick& tick : readings->ticks) EXPECT_NEAR(tick.value, mean_w, 5 * 0.3) << tick.time_s;  // noise
}

TEST(SimulatedPower, StretchesWithoutAGapOrOfNoLengthLeaveNoEmptyPiece) {
  const std::vector<BusyStretch> stretches = {{0, 1, 1.0}, {1, 1, 0.5}, {1, 2, 0.3}};
  const std::vector<PowerPiece> power = PowerOfStretches(stretches, 2);
  ASSERT_EQ(power.size(), 2u);
  EXPECT_EQ(power[0].end_s, 1);
  EXPECT_EQ(power[1].end_s, 2);
}

TEST(SimulatedPower, PhasesEstimatedFromItsReadingsHoldTheTruth) {
  // 200 iterations of two phases and a pause that wanders, so that the sensor sees every part.
  std::vector<BusyStretch> stretches;
  std::vector<PhaseMark> marks;
  double now_s = 0;
  double true_j[2] = {0, 0};
  for (int i = 0; i < 200; ++i) {
    const double forward_s = 0.08, backward_s = 0.17, rest_s = 0.03 * (1 + std::sin(1.7 * i));
    stretches.push_back({now_s, now_s + forward_s, 0.85});
    marks.push_back({0, now_s, now_s + forward_s});
    now_s += forward_s;
    stretches.push_back({now_s, now_s + backward_s, 1.0});
    marks.push_back({1, now_s, now_s + backward_s});
    now_s += backward_s;
    marks.push_back({kSleepMark, now_s, now_s + rest_s});
    now_s += rest_s;
  }
  const std::vector<PowerPiece> power = PowerOfStretches(stretches, now_s);
  for (const PhaseMark& mark : marks) {
    if (mark.phase >= 0) true_j[mark.phase] += EnergyOfPieces(power, mark.begin_s, mark.end_s) / 200;
  }
  const auto readings = ReadSimulatedPower(power, 7);
  ASSERT_TRUE(readings) << readings.error().Message();
  PhaseRun run;
  run.marks = marks;
  run.phase_count = 2;
  run.iterations = 200;
  run.ticks = readings->ticks;
  run.timing = readings->timing;
  const auto found = EstimatePhaseEnergies(run);
  ASSERT_TRUE(found) << found.error().Message();
  EXPECT_EQ(found->refusal, "");
  for (size_t phase = 0; phase < 2; ++phase) {
    const PhaseEstimate& estimate = found->phases[phase];
    EXPECT_NEAR(InJoules(estimate.energy), true_j[phase], InJoules(found->HalfWidthWithGain(estimate)));
    EXPECT_TRUE(estimate.identifiable);
  }
}

// A fit of some ten readings moved the sensor's lag so far that none of them lay inside the run any more, and crashed.
TEST(SimulatedPower, RunsOfFewReadingsHaveEnergiesOrAReason) {
  constexpr double kUtilisation[5] = {0.1, 0.85, 0.15, 1.0, 0.3};
  int known = 0;
  for (uint64_t seed = 140; seed < 180; ++seed) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> part(0, 1);
    std::vector<BusyStretch> stretches;
    std::vector<PhaseMark> marks;
    const int iterations = 3 + static_cast<int>(random() % 8);
    double now_s = 1;
    for (int i = 0; i < iterations; ++i) {
      const double forward_s = 0.02 + 0.05 * part(random), backward_s = 0.03 + 0.1 * part(random);
      const double lengths_s[5] = {0.001, forward_s, 0.0002, backward_s, 0.01 + 0.03 * part(random)};
      for (int phase = 0; phase < 5; ++phase) {
        stretches.push_back({now_s, now_s + lengths_s[phase], kUtilisation[phase]});
        marks.push_back({phase, now_s, now_s + lengths_s[phase]});
        now_s += lengths_s[phase] + 2e-5;
      }
      const double rest_s = 0.01 * part(random);
      marks.push_back({kSleepMark, now_s, now_s + rest_s});
      now_s += rest_s;
    }
    const auto readings = ReadSimulatedPower(PowerOfStretches(stretches, now_s + 1), seed);
    ASSERT_TRUE(readings) << readings.error().Message();
    PhaseRun run;
    run.marks = marks;
    run.phase_count = 5;
    run.iterations = iterations;
    run.ticks = readings->ticks;
    run.timing = readings->timing;
    const auto found = EstimatePhaseEnergies(run);
    if (found) EXPECT_TRUE(std::isfinite(InJoules(found->iteration.energy))) << seed;
    if (!found) EXPECT_FALSE(found.error().Message().empty()) << seed;
    known += found.has_value();
  }
  EXPECT_GT(known, 10);
}

TEST(SimulatedPower, ARunShorterThanTenUpdatesIsRefused) {
  const std::vector<BusyStretch> stretches = {{0, 0.1, 1.0}};
  EXPECT_FALSE(ReadSimulatedPower(PowerOfStretches(stretches, 0.1), 1));
}

}  // namespace
}  // namespace heliograd
