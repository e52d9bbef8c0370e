#include "heliograd/feed/pv_forecast_file.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "heliograd/base/text.h"
#include "heliograd/feed/csv_table.h"
#include "heliograd/feed/series_rows.h"

namespace heliograd {

Result<StepSeries<Power>> ParsePvForecast(std::string_view content, const std::string& name, const TimeZone& zone) {
  ProblemList problems(name);
  CsvReader csv(content, SeparatorOf(content));
  if (!csv.NextFilled()) {
    problems.AddForFile("is empty: expected CSV with the header start,pv_w.");
    return problems.Failure();
  }
  const std::vector<std::string_view> header = csv.fields();
  const auto start_column = FindColumn(header, {"start"}), power_column = FindColumn(header, {"pv_w"});
  if (!start_column || !power_column) {
    problems.AddForLine(csv.line_number(), fmt::format("header is {}: expected start,pv_w.", Quoted(csv.line())));
    return problems.Failure();
  }
  const NumberColumn power{"pv_w", 0, 1e9, "W", *power_column};
  const size_t count = header.size();
  RowClock clock(zone, "start");
  std::vector<SeriesRow<Power>> rows;
  while (csv.NextFilled()) {
    if (!IsWholeRow(csv, count, problems)) continue;
    const bool has_value = !IsGap(csv.Field(*power_column));
    const auto watts = has_value ? ReadNumber(csv, power, problems) : std::nullopt;
    const auto start = clock.Read(csv.line_number(), csv.Field(*start_column), has_value, problems);
    if (start) rows.push_back({csv.line_number(), *start, watts ? std::optional(Watts(*watts)) : std::nullopt});
  }
  if (csv.too_long()) problems.AddForLine(csv.line_number(), "the line is too long: this is no table.");
  if (problems.empty() && rows.empty()) problems.AddForFile("has no value: expected rows of start,pv_w.");
  if (!problems.empty()) return problems.Failure();
  std::vector<Step<Power>> steps = StepsOf(rows, problems);
  if (problems.empty() && steps.empty()) problems.AddForFile("has no value: expected rows of start,pv_w.");
  if (!problems.empty()) return problems.Failure();
  return StepSeries<Power>{name, std::move(steps)};
}

}  // namespace heliograd
