#include "sim/sensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

namespace heliograd::sim {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

/// A GPU that draws 300 W for the first `high_ms` of every 100 ms, shifted, and 100 W for the rest.
class SensorTest : public ::testing::Test {
 protected:
  Timeline Wave(int64_t shift_ms, int64_t high_ms, int64_t seconds, double low_pass_s = 0) {
    TimelineHead head;
    head.open.watts = 100;
    head.open.filtered_w = 100;
    head.points = 1;
    Timeline timeline(memory_.get(), head, low_pass_s);
    for (int64_t start_ms = shift_ms; start_ms < seconds * 1000; start_ms += 100) {
      timeline.Change(start_ms * kMillisecond, 300, 1, 0);
      timeline.Change((start_ms + high_ms) * kMillisecond, 100, 1, 0);
    }
    return timeline;
  }

  std::unique_ptr<HistoryMemory> memory_ = std::make_unique<HistoryMemory>();
};

TEST_F(SensorTest, AReadingIsTheMeanOverItsWindow) {
  SensorConfig sensor;  // 25 of every 100 ms, the window ends with the tick
  EXPECT_DOUBLE_EQ(ReadingWatts(sensor, Wave(75, 25, 2), 10), 300);
  EXPECT_DOUBLE_EQ(ReadingWatts(sensor, Wave(0, 25, 2), 10), 100);
  EXPECT_DOUBLE_EQ(ReadingWatts(sensor, Wave(70, 25, 2), 10), 260);  // 20 of the 25 ms are high
  sensor.lag_ms = 5;
  EXPECT_DOUBLE_EQ(ReadingWatts(sensor, Wave(70, 25, 2), 10), 300);
}

TEST_F(SensorTest, GainOffsetQuantumAndZeroApply) {
  SensorConfig sensor;
  sensor.gain = 0.95;
  sensor.offset_w = 1.2344;
  sensor.quantum_mw = 1000;
  EXPECT_DOUBLE_EQ(ReadingWatts(sensor, Wave(75, 25, 2), 10), 286);
  sensor.offset_w = -900;
  EXPECT_EQ(ReadingWatts(sensor, Wave(75, 25, 2), 10), 0);
}

TEST_F(SensorTest, NoiseIsAFunctionOfSeedAndTick) {
  SensorConfig sensor;
  sensor.noise_w = 2;
  const Timeline wave = Wave(75, 25, 600);
  double sum = 0;
  double squares = 0;
  constexpr int kReadings = 5000;
  for (int64_t tick = 1; tick <= kReadings; ++tick) {
    const double watts = ReadingWatts(sensor, wave, tick);
    EXPECT_EQ(watts, ReadingWatts(sensor, wave, tick));
    sum += watts - 300;
    squares += (watts - 300) * (watts - 300);
  }
  // Five standard errors of the mean and of the standard deviation.
  EXPECT_NEAR(sum / kReadings, 0, 5 * 2 / std::sqrt(kReadings));
  EXPECT_NEAR(std::sqrt(squares / kReadings), 2, 5 * 2 / std::sqrt(2.0 * kReadings));
  const double first = ReadingWatts(sensor, wave, 1);
  sensor.seed = 2;
  EXPECT_NE(first, ReadingWatts(sensor, wave, 1));
}

TEST_F(SensorTest, TicksKeepTheirOrderUnderJitter) {
  SensorConfig sensor;
  sensor.period_ms = 20;
  sensor.jitter_ms = 2.5;  // the most that is allowed
  sensor.phase_ms = 7;
  for (int64_t tick = -100; tick < 1000; ++tick) {
    const int64_t at_ns = TickTime(sensor, tick);
    EXPECT_LT(at_ns, TickTime(sensor, tick + 1));
    EXPECT_EQ(LatestTick(sensor, at_ns), tick);
    EXPECT_EQ(LatestTick(sensor, at_ns - 1), tick - 1);
    EXPECT_EQ(FirstTickAfter(sensor, at_ns), tick + 1);
  }
}

TEST_F(SensorTest, TheAverageIsTheMeanOfTheLastSecondsReadings) {
  SensorConfig sensor;
  sensor.window_ms = 100;
  EXPECT_NEAR(AverageWatts(sensor, Wave(0, 25, 5), 3'000 * kMillisecond), 150, 1e-3);
}

/// Counter after 60 s of a wave that is locked to the sensor.
double CounterAfterAMinute(CounterKind kind, const Timeline& wave, double counter_period_ms) {
  GpuConfig gpu;
  gpu.counter = kind;
  gpu.counter_period_ms = counter_period_ms;
  GpuState state = FreshGpu(gpu);
  state.now_ns = 60'000 * kMillisecond;
  CollectReadings(gpu, wave, state);
  return CounterJoules(gpu, wave, state);
}

TEST_F(SensorTest, ATrueCounterDoesNotCareWhereTheSensorLooks) {
  for (const int64_t shift_ms : {0, 25, 50, 75}) {
    // One wave may be cut at the end: at most 25 ms of 200 W.
    EXPECT_NEAR(CounterAfterAMinute(CounterKind::kTrue, Wave(shift_ms, 25, 61), 100), 60 * 150, 5.01);
  }
}

TEST_F(SensorTest, ASensorFedCounterIsBlindToWhatTheSensorSkips) {
  EXPECT_NEAR(CounterAfterAMinute(CounterKind::kSensor, Wave(0, 25, 61), 100), 60 * 100, 1e-6);
  EXPECT_NEAR(CounterAfterAMinute(CounterKind::kSensor, Wave(75, 25, 61), 100), 60 * 300, 1e-6);
}

TEST_F(SensorTest, TheCounterShowsItsLastUpdate) {
  const Timeline steady = Wave(75, 25, 61);
  EXPECT_NEAR(CounterAfterAMinute(CounterKind::kTrue, steady, 7000), 56 * 150, 1e-6);
  EXPECT_NEAR(CounterAfterAMinute(CounterKind::kSensor, steady, 7000), 56 * 300, 1e-6);
}

TEST_F(SensorTest, AResetCounterStartsAtZeroAndNeverFallsBelow) {
  const Timeline wave = Wave(75, 25, 61);
  for (const CounterKind kind : {CounterKind::kTrue, CounterKind::kSensor}) {
    GpuConfig gpu;
    gpu.counter = kind;
    GpuState state = FreshGpu(gpu);
    state.now_ns = 10'050 * kMillisecond;
    CollectReadings(gpu, wave, state);
    ResetCounter(gpu, wave, state);
    EXPECT_EQ(CounterJoules(gpu, wave, state), 0);
    state.now_ns = 10'099 * kMillisecond;
    CollectReadings(gpu, wave, state);
    EXPECT_EQ(CounterJoules(gpu, wave, state), 0);
    state.now_ns = 11'100 * kMillisecond;
    CollectReadings(gpu, wave, state);
    EXPECT_NEAR(CounterJoules(gpu, wave, state), kind == CounterKind::kTrue ? 1.05 * 150 + 2.5 : 1.1 * 300, 1e-6);
  }
}

}  // namespace
}  // namespace heliograd::sim
