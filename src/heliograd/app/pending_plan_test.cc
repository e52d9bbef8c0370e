#include "heliograd/app/pending_plan.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

PowerLimitRange CardRange() { return {Watts(100), Watts(320), Watts(320)}; }
DeviceRecord Card() {
  DeviceRecord device;
  device.uuid = "GPU-1";
  device.name = "A card";
  return device;
}

Scenario Paper(const std::vector<std::string>& sets = {}) { return *Scenario::Load("builtin:paper", sets); }

TEST(RestSlotMinutes, KeepsTheSlotWhereItFitsAndLosesLittleElsewhere) {
  EXPECT_EQ(RestSlotMinutes(Minutes(120), 60), 60);
  EXPECT_EQ(RestSlotMinutes(Minutes(120), 15), 15);
  EXPECT_EQ(RestSlotMinutes(Minutes(119), 60), 3);  // 39 slots lose 2 min; longer ones lose 3 and more
  for (int seconds = 60; seconds < 3 * 86400; seconds += 977) {
    const int minutes = RestSlotMinutes(Seconds(seconds), 60);
    EXPECT_EQ(60 % minutes, 0);
    const int lost_s = seconds % (60 * minutes);
    EXPECT_TRUE(lost_s <= 0.02 * seconds || minutes == 1) << seconds;
  }
}

TEST(PendingPlan, KnowsDeadlineAndLimitsAndFindsMistakesBeforeAJobBegins) {
  const auto pending = ReadPendingPlan(Paper({"job.hours=4.5"}), 60, Card(), CardRange());
  ASSERT_TRUE(pending) << pending.error().Message();
  EXPECT_EQ(InSeconds(Between(pending->start, pending->deadline)), 4.5 * 3600);
  EXPECT_EQ(pending->limits.size(), 6U);
  const auto narrow = ReadPendingPlan(Paper({"gpu.min_limit_w=150", "gpu.max_limit_w=200"}), 60, Card(), CardRange());
  ASSERT_TRUE(narrow) << narrow.error().Message();
  EXPECT_EQ(narrow->limits.front(), Watts(150));
  EXPECT_EQ(narrow->limits.back(), Watts(200));
  EXPECT_FALSE(ReadPendingPlan(Paper({"gpu.min_limit_w=318"}), 60, Card(), CardRange()));
  EXPECT_FALSE(ReadPendingPlan(Paper({"battery.initial_wh=1e6"}), 60, Card(), CardRange()));
}

TEST(PendingPlan, ScenarioComesBackFromItsWords) {
  ScenarioFlags flags;
  flags.source = "builtin:paper";
  flags.sets = {"job.work=0.5", "site.name=two words"};
  flags.deadline = "+14h";
  flags.slot_minutes = 30;
  flags.formulation = "levels";
  flags.tolerance_eur = 0.1;
  const auto pending = ReadPendingPlan(*flags.Load(), flags.slot_minutes, Card(), CardRange());
  ASSERT_TRUE(pending) << pending.error().Message();
  const auto back = ScenarioFlagsOf(WordsOf(flags, *pending));
  ASSERT_TRUE(back) << back.error().Message();
  EXPECT_EQ(back->source, flags.source);
  EXPECT_EQ(back->sets, flags.sets);
  EXPECT_EQ(back->slot_minutes, 30);
  EXPECT_EQ(back->formulation, "levels");
  EXPECT_EQ(back->tolerance_eur, 0.1);
  const auto again = ReadPendingPlan(*back->Load(), back->slot_minutes, Card(), CardRange());
  ASSERT_TRUE(again) << again.error().Message();
  EXPECT_EQ(again->start, pending->start);
  EXPECT_EQ(again->deadline, pending->deadline);
  EXPECT_EQ(again->work, 0.5);
  EXPECT_FALSE(ScenarioFlagsOf({"builtin:paper", "--no-such-flag", "1"}));
}

}  // namespace
}  // namespace heliograd
