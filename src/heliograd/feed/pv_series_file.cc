#include "heliograd/feed/pv_series_file.h"

#include <fmt/format.h>

#include <utility>

#include "heliograd/base/text.h"
#include "heliograd/feed/csv_table.h"
#include "heliograd/feed/series_rows.h"
#include "heliograd/trace/weather.h"

namespace heliograd {
namespace {

const NumberColumn kHour = {"hour", 0, kHoursPerYear - 1, "", 0};
const NumberColumn kPower = {"ac_w", 0, 1e9, "W", 1};  // above any plant: a wrong unit or column

bool IsHeader(CsvReader& csv) {
  return csv.fields().size() >= 2 && ToLower(csv.Field(kHour.index)) == kHour.name &&
         ToLower(csv.Field(kPower.index)) == kPower.name;
}

/// Reads the row under the reader. `next_hour` goes on from the hour found, so that one slip is told once.
void ReadRow(CsvReader& csv, size_t columns, int& next_hour, std::vector<Power>& hourly, ProblemList& problems) {
  const int expected = next_hour++;
  if (!IsWholeRow(csv, columns, problems)) return;
  const auto hour = ReadWholeNumber(csv, kHour, problems);
  if (hour && *hour != expected) {
    problems.AddForValue(csv.line_number(), kHour.name, csv.Field(kHour.index),
                         fmt::format("{}, for hours follow each other, none missing and none twice", expected));
    next_hour = *hour + 1;
  }
  const auto power_w = ReadNumber(csv, kPower, problems);
  if (power_w && hourly.size() < kHoursPerYear) hourly.push_back(Watts(*power_w));
}

}  // namespace

Result<std::vector<Power>> ParsePvSeries(std::string_view content, const std::string& name) {
  CsvReader csv(content);
  ProblemList problems(name);
  if (!csv.NextFilled()) {
    problems.AddForFile(csv.too_long() ? "a first line longer than 64 KiB: expected the header hour,ac_w."
                                       : "empty: expected the header hour,ac_w and 8760 rows.");
    return problems.Failure();
  }
  if (!IsHeader(csv)) {
    problems.AddForValue(csv.line_number(), "header", csv.line(), "hour,ac_w");
    return problems.Failure();
  }
  std::vector<Power> hourly;
  hourly.reserve(kHoursPerYear);
  int next_hour = 0;
  const size_t columns = csv.fields().size();
  while (csv.NextFilled()) ReadRow(csv, columns, next_hour, hourly, problems);
  if (csv.too_long()) problems.AddForLine(csv.line_number(), "longer than 64 KiB: expected one row per line.");
  if (problems.empty() && hourly.size() != kHoursPerYear) {
    problems.AddForFile(fmt::format("{} rows: expected {}, one for each hour of a year without 29 February.",
                                    hourly.size(), kHoursPerYear));
  }
  if (!problems.empty()) return problems.Failure();
  return hourly;
}

}  // namespace heliograd
