#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "heliograd/base/text.h"
#include "heliograd/base/time.h"
#include "heliograd/feed/weather_formats.h"
#include "heliograd/feed/weather_rows.h"
#include "heliograd/feed/weather_zone.h"

namespace heliograd {
namespace {

/// The lines above the table, by their first field in lower case, without the colon of version 5.
class Header {
 public:
  struct Entry {
    std::string value;
    size_t line = 0;
  };

  /// Reads up to and including the row of column names. False where there is none.
  bool Read(CsvReader& reader) {
    while (reader.NextFilled()) {
      if (ToLower(reader.Field(0)) == "month" && reader.fields().size() > 3) return true;
      std::string_view key = reader.Field(0);
      if (!key.empty() && key.back() == ':') key.remove_suffix(1);
      if (key.empty()) {
        monthly_losses_.push_back({std::string(reader.Field(2)), reader.line_number()});
      } else {
        entries_.emplace(ToLower(Trim(key)), Entry{std::string(reader.Field(1)), reader.line_number()});
      }
    }
    return false;
  }

  /// The entry under the first key that is there.
  const Entry* Find(std::initializer_list<std::string_view> keys) const {
    for (const std::string_view key : keys) {
      const auto found = entries_.find(key);
      if (found != entries_.end()) return &found->second;
    }
    return nullptr;
  }

  const std::vector<Entry>& monthly_losses() const { return monthly_losses_; }

 private:
  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<Entry> monthly_losses_;
};

/// Reads the header's entries and collects what is wrong with them.
class HeaderReader {
 public:
  HeaderReader(const Header& header, ProblemList& problems) : header_(header), problems_(problems) {}

  const Header::Entry* Need(std::string_view shown, std::initializer_list<std::string_view> keys) {
    const Header::Entry* entry = header_.Find(keys);
    if (entry == nullptr) {
      problems_.AddForFile(fmt::format("no line '{}' above the table: expected the header of a PVWatts file.", shown));
    }
    return entry;
  }

  double Number(const NumberColumn& column, std::initializer_list<std::string_view> keys) {
    const Header::Entry* entry = Need(column.name, keys);
    if (entry == nullptr) return 0;
    return NumberFromText(entry->value, entry->line, column, problems_).value_or(0);
  }

  void ReadSite(const WeatherOverrides& overrides, WeatherYear& year) {
    year.latitude_deg = SignedDegrees(LatitudeColumn("Latitude", 0), {"latitude (dd)", "lat (deg n)"}, "lat (deg s)",
                                      overrides.latitude_deg);
    year.longitude_deg = SignedDegrees(LongitudeColumn("Longitude", 0), {"longitude (dd)", "long (deg e)"},
                                       "long (deg w)", overrides.longitude_deg);
    year.elevation_m = overrides.elevation_m ? *overrides.elevation_m
                                             : Number(ElevationColumn("Elev (m)", 0), {"elevation (m)", "elev (m)"});
  }

  PvwattsRecord ReadSystem() {
    PvwattsRecord record;
    record.version = header_.Find({"latitude (dd)", "bifacial", "ground coverage ratio"}) != nullptr ? 8 : 5;
    record.dc_capacity_w = 1000 * Number({"DC System Size (kW)", 0.001, 1e7, "kW"}, {"dc system size (kw)"});
    record.tilt_deg = Number({"Array Tilt (deg)", 0, 90, "degrees"}, {"array tilt (deg)"});
    record.azimuth_deg = Number({"Array Azimuth (deg)", 0, 360, "degrees"}, {"array azimuth (deg)"});
    record.losses_percent = Number({"System Losses (%)", -5, 99, "%"}, {"system losses (%)", "system losses"});
    record.inverter_efficiency =
        Number({"Inverter Efficiency (%)", 50, 100, "%"},
               {"inverter efficiency (%)", "invert efficiency (%)", "invert efficiency", "inverter efficiency"}) /
        100;
    record.dc_ac_ratio = Number({"DC to AC Size Ratio", 0.1, 10, ""}, {"dc to ac size ratio"});
    ReadModule(record);
    ReadArray(record);
    RefuseWhatTheModelLacks();
    return record;
  }

