#include "heliograd/app/moment_text.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

// Wednesday 1 January 2025, 20:30:45 in Rome.
const Stamp kReference = StampFromUtc({2025, 1, 1, 19, 30, 45});

std::string Local(std::string_view text, Stamp reference = kReference, std::string_view zone = "Europe/Rome") {
  const TimeZone rome = *TimeZone::Find(zone);
  const Result<Stamp> stamp = ParseMoment(text, rome, reference);
  return stamp ? FormatCivil(rome.ToCivil(*stamp)) : "error: " + stamp.error().Message();
}

TEST(MomentText, ReadsWhatPeopleWrite) {
  EXPECT_EQ(Local("now"), "2025-01-01 20:30");
  EXPECT_EQ(Local("+14h"), "2025-01-02 10:30:45");
  EXPECT_EQ(Local("in 1d 6h"), "2025-01-03 02:30:45");
  EXPECT_EQ(Local("+90min"), "2025-01-01 22:00:45");
  EXPECT_EQ(Local("21:00"), "2025-01-01 21:00");
  EXPECT_EQ(Local("8:00"), "2025-01-02 08:00");
  EXPECT_EQ(Local("today 06:00"), "2025-01-01 06:00");
  EXPECT_EQ(Local("Tomorrow 08:00"), "2025-01-02 08:00");
  EXPECT_EQ(Local("Friday 18:00"), "2025-01-03 18:00");
  EXPECT_EQ(Local("wed 21:00"), "2025-01-01 21:00");
  EXPECT_EQ(Local("wednesday 20:00"), "2025-01-08 20:00");
  EXPECT_EQ(Local("tuesday 07:00"), "2025-01-07 07:00");
  EXPECT_EQ(Local("next Friday 18:00"), "2025-01-03 18:00");
  EXPECT_EQ(Local("next  wed 20:00"), "2025-01-08 20:00");
  EXPECT_EQ(Local("fri 18:00"), "2025-01-03 18:00");
  EXPECT_EQ(Local("noon"), "2025-01-02 12:00");
  EXPECT_EQ(Local("Noon", StampFromUtc({2025, 1, 1, 10, 59})), "2025-01-01 12:00");
  EXPECT_EQ(Local("Friday noon"), "2025-01-03 12:00");
  EXPECT_EQ(Local("2025-06-02 08:00"), "2025-06-02 08:00");
  EXPECT_EQ(Local("2025-06-02T08:00Z"), "2025-06-02 10:00");
}

// The night of 30 March 2025 has 23 hours in Rome: days go by the calendar, hours by the hour.
TEST(MomentText, DaysHaveTheHoursThatTheyHave) {
  const Stamp evening = StampFromUtc({2025, 3, 29, 21, 0, 0});  // 22:00
  EXPECT_EQ(Local("tomorrow 22:00", evening), "2025-03-30 22:00");
  EXPECT_EQ(Local("+24h", evening), "2025-03-30 23:00");
  EXPECT_NE(Local("tomorrow 02:30", evening).find("error"), std::string::npos);  // is skipped
  const TimeZone rome = *TimeZone::Find("Europe/Rome");
  EXPECT_EQ(*ParseMoment("tomorrow 22:00", rome, evening) - evening, std::chrono::hours(23));
}

TEST(MomentText, RefusesTheRest) {
  for (const char* text : {"", "soon", "+", "in", "+14", "+h", "+1e9h", "+99999999d", "25:00", "8", "someday 08:00",
                           "tomorrow", "friday", "-3h", "tomorrow 8", "2025-02-30 08:00", "08:0", ":00"}) {
    EXPECT_NE(Local(text).find("error"), std::string::npos) << text << " gave " << Local(text);
  }
}

// Words of more than one meaning.
TEST(MomentText, RefusesWhatIsNoOneMomentWithExamples) {
  for (const char* text : {"tonight", "midnight", "next friday", "next 18:00", "next today 18:00", "noon friday"}) {
    EXPECT_NE(Local(text).find("expected \"2025-01-01 20:00\""), std::string::npos) << text << " gave " << Local(text);
  }
}

}  // namespace
}  // namespace heliograd
