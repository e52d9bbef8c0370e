#include "heliograd/plan/slot_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

using testing::HasSubstr;

/// 19 hours from Wednesday 1 January 2025 20:00 on a clock at +01:00.
const TimeZone kZone = TimeZone::Fixed(std::chrono::hours(1));
const Horizon kNight{StampFromUtc({2025, 1, 1, 19}), std::chrono::hours(1), 19};

TEST(SlotChoice, NumbersDatesAndClockTimes) {
  for (const auto& [text, slot] : {std::pair{"0", 0u},
                                   {"18", 18u},
                                   {" 3 ", 3u},
                                   {"2025-01-01 20:00", 0u},
                                   {"2025-01-02 14:59", 18u},
                                   {"Thu 14:00", 18u},
                                   {"thursday 13:30", 17u},
                                   {"Wed 20:00", 0u},
                                   {"23:59", 3u},
                                   {"00:00", 4u}}) {
    const auto chosen = ChooseSlot(text, kNight, kZone);
    ASSERT_TRUE(chosen) << text << ": " << chosen.error().Message();
    EXPECT_EQ(*chosen, slot) << text;
  }
}

TEST(SlotChoice, RefusesWithWhatWouldDo) {
  for (const char* text : {"19", "-1", "2025-01-02 15:00", "Thu 15:00", "15:00", "Fri 08:00"}) {
    const auto chosen = ChooseSlot(text, kNight, kZone);
    ASSERT_FALSE(chosen) << text;
    EXPECT_EQ(chosen.error().kind, ErrorKind::kUsage);
    EXPECT_THAT(chosen.error().Message(),
                HasSubstr("from 2025-01-01 20:00 to 2025-01-02 15:00 local time, slots 0 to 18"));
  }
  for (const char* text : {"", "noon", "Wednes 8", "Xyz 08:00", "24:00", "12:60", "1.5"}) {
    const auto chosen = ChooseSlot(text, kNight, kZone);
    ASSERT_FALSE(chosen) << text;
    EXPECT_THAT(chosen.error().Message(), HasSubstr("expected a number from 0 to 18"));
  }
}

TEST(SlotChoice, ATimeOfSeveralDaysMustSayWhich) {
  const Horizon week{kNight.start, std::chrono::hours(1), 24 * 9};
  EXPECT_THAT(ChooseSlot("14:00", week, kZone).error().Message(),
              HasSubstr("in 9 slots of the plan: say which, such as \"2025-01-02 14:00\" (slot 18)"));
  EXPECT_EQ(*ChooseSlot("Sat 14:00", week, kZone), 66u);
  EXPECT_FALSE(ChooseSlot("Thu 14:00", week, kZone));
}

TEST(SlotChoice, KnowsClocksThatArePutBack) {
  const TimeZone rome = *TimeZone::Find("Europe/Rome");
  // 26 October 2025, 02:00 occurs twice: from 00:00 and from 01:00 UTC.
  const Horizon night{StampFromUtc({2025, 10, 25, 20}), std::chrono::hours(1), 12};
  EXPECT_EQ(*ChooseSlot("2025-10-26 02:00", night, rome), 4u);
  EXPECT_FALSE(ChooseSlot("02:00", night, rome));
  EXPECT_EQ(*ChooseSlot("03:00", night, rome), 6u);
}

}  // namespace
}  // namespace heliograd
