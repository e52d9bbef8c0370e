#include "heliograd/model/tick_times.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace heliograd {
namespace {

constexpr double kPollS = 0.002;

/// Ticks at a steady pace with jitter, each seen at the first poll after it.
struct Seen {
  std::vector<double> true_s;
  std::vector<PolledValue> changes;
};

Seen Polled(double period_s, double jitter_s, int count, double poll_jitter_s = 0.0002) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> late(0, poll_jitter_s);
  Seen seen;
  for (int k = 0; k < count; ++k) {
    const double tick_s = 0.0137 + k * period_s + jitter_s * normal(random);
    seen.true_s.push_back(tick_s);
    seen.changes.push_back({kPollS * std::ceil(tick_s / kPollS) + late(random), 100.0 + (k * 37 % 11)});
  }
  return seen;
}

TEST(TickTimes, LineKnowsTicksFarBetterThanPolls) {
  const Seen seen = Polled(0.1013, 0.0002, 1200);
  const auto fit = FitTickTimes(seen.changes, kPollS);
  ASSERT_TRUE(fit) << fit.error().Message();
  ASSERT_EQ(fit->ticks.size(), 1200u);
  double squares = 0;
  for (size_t i = 0; i < 1200; ++i) squares += std::pow(fit->ticks[i].time_s - seen.true_s[i], 2);
  // The jitter of 0.2 ms itself remains, and a tenth of a millisecond by which polls are late on the average.
  EXPECT_LT(std::sqrt(squares / 1200), 0.00026);
  EXPECT_NEAR(fit->period_s, 0.1013, 1e-6);
  EXPECT_NEAR(fit->residual_s, 0.0002, 0.0001);
  EXPECT_LT(fit->shift_sd_s, 0.00005);
}

TEST(TickTimes, FollowsASensorWhosePaceDrifts) {
  Seen seen;
  double tick_s = 0;
  for (int k = 0; k < 6000; ++k) {
    seen.true_s.push_back(tick_s);
    seen.changes.push_back({kPollS * std::ceil(tick_s / kPollS), static_cast<double>(k)});
    tick_s += 0.1007 * (1 + 5e-6 * k / 6000);  // 5 ppm in 10 minutes
  }
  const auto fit = FitTickTimes(seen.changes, kPollS);
  ASSERT_TRUE(fit) << fit.error().Message();
  double worst_s = 0;
  for (size_t i = 0; i < fit->ticks.size(); ++i) {
    worst_s = std::max(worst_s, std::abs(fit->ticks[i].time_s - seen.true_s[i]));
  }
  // Within a segment of 120 s the drift bends the line by a few hundredths of a millisecond; its ends are known to
  // four standard errors, 4 x 0.58 ms x 2 / sqrt(1200).
  EXPECT_LT(worst_s, 0.00017);
}

TEST(TickTimes, MissedChangeSkipsANumber) {
  Seen seen = Polled(0.0203, 0.0001, 300);
  seen.changes.erase(seen.changes.begin() + 100, seen.changes.begin() + 103);
  const auto fit = FitTickTimes(seen.changes, kPollS);
  ASSERT_TRUE(fit) << fit.error().Message();
  EXPECT_EQ(fit->ticks[100].number - fit->ticks[99].number, 4);
  EXPECT_NEAR(fit->ticks[100].time_s, seen.true_s[103], 0.0005);
}

TEST(TickTimes, GlitchesAreNoUpdates) {
  Seen seen = Polled(0.1009, 0.0001, 300);
  const PolledValue before = seen.changes[50];
  seen.changes.insert(seen.changes.begin() + 51, {{before.time_s + 0.03, 0.0}, {before.time_s + 0.032, before.value}});
  const auto fit = FitTickTimes(seen.changes, kPollS);
  ASSERT_TRUE(fit) << fit.error().Message();
  EXPECT_EQ(fit->ticks.size(), 300u);
  EXPECT_EQ(fit->left_out, 2u);
}

TEST(TickTimes, PollsInStepWithTheSensorAreOwnedUp) {
  // Every tick waits equally long for its poll, so nothing tells how long.
  const Seen seen = Polled(0.1, 0.0, 300, 0.0);
  const auto fit = FitTickTimes(seen.changes, kPollS);
  ASSERT_TRUE(fit) << fit.error().Message();
  EXPECT_NEAR(fit->shift_sd_s, kPollS / std::sqrt(12.0), 1e-9);
  EXPECT_GE(fit->StepSd(), kPollS / std::sqrt(12.0));
}

TEST(TickTimes, TooFewOrTooFastSaysWhatToDo) {
  const Seen few = Polled(0.1, 0, 9);
  EXPECT_NE(FitTickTimes(few.changes, kPollS).error().Message().find("changed only 9 times"), std::string::npos);
  const Seen fast = Polled(0.004, 0, 300);
  EXPECT_NE(FitTickTimes(fast.changes, kPollS).error().Message().find("three times"), std::string::npos);
}

TEST(TickTimes, PowerOfACounterFillsTheTicksThatWereMissed) {
  const std::vector<SensorTick> counter = {{0, 10, 0}, {0.1, 30, 1}, {0.3, 70, 3}};
  const std::vector<SensorTick> power = PowerOfCounter(counter);
  ASSERT_EQ(power.size(), 3u);
  EXPECT_NEAR(power[0].value, 200, 1e-9);
  EXPECT_NEAR(power[1].time_s, 0.2, 1e-12);
  EXPECT_NEAR(power[2].value, 200, 1e-9);
  EXPECT_EQ(power[2].number, 3);
}

}  // namespace
}  // namespace heliograd
