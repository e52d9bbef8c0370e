#include <fmt/format.h>

#include <cstdlib>

#include "heliograd/base/text.h"
#include "heliograd/feed/weather_formats.h"
#include "heliograd/feed/weather_rows.h"

namespace heliograd {
namespace {

/// What the two header lines (names, values) say.
struct Site {
  std::optional<double> time_zone_h;        // the clock of the rows
  std::optional<double> local_time_zone_h;  // the clock of the place
  std::optional<int> year;
  bool has_units_row = false;
};

/// Two header lines: the names, kept as text because the reader moves on, and the values under them.
class SiteHeader {
 public:
  SiteHeader(CsvReader& reader, ProblemList& problems) : reader_(reader), problems_(problems) {
    reader.NextFilled();
    name_storage_.assign(reader.fields().begin(), reader.fields().end());
    names_.assign(name_storage_.begin(), name_storage_.end());
    has_values_ = reader.NextFilled();
    if (!has_values_) problems.AddForFile("no line of values under the header line: expected the site of the weather.");
  }

  bool Has(std::initializer_list<std::string_view> names) const { return FindColumn(names_, names).has_value(); }

  /// The value under the first of the names, where the header has one.
  std::optional<double> Number(NumberColumn column, std::initializer_list<std::string_view> names) {
    const auto index = FindColumn(names_, names);
    if (!index || !has_values_) return std::nullopt;
    column.index = *index;
    return ReadNumber(reader_, column, problems_);
  }

  /// The same for what must be there unless the user gives it.
  double NeededNumber(const NumberColumn& column, std::initializer_list<std::string_view> names,
                      const std::optional<double>& override_value) {
    if (override_value) return *override_value;
    if (!Has(names)) {
      problems_.AddForLine(
          reader_.line_number(),
          fmt::format("the header does not name {}: expected it among the first line's fields.", column.name));
    }
    return Number(column, names).value_or(0);
  }

  std::string_view Text(std::initializer_list<std::string_view> names) {
    const auto index = FindColumn(names_, names);
    return index && has_values_ ? reader_.Field(*index) : std::string_view();
  }

