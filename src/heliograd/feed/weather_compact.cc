#include <algorithm>

#include "heliograd/base/text.h"
#include "heliograd/feed/weather_formats.h"
#include "heliograd/feed/weather_rows.h"

namespace heliograd {
namespace {

/// The header's text, which states the site in words: "at lat 45.000 lon 8.000 elev 250 m".
struct Header {
  std::string words;
  size_t last_line = 0;
};

Header ReadHeader(CsvReader& reader) {
  Header header;
  while (reader.NextFilled() && reader.line().front() == '#') {
    header.words += reader.line();
    header.last_line = reader.line_number();
  }
  return header;
}

/// The number that follows `words` in the header.
double NumberAfter(const Header& header, std::string_view words, const NumberColumn& column, ProblemList& problems) {
  const size_t at = header.words.find(words);
  if (at == std::string::npos) {
    problems.AddForLine(header.last_line, "the lines above the table do not say '" + std::string(words) + "' (" +
                                              column.name + "): expected it with a number after it.");
    return 0;
  }
  const std::string_view rest = Trim(std::string_view(header.words).substr(at + words.size()));
  const std::string_view number = rest.substr(0, rest.find_first_not_of("+-.0123456789"));
  return NumberFromText(number, header.last_line, column, problems).value_or(0);
}

void CheckColumns(CsvReader& reader, ProblemList& problems) {
  constexpr std::string_view kExpected = "month,day,hour,src_year,ghi,dni,dhi,tamb,wind,pres_hpa";
  if (Trim(reader.line()) == kExpected) return;
  problems.AddForValue(reader.line_number(), "the row of column names", reader.line(), std::string(kExpected));
}

std::vector<WeatherHour> ReadRows(CsvReader& reader, ProblemList& problems) {
  const NumberColumn month = MonthColumn("month", 0), day = DayColumn("day", 1), hour = HourColumn("hour", 2),
                     year = YearColumn("src_year", 3), ghi = IrradianceColumn("ghi", 4),
                     dni = IrradianceColumn("dni", 5), dhi = IrradianceColumn("dhi", 6),
                     ambient = TemperatureColumn("tamb", 7), wind = WindColumn("wind", 8),
                     pressure = PressureColumn("pres_hpa", 9);
  YearCollector collector(problems);
  while (reader.NextFilled()) {
    const auto y = ReadWholeNumber(reader, year, problems), m = ReadWholeNumber(reader, month, problems),
               d = ReadWholeNumber(reader, day, problems), h = ReadWholeNumber(reader, hour, problems);
    if (!y || !m || !d || !h) {
      collector.SkipRow();
      continue;
    }
    WeatherHour* row = collector.Claim(reader.line_number(), *y, *m, *d, *h);
    if (row == nullptr) continue;
    row->ghi_w_m2 = ReadIrradiance(reader, ghi, problems);
    row->dni_w_m2 = ReadIrradiance(reader, dni, problems);
    row->dhi_w_m2 = ReadIrradiance(reader, dhi, problems);
    row->ambient_c = ReadNumber(reader, ambient, problems).value_or(0);
    row->wind_m_s = ReadNumber(reader, wind, problems).value_or(0);
    row->pressure_hpa = ReadNumber(reader, pressure, problems).value_or(0);
  }
  CheckLineLength(reader, problems);
  return collector.Finish();
}

}  // namespace

Result<WeatherFile> ParseCompact(std::string_view content, const std::string& name, const WeatherOverrides& overrides) {
  ProblemList problems(name);
  CsvReader reader(content);
  const Header header = ReadHeader(reader);
  WeatherFile file;
  WeatherYear& year = file.weather;
  year.source = name + " (compact typical year)";
  year.latitude_deg = NumberAfter(header, " lat ", LatitudeColumn("latitude", 0), problems);
  year.longitude_deg = NumberAfter(header, " lon ", LongitudeColumn("longitude", 0), problems);
  year.elevation_m = NumberAfter(header, " elev ", ElevationColumn("elevation", 0), problems);
  ApplySite(overrides, year);
  const double offset_h = NumberAfter(header, "local standard time UTC", UtcOffsetColumn("UTC offset", 0), problems);
  year.stamp = IrradianceStamp::kInstant;
  year.instant_offset_h =
      NumberAfter(header, "instantaneous at hour +",
                  {.name = "instant of irradiance", .low = 0, .high = 0.9999, .unit = "hours", .index = 0}, problems);
  CheckColumns(reader, problems);
  year.hours = ReadRows(reader, problems);
  MoveToLocalTime(offset_h, overrides.utc_offset_hours.value_or(offset_h), year, problems);
  if (!problems.empty()) return problems.Failure();
  return file;
}

}  // namespace heliograd
