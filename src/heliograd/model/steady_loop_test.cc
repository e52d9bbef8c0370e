#include "heliograd/model/steady_loop.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "heliograd/model/power_sensor.h"
#include "heliograd/model/tick_times.h"

namespace heliograd {
namespace {

/// One layer for `length_s`: runs of 50 to 250 ms, pauses of up to 10 ms at 80 W; the clock settles from 4 % above with
/// a time constant of 0.6 s.
struct SimulatedLoop {
  std::vector<PowerPiece> power;
  std::vector<TimeSpan> runs;
};

SimulatedLoop Loop(double power_w, double length_s, double settling, std::mt19937_64& random) {
  std::uniform_real_distribution<double> run_s(0.05, 0.25), pause_s(0, 0.01);
  SimulatedLoop loop;
  double now_s = 0.5;
  loop.power.push_back({now_s, 60});
  while (now_s < length_s + 0.5) {
    const double begin_s = now_s, end_s = now_s + run_s(random);
    while (now_s < end_s) {
      now_s = std::min(end_s, now_s + 0.01);
      loop.power.push_back({now_s, power_w * (1 + settling * std::exp(-(now_s - 0.5) / 0.6))});
    }
    loop.runs.push_back({begin_s, end_s});
    now_s += pause_s(random);
    loop.power.push_back({now_s, 80});
  }
  return loop;
}

SensorTiming TimingOf(const PowerSensor& sensor) {
  SensorTiming timing;
  timing.period_s = sensor.period_s;
  timing.contiguous = false;
  timing.window_s = sensor.window_s;
  timing.lag_s = sensor.lag_s;
  return timing;
}

Result<LoopPower> Measure(const SimulatedLoop& loop, const PowerSensor& sensor, std::mt19937_64& random) {
  const PolledSensor seen = PollSensor(loop.power, sensor, {}, random);
  const auto fit = FitTickTimes(seen.power, 0.002);
  if (!fit) return Fail(fit.error());
  return MeanLoopPower({loop.runs, fit->ticks}, TimingOf(sensor));
}

PowerSensor ShortWindow() {
  PowerSensor sensor;
  sensor.period_s = 0.1017;
  sensor.window_s = 0.025;
  sensor.lag_s = 0.002;
  sensor.noise_w = 0.3;
  return sensor;
}

TEST(SteadyLoop, CorrectsForPauses) {
  std::mt19937_64 random(1);
  const SimulatedLoop loop = Loop(250, 20, 0, random);
  const auto power = Measure(loop, ShortWindow(), random);
  ASSERT_TRUE(power) << power.error().Message();
  // 200 readings of 0.3 W noise; the timing of ticks moves a pause's edge by 0.1 ms of 25, 0.7 W, each other way.
  EXPECT_NEAR(InWatts(power->running), 250, 0.3);
  EXPECT_NEAR(InWatts(power->pausing), 80, 10);
}

TEST(SteadyLoop, TooShortALoopSaysHowLong) {
  std::mt19937_64 random(1);
  const SimulatedLoop loop = Loop(250, 1.5, 0, random);
  PowerSensor sensor = ShortWindow();
  sensor.window_s = 1;
  const auto power = Measure(loop, sensor, random);
  ASSERT_FALSE(power);
  EXPECT_NE(power.error().Message().find("loop longer than 1.91 s"), std::string::npos) << power.error().Message();
}

TEST(SteadyLoop, IntervalsHoldTheTruth) {
  // 6 layers in 5 rounds of 5 s, 8 times on each sensor: 48 layer results share their scatter, so at a coverage of 95 %
  // fewer than 41 hits are as good as excluded (0.6 % if all were independent).
  for (const double window_s : {0.025, 1.0}) {
    PowerSensor sensor = ShortWindow();
    sensor.window_s = window_s;
    int covered = 0;
    for (uint64_t seed = 0; seed < 8; ++seed) {
      std::mt19937_64 random(seed);
      std::normal_distribution<double> normal;
      std::vector<LoopEnergy> trials;
      for (int round = 0; round < 5; ++round) {
        for (int layer = 0; layer < 6; ++layer) {
          const double power_w = (150 + 20 * layer) * (1 + 0.01 * normal(random));
          const auto power = Measure(Loop(power_w, 5, 0.04, random), sensor, random);
          ASSERT_TRUE(power) << power.error().Message();
          trials.push_back({layer, round, power->running * Seconds(0.001)});
        }
      }
      const auto result = EnergiesOfLayers(trials);
      ASSERT_TRUE(result) << result.error().Message();
      for (int layer = 0; layer < 6; ++layer) {
        const LayerEnergy& found = result->layers[static_cast<size_t>(layer)];
        covered += Abs(found.energy - Joules(0.001 * (150 + 20 * layer))) <= found.half_width;
      }
    }
    EXPECT_GE(covered, 41) << "window of " << window_s << " s";
  }
}

TEST(SteadyLoop, PooledScatterByHand) {
  // Layer 0: 1.0 and 1.2 J; layer 1: 2.0 and 2.0 J. Relative deviations of 1/11 twice over 2 degrees of freedom.
  const std::vector<LoopEnergy> trials = {
      {0, 0, Joules(1.0)}, {0, 1, Joules(1.2)}, {1, 0, Joules(2)}, {1, 1, Joules(2)}};
  const auto result = EnergiesOfLayers(trials);
  ASSERT_TRUE(result) << result.error().Message();
  EXPECT_NEAR(result->scatter, 1.0 / 11, 1e-12);
  EXPECT_EQ(result->degrees_of_freedom, 2);
  const double fit = 4.30265 / 11 / std::sqrt(2.0);
  EXPECT_NEAR(InJoules(result->layers[1].half_width), 2 * std::hypot(fit, 0.01), 1e-4);
  EXPECT_NEAR(InJoules(result->sum), 3.1, 1e-12);
}

TEST(SteadyLoop, NetOfIdleAndClosure) {
  const LayerEnergy layer{Joules(0.2), Joules(0.003), 5};
  const LayerEnergy net = NetOfIdle(layer, Seconds(0.001), Watts(60), Watts(2));
  EXPECT_NEAR(InJoules(net.energy), 0.14, 1e-12);
  EXPECT_NEAR(InJoules(net.half_width), std::hypot(0.003, 1.96 * 0.002), 1e-6);
  LoopResult layers;
  layers.sum = Joules(1.06);
  layers.sum_half_width = Joules(0.02);
  EXPECT_TRUE(AgainstWhole(layers, {Joules(1), Joules(0.01), 5}).isolated);
  EXPECT_FALSE(AgainstWhole(layers, {Joules(1.04), Joules(0.01), 5}).isolated);
}

TEST(SteadyLoop, UnusableTrialsAreNamed) {
  const std::vector<LoopEnergy> gap = {{0, 0, Joules(1)}, {0, 1, Joules(1)}, {2, 0, Joules(1)}};
  EXPECT_NE(EnergiesOfLayers(gap).error().Message().find("layer 1 has no trial"), std::string::npos);
  const std::vector<LoopEnergy> once = {{0, 0, Joules(1)}};
  EXPECT_NE(EnergiesOfLayers(once).error().Message().find("looped twice"), std::string::npos);
  const std::vector<LoopEnergy> none = {{0, 0, Joules(0)}};
  EXPECT_NE(EnergiesOfLayers(none).error().Message().find("above 0"), std::string::npos);
}

}  // namespace
}  // namespace heliograd
