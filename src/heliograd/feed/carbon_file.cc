#include "heliograd/feed/carbon_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "heliograd/base/text.h"
#include "heliograd/feed/csv_table.h"
#include "heliograd/feed/series_rows.h"

namespace heliograd {
namespace {

using std::chrono::hours;
using Rows = std::vector<SeriesRow<CarbonIntensity>>;

constexpr double kLargestIntensity = 5000;  // g/kWh; lignite, the dirtiest fuel burnt, is near 1200

constexpr std::string_view kKnownColumns =
    "datetime_utc with ci_direct_g_per_kwh and ci_lifecycle_g_per_kwh, or start with carbon_g_per_kwh";

struct CarbonColumns {
  size_t time = 0;
  std::string time_name;
  NumberColumn intensity;
  size_t count = 0;
};

/// "Carbon intensity gCO2eq/kWh (direct)", whose 2 may be a subscript in any encoding.
bool IsPortalColumn(std::string_view column, CarbonScope scope) {
  const std::string lower = ToLower(column);
  const bool intensity = lower.starts_with("carbon intensity gco") && lower.find("eq/kwh") != std::string::npos;
  const bool direct = lower.ends_with("(direct)");
  const bool lifecycle = lower.ends_with("(life cycle)") || lower.ends_with("(lca)");
  return intensity && (scope == CarbonScope::kDirect ? direct : lifecycle);
}

std::optional<size_t> FindIntensity(const std::vector<std::string_view>& header, CarbonScope scope) {
  const char* name = scope == CarbonScope::kDirect ? "ci_direct_g_per_kwh" : "ci_lifecycle_g_per_kwh";
  if (const auto column = FindColumn(header, {name, "carbon_g_per_kwh"})) return column;
  const auto portal = std::ranges::find_if(header, [scope](auto column) { return IsPortalColumn(column, scope); });
  if (portal == header.end()) return std::nullopt;
  return static_cast<size_t>(portal - header.begin());
}

std::string NearestColumn(const std::vector<std::string_view>& header) {
  const std::vector<std::string> known = {"datetime_utc", "start", "ci_direct_g_per_kwh", "ci_lifecycle_g_per_kwh",
                                          "carbon_g_per_kwh"};
  for (const std::string_view column : header) {
    const auto nearest = NearestName(column, known);
    if (nearest && *nearest != ToLower(column))
      return fmt::format(" {} may be meant as '{}'.", Quoted(column), *nearest);
  }
  return "";
}

std::optional<CarbonColumns> FindColumns(CsvReader& csv, CarbonScope scope, ProblemList& problems) {
  const std::vector<std::string_view>& header = csv.fields();
  const auto time = FindColumn(header, {"datetime_utc", "datetime (utc)", "start"});
  const auto intensity = FindIntensity(header, scope);
  if (!time || !intensity) {
    problems.AddForLine(csv.line_number(),
                        fmt::format("header is {}: no column for {}: expected {}.{}", Quoted(csv.line()),
                                    time ? "the carbon intensity" : "the time", kKnownColumns, NearestColumn(header)));
    return std::nullopt;
  }
  return CarbonColumns{*time,
                       std::string(header[*time]),
                       {std::string(header[*intensity]), 0, kLargestIntensity, "g/kWh", *intensity},
                       header.size()};
}

void ReadRow(CsvReader& csv, const CarbonColumns& columns, RowClock& clock, Rows& rows, ProblemList& problems) {
  if (!IsWholeRow(csv, columns.count, problems)) return;
  const bool has_value = !IsGap(csv.Field(columns.intensity.index));
  const auto start = clock.Read(csv.line_number(), csv.Field(columns.time), has_value, problems);
  const auto value = has_value ? ReadNumber(csv, columns.intensity, problems) : std::nullopt;
  if (!start) return;
  rows.push_back({csv.line_number(), *start, std::nullopt});
  if (value) rows.back().value = GramsPerKilowattHour(*value);
}

/// 1 January 00:00 UTC of the year in which the series begins.
Stamp YearStart(const StepSeries<CarbonIntensity>& series) {
  return StampFromUtc({.year = CivilInUtc(series.steps.front().start).year});
}

/// Hourly means over the one year that the series covers, from 1 January 00:00 UTC.
Result<std::vector<CarbonIntensity>> HoursOfItsYear(const StepSeries<CarbonIntensity>& series) {
  if (series.steps.empty()) return Fail(fmt::format("{}: no carbon intensity in it.", series.source));
  const Stamp start = YearStart(series);
  const Stamp end = StampFromUtc({.year = CivilInUtc(start).year + 1});
  if (series.steps.front().start != start || series.steps.back().end != end) {
    return Fail(
        fmt::format("{}: covers {} to {}: expected one whole calendar year (UTC) to stand for other years, or the "
                    "dates of the plan.",
                    series.source, FormatStamp(series.steps.front().start), FormatStamp(series.steps.back().end)));
  }
  return MeanPerSlot(series, {start, hours(1), static_cast<int>((end - start) / hours(1))});
}

/// The hour of the series' year that stands for the hour of `stamp`.
size_t MatchingHour(Stamp stamp, int year) {
  CivilTime civil = CivilInUtc(stamp);
  civil.year = year;
  if (!IsValid(civil)) civil.day = 28;
  civil.minute = civil.second = 0;
  return static_cast<size_t>((StampFromUtc(civil) - StampFromUtc({.year = year})) / hours(1));
}

CarbonIntensity MeanOverSlot(const std::vector<CarbonIntensity>& hourly, int year, Stamp start, Stamp end) {
  CarbonIntensity sum;
  for (Stamp from = start; from < end;) {
    const Stamp until = std::min(end, Stamp(std::chrono::floor<hours>(from) + hours(1)));
    sum += hourly[MatchingHour(from, year)] * (Between(from, until) / Between(start, end));
    from = until;
  }
  return sum;
}

}  // namespace

Result<StepSeries<CarbonIntensity>> ParseCarbonSeries(std::string_view content, const std::string& name,
                                                      CarbonScope scope) {
  CsvReader csv(content, SeparatorOf(content));
  ProblemList problems(name);
  if (!csv.NextFilled()) {
    problems.AddForFile(csv.too_long() ? "a first line longer than 64 KiB: expected a table."
                                       : fmt::format("empty: expected {}.", kKnownColumns));
    return problems.Failure();
  }
  const auto columns = FindColumns(csv, scope, problems);
  if (!columns) return problems.Failure();
  RowClock clock(TimeZone(), columns->time_name);
  Rows rows;
  while (csv.NextFilled()) ReadRow(csv, *columns, clock, rows, problems);
  if (csv.too_long()) problems.AddForLine(csv.line_number(), "longer than 64 KiB: expected one row per line.");
  if (!problems.empty()) return problems.Failure();
  StepSeries<CarbonIntensity> series{name, StepsOf(rows, problems)};
  if (problems.empty() && series.steps.empty())
    problems.AddForFile("no carbon intensity in it: expected at least one.");
  if (!problems.empty()) return problems.Failure();
  return series;
}

Result<std::vector<CarbonIntensity>> CarbonPerSlot(const StepSeries<CarbonIntensity>& series, const Horizon& horizon,
                                                   const TimeZone& clock) {
  return MeanPerSlot(series, horizon, clock);
}

Result<CarbonYear> CarbonYearOf(const StepSeries<CarbonIntensity>& series) {
  auto hourly = HoursOfItsYear(series);
  if (!hourly) return Fail(hourly.error());
  const int year = CivilInUtc(series.steps.front().start).year;
  return CarbonYear{year, *std::move(hourly),
                    fmt::format("{}: carbon intensity of {} stands for the plan's dates, by month, day and hour (UTC).",
                                series.source, year)};
}

std::vector<CarbonIntensity> CarbonPerSlot(const CarbonYear& year, const Horizon& horizon) {
  std::vector<CarbonIntensity> per_slot;
  per_slot.reserve(static_cast<size_t>(horizon.slots));
  for (int slot = 0; slot < horizon.slots; ++slot) {
    per_slot.push_back(MeanOverSlot(year.hourly, year.year, horizon.SlotStart(slot), horizon.SlotStart(slot + 1)));
  }
  return per_slot;
}

}  // namespace heliograd
