#include "heliograd/base/clock.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

TEST(ManualClock, MovesOnlyWhenSomeoneSleeps) {
  const Stamp start = StampFromUtc({.year = 2025});
  ManualClock clock(start);
  EXPECT_EQ(clock.Now(), start);
  clock.SleepUntil(start + std::chrono::hours(2));
  EXPECT_EQ(clock.Now(), start + std::chrono::hours(2));
  clock.SleepUntil(start);  // a time that has passed does not turn the clock back
  EXPECT_EQ(clock.Now(), start + std::chrono::hours(2));
}

TEST(SystemClock, SleepsUntilTheStampAndIsOne) {
  Clock& clock = SystemClock();
  const Stamp wake = clock.Now() + std::chrono::milliseconds(2);
  clock.SleepUntil(wake);
  EXPECT_GE(clock.Now(), wake);
  EXPECT_EQ(&clock, &SystemClock());
}

TEST(SteadyClock, GoesOnFromTheSystemsClockAndSleepsUntilTheStamp) {
  Clock& clock = SteadyClock();
  const auto apart = clock.Now() - SystemClock().Now();
  EXPECT_LT(std::chrono::abs(apart), std::chrono::minutes(1));  // unless someone sets the time in this very test
  const Stamp wake = clock.Now() + std::chrono::milliseconds(2);
  clock.SleepUntil(wake);
  EXPECT_GE(clock.Now(), wake);
  clock.SleepUntil(wake - std::chrono::hours(1));  // a time that has passed returns at once
}

}  // namespace
}  // namespace heliograd
