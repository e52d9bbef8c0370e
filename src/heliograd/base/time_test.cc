#include "heliograd/base/time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TimeZone Zone(const std::string& name) { return TimeZone::Find(name).value(); }
CivilTime Civil(const std::string& text) { return ParseCivil(text).value(); }
Stamp Utc(const std::string& text) { return StampFromUtc(Civil(text)); }
std::string ShownIn(const TimeZone& zone, const std::string& utc) { return FormatCivil(zone.ToCivil(Utc(utc))); }

TEST(CivilTime, ParsesWhatPeopleWrite) {
  EXPECT_EQ(Civil("2025-01-02 20:30"), (CivilTime{2025, 1, 2, 20, 30, 0}));
  EXPECT_EQ(Civil("2025-01-02T20:30:15"), (CivilTime{2025, 1, 2, 20, 30, 15}));
  EXPECT_EQ(Civil("2025-01-02"), (CivilTime{2025, 1, 2, 0, 0, 0}));
  EXPECT_EQ(Civil("2024-02-29 00:00"), (CivilTime{2024, 2, 29, 0, 0, 0}));
}

TEST(CivilTime, RefusesWhatIsNoDateAndTime) {
  for (const char* text :
       {"", "2025", "2025-1-2", "2025-01-01 20", "2025-01-01 20:00:60", "2025-01-01 20:00 ", "2025-01-01 -0:30",
        "2025-01-01 12:-0", "2025-01-01 +1:00", "2025-01-01x20:00", "2025-01-01 20:00:00.5"}) {
    const auto civil = ParseCivil(text);
    ASSERT_FALSE(civil) << text;
    EXPECT_THAT(civil.error().Message(), HasSubstr("expected YYYY-MM-DD HH:MM")) << text;
  }
}

TEST(CivilTime, ADateOrTimeThatDoesNotExistIsNoWrongFormat) {
  for (const char* text : {"2025-02-29", "2025-13-01", "2025-00-01", "2025-01-00", "2025-01-32", "2025-01-01 24:00",
                           "2025-01-01 20:60", "1500-01-01", "2262-01-01"}) {
    const auto civil = ParseCivil(text);
    ASSERT_FALSE(civil) << text;
    EXPECT_THAT(civil.error().Message(), HasSubstr("does not exist: ")) << text;
  }
}

TEST(CivilTime, MessagesEscapeWhatATerminalWouldObey) {
  EXPECT_THAT(ParseCivil("\x1B[31m").error().Message(), HasSubstr("'\\x1B[31m'"));
  EXPECT_THAT(TimeZone::Find("\x1B[31m").error().Message(), HasSubstr("'\\x1B[31m'"));
}

TEST(CivilTime, FormatsAndWeekday) {
  EXPECT_EQ(FormatCivil(Civil("2025-01-02 03:04:05")), "2025-01-02 03:04:05");
  EXPECT_EQ(FormatCivil(Civil("2025-01-02 03:04")), "2025-01-02 03:04");
  EXPECT_EQ(FormatStamp(Utc("2025-01-01 19:00")), "2025-01-01T19:00:00Z");
  EXPECT_EQ(Weekday(Civil("2025-01-01")), 2);  // Wednesday
  EXPECT_EQ(Weekday(Civil("2024-02-29")), 3);
  EXPECT_EQ(CivilInUtc(Utc("1970-01-01") - std::chrono::nanoseconds(1)), Civil("1969-12-31 23:59:59"));
}

TEST(CivilTime, RoundTripsAtTheEdgesOfItsRange) {
  for (const char* text : {"1678-01-01 00:00", "1900-02-28 23:59:59", "2000-02-29 12:00", "2261-12-31 23:59:59"}) {
    EXPECT_EQ(CivilInUtc(Utc(text)), Civil(text)) << text;
  }
}

TEST(TypicalYear, LeapDayReadsTheDayBefore) {
  EXPECT_EQ(DayOfTypicalYear(1, 1), 0);
  EXPECT_EQ(DayOfTypicalYear(2, 28), 58);
  EXPECT_EQ(DayOfTypicalYear(2, 29), 58);
  EXPECT_EQ(DayOfTypicalYear(3, 1), 59);
  EXPECT_EQ(DayOfTypicalYear(12, 31), 364);
  EXPECT_EQ(HourOfTypicalYear(Civil("2024-12-31 23:00")), 8759);
}