 private:
  /// A coordinate that some headers write as positive towards south or west.
  double SignedDegrees(const NumberColumn& column, std::initializer_list<std::string_view> keys,
                       std::string_view opposite_key, const std::optional<double>& override_value) {
    if (override_value) return *override_value;
    if (header_.Find({opposite_key}) != nullptr) return -Number(column, {opposite_key});
    return Number(column, keys);
  }

  void ReadModule(PvwattsRecord& record) {
    static constexpr std::array<const char*, 3> kTypes = {"Standard", "Premium", "Thin film"};
    const Header::Entry* entry = Need("Module Type", {"module type"});
    if (entry == nullptr) return;
    for (const char* type : kTypes) {
      if (ToLower(entry->value) == ToLower(type)) record.module_type = type;
    }
    if (record.module_type.empty()) {
      problems_.AddForValue(entry->line, "Module Type", entry->value, fmt::format("{}", fmt::join(kTypes, ", ")));
    }
  }

  void ReadArray(PvwattsRecord& record) {
    const Header::Entry* entry = Need("Array Type", {"array type"});
    if (entry == nullptr) return;
    const std::string type = ToLower(entry->value);
    record.roof_mounted = type == "fixed (roof mount)";
    if (!record.roof_mounted && type != "fixed (open rack)") {
      problems_.AddForValue(entry->line, "Array Type", entry->value,
                            "Fixed (open rack) or Fixed (roof mount); arrays that follow the sun are not modelled");
    }
  }

  /// Choices of the calculator without which its results cannot be repeated.
  void RefuseWhatTheModelLacks() {
    const Header::Entry* bifacial = header_.Find({"bifacial"});
    if (bifacial != nullptr && StartsWithIgnoringCase(bifacial->value, "yes")) {
      problems_.AddForValue(bifacial->line, "Bifacial", bifacial->value, "No; bifacial modules are not modelled");
    }
    for (const Header::Entry& loss : header_.monthly_losses()) {
      if (loss.value.empty() || ParseNumber(loss.value) == 0.0) continue;
      problems_.AddForValue(loss.line, "Monthly Irradiance Loss (%)", loss.value,
                            "0; losses by month are not modelled");
    }
  }

