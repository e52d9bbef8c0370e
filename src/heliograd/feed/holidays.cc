#include "heliograd/feed/holidays.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace heliograd {
namespace {

struct MonthDay {
  int month;
  int day;
  friend bool operator==(const MonthDay&, const MonthDay&) = default;
};

constexpr std::array<MonthDay, 10> kItalianFixedHolidays = {
    {{1, 1}, {1, 6}, {4, 25}, {5, 1}, {6, 2}, {8, 15}, {11, 1}, {12, 8}, {12, 25}, {12, 26}}};

std::chrono::sys_days DayOf(const CivilTime& date) { return std::chrono::year(date.year) / date.month / date.day; }

bool IsEasterMonday(const CivilTime& date) {
  if (date.month != 3 && date.month != 4) return false;
  return DayOf(date) - DayOf(EasterSunday(date.year)) == std::chrono::days(1);
}

}  // namespace

bool IsHoliday(const CivilTime& date, HolidayCalendar calendar) {
  if (calendar == HolidayCalendar::kNone) return false;
  const MonthDay day = {date.month, date.day};
  return std::ranges::find(kItalianFixedHolidays, day) != kItalianFixedHolidays.end() || IsEasterMonday(date);
}

CivilTime EasterSunday(int year) {
  // The names follow Meeus's table, whose letters carry no meaning of their own.
  const int a = year % 19;
  const int b = year / 100;
  const int c = year % 100;
  const int f = (b + 8) / 25;
  const int g = (b - f + 1) / 3;
  const int h = (19 * a + b - b / 4 - g + 15) % 30;
  const int l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
  const int m = (a + 11 * h + 22 * l) / 451;
  const int n = h + l - 7 * m + 114;
  return {.year = year, .month = n / 31, .day = n % 31 + 1};
}

}  // namespace heliograd
