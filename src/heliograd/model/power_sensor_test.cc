#include "heliograd/model/power_sensor.h"

#include <gtest/gtest.h>

#include <cmath>

namespace heliograd {
namespace {

const std::vector<PowerPiece> kStep = {{1.0, 100}, {3.0, 300}};

TEST(FilteredPower, WithoutLowPassIsTheEnergy) {
  const FilteredPower power(kStep, 0);
  EXPECT_DOUBLE_EQ(power.EnergyUntil(0.5), 50);
  EXPECT_DOUBLE_EQ(power.EnergyUntil(2), 400);
  EXPECT_DOUBLE_EQ(power.EnergyUntil(4), 1000);
  EXPECT_DOUBLE_EQ(power.EnergyUntil(-1), -100);
}

TEST(FilteredPower, StepResponseIsExponential) {
  // Behind a step of 200 W at 1 s the filtered power is 300 - 200 exp(-t/tau), whose integral is exact.
  const double tau_s = 0.2;
  const FilteredPower power(kStep, tau_s);
  const double expected = 100 + 300 * 1.0 - 200 * tau_s * (1 - std::exp(-1.0 / tau_s));
  EXPECT_NEAR(power.EnergyUntil(2), expected, 1e-9);
}

PowerSensor Quiet() {
  PowerSensor sensor;
  sensor.quantum_w = 1e-6;  // keeps equal powers equal in spite of rounding
  sensor.counter_quantum_j = 0;
  return sensor;
}

TEST(PollSensor, ShowsTheMeanOfTheWindowAfterTheLag) {
  PowerSensor sensor = Quiet();
  sensor.window_s = 0.025;
  sensor.lag_s = 0.01;
  sensor.first_tick_s = 0.02;
  std::mt19937_64 random(1);
  const std::vector<PowerPiece> power = {{1.0, 100}, {3.0, 300}};
  const PolledSensor seen = PollSensor(power, sensor, {}, random);
  // The tick at 1.02 s looks at 0.985 .. 1.01 s: 15 ms of 100 W and 10 ms of 300 W.
  ASSERT_GE(seen.power.size(), 2u);
  EXPECT_NEAR(seen.power[1].value, (15 * 100 + 10 * 300) / 25.0, 1e-6);
  EXPECT_GE(seen.power[1].time_s, 1.02);
  EXPECT_LE(seen.power[1].time_s, 1.02 + 0.0022);
}

TEST(PollSensor, GainAndOffsetActOnReadingsAndCounterAlike) {
  PowerSensor sensor = Quiet();
  sensor.window_s = 0;
  sensor.gain = 1.05;
  sensor.offset_w = 2;
  std::mt19937_64 random(1);
  const std::vector<PowerPiece> power = {{10.0, 100}};
  const PolledSensor seen = PollSensor(power, sensor, {}, random);
  ASSERT_EQ(seen.power.size(), 1u) << "a value that does not change is no change";
  EXPECT_NEAR(seen.power[0].value, 107, 1e-6);
  const PolledValue& first = seen.counter[10];
  const PolledValue& last = seen.counter.back();
  // Each end is known to a poll.
  EXPECT_NEAR(last.value - first.value, 107 * (last.time_s - first.time_s), 107 * 0.0022);
}

TEST(PollSensor, OnlyABlindCounterMissesWhatTheWindowsMiss) {
  // High for 25 ms before each update, low for 75: a sensor that looks for 25 ms sees high only.
  std::vector<PowerPiece> power;
  for (int i = 0; i < 100; ++i) {
    power.push_back({0.1 * i + 0.075, 100});
    power.push_back({0.1 * i + 0.1, 300});
  }
  for (const auto& [kind, expected_w] : {std::pair{CounterKind::kTrue, 150.0}, std::pair{CounterKind::kBlind, 300.0}}) {
    PowerSensor sensor = Quiet();
    sensor.window_s = 0.025;
    sensor.counter = kind;
    sensor.first_tick_s = 0.1;
    std::mt19937_64 random(1);
    const PolledSensor seen = PollSensor(power, sensor, {}, random);
    const size_t n = seen.counter.size() - 1;
    EXPECT_NEAR((seen.counter[n].value - seen.counter[0].value) / (0.1 * static_cast<double>(n)), expected_w, 1e-6);
  }
}

TEST(PollSensor, AbsentCounterShowsNothing) {
  PowerSensor sensor;
  sensor.counter = CounterKind::kAbsent;
  std::mt19937_64 random(1);
  EXPECT_TRUE(PollSensor(kStep, sensor, {}, random).counter.empty());
}

}  // namespace
}  // namespace heliograd
