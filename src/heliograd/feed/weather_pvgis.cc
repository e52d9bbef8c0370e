#include <fmt/format.h>

#include <cmath>

#include "heliograd/base/text.h"
#include "heliograd/feed/weather_formats.h"
#include "heliograd/feed/weather_rows.h"

namespace heliograd {
namespace {

/// A line that is there with a bad number counts as there: the number is a problem of its own.
struct Header {
  std::optional<double> latitude_deg;
  std::optional<double> longitude_deg;
  std::optional<double> elevation_m;
  double irradiance_offset_h = 0;
  bool has_table = false;
};

/// Takes one "key: value" line of the header; lines of the month,year table have no use here.
void ReadHeaderLine(const CsvReader& reader, Header& header, ProblemList& problems) {
  const std::string_view line = reader.line();
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view value = Trim(line.substr(colon + 1));
  const size_t number = reader.line_number();
  if (StartsWithIgnoringCase(line, "latitude")) {
    header.latitude_deg = NumberFromText(value, number, LatitudeColumn("Latitude", 0), problems).value_or(0);
  } else if (StartsWithIgnoringCase(line, "longitude")) {
    header.longitude_deg = NumberFromText(value, number, LongitudeColumn("Longitude", 0), problems).value_or(0);
  } else if (StartsWithIgnoringCase(line, "elevation")) {
    header.elevation_m = NumberFromText(value, number, ElevationColumn("Elevation", 0), problems).value_or(0);
  } else if (StartsWithIgnoringCase(line, "irradiance time offset")) {
    const NumberColumn offset{.name = "Irradiance Time Offset", .low = -1, .high = 1, .unit = "h", .index = 0};
    header.irradiance_offset_h = NumberFromText(value, number, offset, problems).value_or(0);
  }
}

/// Reads up to and including the row of column names.
Header ReadHeader(CsvReader& reader, ProblemList& problems) {
  Header header;
  while (!header.has_table && reader.NextFilled()) {
    header.has_table = StartsWithIgnoringCase(Trim(reader.line()), "time(utc)");
    if (!header.has_table) ReadHeaderLine(reader, header, problems);
  }
  if (!header.has_table) {
    problems.AddForFile(
        "no row of column names that begins with time(UTC): expected a typical year (TMY) of PVGIS as CSV.");
  }
  return header;
}

void SetSite(const Header& header, const WeatherOverrides& overrides, WeatherYear& year, ProblemList& problems) {
  const auto need = [&problems](const char* key, const std::optional<double>& in_file,
                                const std::optional<double>& override_value) {
    if (!in_file && !override_value) {
      problems.AddForFile(fmt::format("no line '{}: ...' above the table: expected the site of the weather.", key));
    }
    return in_file.value_or(0);
  };
  year.latitude_deg = need("Latitude (decimal degrees)", header.latitude_deg, overrides.latitude_deg);
  year.longitude_deg = need("Longitude (decimal degrees)", header.longitude_deg, overrides.longitude_deg);
  year.elevation_m = need("Elevation (m)", header.elevation_m, overrides.elevation_m);
  ApplySite(overrides, year);
}

struct Columns {
  NumberColumn ambient, ghi, dni, dhi, wind;
  std::optional<NumberColumn> pressure;
};

std::optional<Columns> FindColumns(CsvReader& reader, ProblemList& problems) {
  const auto find = [&](std::string_view shown, std::string_view name) {
    const auto index = FindColumn(reader.fields(), {name});
    if (!index) {
      problems.AddForLine(reader.line_number(),
                          fmt::format("no column {}: expected the columns of a PVGIS typical year.", shown));
    }
    return index;
  };
  const auto ambient = find("T2m", "t2m"), ghi = find("G(h)", "g(h)"), dni = find("Gb(n)", "gb(n)"),
             dhi = find("Gd(h)", "gd(h)"), wind = find("WS10m", "ws10m");
  if (!ambient || !ghi || !dni || !dhi || !wind) return std::nullopt;
  Columns columns{TemperatureColumn("T2m", *ambient), IrradianceColumn("G(h)", *ghi), IrradianceColumn("Gb(n)", *dni),
                  IrradianceColumn("Gd(h)", *dhi),    WindColumn("WS10m", *wind),     std::nullopt};
  if (const auto pressure = FindColumn(reader.fields(), {"sp"}))
    columns.pressure = PascalPressureColumn("SP", *pressure);
  return columns;
}

struct RowTime {
  int year, month, day, hour;
};

/// "20180101:0000", on the hour.
std::optional<RowTime> ParseRowTime(std::string_view text) {
  if (text.size() != 13 || text[8] != ':' || text.find_first_not_of("0123456789:") != std::string_view::npos) return {};
  const auto number = [text](size_t at, size_t digits) {
    return static_cast<int>(ParseInteger(text.substr(at, digits)).value_or(-1));
  };
  const RowTime time{number(0, 4), number(4, 2), number(6, 2), number(9, 2)};
  if (number(11, 2) != 0 || time.hour > 23 || time.year < 1900 || time.month < 1) return {};
  return time;
}

void ReadRow(CsvReader& reader, const Columns& columns, YearCollector& collector, ProblemList& problems) {
  const auto time = ParseRowTime(reader.Field(0));
  if (!time) {
    problems.AddForValue(reader.line_number(), "time(UTC)", reader.Field(0),
                         "YYYYMMDD:HH00, for example 20180101:0000");
    return collector.SkipRow();
  }
  WeatherHour* row = collector.Claim(reader.line_number(), time->year, time->month, time->day, time->hour);
  if (row == nullptr) return;
  row->ambient_c = ReadNumber(reader, columns.ambient, problems).value_or(0);
  row->ghi_w_m2 = ReadIrradiance(reader, columns.ghi, problems);
  row->dni_w_m2 = ReadIrradiance(reader, columns.dni, problems);
  row->dhi_w_m2 = ReadIrradiance(reader, columns.dhi, problems);
  row->wind_m_s = ReadNumber(reader, columns.wind, problems).value_or(0);
  if (columns.pressure) row->pressure_hpa = ReadNumber(reader, *columns.pressure, problems).value_or(0) / 100;
}

/// Rows end at the first blank line; behind it the file explains its columns.
std::vector<WeatherHour> ReadRows(CsvReader& reader, const Columns& columns, ProblemList& problems) {
  YearCollector collector(problems);
  while (reader.Next() && !Trim(reader.line()).empty()) ReadRow(reader, columns, collector, problems);
  CheckLineLength(reader, problems);
  return collector.Finish();
}

}  // namespace

Result<WeatherFile> ParsePvgis(std::string_view content, const std::string& name, const WeatherOverrides& overrides) {
  ProblemList problems(name);
  CsvReader reader(content);
  WeatherFile file;
  WeatherYear& year = file.weather;
  year.source = name + " (PVGIS typical year)";
  const Header header = ReadHeader(reader, problems);
  if (!header.has_table) {
    CheckLineLength(reader, problems);
    return problems.Failure();
  }
  SetSite(header, overrides, year, problems);
  const auto columns = FindColumns(reader, problems);
  if (!columns) return problems.Failure();
  year.hours = ReadRows(reader, *columns, problems);
  if (!problems.empty()) return problems.Failure();
  year.stamp = IrradianceStamp::kInstant;
  year.instant_offset_h = header.irradiance_offset_h;
  MoveToLocalTime(0, overrides.utc_offset_hours.value_or(std::round(year.longitude_deg / 15)), year, problems);
  return file;
}

}  // namespace heliograd
