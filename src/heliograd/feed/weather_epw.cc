#include <fmt/format.h>

#include "heliograd/base/text.h"
#include "heliograd/feed/weather_formats.h"
#include "heliograd/feed/weather_rows.h"

namespace heliograd {
namespace {

// Positions of the data dictionary's fields N1.. in a row, from 0.
constexpr size_t kYear = 0, kMonth = 1, kDay = 2, kHour = 3, kDryBulb = 6, kPressure = 9, kGhi = 13, kDni = 14,
                 kDhi = 15, kWind = 21, kAlbedo = 32;
constexpr size_t kFewestFields = kWind + 1;
constexpr size_t kLocationFields = 10;
constexpr int kHeaderLines = 8;

/// A column and the code (data dictionary, "Missing") that the format writes where no value was measured.
struct EpwColumn {
  NumberColumn limits;
  double missing_code;
  bool or_above = true;  // no value that occurs is above the code
};

bool IsMissing(CsvReader& reader, const EpwColumn& column) {
  const auto value = ParseNumber(reader.Field(column.limits.index));
  return value && (*value == column.missing_code || (column.or_above && *value > column.missing_code));
}

/// True when the field carries the code for "missing", which becomes a problem.
bool ReportMissing(CsvReader& reader, const EpwColumn& column, ProblemList& problems) {
  if (!IsMissing(reader, column)) return false;
  problems.AddForValue(reader.line_number(), column.limits.name, reader.Field(column.limits.index),
                       "a measured value, but this is the code for a missing one; fill the gap first");
  return true;
}

double ReadNeeded(CsvReader& reader, const EpwColumn& column, ProblemList& problems) {
  if (ReportMissing(reader, column, problems)) return 0;
  return ReadNumber(reader, column.limits, problems).value_or(0);
}

double ReadNeededIrradiance(CsvReader& reader, const EpwColumn& column, ProblemList& problems) {
  if (ReportMissing(reader, column, problems)) return 0;
  return ReadIrradiance(reader, column.limits, problems);
}

void ReadLocation(CsvReader& reader, const WeatherOverrides& overrides, WeatherYear& year, ProblemList& problems) {
  const size_t line = reader.line_number();
  if (reader.fields().size() < kLocationFields) {
    return problems.AddForLine(line, fmt::format("LOCATION has {} fields: expected {} (LOCATION, city, state, country, "
                                                 "source, station, latitude, longitude, time zone, elevation).",
                                                 reader.fields().size(), kLocationFields));
  }
  year.latitude_deg = ReadNumber(reader, LatitudeColumn("latitude", 6), problems).value_or(0);
  year.longitude_deg = ReadNumber(reader, LongitudeColumn("longitude", 7), problems).value_or(0);
  const double zone = ReadNumber(reader, UtcOffsetColumn("time zone", 8), problems).value_or(0);
  year.elevation_m = ReadNumber(reader, ElevationColumn("elevation", 9), problems).value_or(0);
  ApplySite(overrides, year);
  SetUtcOffset(overrides.utc_offset_hours.value_or(zone), year);
}

/// Skips to the last header line, DATA PERIODS, whose third field is the number of rows per hour.
bool ReadDataPeriods(CsvReader& reader, ProblemList& problems) {
  for (int line = 2; line <= kHeaderLines; ++line) {
    if (!reader.Next()) break;
    if (!StartsWithIgnoringCase(reader.Field(0), "data periods")) continue;
    const std::string_view rows_per_hour = reader.Field(2);
    if (rows_per_hour == "1") return true;
    problems.AddForValue(reader.line_number(), "number of rows per hour (DATA PERIODS)", rows_per_hour,
                         "1; convert the file to hourly data first");
    return false;
  }
  problems.AddForFile(
      fmt::format("no DATA PERIODS line among the first {} lines: expected the header of an EPW file.", kHeaderLines));
  return false;
}

struct Columns {
  NumberColumn year = YearColumn("year", kYear), month = MonthColumn("month", kMonth), day = DayColumn("day", kDay),
               hour{.name = "hour", .low = 1, .high = 24, .unit = "", .index = kHour};
  EpwColumn ambient{TemperatureColumn("dry bulb temperature", kDryBulb), 99.9, false},
      pressure{PascalPressureColumn("station pressure", kPressure), 999999},
      ghi{IrradianceColumn("global horizontal radiation", kGhi), 9999},
      dni{IrradianceColumn("direct normal radiation", kDni), 9999},
      dhi{IrradianceColumn("diffuse horizontal radiation", kDhi), 9999}, wind{WindColumn("wind speed", kWind), 999},
      albedo{AlbedoColumn("albedo", kAlbedo), 999};
};

void ReadValues(CsvReader& reader, const Columns& columns, WeatherHour& row, ProblemList& problems) {
  row.ambient_c = ReadNeeded(reader, columns.ambient, problems);
  row.wind_m_s = ReadNeeded(reader, columns.wind, problems);
  row.dni_w_m2 = ReadNeededIrradiance(reader, columns.dni, problems);
  row.dhi_w_m2 = ReadNeededIrradiance(reader, columns.dhi, problems);
  // What the model can do without stays unknown where it is missing.
  if (!IsMissing(reader, columns.ghi)) row.ghi_w_m2 = ReadIrradiance(reader, columns.ghi.limits, problems);
  if (!IsMissing(reader, columns.pressure)) {
    row.pressure_hpa = ReadNumber(reader, columns.pressure.limits, problems).value_or(0) / 100;
  }
  if (!reader.Field(kAlbedo).empty() && !IsMissing(reader, columns.albedo)) {
    row.albedo = ReadNumber(reader, columns.albedo.limits, problems);
  }
}

void ReadRow(CsvReader& reader, const Columns& columns, YearCollector& collector, ProblemList& problems) {
  if (reader.fields().size() < kFewestFields) {
    problems.AddForLine(reader.line_number(), fmt::format("{} fields: expected at least {}; the row may be cut short.",
                                                          reader.fields().size(), kFewestFields));
    return collector.SkipRow();
  }
  const auto year = ReadWholeNumber(reader, columns.year, problems),
             month = ReadWholeNumber(reader, columns.month, problems),
             day = ReadWholeNumber(reader, columns.day, problems),
             hour = ReadWholeNumber(reader, columns.hour, problems);
  if (!year || !month || !day || !hour) return collector.SkipRow();
  WeatherHour* row = collector.Claim(reader.line_number(), *year, *month, *day, *hour - 1);
  if (row != nullptr) ReadValues(reader, columns, *row, problems);
}

}  // namespace

Result<WeatherFile> ParseEpw(std::string_view content, const std::string& name, const WeatherOverrides& overrides) {
  ProblemList problems(name);
  CsvReader reader(content);
  WeatherFile file;
  WeatherYear& year = file.weather;
  year.source = name + " (EPW)";
  year.stamp = IrradianceStamp::kHourMean;
  if (!reader.NextFilled()) {
    problems.AddForFile("the file is empty: expected an EPW file.");
    return problems.Failure();
  }
  ReadLocation(reader, overrides, year, problems);
  if (!ReadDataPeriods(reader, problems)) return problems.Failure();
  const Columns columns;
  YearCollector collector(problems);
  while (reader.NextFilled()) ReadRow(reader, columns, collector, problems);
  CheckLineLength(reader, problems);
  year.hours = collector.Finish();
  if (!problems.empty()) return problems.Failure();
  return file;
}

}  // namespace heliograd
