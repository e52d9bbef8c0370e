#include "heliograd/feed/weather_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "heliograd/base/time.h"

namespace heliograd {
namespace {

constexpr size_t kHours = kHoursPerYear;

NumberColumn Column(std::string name, size_t index, double low, double high, const char* unit) {
  return {.name = std::move(name), .low = low, .high = high, .unit = unit, .index = index};
}

std::string HourName(const WeatherHour& hour) {
  return fmt::format("{:02}-{:02} {:02}:00", hour.month, hour.day, hour.hour);
}

/// 8760 hours with their dates, in order.
std::vector<WeatherHour> EmptyYear() {
  static constexpr int kDaysInMonth[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  std::vector<WeatherHour> hours;
  hours.reserve(kHours);
  for (int month = 1; month <= 12; ++month) {
    for (int day = 1; day <= kDaysInMonth[month - 1]; ++day) {
      for (int hour = 0; hour < 24; ++hour) {
        WeatherHour row;
        row.month = month, row.day = day, row.hour = hour;
        hours.push_back(row);
      }
    }
  }
  return hours;
}

/// Moves every row `shift` hours later in the year, around its end; the dates stay in place.
void RotateRows(long shift, std::vector<WeatherHour>& hours) {
  const long count = static_cast<long>(hours.size());
  const long right = ((shift % count) + count) % count;
  std::rotate(hours.begin(), hours.end() - right, hours.end());
  const std::vector<WeatherHour> dates = EmptyYear();
  for (size_t i = 0; i < hours.size(); ++i) {
    hours[i].month = dates[i].month, hours[i].day = dates[i].day, hours[i].hour = dates[i].hour;
  }
}

/// Floor that does not fall to the hour below through the last digit of a sum such as 0.7 + 0.3.
double SteadyFloor(double hours) { return std::floor(hours + 1e-9); }

}  // namespace

NumberColumn YearColumn(std::string name, size_t index) { return Column(std::move(name), index, 1900, 2100, ""); }
NumberColumn MonthColumn(std::string name, size_t index) { return Column(std::move(name), index, 1, 12, ""); }
NumberColumn DayColumn(std::string name, size_t index) { return Column(std::move(name), index, 1, 31, ""); }
NumberColumn HourColumn(std::string name, size_t index) { return Column(std::move(name), index, 0, 23, ""); }
NumberColumn IrradianceColumn(std::string name, size_t index) {
  return Column(std::move(name), index, -1, 2000, "W/m2");
}
NumberColumn TemperatureColumn(std::string name, size_t index) { return Column(std::move(name), index, -90, 60, "C"); }
NumberColumn WindColumn(std::string name, size_t index) { return Column(std::move(name), index, 0, 100, "m/s"); }
NumberColumn PressureColumn(std::string name, size_t index) { return Column(std::move(name), index, 300, 1100, "hPa"); }
NumberColumn PascalPressureColumn(std::string name, size_t index) {
  return Column(std::move(name), index, 30000, 110000, "Pa");
}
NumberColumn AlbedoColumn(std::string name, size_t index) { return Column(std::move(name), index, 0, 1, ""); }
NumberColumn LatitudeColumn(std::string name, size_t index) {
  return Column(std::move(name), index, -90, 90, "degrees north");
}
NumberColumn LongitudeColumn(std::string name, size_t index) {
  return Column(std::move(name), index, -180, 180, "degrees east");
}
NumberColumn ElevationColumn(std::string name, size_t index) { return Column(std::move(name), index, -500, 9000, "m"); }
NumberColumn UtcOffsetColumn(std::string name, size_t index) {
  return Column(std::move(name), index, -12, 14, "hours from UTC");
}

double ReadIrradiance(CsvReader& reader, const NumberColumn& column, ProblemList& problems) {
  const double value = ReadNumber(reader, column, problems).value_or(0);
  return value > 0 ? value : 0;  // also turns -0 into 0
}

YearCollector::YearCollector(ProblemList& problems)
    : problems_(problems), hours_(EmptyYear()), line_of_hour_(kHours, 0) {}

WeatherHour* YearCollector::Claim(size_t line, int source_year, int month, int day, int hour) {
  const CivilTime civil{.year = month == 2 && day == 29 ? 2000 : 2001, .month = month, .day = day, .hour = hour};
  if (!IsValid(civil)) {
    problems_.AddForLine(line, fmt::format("month {}, day {} is no date: expected a day of the calendar.", month, day));
    SkipRow();
    return nullptr;
  }
  if (month == 2 && day == 29) return nullptr;
  const auto slot = static_cast<size_t>(HourOfTypicalYear(civil));
  if (line_of_hour_[slot] != 0) {
    problems_.AddForLine(line, fmt::format("a second row for {} (first on line {}): expected one row per hour.",
                                           HourName(hours_[slot]), line_of_hour_[slot]));
    return nullptr;
  }
  line_of_hour_[slot] = line;
  hours_[slot].source_year = source_year;
  return &hours_[slot];
}

std::vector<WeatherHour> YearCollector::Finish() {
  const auto missing = static_cast<size_t>(std::count(line_of_hour_.begin(), line_of_hour_.end(), size_t{0}));
  if (missing > skipped_) ReportMissing();
  return std::move(hours_);
}

void YearCollector::ReportMissing() const {
  for (size_t first = 0; first < kHours;) {
    if (line_of_hour_[first] != 0) {
      ++first;
      continue;
    }
    size_t end = first;
    while (end < kHours && line_of_hour_[end] == 0) ++end;
    const std::string until = end - first == 1 ? "" : fmt::format(" to {}", HourName(hours_[end - 1]));
    problems_.AddForFile(fmt::format("no row for {}{} ({} of {} hours): expected every hour of a year.",
                                     HourName(hours_[first]), until, end - first, kHours));
    first = end;
  }
}

Result<void> CheckOverrides(const WeatherOverrides& overrides) {
  const std::vector<std::pair<std::optional<double>, NumberColumn>> checks = {
      {overrides.utc_offset_hours, UtcOffsetColumn("UTC offset", 0)},
      {overrides.latitude_deg, LatitudeColumn("latitude", 0)},
      {overrides.longitude_deg, LongitudeColumn("longitude", 0)},
      {overrides.elevation_m, ElevationColumn("elevation", 0)}};
  std::vector<std::string> problems;
  for (const auto& [value, limits] : checks) {
    if (value && !(*value >= limits.low && *value <= limits.high)) {
      problems.push_back(fmt::format("{} of the site is {}: expected a number from {} to {} {}.", limits.name, *value,
                                     limits.low, limits.high, limits.unit));
    }
  }
  if (!problems.empty()) return Fail(std::move(problems), ErrorKind::kUsage);
  return {};
}

void ApplySite(const WeatherOverrides& overrides, WeatherYear& year) {
  year.latitude_deg = overrides.latitude_deg.value_or(year.latitude_deg);
  year.longitude_deg = overrides.longitude_deg.value_or(year.longitude_deg);
  year.elevation_m = overrides.elevation_m.value_or(year.elevation_m);
}

void SetUtcOffset(double utc_offset_hours, WeatherYear& year) {
  year.utc_offset = std::chrono::seconds(std::llround(utc_offset_hours * 3600));
}

void MoveToLocalTime(double from_utc_offset_hours, double to_utc_offset_hours, WeatherYear& year,
                     ProblemList& problems) {
  const double later_h = to_utc_offset_hours - from_utc_offset_hours + year.instant_offset_h;
  const double shift_h = SteadyFloor(later_h);
  if (year.stamp == IrradianceStamp::kHourMean && later_h != shift_h) {
    return problems.AddForFile(
        fmt::format("rows are means over hours of UTC{:+g} and cannot move to UTC{:+g}: expected a UTC offset that "
                    "differs by whole hours.",
                    from_utc_offset_hours, to_utc_offset_hours));
  }
  if (shift_h != 0) RotateRows(std::lround(shift_h), year.hours);
  year.instant_offset_h = std::max(0.0, later_h - shift_h);
  SetUtcOffset(to_utc_offset_hours, year);
}

void CheckLineLength(const CsvReader& reader, ProblemList& problems) {
  if (!reader.too_long()) return;
  problems.AddForLine(reader.line_number(), fmt::format("the line is longer than {} KiB: expected a table in text, one "
                                                        "row per line.",
                                                        kLongestLine >> 10));
}

}  // namespace heliograd
