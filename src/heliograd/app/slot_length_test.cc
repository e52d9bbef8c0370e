#include "heliograd/app/slot_length.h"

#include <gmock/gmock.h>

#include <random>

namespace heliograd {
namespace {

using std::chrono::minutes;
using testing::Contains;
using testing::HasSubstr;

TEST(SlotLength, WholeHoursStayHours) {
  EXPECT_EQ(FittingSlotMinutes(minutes(14 * 60), 60), 60);
  EXPECT_EQ(FittingSlotMinutes(minutes(14 * 60 + 5), 60), 60);  // 5 minutes are under a hundredth of 14 h
}

TEST(SlotLength, TheLongestThatLosesLittleIsTaken) {
  EXPECT_EQ(FittingSlotMinutes(minutes(12 * 60 + 32), 60), 30);  // loses 2 minutes
  EXPECT_EQ(FittingSlotMinutes(minutes(90), 60), 30);
  EXPECT_EQ(FittingSlotMinutes(minutes(12 * 60 + 37), 60), 12);  // 30, 20 and 15 lose 7 and more
  EXPECT_EQ(FittingSlotMinutes(minutes(7), 60), 1);
}

TEST(SlotLength, ALongHorizonKeepsItsCountOfSlotsSmall) {
  EXPECT_EQ(FittingSlotMinutes(minutes(366 * 24 * 60 - 1), 60), 60);
  EXPECT_EQ(FittingSlotMinutes(minutes(7 * 24 * 60 + 35), 60), 30);  // 337 slots
  EXPECT_EQ(FittingSlotMinutes(minutes(9 * 24 * 60 + 35), 60), 60);  // would be 433
}

TEST(SlotLength, NoneIsLongerThanAskedAndNoneLosesMore) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> seconds(60, 3 * 24 * 3600);
  for (int i = 0; i < 2000; ++i) {
    const std::chrono::seconds left(seconds(random));
    for (const int asked : {60, 30, 15}) {
      const int fitting = FittingSlotMinutes(left, asked);
      ASSERT_LE(fitting, asked);
      ASSERT_EQ(60 % fitting, 0);
      const auto loss = [&](int length) { return left < minutes(length) ? left : left % minutes(length); };
      ASSERT_LE(loss(fitting), loss(asked)) << left.count() << " s";
    }
  }
}

Scenario Job(const std::string& end) { return *Scenario::Load("builtin:paper", {"job.start=2025-06-01 19:28", end}); }

NodeInputs Read(const std::string& end, bool gave) {
  InputCache cache;
  return *ReadFittingInputs(Job(end), 60, gave, cache);
}

TEST(SlotLength, ADeadlineBetweenTwoHoursIsSaidWithItsSlots) {
  const NodeInputs inputs = Read("job.deadline=2025-06-02 08:00", false);
  EXPECT_EQ(inputs.slot, minutes(30));
  EXPECT_EQ(inputs.slots, 25);
  EXPECT_THAT(inputs.remarks, Contains(HasSubstr("slots of 30 minutes, because whole ones of 60 would leave 32")));
  EXPECT_THAT(inputs.notes, Contains(HasSubstr("slots of 30 minutes")));
}

TEST(SlotLength, LessThanAnHourIsNoEmptyHorizon) { EXPECT_EQ(Read("job.deadline=+45min", false).slots, 3); }

TEST(SlotLength, WhatWasAskedForIsKept) {
  const NodeInputs inputs = Read("job.deadline=2025-06-02 08:00", true);
  EXPECT_EQ(inputs.slot, minutes(60));
  EXPECT_THAT(inputs.remarks, Contains(HasSubstr(kUnusedMinutes)));
}

TEST(SlotLength, HoursAreKeptAsTheyAre) {
  const NodeInputs inputs = Read("job.hours=12.5", false);
  EXPECT_EQ(inputs.slot, minutes(60));
  EXPECT_EQ(inputs.slots, 12);
}

TEST(SlotLength, AMistakeOfTheScenarioIsSaidAsItIs) {
  InputCache cache;
  const auto inputs = ReadFittingInputs(Job("job.deadline=2025-06-01 08:00"), 60, false, cache);
  ASSERT_FALSE(inputs);
  EXPECT_THAT(inputs.error().Message(), HasSubstr("before the start"));
}

}  // namespace
}  // namespace heliograd
