#include "sim/timeline.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

namespace heliograd::sim {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

class TimelineTest : public ::testing::Test {
 protected:
  static TimelineHead Idle(double watts) {
    TimelineHead head;
    head.open.watts = watts;
    head.open.filtered_w = watts;
    head.points = 1;
    return head;
  }

  std::unique_ptr<HistoryMemory> memory_ = std::make_unique<HistoryMemory>();
};

TEST_F(TimelineTest, AddsUpConstantPieces) {
  Timeline timeline(memory_.get(), Idle(10), 0);
  timeline.Change(100 * kMillisecond, 200, 1, 0.5);
  timeline.Change(150 * kMillisecond, 50, 1, 1);
  timeline.Change(150 * kMillisecond, 60, 1, 1);  // the same instant: the last one counts
  timeline.Change(250 * kMillisecond, 60, 1, 1);  // no change
  EXPECT_DOUBLE_EQ(timeline.JoulesAt(100 * kMillisecond)->joules, 1);
  EXPECT_DOUBLE_EQ(timeline.JoulesAt(125 * kMillisecond)->joules, 1 + 5);
  EXPECT_DOUBLE_EQ(timeline.JoulesAt(250 * kMillisecond)->joules, 1 + 10 + 6);
  EXPECT_DOUBLE_EQ(timeline.BusySecondsAt(250 * kMillisecond), 0.15);
  EXPECT_DOUBLE_EQ(timeline.MemorySecondsAt(250 * kMillisecond), 0.125);
  EXPECT_EQ(timeline.uncommitted(), 2u);
}

TEST_F(TimelineTest, BeforeItsStartTheGpuIdled) {
  Timeline timeline(memory_.get(), Idle(10), 0);
  timeline.Change(kMillisecond, 200, 1, 0);
  EXPECT_DOUBLE_EQ(timeline.JoulesAt(-100 * kMillisecond)->joules, -1);
}

TEST_F(TimelineTest, TheLowPassFollowsItsDifferentialEquation) {
  constexpr double kTau = 0.010;
  Timeline timeline(memory_.get(), Idle(10), kTau);
  timeline.Change(0, 110, 1, 0);
  timeline.Change(20 * kMillisecond, 10, 0, 0);
  // y = 10 + 100 (1 - e^(-t/tau)), integrated by hand to 20 ms; then the decay.
  const double at_20 = 10 * 0.020 + 100 * (0.020 - kTau * (1 - std::exp(-2)));
  const double y_20 = 10 + 100 * (1 - std::exp(-2));
  const double from_20_to_30 = 10 * 0.010 + (y_20 - 10) * kTau * (1 - std::exp(-1));
  EXPECT_NEAR(timeline.FilteredJoulesAt(20 * kMillisecond) - timeline.FilteredJoulesAt(0), at_20, 1e-12);
  EXPECT_NEAR(timeline.FilteredJoulesAt(30 * kMillisecond) - timeline.FilteredJoulesAt(20 * kMillisecond),
              from_20_to_30, 1e-12);
}

TEST_F(TimelineTest, WhatIsForgottenIsKnownBetweenPoints) {
  Timeline timeline(memory_.get(), Idle(10), 0);
  const int64_t changes = 3 * static_cast<int64_t>(kSegmentSlots);
  for (int64_t k = 1; k <= changes; ++k) {
    timeline.Change(k * 7 * kMillisecond, k % 2 ? 200 : 100, 1, 0);
    if (timeline.uncommitted() >= kMostSegmentsPerCommit) timeline.CommitTo(*memory_);
  }
  const int64_t end_ns = changes * 7 * kMillisecond;
  const auto late = timeline.JoulesAt(end_ns - 10'000 * kMillisecond);
  ASSERT_TRUE(late);
  EXPECT_TRUE(late->exact);
  const auto early = timeline.JoulesAt(100'003 * kMillisecond);
  ASSERT_TRUE(early);
  EXPECT_FALSE(early->exact);
  // Up to 7 ms of 10 W, then 150 W on the mean; the wave can hide 50 W for 7 ms at each end.
  EXPECT_NEAR(early->joules, 0.07 + 150 * (100.003 - 0.007), 2 * 50 * 0.007);
}

TEST_F(TimelineTest, LongStretchesWithoutChangeStayExactBetweenPoints) {
  Timeline timeline(memory_.get(), Idle(10), 0);
  const int64_t hour_ns = 3600'000 * kMillisecond;
  timeline.Change(hour_ns, 200, 1, 0);
  for (uint64_t k = 1; k <= kSegmentSlots; ++k) {
    timeline.Change(hour_ns + static_cast<int64_t>(k) * kMillisecond, k % 2 ? 100 : 200, 1, 0);
    if (timeline.uncommitted() >= kMostSegmentsPerCommit) timeline.CommitTo(*memory_);
  }
  EXPECT_NEAR(timeline.JoulesAt(hour_ns / 2)->joules, 18000, 1e-6);
}

TEST_F(TimelineTest, CommittingChangesNothing) {
  Timeline timeline(memory_.get(), Idle(10), 0.002);
  for (int64_t k = 1; k < 100; ++k) timeline.Change(k * 3 * kMillisecond, static_cast<double>(k), 1, 0);
  const double before = timeline.FilteredJoulesAt(100 * kMillisecond);
  timeline.CommitTo(*memory_);
  EXPECT_EQ(timeline.uncommitted(), 0u);
  EXPECT_DOUBLE_EQ(timeline.FilteredJoulesAt(100 * kMillisecond), before);
  const Timeline other(memory_.get(), timeline.head(), 0.002);
  EXPECT_DOUBLE_EQ(other.FilteredJoulesAt(100 * kMillisecond), before);
}

}  // namespace
}  // namespace heliograd::sim
