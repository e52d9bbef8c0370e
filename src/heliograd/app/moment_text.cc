#include "heliograd/app/moment_text.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "heliograd/base/text.h"

namespace heliograd {
namespace {

constexpr std::array<std::string_view, 7> kWeekdays = {"monday", "tuesday",  "wednesday", "thursday",
                                                       "friday", "saturday", "sunday"};
constexpr double kMostSeconds = 10 * 366 * 86400.0;

/// "14h", "1d 6h", "90min": nothing where it is no sum of durations.
std::optional<double> SecondsOf(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 12> kUnits = {{{"s", 1},
                                                                           {"sec", 1},
                                                                           {"m", 60},
                                                                           {"min", 60},
                                                                           {"minute", 60},
                                                                           {"minutes", 60},
                                                                           {"h", 3600},
                                                                           {"hour", 3600},
                                                                           {"hours", 3600},
                                                                           {"d", 86400},
                                                                           {"day", 86400},
                                                                           {"days", 86400}}};
  double sum = 0;
  text = Trim(text);
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const size_t number_end = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::optional<double> number = ParseNumber(text.substr(0, number_end));
    text = Trim(text.substr(number_end));
    const size_t unit_end = std::min(text.find_first_of(" 0123456789."), text.size());
    const std::string unit = ToLower(text.substr(0, unit_end));
    text = Trim(text.substr(unit_end));
    bool known = false;
    for (const auto& [name, seconds] : kUnits) {
      if (number && unit == name) known = true, sum += *number * seconds;
    }
    if (!known || sum > kMostSeconds) return std::nullopt;
  }
  return sum;
}

/// "08:00" or "noon" as minutes of the day.
std::optional<int> MinutesOf(std::string_view text) {
  if (text == "noon") return 12 * 60;
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon > 2 || text.size() != colon + 3) return std::nullopt;
  for (const char c : text) {
    if (c != ':' && (c < '0' || c > '9')) return std::nullopt;
  }
  const auto hour = ParseInteger(text.substr(0, colon)), minute = ParseInteger(text.substr(colon + 1));
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  return static_cast<int>(*hour * 60 + *minute);
}

/// That time of day, so many days after the reference's day on the zone's calendar.
Result<Stamp> OnDay(const TimeZone& zone, const CivilTime& today, int days, int minutes) {
  CivilTime day = CivilInUtc(StampFromUtc({today.year, today.month, today.day}) + std::chrono::hours(24 * days));
  day.hour = minutes / 60;
  day.minute = minutes % 60;
  return zone.ToStamp(day);
}

}  // namespace

Result<Stamp> ParseMoment(std::string_view text, const TimeZone& zone, Stamp reference) {
  const std::string bare = ToLower(Trim(text));
  const CivilTime today = zone.ToCivil(reference);
  if (bare == "now") return std::chrono::floor<std::chrono::minutes>(reference);
  if (bare.starts_with('+') || bare.starts_with("in ")) {
    const auto seconds = SecondsOf(std::string_view(bare).substr(bare.front() == '+' ? 1 : 3));
    if (seconds) return reference + std::chrono::seconds(std::llround(*seconds));
  }
  if (const auto minutes = MinutesOf(bare)) {
    Result<Stamp> stamp = OnDay(zone, today, 0, *minutes);
    return stamp && *stamp > reference ? stamp : OnDay(zone, today, 1, *minutes);
  }
  const bool is_next = bare.starts_with("next ");
  const std::string_view named = is_next ? Trim(std::string_view(bare).substr(5)) : std::string_view(bare);
  const size_t space = named.find(' ');
  const auto minutes = space == std::string_view::npos ? std::nullopt : MinutesOf(Trim(named.substr(space)));
  if (minutes) {
    const std::string_view day = named.substr(0, space);
    if (day == "today" && !is_next) return OnDay(zone, today, 0, *minutes);
    if (day == "tomorrow" && !is_next) return OnDay(zone, today, 1, *minutes);
    for (size_t i = 0; i < kWeekdays.size(); ++i) {
      if (day != kWeekdays[i] && day != kWeekdays[i].substr(0, 3)) continue;
      const int days = (static_cast<int>(i) - Weekday(today) + 7) % 7;
      Result<Stamp> stamp = OnDay(zone, today, days, *minutes);
      return stamp && *stamp > reference ? stamp : OnDay(zone, today, days == 0 ? 7 : days, *minutes);
    }
  }
  Result<Stamp> stamp = ParseStamp(text, zone);
  if (stamp || !WhyImpossible(text).empty() || ParseCivil(text)) return stamp;
  return Fail(fmt::format("{} is no moment: expected {}", Quoted(text), kMomentExamples));
}

}  // namespace heliograd
