#include "heliograd/feed/measured_pv_file.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "heliograd/base/text.h"
#include "heliograd/base/time.h"
#include "heliograd/feed/csv_table.h"
#include "heliograd/feed/pv_series_file.h"
#include "heliograd/feed/series_rows.h"
#include "heliograd/trace/weather.h"

namespace heliograd {
namespace {

struct Layout {
  size_t time = 0;
  NumberColumn power;
  bool per_watt = false;
  bool early_after_summer_time = false;  // the quirk of the published measurements
};

std::optional<Layout> LayoutOf(const std::vector<std::string_view>& header) {
  const auto time = FindColumn(header, {"time"});
  if (!time) return std::nullopt;
  if (const auto published = FindColumn(header, {"measured_w_per_wp"})) {
    return Layout{*time, {"measured_w_per_wp", 0, 2, "W per W", *published}, true, true};
  }
  if (const auto per_watt = FindColumn(header, {"ac_w_per_w"})) {
    return Layout{*time, {"ac_w_per_w", 0, 2, "W per W", *per_watt}, true, false};
  }
  if (const auto watts = FindColumn(header, {"ac_w"})) {
    return Layout{*time, {"ac_w", 0, 1e9, "W", *watts}, false, false};
  }
  return std::nullopt;
}

bool IsLeapDay(const CivilTime& civil) { return civil.month == 2 && civil.day == 29; }

/// Reads rows that follow each other hour by hour from 1 January on.
class Reader {
 public:
  Reader(Layout layout, size_t columns, ProblemList& problems)
      : layout_(std::move(layout)), columns_(columns), problems_(problems) {
    hourly_.reserve(kHoursPerYear);
  }

  void ReadRow(CsvReader& csv) {
    if (!IsWholeRow(csv, columns_, problems_)) {
      if (next_) *next_ += std::chrono::hours(1);
      return;
    }
    const std::string_view text = csv.Field(layout_.time);
    const auto civil = ParseCivil(text);
    const bool full_hour = civil && civil->minute == 0 && civil->second == 0;
    if (!full_hour) {
      problems_.AddForValue(csv.line_number(), "time", text, "the beginning of an hour such as 2019-01-01 13:00");
    } else if (!next_) {
      year_ = civil->year;
      next_ = StampFromUtc({.year = year_});
    }
    if (full_hour && StampFromUtc(*civil) != *next_) {
      problems_.AddForValue(
          csv.line_number(), "time", text,
          fmt::format("{}, for hours follow each other from 1 January 00:00 on", FormatCivil(CivilInUtc(*next_))));
      next_ = StampFromUtc(*civil);
    }
    const auto power = ReadNumber(csv, layout_.power, problems_);
    if (!next_) return;
    const bool kept = !IsLeapDay(CivilInUtc(*next_)) && hourly_.size() <= kHoursPerYear;
    if (kept) hourly_.push_back(power.value_or(0));
    *next_ += std::chrono::hours(1);
  }

  std::vector<double> TakeHours() { return std::move(hourly_); }
  int year() const { return year_; }

 private:
  Layout layout_;
  size_t columns_;
  ProblemList& problems_;
  std::optional<Stamp> next_;
  int year_ = 0;
  std::vector<double> hourly_;
};

/// 02:00 on the last Sunday of October, as an hour of the typical year.
size_t EndOfSummerTime(int year) {
  int day = 31;
  while (Weekday({.year = year, .month = 10, .day = day}) != 6) --day;
  return static_cast<size_t>(HourOfTypicalYear({.year = year, .month = 10, .day = day, .hour = 2}));
}

/// Moves what runs an hour early; the hour in between is night, the last row belongs to the next year.
void PutRight(MeasuredPv& pv) {
  const auto from = static_cast<std::ptrdiff_t>(EndOfSummerTime(pv.year));
  pv.hourly.insert(pv.hourly.begin() + from, 0.0);
  pv.hourly.pop_back();
  pv.notes.push_back(fmt::format(
      "rows after the last Sunday of October {} run an hour early in this layout; they were moved an hour later",
      pv.year));
}

}  // namespace

Result<MeasuredPv> ParseMeasuredPv(std::string_view content, const std::string& name) {
  constexpr std::string_view kExpected = "time with ac_w, ac_w_per_w or measured_w_per_wp; or hour,ac_w with 8760 rows";
  CsvReader csv(content);
  ProblemList problems(name);
  if (!csv.NextFilled()) {
    problems.AddForFile(csv.too_long() ? "a first line longer than 64 KiB: expected a table."
                                       : fmt::format("empty: expected a header: {}.", kExpected));
    return problems.Failure();
  }
  if (FindColumn(csv.fields(), {"hour"})) {
    return ParsePvSeries(content, name).map([](const std::vector<Power>& powers) {
      MeasuredPv pv;
      for (const Power power : powers) pv.hourly.push_back(InWatts(power));
      return pv;
    });
  }
  const auto layout = LayoutOf(csv.fields());
  if (!layout) {
    problems.AddForValue(csv.line_number(), "header", csv.line(), kExpected);
    return problems.Failure();
  }
  Reader reader(*layout, csv.fields().size(), problems);
  while (csv.NextFilled()) reader.ReadRow(csv);
  if (csv.too_long()) problems.AddForLine(csv.line_number(), "longer than 64 KiB: expected one row per line.");
  MeasuredPv pv{reader.TakeHours(), layout->per_watt, reader.year(), {}};
  if (problems.empty() && pv.hourly.size() != kHoursPerYear) {
    problems.AddForFile(fmt::format("{} rows outside 29 February: expected {}, one for each hour of a year.",
                                    pv.hourly.size(), kHoursPerYear));
  }
  if (!problems.empty()) return problems.Failure();
  if (layout->early_after_summer_time) PutRight(pv);
  return pv;
}

}  // namespace heliograd
