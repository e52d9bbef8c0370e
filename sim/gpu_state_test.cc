#include "sim/gpu_state.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "heliograd/model/gpu_physics.h"
#include "sim/load.h"
#include "sim/sensor.h"

namespace heliograd::sim {
namespace {

constexpr double kAlways = 1e6;  // seconds for which a load counts as alive

class GpuStateTest : public ::testing::Test {
 protected:
  void SetUp() override { Restart(); }

  void Restart() {
    state_ = FreshGpu(gpu_);
    timeline_ = std::make_unique<Timeline>(memory_.get(), state_.timeline, 0);
  }
  uint64_t Start(const std::vector<LoadPhase>& phases, int64_t iterations, double alive_s = kAlways) {
    return StartLoad({1, phases, iterations, 0}, alive_s, state_).value_or(0);
  }
  void AdvanceTo(double seconds) { Advance(gpu_, SimNanoseconds(seconds), UINT64_MAX, state_, *timeline_); }
  double Joules() { return timeline_->JoulesAt(state_.now_ns)->joules; }

  GpuConfig gpu_;
  std::unique_ptr<HistoryMemory> memory_ = std::make_unique<HistoryMemory>();
  GpuState state_;
  std::unique_ptr<Timeline> timeline_;
};

TEST_F(GpuStateTest, IdlesAtItsIdlePower) {
  AdvanceTo(100);
  EXPECT_DOUBLE_EQ(Joules(), 1500);
  EXPECT_EQ(state_.clock_mhz, kGpuLowestClockMhz);
}

TEST_F(GpuStateTest, ALoadTakesTheTimeOfItsPhasesToTheNanosecond) {
  const uint64_t id = Start(StudyPhases(), 4690);
  AdvanceTo(1000);
  const Load& load = *FindLoad(state_, id);
  EXPECT_EQ(load.iterations, 4690);
  EXPECT_NEAR(static_cast<double>(load.finished_ns) / 1e9, 13.73 * 36, 5e-9);
}

TEST_F(GpuStateTest, ALimitSlowsTheLoadAsThePhysicsSay) {
  for (const double limit_w : {100.0, 170.0, 230.0}) {
    Restart();
    state_.limit_w = limit_w;
    const uint64_t id = Start(StudyPhases(), 469);
    AdvanceTo(1000);
    double seconds = 0;
    double joules = 0;
    for (const GpuPhase& phase : StudyIteration()) {
      const auto point = OperatingPoint(phase, Watts(limit_w), kGpuHighestClockMhz, Watts(15));
      seconds += 469 * InSeconds(phase.full_clock_time) * point.slowdown;
      joules += 469 * InJoules(point.power * phase.full_clock_time) * point.slowdown;
    }
    const double took_s = static_cast<double>(FindLoad(state_, id)->finished_ns) / 1e9;
    EXPECT_NEAR(took_s, seconds, 1e-6);
    EXPECT_NEAR(Joules(), joules + (1000 - seconds) * 15, 1e-3);
  }
}

TEST_F(GpuStateTest, ALimitThatChangesMidwayChangesTheRest) {
  const uint64_t id = Start({{10, 1, 0}}, 1);
  AdvanceTo(5);
  state_.limit_w = 100;
  AdvanceTo(100);
  const auto point = OperatingPoint({Seconds(1), 1, MemoryRatioFor(1)}, Watts(100), kGpuHighestClockMhz, Watts(15));
  EXPECT_NEAR(static_cast<double>(FindLoad(state_, id)->finished_ns) / 1e9, 5 + 5 * point.slowdown, 1e-8);
  EXPECT_NEAR(state_.throttled_s, 5 * point.slowdown, 1e-8);
}

TEST_F(GpuStateTest, LoadsShareByTimeSlices) {
  const uint64_t strong = Start({{1, 1, 0}}, 10);
  const uint64_t weak = Start({{1, 0, 120}}, 10);
  AdvanceTo(1);
  EXPECT_NEAR(Joules(), (InWatts(GpuPower(kGpuHighestClockMhz, 1, Watts(15))) + 120) / 2, 1e-6);
  AdvanceTo(100);
  EXPECT_NEAR(static_cast<double>(FindLoad(state_, strong)->finished_ns) / 1e9, 20, 1e-6);
  EXPECT_NEAR(static_cast<double>(FindLoad(state_, weak)->finished_ns) / 1e9, 20, 1e-6);
}

TEST_F(GpuStateTest, ALoadWhoseOwnerIsSilentDrawsNothingAndWaits) {
  const uint64_t id = Start({{1, 0, 120}}, 10, 2);
  AdvanceTo(10);
  EXPECT_NEAR(Joules(), 2 * 120 + 8 * 15, 1e-6);
  KeepAlive(*FindLoad(state_, id), kAlways, false, state_.now_ns);
  AdvanceTo(30);
  EXPECT_NEAR(static_cast<double>(FindLoad(state_, id)->finished_ns) / 1e9, 18, 1e-6);
}

TEST_F(GpuStateTest, APausedLoadIdles) {
  const uint64_t id = Start({{1, 0, 120}}, 10);
  AdvanceTo(1.5);
  KeepAlive(*FindLoad(state_, id), kAlways, true, state_.now_ns);
  AdvanceTo(4);
  EXPECT_NEAR(Joules(), 1.5 * 120 + 2.5 * 15, 1e-6);
  EXPECT_EQ(FindLoad(state_, id)->iterations, 1);
}

TEST_F(GpuStateTest, ALoadEndsWhenItsTimeIsOver) {
  const auto id = StartLoad({1, StudyPhases(), INT64_MAX, 12.5}, kAlways, state_);
  ASSERT_TRUE(id);
  AdvanceTo(20);
  EXPECT_EQ(FindLoad(state_, *id)->finished_ns, SimNanoseconds(12.5));
  EXPECT_EQ(FindLoad(state_, *id)->iterations, 118);  // 12.5 s / 105.39 ms
}

TEST_F(GpuStateTest, LockedClocksSlowTheLoadWithoutTheLimitBinding) {
  state_.highest_clock_mhz = 1500;
  Start({{1, 1, 0}}, 100);
  AdvanceTo(1);
  EXPECT_EQ(state_.clock_mhz, 1500);
  EXPECT_EQ(state_.limit_binds, 0u);
  EXPECT_NEAR(Joules(), InWatts(GpuPower(1500, 1, Watts(15))), 1e-6);
}

TEST_F(GpuStateTest, WarmsUpTowardsItsSettledTemperature) {
  const double cold = state_.temperature_c;
  Start({{1, 0, 200}}, 100'000);
  AdvanceTo(60);
  EXPECT_NEAR(state_.temperature_c, 70 + (cold - 70) * std::exp(-1), 1e-9);
  AdvanceTo(6000);
  EXPECT_NEAR(state_.temperature_c, 70, 1e-6);
}

TEST_F(GpuStateTest, FaultsHappenAtTheirTimeHoweverFarOneGoesOn) {
  gpu_.faults = {{2, 1, FaultKind::kCounterReset}, {4, 1, FaultKind::kDriverReload}};
  Restart();
  state_.limit_w = 150;
  AdvanceTo(3.05);
  EXPECT_NEAR(CounterJoules(gpu_, *timeline_, state_), 15, 1e-6);  // 1 s of idling up to its last update
  EXPECT_EQ(state_.limit_w, 150);
  AdvanceTo(1000);
  EXPECT_EQ(state_.limit_w, 320);
  EXPECT_NEAR(CounterJoules(gpu_, *timeline_, state_), 996 * 15, 1e-6);
}

TEST_F(GpuStateTest, HowOftenOneLooksDoesNotMatter) {
  gpu_.counter = CounterKind::kSensor;
  gpu_.sensor.noise_w = 1;
  Restart();
  state_.limit_w = 150;
  Start(StudyPhases(), 100);
  AdvanceTo(20);
  const double joules = Joules();
  const double counter = CounterJoules(gpu_, *timeline_, state_);
  Restart();
  state_.limit_w = 150;
  Start(StudyPhases(), 100);
  for (double seconds = 0; seconds < 20; seconds += 0.0137) AdvanceTo(seconds);
  AdvanceTo(20);
  EXPECT_NEAR(Joules(), joules, 1e-5);  // each look may round a phase's end by a nanosecond
  EXPECT_NEAR(CounterJoules(gpu_, *timeline_, state_), counter, 0.02);  // readings are whole milliwatts x 0.1 s
}

TEST_F(GpuStateTest, AFullGpuRefusesAndForgetsTheDead) {
  for (uint32_t k = 0; k < kMostLoads; ++k) EXPECT_NE(Start(StudyPhases(), 1'000'000, 1), 0u);
  EXPECT_EQ(Start(StudyPhases(), 1), 0u);
  AdvanceTo(2);
  EXPECT_NE(Start(StudyPhases(), 1), 0u);
}

TEST(LoadTest, PhasesAreRead) {
  const auto phases = ParsePhases("to_device:2:0.2,forward:30:0.9, wait:5.5:40W");
  ASSERT_TRUE(phases) << phases.error().Message();
  ASSERT_EQ(phases->size(), 3u);
  EXPECT_DOUBLE_EQ((*phases)[0].seconds, 0.002);
  EXPECT_DOUBLE_EQ((*phases)[1].utilisation, 0.9);
  EXPECT_DOUBLE_EQ((*phases)[2].fixed_w, 40);
}

TEST(LoadTest, EachWrongPhaseIsNamed) {
  const auto phases = ParsePhases("a:1,b:0:1,c:1:2,d:1:0W,e:1:5000W,f:1:0.5,:1:1,g:nan:1,h:1:");
  ASSERT_FALSE(phases);
  EXPECT_EQ(phases.error().problems.size(), 8u);
  std::string many = "a:1:1";
  for (uint32_t k = 0; k < kMostPhases; ++k) many += ",a:1:1";
  EXPECT_FALSE(ParsePhases(many));
}

}  // namespace
}  // namespace heliograd::sim
