#include "heliograd/feed/holidays.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

CivilTime Date(int year, int month, int day) { return {.year = year, .month = month, .day = day, .hour = 13}; }

TEST(Easter, KnownDates) {
  // Dates of record, with the earliest and the latest that occur in 1900-2299 (22 March, 25 April).
  const std::vector<CivilTime> known = {{1900, 4, 15}, {1943, 4, 25}, {1961, 4, 2},  {2000, 4, 23}, {2008, 3, 23},
                                        {2019, 4, 21}, {2024, 3, 31}, {2025, 4, 20}, {2026, 4, 5},  {2038, 4, 25},
                                        {2100, 3, 28}, {2200, 4, 6},  {2285, 3, 22}, {2299, 4, 16}};
  for (const CivilTime& date : known) EXPECT_EQ(EasterSunday(date.year), date) << date.year;
}

TEST(Easter, IsASundayFrom22MarchTo25AprilInEveryYear) {
  for (int year = 1900; year <= 2299; ++year) {
    const CivilTime easter = EasterSunday(year);
    EXPECT_EQ(Weekday(easter), 6) << year;
    EXPECT_GE(easter, (CivilTime{.year = year, .month = 3, .day = 22}));
    EXPECT_LE(easter, (CivilTime{.year = year, .month = 4, .day = 25}));
  }
}

TEST(ItalianHolidays, AreElevenAYear) {
  int holidays = 0;
  for (Stamp day = StampFromUtc(Date(2025, 1, 1)); day < StampFromUtc(Date(2026, 1, 1)); day += std::chrono::days(1)) {
    holidays += IsHoliday(CivilInUtc(day), HolidayCalendar::kItaly) ? 1 : 0;
  }
  EXPECT_EQ(holidays, 11);  // ten fixed days and Easter Monday
}

TEST(ItalianHolidays, EasterMondayMovesAcrossMonthAndYear) {
  EXPECT_TRUE(IsHoliday(Date(2024, 4, 1), HolidayCalendar::kItaly));  // Easter was 31 March
  EXPECT_FALSE(IsHoliday(Date(2024, 3, 31), HolidayCalendar::kItaly));
  EXPECT_TRUE(IsHoliday(Date(2025, 4, 21), HolidayCalendar::kItaly));
  EXPECT_FALSE(IsHoliday(Date(2026, 4, 21), HolidayCalendar::kItaly));
  EXPECT_TRUE(IsHoliday(Date(2299, 4, 17), HolidayCalendar::kItaly));
}

TEST(ItalianHolidays, PatronSaintsAndOtherCalendarsDoNotCount) {
  EXPECT_FALSE(IsHoliday(Date(2025, 6, 24), HolidayCalendar::kItaly));
  EXPECT_FALSE(IsHoliday(Date(2025, 12, 25), HolidayCalendar::kNone));
}

}  // namespace
}  // namespace heliograd
