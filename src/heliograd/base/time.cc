#include "heliograd/base/time.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>

#include "heliograd/base/text.h"

namespace heliograd {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr int kLargestOffsetMinutes = 14 * 60;  // Kiribati; no place on Earth is further from UTC

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};

year_month_day DateOf(const CivilTime& civil) {
  return {std::chrono::year(civil.year), std::chrono::month(static_cast<unsigned>(civil.month)),
          std::chrono::day(static_cast<unsigned>(civil.day))};
}

std::chrono::sys_seconds AsUtcSeconds(const CivilTime& civil) {
  return sys_days(DateOf(civil)) + std::chrono::hours(civil.hour) + std::chrono::minutes(civil.minute) +
         seconds(civil.second);
}

CivilTime CivilFromSeconds(std::chrono::sys_seconds time) {
  const sys_days day = std::chrono::floor<days>(time);
  const year_month_day date(day);
  const int64_t rest = (time - day).count();
  return {int(date.year()),
          static_cast<int>(unsigned(date.month())),
          static_cast<int>(unsigned(date.day())),
          static_cast<int>(rest / 3600),
          static_cast<int>(rest / 60 % 60),
          static_cast<int>(rest % 60)};
}

/// Takes exactly `digits` digits off the front of `text`.
std::optional<int> TakeDigits(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool TakeChar(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<seconds> ParseOffset(std::string_view text) {
  if (text == "Z" || text == "z" || text == "UTC") return seconds(0);
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = TakeDigits(text, 2);
  const bool minutes_follow = TakeChar(text, ":") || !text.empty();
  const auto minutes = minutes_follow ? TakeDigits(text, 2) : std::optional<int>(0);
  if (!hours || !minutes || !text.empty() || *minutes > 59 || *hours * 60 + *minutes > kLargestOffsetMinutes) {
    return std::nullopt;
  }
  return seconds(sign * (*hours * 3600 + *minutes * 60));
}

std::string OffsetName(seconds offset) {
  const int64_t minutes = std::abs(offset.count()) / 60;
  return fmt::format("{}{:02}:{:02}", offset.count() < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

}  // namespace

bool IsValid(const CivilTime& civil) {
  return civil.year >= 1678 && civil.year <= 2261 && civil.month >= 1 && civil.month <= 12 && civil.day >= 1 &&
         civil.day <= 31 && DateOf(civil).ok() && civil.hour >= 0 && civil.hour <= 23 && civil.minute >= 0 &&
         civil.minute <= 59 && civil.second >= 0 && civil.second <= 59;
}

int Weekday(const CivilTime& civil) {
  return static_cast<int>(std::chrono::weekday(sys_days(DateOf(civil))).iso_encoding()) - 1;
}

int DayOfTypicalYear(int month, int day) {
  static constexpr std::array<int, 12> kDaysBefore = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  if (month == 2 && day == 29) day = 28;
  return kDaysBefore[static_cast<size_t>(month - 1)] + day - 1;
}

int HourOfTypicalYear(const CivilTime& civil) { return DayOfTypicalYear(civil.month, civil.day) * 24 + civil.hour; }

Stamp StampFromUtc(const CivilTime& civil) { return AsUtcSeconds(civil); }

CivilTime CivilInUtc(Stamp stamp) { return CivilFromSeconds(std::chrono::floor<seconds>(stamp)); }

std::string WhyImpossible(std::string_view text) {
  const auto year = TakeDigits(text, 4);
  if (!year || !TakeChar(text, "-")) return "";
  const auto month = TakeDigits(text, 2);
  if (!month || !TakeChar(text, "-")) return "";
  const auto day = TakeDigits(text, 2);
  if (!day) return "";
  if (*year < 1678 || *year > 2261) return "years run from 1678 to 2261";
  if (*month < 1 || *month > 12) return "months run from 01 to 12";
  const CivilTime first{.year = *year, .month = *month};
  if (*day < 1 || !IsValid({.year = *year, .month = *month, .day = *day})) {
    const auto last = unsigned((DateOf(first).year() / DateOf(first).month() / std::chrono::last).day());
    return fmt::format("{} {} has {} days", kMonths[static_cast<size_t>(*month - 1)], *year, last);
  }
  if (!TakeChar(text, "T ")) return "";
  const auto hour = TakeDigits(text, 2);
  if (!hour || !TakeChar(text, ":")) return "";
  const auto minute = TakeDigits(text, 2);
  if (!minute) return "";
  if (*hour > 23) return "hours run from 00 to 23; midnight is 00:00 of the next day";
  return *minute > 59 ? "minutes run from 00 to 59" : "";
}

Result<CivilTime> ParseCivil(std::string_view text) {
  const auto failure = [whole = std::string(text)] {
    if (const std::string why = WhyImpossible(whole); !why.empty()) {
      return Fail(fmt::format("{} does not exist: {}.", Quoted(whole), why));
    }
    return Fail(fmt::format("{} is not a date and time: expected YYYY-MM-DD HH:MM, for example 2025-01-01 20:00.",
                            Quoted(whole)));
  };
  CivilTime civil;
  const auto year = TakeDigits(text, 4);
  if (!year || !TakeChar(text, "-")) return failure();
  const auto month = TakeDigits(text, 2);
  if (!month || !TakeChar(text, "-")) return failure();
  const auto day = TakeDigits(text, 2);
  if (!day) return failure();
  civil.year = *year, civil.month = *month, civil.day = *day;
  if (!text.empty()) {
    if (!TakeChar(text, "T ")) return failure();
    const auto hour = TakeDigits(text, 2);
    if (!hour || !TakeChar(text, ":")) return failure();
    const auto minute = TakeDigits(text, 2);
    if (!minute) return failure();
    civil.hour = *hour, civil.minute = *minute;
    if (!text.empty()) {
      if (!TakeChar(text, ":")) return failure();
      const auto second = TakeDigits(text, 2);
      if (!second || !text.empty()) return failure();
      civil.second = *second;
    }
  }
  if (!IsValid(civil)) return failure();
  return civil;
}

std::string FormatCivil(const CivilTime& c) {
  std::string text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute);
  if (c.second != 0) text += fmt::format(":{:02}", c.second);
  return text;
}

std::string FormatStamp(Stamp stamp) {
  const CivilTime c = CivilInUtc(stamp);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

struct TimeZone::Rules {
  const date::time_zone* zone;
};

TimeZone TimeZone::Fixed(seconds offset) {
  TimeZone zone;
  zone.fixed_offset_ = offset;
  zone.name_ = offset.count() == 0 ? "UTC" : OffsetName(offset);
  return zone;
}

Result<TimeZone> TimeZone::Find(std::string_view name) {
  if (const auto offset = ParseOffset(name)) return Fixed(*offset);
  try {
    TimeZone zone;
    zone.name_ = std::string(name);
    zone.rules_ = std::make_shared<Rules>(Rules{date::locate_zone(zone.name_)});
    zone.rules_->zone->get_info(std::chrono::sys_seconds(seconds(0)));  // reads the zone's file now, not later
    return zone;
  } catch (const std::runtime_error&) {
    return Fail(
        fmt::format("{} is not a known time zone: expected an IANA name such as Europe/Rome (Debian package "
                    "tzdata) or a fixed offset such as +01:00.",
                    Quoted(name)));
  }
}

seconds TimeZone::OffsetAt(Stamp stamp) const {
  if (!rules_) return fixed_offset_;
  return rules_->zone->get_info(std::chrono::floor<seconds>(stamp)).offset;
}

seconds TimeZone::StandardOffsetAt(Stamp stamp) const {
  if (!rules_) return fixed_offset_;
  // The zone files of some zones (Europe/Dublin) encode daylight saving as negative in winter, so the field `save`
  // cannot be trusted: standard time is the smaller offset within the year around the stamp.
  seconds least = OffsetAt(stamp);
  for (int month = -6; month <= 6; month += 3) least = std::min(least, OffsetAt(stamp + days(month * 30)));
  return least;
}

CivilTime TimeZone::ToCivil(Stamp stamp) const {
  return CivilFromSeconds(std::chrono::floor<seconds>(stamp) + OffsetAt(stamp));
}

Result<Stamp> TimeZone::ToStamp(const CivilTime& civil) const {
  const std::chrono::sys_seconds as_utc = AsUtcSeconds(civil);
  if (!rules_) return Stamp(as_utc - fixed_offset_);
  const auto info = rules_->zone->get_info(date::local_seconds(as_utc.time_since_epoch()));
  if (info.result == date::local_info::nonexistent) {
    return Fail(fmt::format("{} does not exist in {}: clocks jump over it. The next valid time is {}.",
                            FormatCivil(civil), name_, FormatCivil(ToCivil(info.first.end))));
  }
  return Stamp(as_utc - info.first.offset);
}

std::vector<Stamp> TimeZone::ToStamps(const CivilTime& civil) const {
  const std::chrono::sys_seconds as_utc = AsUtcSeconds(civil);
  if (!rules_) return {as_utc - fixed_offset_};
  const auto info = rules_->zone->get_info(date::local_seconds(as_utc.time_since_epoch()));
  if (info.result == date::local_info::nonexistent) return {};
  if (info.result == date::local_info::unique) return {as_utc - info.first.offset};
  return {as_utc - info.first.offset, as_utc - info.second.offset};
}

std::string FormatLocal(Stamp stamp, const TimeZone& zone) {
  return fmt::format("{} {}", FormatCivil(zone.ToCivil(stamp)), OffsetName(zone.OffsetAt(stamp)));
}

Result<Stamp> ParseStamp(std::string_view text, const TimeZone& zone) {
  // A suffix can only start after the date, whose dashes must not be taken for a negative offset.
  const size_t suffix = text.size() > 10 ? text.find_first_of("Zz+-", 10) : std::string_view::npos;
  if (suffix == std::string_view::npos) {
    return ParseCivil(text).and_then([&](const CivilTime& civil) { return zone.ToStamp(civil); });
  }
  const auto offset = ParseOffset(text.substr(suffix));
  if (!offset) {
    return Fail(fmt::format("{} ends in {}, which is no offset: expected Z or +HH:MM.", Quoted(text),
                            Quoted(text.substr(suffix))));
  }
  return ParseCivil(text.substr(0, suffix)).and_then([&](const CivilTime& civil) {
    return TimeZone::Fixed(*offset).ToStamp(civil);
  });
}

}  // namespace heliograd