  const Header& header_;
  ProblemList& problems_;
};

struct Columns {
  NumberColumn month, day, hour, dni, dhi, ambient, wind, plane, ac;
  std::optional<NumberColumn> albedo;
};

std::optional<Columns> FindColumns(CsvReader& reader, ProblemList& problems) {
  bool complete = true;
  const auto must = [&](NumberColumn column, std::initializer_list<std::string_view> names) {
    const auto index = FindColumn(reader.fields(), names);
    if (!index) {
      complete = false;
      problems.AddForLine(reader.line_number(),
                          fmt::format("no column {}: expected the columns of a PVWatts file.", column.name));
    }
    column.index = index.value_or(0);
    return column;
  };
  Columns c;
  c.month = must(MonthColumn("Month", 0), {"month"});
  c.day = must(DayColumn("Day", 0), {"day"});
  c.hour = must(HourColumn("Hour", 0), {"hour"});
  c.dni = must(IrradianceColumn("Beam Irradiance", 0), {"beam irradiance"});
  c.dhi = must(IrradianceColumn("Diffuse Irradiance", 0), {"diffuse irradiance"});
  c.ambient = must(TemperatureColumn("Ambient Temperature", 0), {"ambient temperature"});
  c.wind = must(WindColumn("Wind Speed", 0), {"wind speed"});
  c.plane = must(IrradianceColumn("Plane of Array Irradiance", 0), {"plane of array irradiance"});
  c.ac = must({"AC System Output", -1e6, 1e10, "W", 0}, {"ac system output"});
  if (const auto albedo = FindColumn(reader.fields(), {"albedo"})) c.albedo = AlbedoColumn("Albedo", *albedo);
  return complete ? std::optional(c) : std::nullopt;
}

/// The table: weather, and by the hour of the year the plane's irradiance and the AC power.
struct Table {
  std::vector<WeatherHour> weather;
  std::vector<double> plane_w_m2 = std::vector<double>(kHoursPerYear, 0.0);
  std::vector<double> ac_w = std::vector<double>(kHoursPerYear, 0.0);
};

void ReadRow(CsvReader& reader, const Columns& columns, YearCollector& collector, Table& table, ProblemList& problems) {
  const auto month = ReadWholeNumber(reader, columns.month, problems),
             day = ReadWholeNumber(reader, columns.day, problems),
             hour = ReadWholeNumber(reader, columns.hour, problems);
  if (!month || !day || !hour) return collector.SkipRow();
  WeatherHour* row = collector.Claim(reader.line_number(), kAssumedSourceYear, *month, *day, *hour);
  if (row == nullptr) return;
  row->dni_w_m2 = ReadIrradiance(reader, columns.dni, problems);
  row->dhi_w_m2 = ReadIrradiance(reader, columns.dhi, problems);
  row->ambient_c = ReadNumber(reader, columns.ambient, problems).value_or(0);
  row->wind_m_s = ReadNumber(reader, columns.wind, problems).value_or(0);
  if (columns.albedo && !reader.Field(columns.albedo->index).empty()) {
    row->albedo = ReadNumber(reader, *columns.albedo, problems);
  }
  const auto index = static_cast<size_t>(DayOfTypicalYear(*month, *day) * 24 + *hour);
  table.plane_w_m2[index] = ReadIrradiance(reader, columns.plane, problems);
  table.ac_w[index] = ReadNumber(reader, columns.ac, problems).value_or(0);
}

/// Rows end at the row of totals, where there is one.
Table ReadTable(CsvReader& reader, const Columns& columns, ProblemList& problems) {
  Table table;
  YearCollector collector(problems);
  while (reader.NextFilled() && ToLower(reader.Field(0)) != "totals") {
    ReadRow(reader, columns, collector, table, problems);
  }
  CheckLineLength(reader, problems);
  table.weather = collector.Finish();
  return table;
}

std::vector<PlaneHour> PlaneHours(const Table& table) {
  std::vector<PlaneHour> hours;
  hours.reserve(table.weather.size());
  for (size_t i = 0; i < table.weather.size(); ++i) {
    const WeatherHour& row = table.weather[i];
    hours.push_back({.day_of_year = static_cast<int>(i / 24),
                     .hour = static_cast<int>(i % 24),
                     .beam = row.dni_w_m2,
                     .diffuse = row.dhi_w_m2,
                     .plane = table.plane_w_m2[i]});
  }
  return hours;
}

void SetClock(const Table& table, const PvwattsRecord& record, const WeatherOverrides& overrides, WeatherYear& year,
              ProblemList& problems) {
  const std::vector<PlaneHour> hours = PlaneHours(table);
  const Plane plane{.latitude_deg = year.latitude_deg,
                    .longitude_deg = year.longitude_deg,
                    .tilt_deg = record.tilt_deg,
                    .azimuth_deg = record.azimuth_deg};
  const Result<double> offset_h =
      overrides.utc_offset_hours ? Result<double>(*overrides.utc_offset_hours) : FindUtcOffset(hours, plane);
  if (!offset_h) return problems.AddForFile(offset_h.error().Message());
  SetUtcOffset(*offset_h, year);
  const bool means = record.version == 5 || HasLightAroundSunset(hours, plane, *offset_h);
  year.stamp = means ? IrradianceStamp::kHourMean : IrradianceStamp::kInstant;
  year.instant_offset_h = means ? 0 : 0.5;
}

}  // namespace

Result<WeatherFile> ParsePvwatts(std::string_view content, const std::string& name, const WeatherOverrides& overrides) {
  ProblemList problems(name);
  CsvReader reader(content);
  Header header;
  if (!header.Read(reader)) {
    CheckLineLength(reader, problems);
    problems.AddForFile(
        "no row of column names Month,Day,Hour,...: expected hourly results of the PVWatts calculator.");
    return problems.Failure();
  }
  WeatherFile file;
  WeatherYear& year = file.weather;
  HeaderReader entries(header, problems);
  entries.ReadSite(overrides, year);
  PvwattsRecord record = entries.ReadSystem();
  year.source = fmt::format("{} (PVWatts {})", name, record.version);
  const auto columns = FindColumns(reader, problems);
  if (!columns) return problems.Failure();
  Table table = ReadTable(reader, *columns, problems);
  if (!problems.empty()) return problems.Failure();
  SetClock(table, record, overrides, year, problems);
  if (!problems.empty()) return problems.Failure();
  year.hours = std::move(table.weather);
  record.ac_w = std::move(table.ac_w);
  file.pvwatts = std::move(record);
  return file;
}

}  // namespace heliograd
