// Weather files of every format, written from one year, and small tools for tests of the readers.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/feed/weather_file.h"

namespace heliograd {

/// The built-in year: 45.000 N, 8.000 E, 250 m, UTC+1, instants at hour + 0.1761 h.
inline const WeatherYear& Turin() {
  static const WeatherYear year = ReadWeather("builtin:turin", {}).value().weather;
  return year;
}

/// A typical year of PVGIS: rows in UTC, so that the first one is local hour 1 of 1 January.
inline std::string PvgisText(const WeatherYear& year, const std::string& line_end = "\n") {
  std::string text = fmt::format(
      "Latitude (decimal degrees): {:.3f}{e}Longitude (decimal degrees): {:.3f}{e}"
      "Elevation (m): {:.1f}{e}Irradiance Time Offset (h): 0.1761{e}month,year{e}1,2018{e}"
      "time(UTC),T2m,RH,G(h),Gb(n),Gd(h),IR(h),WS10m,WD10m,SP{e}",
      year.latitude_deg, year.longitude_deg, year.elevation_m, fmt::arg("e", line_end));
  for (size_t utc = 0; utc < year.hours.size(); ++utc) {
    const WeatherHour& date = year.hours[utc];
    const WeatherHour& row = year.hours[(utc + 1) % year.hours.size()];
    text += fmt::format("{}{:02}{:02}:{:02}00,{},90.0,{},{},{},300.0,{},180.0,{:.0f}{}", row.source_year, date.month,
                        date.day, date.hour, row.ambient_c, row.ghi_w_m2, row.dni_w_m2, row.dhi_w_m2, row.wind_m_s,
                        row.pressure_hpa * 100, line_end);
  }
  return text + line_end + "T2m: 2-m air temperature (degree Celsius)" + line_end;
}

/// EPW: hours 1 to 24 of local standard time, pressure in Pa.
inline std::string EpwText(const WeatherYear& year) {
  std::string text = fmt::format(
      "LOCATION,Turin,-,ITA,test,000000,{},{},1.0,{}\nDESIGN CONDITIONS,0\n"
      "TYPICAL/EXTREME PERIODS,0\nGROUND TEMPERATURES,0\n"
      "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0\nCOMMENTS 1,M\xE1laga\nCOMMENTS 2,none\n"
      "DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31\n",
      year.latitude_deg, year.longitude_deg, year.elevation_m);
  for (const WeatherHour& row : year.hours) {
    text += fmt::format(
        "{},{},{},{},60,?9?9,{},1.0,90,{:.0f},0,0,300,{},{},{},0,0,0,0,180,{},5,5,20.0,77777,9,"
        "999999999,10,0.1000,0,88,0.210,0.0,0.0\n",
        row.source_year, row.month, row.day, row.hour + 1, row.ambient_c, row.pressure_hpa * 100, row.ghi_w_m2,
        row.dni_w_m2, row.dhi_w_m2, row.wind_m_s);
  }
  return text;
}

/// NSRDB, its columns in an order of our own; a minute column where `minute` is given.
inline std::string NsrdbText(const WeatherYear& year, std::optional<int> minute) {
  std::string text = fmt::format(
      "Source,Location ID,City,State,Country,Latitude,Longitude,Time Zone,Elevation,"
      "Local Time Zone\nNSRDB,1,Turin,-,Italy,{},{},1,{},1\n"
      "Year,Month,Day,Hour,{}Temperature,DHI,DNI,GHI,Surface Albedo,Pressure,Wind Speed\n",
      year.latitude_deg, year.longitude_deg, year.elevation_m, minute ? "Minute," : "");
  const std::string minute_field = minute ? fmt::format("{},", *minute) : "";
  for (const WeatherHour& row : year.hours) {
    text += fmt::format("{},{},{},{},{}{},{},{},{},0.21,{},{}\n", row.source_year, row.month, row.day, row.hour,
                        minute_field, row.ambient_c, row.dhi_w_m2, row.dni_w_m2, row.ghi_w_m2, row.pressure_hpa,
                        row.wind_m_s);
  }
  return text;
}

/// PVWatts results of a horizontal array, whose plane irradiance is the global one. Version 5 plain, version 8 quoted
/// and with a byte order mark, as the calculator writes them. AC power is made up: 0.7 of the irradiance.
inline std::string PvwattsText(const WeatherYear& year, int version) {
  std::string text;
  if (version == 5) {
    text = fmt::format(
        "PVWatts: Hourly PV Performance Data,,,\nRequested Location:,Turin,,\n"
        "Location:,\"Lat, Lon: 45, 8\",,\nLat (deg N):,{},,\nLong (deg W):,{},,\nElev (m):,{},,\n"
        "DC System Size (kW):,1,,\nModule Type:,Standard,,\nArray Type:,Fixed (roof mount),,\n"
        "Array Tilt (deg):,0,,\nArray Azimuth (deg):,180,,\nSystem Losses:,14.08,,\n"
        "Invert Efficiency:,96,,\nDC to AC Size Ratio:,1.2,,\n,,,\n"
        "Month,Day,Hour,Beam Irradiance (W/m^2),Diffuse Irradiance (W/m^2),Ambient Temperature (C),"
        "Wind Speed (m/s),Plane of Array Irradiance (W/m^2),Cell Temperature (C),DC Array Output (W),"
        "AC System Output (W)\n",
        year.latitude_deg, -year.longitude_deg, year.elevation_m);
  } else {
    text = fmt::format(
        "\xEF\xBB\xBF\"PVWatts Hourly PV Performance Data\"\n\"Location\",\"TURIN\"\n"
        "\"Latitude (DD)\",\"{}\"\n\"Longitude (DD)\",\"{}\"\n\"Elevation (m)\",\"{}\"\n"
        "\"DC System Size (kW)\",\"1\"\n\"Module Type\",\"Standard\"\n"
        "\"Array Type\",\"Fixed (roof mount)\"\n\"Array Tilt (deg)\",\"0\"\n"
        "\"Array Azimuth (deg)\",\"180\"\n\"System Losses (%)\",\"14.08\"\n"
        "\"DC to AC Size Ratio\",\"1.2\"\n\"Inverter Efficiency (%)\",\"96\"\n"
        "\"Ground Coverage Ratio\",\"NA\"\n\"Bifacial\",\"No (0)\"\n"
        "\"Monthly Irradiance Loss (%)\",\"\"\n\"\",\"Jan\",\"0\"\n\n"
        "\"Month\",\"Day\",\"Hour\",\"Beam Irradiance (W/m2)\",\"Diffuse Irradiance (W/m2)\","
        "\"Ambient Temperature (C)\",\"Wind Speed (m/s)\",\"Albedo\","
        "\"Plane of Array Irradiance (W/m2)\",\"Cell Temperature (C)\",\"DC Array Output (W)\","
        "\"AC System Output (W)\"\n",
        year.latitude_deg, year.longitude_deg, year.elevation_m);
  }
  const char* const row_format = version == 5 ? "{},{},{},{},{},{},{},{},20,0,{}\n"
                                              : "\"{}\",\"{}\",\"{}\",\"{}\",\"{}\",\"{}\",\"{}\",\"0.21\",\"{}\","
                                                "\"20\",\"0\",\"{}\"\n";
  for (const WeatherHour& row : year.hours) {
    text += fmt::format(fmt::runtime(row_format), row.month, row.day, row.hour, row.dni_w_m2, row.dhi_w_m2,
                        row.ambient_c, row.wind_m_s, row.ghi_w_m2, 0.7 * row.ghi_w_m2);
  }
  return version == 5 ? text + "Totals, , ,1,1,1,1,1,1,1,1\n" : text;
}

/// What `file` says of each hour, beside `expected`, in all that both formats carry.
inline void ExpectSameHours(const WeatherYear& read, const WeatherYear& expected) {
  ASSERT_EQ(read.hours.size(), expected.hours.size());
  for (size_t i = 0; i < read.hours.size(); ++i) {
    const WeatherHour &a = read.hours[i], &b = expected.hours[i];
    ASSERT_EQ(std::vector({a.month, a.day, a.hour}), std::vector({b.month, b.day, b.hour})) << "hour " << i;
    ASSERT_EQ(std::vector({a.dni_w_m2, a.dhi_w_m2, a.ambient_c, a.wind_m_s}),
              std::vector({b.dni_w_m2, b.dhi_w_m2, b.ambient_c, b.wind_m_s}))
        << "hour " << i;
  }
}

/// The same for what PVWatts files leave out.
inline void ExpectSameYearsAndPressure(const WeatherYear& read, const WeatherYear& expected) {
  ASSERT_EQ(read.hours.size(), expected.hours.size());
  for (size_t i = 0; i < read.hours.size(); ++i) {
    ASSERT_EQ(read.hours[i].source_year, expected.hours[i].source_year) << "hour " << i;
    ASSERT_EQ(read.hours[i].ghi_w_m2, expected.hours[i].ghi_w_m2) << "hour " << i;
    // Formats in Pa hold the same digits; dividing by 100 may differ in the last bit.
    ASSERT_NEAR(read.hours[i].pressure_hpa, expected.hours[i].pressure_hpa, 1e-9) << "hour " << i;
  }
}

/// The text with the first `from` replaced, which must be there.
inline std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

/// The problems found in a file that must be refused.
inline std::vector<std::string> Problems(const std::string& content, const WeatherOverrides& overrides = {}) {
  const auto read = ParseWeather(content, "w.csv", overrides);
  EXPECT_FALSE(read.has_value());
  return read ? std::vector<std::string>() : read.error().problems;
}

/// Path of a reference file that may not be shipped; empty where the environment does not name its folder.
inline std::string ReferencePath(const std::string& file) {
  const char* folder = std::getenv("HELIOGRAD_REFERENCE_DATA");
  return folder == nullptr ? std::string() : std::string(folder) + "/" + file;
}

}  // namespace heliograd