TEST(TimeZone, FixedOffsets) {
  EXPECT_EQ(Zone("UTC").name(), "UTC");
  EXPECT_EQ(Zone("+00:00").name(), "UTC");
  EXPECT_EQ(Zone("+01:00").name(), "+01:00");
  EXPECT_EQ(Zone("-03:30").OffsetAt({}), -(hours(3) + minutes(30)));
  EXPECT_EQ(Zone("+0545").OffsetAt({}), hours(5) + minutes(45));
  EXPECT_EQ(ShownIn(Zone("+01:00"), "2025-07-01 12:00"), "2025-07-01 13:00");
  EXPECT_EQ(Zone("+01:00").StandardOffsetAt(Utc("2025-07-01")), hours(1));
}

TEST(TimeZone, UnknownNamesAreErrors) {
  for (const char* name :
       {"", "Europe/Roma", "+15:00", "+14:30", "+01:", "+1", "+01:60", "+-1:00", "../UTC", "CET/CEST"}) {
    const auto zone = TimeZone::Find(name);
    ASSERT_FALSE(zone) << name;
    EXPECT_THAT(zone.error().Message(), HasSubstr("is not a known time zone: expected an IANA name"));
  }
}

TEST(TimeZone, RomeHasDaysOf23And25Hours) {
  const TimeZone rome = Zone("Europe/Rome");
  const auto length_of = [&rome](const char* day, const char* next) {
    return rome.ToStamp(Civil(next)).value() - rome.ToStamp(Civil(day)).value();
  };
  EXPECT_EQ(length_of("2025-03-29", "2025-03-30"), hours(24));
  EXPECT_EQ(length_of("2025-03-30", "2025-03-31"), hours(23));
  EXPECT_EQ(length_of("2025-10-26", "2025-10-27"), hours(25));
  EXPECT_EQ(ShownIn(rome, "2025-03-30 00:59:59"), "2025-03-30 01:59:59");
  EXPECT_EQ(ShownIn(rome, "2025-03-30 01:00"), "2025-03-30 03:00");
  EXPECT_EQ(ShownIn(rome, "2025-10-26 00:59"), "2025-10-26 02:59");
  EXPECT_EQ(ShownIn(rome, "2025-10-26 01:00"), "2025-10-26 02:00");
}

TEST(TimeZone, SkippedTimeIsAnErrorThatNamesTheNext) {
  const auto skipped = Zone("Europe/Rome").ToStamp(Civil("2025-03-30 02:30"));
  ASSERT_FALSE(skipped);
  EXPECT_THAT(skipped.error().Message(), HasSubstr("2025-03-30 02:30 does not exist in Europe/Rome"));
  EXPECT_THAT(skipped.error().Message(), HasSubstr("The next valid time is 2025-03-30 03:00."));
  EXPECT_THAT(Zone("Europe/Rome").ToStamps(Civil("2025-03-30 02:30")), IsEmpty());
}

TEST(TimeZone, RepeatedTimeGivesTheFirst) {
  const TimeZone rome = Zone("Europe/Rome");
  EXPECT_EQ(rome.ToStamp(Civil("2025-10-26 02:30")).value(), Utc("2025-10-26 00:30"));
  EXPECT_THAT(rome.ToStamps(Civil("2025-10-26 02:30")), ElementsAre(Utc("2025-10-26 00:30"), Utc("2025-10-26 01:30")));
  EXPECT_THAT(rome.ToStamps(Civil("2025-10-26 03:00")), ElementsAre(Utc("2025-10-26 02:00")));
  EXPECT_THAT(Zone("+01:00").ToStamps(Civil("2025-10-26 02:30")), ElementsAre(Utc("2025-10-26 01:30")));
}

TEST(TimeZone, EveryHourOfAYearComesBackFromItsCivilTime) {
  for (const char* name :
       {"Europe/Rome", "Europe/Dublin", "Australia/Sydney", "America/St_Johns", "Asia/Kathmandu", "+05:30"}) {
    const TimeZone zone = Zone(name);
    for (Stamp stamp = Utc("2025-01-01"); stamp < Utc("2026-01-01"); stamp += hours(1)) {
      EXPECT_THAT(zone.ToStamps(zone.ToCivil(stamp)), ::testing::Contains(stamp)) << name << " " << FormatStamp(stamp);
    }
  }
}