 private:
  CsvReader& reader_;
  ProblemList& problems_;
  std::vector<std::string> name_storage_;
  std::vector<std::string_view> names_;
  bool has_values_ = false;
};

Site ReadSite(CsvReader& reader, const WeatherOverrides& overrides, WeatherYear& year, ProblemList& problems) {
  SiteHeader header(reader, problems);
  year.latitude_deg = header.NeededNumber(LatitudeColumn("Latitude", 0), {"latitude", "lat"}, overrides.latitude_deg);
  year.longitude_deg = header.NeededNumber(LongitudeColumn("Longitude", 0), {"longitude", "lon", "long", "lng"},
                                           overrides.longitude_deg);
  year.elevation_m = header.NeededNumber(ElevationColumn("Elevation", 0), {"elevation", "elev", "el", "site elevation"},
                                         overrides.elevation_m);
  Site site;
  site.local_time_zone_h = header.Number(UtcOffsetColumn("Local Time Zone", 0), {"local time zone"});
  site.time_zone_h = header.Number(UtcOffsetColumn("Time Zone", 0), {"time zone", "timezone", "tz"});
  if (!header.Has({"time zone", "timezone", "tz"}) && !overrides.utc_offset_hours) {
    problems.AddForLine(reader.line_number(),
                        "the header does not name Time Zone: expected it, or give the UTC offset.");
  }
  if (const auto first_year = header.Number(YearColumn("Year", 0), {"year"})) {
    site.year = static_cast<int>(*first_year);
  }
  const std::string units = ToLower(header.Text({"units", "hasunits"}));
  site.has_units_row = units == "yes" || units == "1";
  return site;
}

struct Columns {
  std::optional<NumberColumn> year, minute, ghi, pressure, albedo;
  NumberColumn month, day, hour, dni, dhi, ambient, wind;
};

/// NSRDB's names of the columns and those that SAM takes for the same.
std::optional<Columns> FindColumns(CsvReader& reader, ProblemList& problems) {
  const auto& header = reader.fields();
  const auto may = [&](NumberColumn column, std::initializer_list<std::string_view> names) {
    const auto index = FindColumn(header, names);
    column.index = index.value_or(0);
    return index ? std::optional(column) : std::nullopt;
  };
  bool complete = true;
  const auto must = [&](const NumberColumn& column, std::initializer_list<std::string_view> names) {
    const auto found = may(column, names);
    if (!found) {
      complete = false;
      problems.AddForLine(reader.line_number(), fmt::format("no column {}: expected one of these names: {}.",
                                                            column.name, fmt::join(names, ", ")));
    }
    return found.value_or(column);
  };
  Columns c;
  c.year = may(YearColumn("Year", 0), {"year", "yr"});
  c.month = must(MonthColumn("Month", 0), {"month", "mo"});
  c.day = must(DayColumn("Day", 0), {"day"});
  c.hour = must(HourColumn("Hour", 0), {"hour", "hr"});
  c.minute = may({.name = "Minute", .low = 0, .high = 59, .unit = "", .index = 0}, {"minute", "min"});
  c.ghi = may(IrradianceColumn("GHI", 0), {"ghi", "gh", "global", "global horizontal", "global horizontal irradiance"});
  c.dni = must(IrradianceColumn("DNI", 0), {"dni", "dn", "beam", "direct normal", "direct normal irradiance"});
  c.dhi =
      must(IrradianceColumn("DHI", 0), {"dhi", "df", "diffuse", "diffuse horizontal", "diffuse horizontal irradiance"});
  c.ambient = must(TemperatureColumn("Temperature", 0), {"temperature", "tdry", "dry bulb", "dry bulb temp",
                                                         "dry bulb temperature", "ambient", "ambient temp"});
  c.wind = must(WindColumn("Wind Speed", 0), {"wind speed", "wspd", "windspeed"});
  c.pressure = may(PressureColumn("Pressure", 0), {"pressure", "pres", "surface pressure"});
  c.albedo = may(AlbedoColumn("Surface Albedo", 0), {"surface albedo", "albedo", "alb"});
  return complete ? std::optional(c) : std::nullopt;
}

/// Reads rows in any order and finds the step and the minute that all rows must share.
class RowReader {
 public:
  RowReader(CsvReader& reader, const Columns& columns, int assumed_year, ProblemList& problems)
      : reader_(reader), columns_(columns), assumed_year_(assumed_year), problems_(problems), collector_(problems) {}

  std::vector<WeatherHour> Read() {
    while (reader_.NextFilled() && !finer_than_hourly_) ReadRow();
    CheckLineLength(reader_, problems_);
    return finer_than_hourly_ ? std::vector<WeatherHour>() : collector_.Finish();
  }

  int minute() const { return minute_.value_or(0); }

 private:
  struct RowTime {
    int month, day, hour;
    friend bool operator==(const RowTime&, const RowTime&) = default;
  };

  void ReadRow() {
    const auto year =
        columns_.year ? ReadWholeNumber(reader_, *columns_.year, problems_) : std::optional(assumed_year_);
    const auto month = ReadWholeNumber(reader_, columns_.month, problems_),
               day = ReadWholeNumber(reader_, columns_.day, problems_),
               hour = ReadWholeNumber(reader_, columns_.hour, problems_),
               minute = columns_.minute ? ReadWholeNumber(reader_, *columns_.minute, problems_) : std::optional(0);
    if (!year || !month || !day || !hour || !minute) return collector_.SkipRow();
    const RowTime time{*month, *day, *hour};
    if (!CheckMinute(time, *minute)) return;
    WeatherHour* row = collector_.Claim(reader_.line_number(), *year, time.month, time.day, time.hour);
    if (row != nullptr) ReadValues(*row);
  }

