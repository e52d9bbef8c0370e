#include "heliograd/model/sensor_calibration.h"

#include <gtest/gtest.h>

#include <cmath>

#include "heliograd/model/tick_times.h"
#include "heliograd/model/truth_trials.h"

namespace heliograd {
namespace {

struct Bench {
  DrawnSensor drawn;
  SimulatedBursts bursts;
  std::vector<SensorTick> ticks, counter_power;
};

Bench RunBursts(size_t kind, double length_s, uint64_t seed, double ramp_s = 0) {
  std::mt19937_64 random(seed);
  Bench bench;
  bench.drawn = DrawSensor(TruthSensors()[kind], {}, random);
  bench.bursts = SimulateBursts({.ramp_s = ramp_s}, length_s, random);
  const PolledSensor seen = PollSensor(bench.bursts.power, bench.drawn.sensor, {}, random);
  bench.ticks = FitTickTimes(seen.power, 0.002)->ticks;
  if (!seen.counter.empty()) bench.counter_power = PowerOfCounter(FitTickTimes(seen.counter, 0.002)->ticks);
  return bench;
}

/// Kinds of TruthSensors, in order; the errors that 60 s of bursts may leave, ms.
struct Case {
  size_t kind;
  double delay_ms, window_ms;
  bool contiguous, long_average;
};

class Calibration : public testing::TestWithParam<Case> {};

TEST_P(Calibration, FindsTheSensorsTiming) {
  for (uint64_t seed = 0; seed < 3; ++seed) {
    const Bench bench = RunBursts(GetParam().kind, 60, seed);
    const auto found = CalibrateSensor(bench.bursts.busy, bench.ticks);
    ASSERT_TRUE(found) << found.error().Message();
    const PowerSensor& truth = bench.drawn.sensor;
    const double delay_error_s = found->timing.lag_s + found->timing.low_pass_s - truth.lag_s - truth.low_pass_s;
    // Four times the root mean square error of 20 simulated calibrations of each kind (bench/truth prints them).
    EXPECT_LT(1e3 * std::abs(delay_error_s), GetParam().delay_ms);
    EXPECT_LT(std::abs(delay_error_s), 4 * found->delay_sd_s);
    EXPECT_EQ(found->timing.contiguous, GetParam().contiguous);
    EXPECT_EQ(found->long_average, GetParam().long_average);
    if (!found->timing.contiguous) {
      EXPECT_NEAR(1e3 * found->timing.window_s, 1e3 * truth.window_s, GetParam().window_ms);
    }
    // Gain and offset are the sensor's own; the powers are as it shows them.
    EXPECT_NEAR(InWatts(found->busy), truth.gain * 250 + truth.offset_w, 5 * InWatts(found->busy_sd) + 0.2);
    EXPECT_NEAR(InWatts(found->idle), truth.gain * 70 + truth.offset_w, 5 * InWatts(found->idle_sd) + 0.2);
  }
}

INSTANTIATE_TEST_SUITE_P(Sensors, Calibration,
                         testing::Values(Case{0, 0.16, 0, true, false}, Case{1, 0.16, 0.2, false, false},
                                         Case{2, 0.16, 0.3, false, false}, Case{3, 0.16, 0, true, false},
                                         Case{4, 0.5, 0.8, false, true}, Case{8, 0.16, 0.2, false, false}));

TEST(Calibration, ARampAtTheStartOfBurstsIsLeftToTheStepsUncertainty) {
  const Bench bench = RunBursts(1, 60, 5, 0.001);
  const auto found = CalibrateSensor(bench.bursts.busy, bench.ticks);
  ASSERT_TRUE(found) << found.error().Message();
  const double error_s =
      found->timing.lag_s + found->timing.low_pass_s - bench.drawn.sensor.lag_s - bench.drawn.sensor.low_pass_s;
  // A ramp of 1 ms moves every start by 0.5 ms and no end: a bias between 0 and 0.5 ms, which step_sd_s stands for.
  EXPECT_GT(error_s, 0);
  EXPECT_LT(error_s, 0.0006);
  EXPECT_GE(found->timing.step_sd_s, 0.0005);
}

TEST(Calibration, ReadingsThatDoNotFollowAreRefused) {
  Bench bench = RunBursts(0, 60, 1);
  std::mt19937_64 random(3);
  for (SensorTick& tick : bench.ticks) tick.value = std::uniform_real_distribution<double>(50, 300)(random);
  const auto found = CalibrateSensor(bench.bursts.busy, bench.ticks);
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().Message().find("do not follow the bursts"), std::string::npos);
  const std::vector<TimeSpan> one(bench.bursts.busy.begin(), bench.bursts.busy.begin() + 1);
  EXPECT_FALSE(CalibrateSensor(one, bench.ticks));
  EXPECT_FALSE(CalibrateSensor(bench.bursts.busy, std::span(bench.ticks).first(40)));
}

TEST(CounterSight, IsToldFromTheSameBursts) {
  for (const auto& [kind, expected] : {std::pair<size_t, CounterSight>{10, CounterSight::kSeesAll},
                                       {11, CounterSight::kSeesAll},
                                       {12, CounterSight::kBlind}}) {
    const Bench bench = RunBursts(kind, 30, 1);
    const auto sensor = CalibrateSensor(bench.bursts.busy, bench.ticks);
    ASSERT_TRUE(sensor) << sensor.error().Message();
    const auto verdict = JudgeCounter(bench.bursts.busy, bench.counter_power, *sensor);
    ASSERT_TRUE(verdict) << verdict.error().Message();
    EXPECT_EQ(verdict->sight, expected) << kind << ": " << verdict->squares_ratio;
  }
}

TEST(CounterSight, ByShiftOfALockedLoad) {
  std::vector<LockedStretch> blind, sees;
  for (int shift = 0; shift < 4; ++shift) {
    for (int repeat = 0; repeat < 3; ++repeat) {
      blind.push_back({shift, Watts(shift == 0 ? 290 + repeat : 101 + repeat)});
      sees.push_back({shift, Watts(150 + 0.2 * repeat + 0.1 * shift)});
    }
  }
  EXPECT_EQ(JudgeByShift(blind), CounterSight::kBlind);
  EXPECT_EQ(JudgeByShift(sees), CounterSight::kSeesAll);
  EXPECT_EQ(JudgeByShift(std::span(sees).first(3)), CounterSight::kNoDifference);
}

}  // namespace
}  // namespace heliograd