TEST(TimeZone, StandardOffsetHasNoDaylightSaving) {
  for (const char* day : {"2025-01-15", "2025-07-15"}) {
    EXPECT_EQ(Zone("Europe/Rome").StandardOffsetAt(Utc(day)), hours(1)) << day;
    EXPECT_EQ(Zone("Europe/Dublin").StandardOffsetAt(Utc(day)), hours(0)) << day;
    EXPECT_EQ(Zone("Australia/Sydney").StandardOffsetAt(Utc(day)), hours(10)) << day;
    EXPECT_EQ(Zone("Asia/Kolkata").StandardOffsetAt(Utc(day)), hours(5) + minutes(30)) << day;
  }
  EXPECT_EQ(Zone("Europe/Dublin").OffsetAt(Utc("2025-07-15")), hours(1));
  EXPECT_EQ(Zone("Australia/Sydney").OffsetAt(Utc("2025-01-15")), hours(11));
  EXPECT_EQ(Zone("Australia/Sydney").OffsetAt(Utc("2025-07-15")), hours(10));
}

TEST(ParseStamp, SuffixWinsOverTheZone) {
  const TimeZone rome = Zone("Europe/Rome");
  EXPECT_EQ(ParseStamp("2025-01-01 20:00", rome).value(), Utc("2025-01-01 19:00"));
  EXPECT_EQ(ParseStamp("2025-07-01 20:00", rome).value(), Utc("2025-07-01 18:00"));
  EXPECT_EQ(ParseStamp("2025-01-01T20:00Z", rome).value(), Utc("2025-01-01 20:00"));
  EXPECT_EQ(ParseStamp("2025-01-01T20:00:30z", rome).value(), Utc("2025-01-01 20:00:30"));
  EXPECT_EQ(ParseStamp("2025-01-01T20:00:00+05:30", rome).value(), Utc("2025-01-01 14:30"));
  EXPECT_EQ(ParseStamp("2025-01-01 20:00-0330", rome).value(), Utc("2025-01-01 23:30"));
  EXPECT_EQ(ParseStamp("2025-01-01-05", rome).value(), Utc("2025-01-01 05:00"));
  EXPECT_EQ(ParseStamp("2025-01-01Z", rome).value(), Utc("2025-01-01 00:00"));
}

TEST(ParseStamp, BadSuffixOrTime) {
  EXPECT_THAT(ParseStamp("2025-01-01 20:00+25:00", {}).error().Message(),
              HasSubstr("ends in '+25:00', which is no offset"));
  EXPECT_THAT(ParseStamp("2025-01-01 20:00Zulu", {}).error().Message(), HasSubstr("'Zulu'"));
  EXPECT_THAT(ParseStamp("tomorrow", {}).error().Message(), HasSubstr("'tomorrow' is not a date and time"));
  EXPECT_FALSE(ParseStamp("2025-03-30 02:00", Zone("Europe/Rome")));
}

TEST(Horizon, SlotsAreEndToEnd) {
  const Horizon horizon{Utc("2025-01-01 20:00"), minutes(15), 96};
  EXPECT_EQ(horizon.SlotStart(4), Utc("2025-01-01 21:00"));
  EXPECT_EQ(horizon.end(), Utc("2025-01-02 20:00"));
  EXPECT_EQ(InSeconds(horizon.SlotDuration()), 900);
  EXPECT_EQ(InHours(Between(horizon.start, horizon.end())), 24);
}

TEST(WhyImpossible, NamesWhatDoesNotExist) {
  EXPECT_EQ(WhyImpossible("2025-02-30 20:00"), "February 2025 has 28 days");
  EXPECT_EQ(WhyImpossible("2024-02-30"), "February 2024 has 29 days");
  EXPECT_EQ(WhyImpossible("2025-13-01"), "months run from 01 to 12");
  EXPECT_EQ(WhyImpossible("2025-01-01 24:00"), "hours run from 00 to 23; midnight is 00:00 of the next day");
  for (const char* other : {"", "2025-01-01", "2025-01-01 20:00", "2025-01-01T20:00Z", "tomorrow", "2025-1-1"}) {
    EXPECT_EQ(WhyImpossible(other), "") << other;
  }
}

TEST(FormatLocal, CarriesTheOffset) {
  const auto rome = TimeZone::Find("Europe/Rome");
  if (!rome) GTEST_SKIP() << "no time zone data on this machine";
  EXPECT_EQ(FormatLocal(StampFromUtc({2025, 10, 26, 0, 30}), *rome), "2025-10-26 02:30 +02:00");
  EXPECT_EQ(FormatLocal(StampFromUtc({2025, 10, 26, 1, 30}), *rome), "2025-10-26 02:30 +01:00");
}

}  // namespace
}  // namespace heliograd