  bool CheckMinute(const RowTime& time, int minute) {
    if (minute == minute_.value_or(minute)) {
      minute_ = minute;
      last_ = time;
      return true;
    }
    if (last_ == time) {
      finer_than_hourly_ = true;
      problems_.AddForLine(reader_.line_number(),
                           fmt::format("rows every {} minutes: expected one row per hour; download the data with an "
                                       "interval of 60 minutes.",
                                       std::abs(minute - *minute_)));
    } else {
      problems_.AddForValue(reader_.line_number(), "Minute", reader_.Field(columns_.minute->index),
                            fmt::format("{}, as in the first row", *minute_));
      collector_.SkipRow();
    }
    return false;
  }

  void ReadValues(WeatherHour& row) {
    if (columns_.ghi) row.ghi_w_m2 = ReadIrradiance(reader_, *columns_.ghi, problems_);
    row.dni_w_m2 = ReadIrradiance(reader_, columns_.dni, problems_);
    row.dhi_w_m2 = ReadIrradiance(reader_, columns_.dhi, problems_);
    row.ambient_c = ReadNumber(reader_, columns_.ambient, problems_).value_or(0);
    row.wind_m_s = ReadNumber(reader_, columns_.wind, problems_).value_or(0);
    if (columns_.pressure && !IsAbsent(*columns_.pressure)) {
      row.pressure_hpa = ReadNumber(reader_, *columns_.pressure, problems_).value_or(0);
    }
    if (columns_.albedo && !IsAbsent(*columns_.albedo)) {
      row.albedo = ReadNumber(reader_, *columns_.albedo, problems_);
    }
  }

  /// SAM writes -999 or nothing where an optional value is not known.
  bool IsAbsent(const NumberColumn& column) {
    const std::string_view field = reader_.Field(column.index);
    return field.empty() || ParseNumber(field) == -999.0;
  }

  CsvReader& reader_;
  const Columns& columns_;
  int assumed_year_;
  ProblemList& problems_;
  YearCollector collector_;
  std::optional<int> minute_;
  RowTime last_{};
  bool finer_than_hourly_ = false;
};

void SetClock(const Site& site, const WeatherOverrides& overrides, WeatherYear& year, ProblemList& problems) {
  const double rows_h = site.time_zone_h.value_or(overrides.utc_offset_hours.value_or(0));
  const double local_h = site.local_time_zone_h.value_or(rows_h);
  if (local_h != rows_h) return MoveToLocalTime(rows_h, overrides.utc_offset_hours.value_or(local_h), year, problems);
  SetUtcOffset(overrides.utc_offset_hours.value_or(rows_h), year);
}

}  // namespace

Result<WeatherFile> ParseNsrdb(std::string_view content, const std::string& name, const WeatherOverrides& overrides) {
  ProblemList problems(name);
  CsvReader reader(content);
  WeatherFile file;
  WeatherYear& year = file.weather;
  const Site site = ReadSite(reader, overrides, year, problems);
  if (!reader.NextFilled()) {
    CheckLineLength(reader, problems);
    problems.AddForFile("no row of column names under the header: expected Year,Month,Day,Hour,...");
    return problems.Failure();
  }
  const auto columns = FindColumns(reader, problems);
  if (!columns) return problems.Failure();
  if (site.has_units_row) reader.NextFilled();
  RowReader rows(reader, *columns, site.year.value_or(kAssumedSourceYear), problems);
  year.hours = rows.Read();
  if (!problems.empty()) return problems.Failure();
  year.source = name + (columns->year || site.year ? " (NSRDB or SAM CSV)"
                                                   : fmt::format(" (SAM CSV without years: {})", kAssumedSourceYear));
  year.stamp = columns->minute ? IrradianceStamp::kInstant : IrradianceStamp::kHourMean;
  year.instant_offset_h = rows.minute() / 60.0;
  SetClock(site, overrides, year, problems);
  if (!problems.empty()) return problems.Failure();
  return file;
}

}  // namespace heliograd
