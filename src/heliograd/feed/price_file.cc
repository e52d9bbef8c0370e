#include "heliograd/feed/price_file.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "heliograd/base/text.h"
#include "heliograd/feed/csv_table.h"
#include "heliograd/feed/entsoe_price.h"
#include "heliograd/feed/price_column.h"
#include "heliograd/feed/series_rows.h"

namespace heliograd {
namespace {

using Steps = std::vector<Step<EnergyPrice>>;

/// The price column of the two plain layouts.
std::optional<PriceColumn> FindPriceColumn(const std::vector<std::string_view>& header) {
  if (const auto index = FindColumn(header, {"price_eur_per_mwh", "price_eur_mwh"})) {
    return MakePriceColumn(std::string(header[*index]), *index, PriceUnit::kEurosPerMegawattHour);
  }
  if (const auto index = FindColumn(header, {"price_eur_per_kwh", "price_eur_kwh"})) {
    return MakePriceColumn(std::string(header[*index]), *index, PriceUnit::kEurosPerKilowattHour);
  }
  return std::nullopt;
}

/// " 'strat' may be meant as 'start'." for the first column that is nearly a known one.
std::string NearestColumn(const std::vector<std::string_view>& header) {
  const std::vector<std::string> known = {
      "start",      "price_eur_per_kwh", "price_eur_per_mwh", "date",
      "hour_local", "price_eur_mwh",     "MTU (CET/CEST)",    "Day-ahead Price (EUR/MWh)"};
  for (const std::string_view column : header) {
    const auto nearest = NearestName(column, known);
    if (nearest && ToLower(*nearest) != ToLower(column)) {
      return fmt::format(" {} may be meant as '{}'.", Quoted(column), *nearest);
    }
  }
  return "";
}

void AddUnknownHeader(CsvReader& csv, ProblemList& problems) {
  problems.AddForLine(csv.line_number(),
                      fmt::format("header is {}: expected start with price_eur_per_kwh or price_eur_per_mwh; or "
                                  "date,hour_local,price_eur_mwh; or MTU (CET/CEST) with Day-ahead Price (EUR/MWh).{}",
                                  Quoted(csv.line()), NearestColumn(csv.fields())));
}

struct DateHourColumns {
  size_t date = 0;
  NumberColumn hour;
};

/// The beginning of the hour of the row, on the local clock; nothing after a problem.
std::optional<CivilTime> ReadDateHour(CsvReader& csv, const DateHourColumns& columns, ProblemList& problems) {
  const std::string_view text = csv.Field(columns.date);
  const auto hour = ReadWholeNumber(csv, columns.hour, problems);
  auto civil = ParseCivil(text);
  if (!civil || *civil != CivilTime{.year = civil->year, .month = civil->month, .day = civil->day}) {
    problems.AddForValue(csv.line_number(), "date", text, "a date such as 2025-01-31");
    return std::nullopt;
  }
  if (!hour) return std::nullopt;
  civil->hour = *hour;
  return *civil;
}

Steps ReadDateHourRows(CsvReader& csv, const DateHourColumns& columns, const PriceColumn& price_column,
                       const TimeZone& zone, ProblemList& problems) {
  const size_t count = csv.fields().size();
  RowClock clock(zone, "date and hour");
  Steps steps;
  while (csv.NextFilled()) {
    if (!IsWholeRow(csv, count, problems)) continue;
    const bool has_price = !IsGap(csv.Field(price_column.number.index));
    const auto price = has_price ? ReadPrice(csv, price_column, problems) : std::nullopt;
    const auto civil = ReadDateHour(csv, columns, problems);
    if (!civil) continue;
    const auto start = clock.Take(csv.line_number(), *civil, FormatCivil(*civil), has_price, problems);
    if (start && price) steps.push_back({*start, *start + std::chrono::hours(1), *price});
  }
  return steps;
}

Steps ReadStartRows(CsvReader& csv, size_t start_column, const PriceColumn& price_column, const TimeZone& zone,
                    ProblemList& problems) {
  const size_t count = csv.fields().size();
  RowClock clock(zone, "start");
  std::vector<SeriesRow<EnergyPrice>> rows;
  while (csv.NextFilled()) {
    if (!IsWholeRow(csv, count, problems)) continue;
    const bool has_price = !IsGap(csv.Field(price_column.number.index));
    const auto price = has_price ? ReadPrice(csv, price_column, problems) : std::nullopt;
    const auto start = clock.Read(csv.line_number(), csv.Field(start_column), has_price, problems);
    if (start) rows.push_back({csv.line_number(), *start, price});
  }
  return problems.empty() ? StepsOf(rows, problems) : Steps();
}

/// The steps of the table whose header is under the reader, in whichever layout it is.
Steps ReadRows(CsvReader& csv, const TimeZone& zone, ProblemList& problems) {
  const std::vector<std::string_view>& header = csv.fields();
  if (IsEntsoeHeader(header)) return ReadEntsoePrices(csv, zone, problems);
  const auto price = FindPriceColumn(header);
  const auto date = FindColumn(header, {"date"});
  const auto hour = FindColumn(header, {"hour_local"});
  const auto start = FindColumn(header, {"start"});
  if (price && start) return ReadStartRows(csv, *start, *price, zone, problems);
  if (price && date && hour) {
    return ReadDateHourRows(csv, {*date, {"hour_local", 0, 23, "", *hour}}, *price, zone, problems);
  }
  AddUnknownHeader(csv, problems);
  return {};
}

}  // namespace

Result<StepSeries<EnergyPrice>> ParsePriceSeries(std::string_view content, const std::string& name,
                                                 const TimeZone& zone) {
  CsvReader csv(content, SeparatorOf(content));
  ProblemList problems(name);
  if (!csv.NextFilled()) {
    problems.AddForFile(csv.too_long() ? "a first line longer than 64 KiB: expected a table."
                                       : "empty: expected a table of prices with a header.");
    return problems.Failure();
  }
  StepSeries<EnergyPrice> series{name, ReadRows(csv, zone, problems)};
  if (csv.too_long()) problems.AddForLine(csv.line_number(), "longer than 64 KiB: expected one row per line.");
  if (problems.empty() && series.steps.empty())
    problems.AddForFile("no price in it: expected at least one row with a price.");
  if (!problems.empty()) return problems.Failure();
  return series;
}

}  // namespace heliograd
