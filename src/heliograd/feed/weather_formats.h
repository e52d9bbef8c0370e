// One reader per format of weather file; ParseWeather chooses among them by content. Private to the feed room.
//
// Every reader takes the whole content, lists all problems that one pass finds, and is pure.
#pragma once

#include <string>
#include <string_view>

#include "heliograd/base/result.h"
#include "heliograd/feed/weather_file.h"

namespace heliograd {

/// Typical year of PVGIS 5.1 to 5.3 in CSV (European Commission, JRC: PVGIS user manual, "TMY").
/// A row's stamp is an instant in UTC; irradiance is the value at the stamp plus "Irradiance Time Offset" (0 where the
/// file has no such line). The file carries no time zone: rows move to the override, or to the whole hour nearest to
/// longitude / 15.
Result<WeatherFile> ParsePvgis(std::string_view content, const std::string& name, const WeatherOverrides& overrides);

/// EnergyPlus weather (EnergyPlus Auxiliary Programs, "EnergyPlus Weather File (EPW) Data Dictionary").
/// A row's hour n (1..24) is the mean over n-1..n of local standard time; the minute field says nothing. The zone is in
/// the LOCATION line; an override corrects it and moves no row.
Result<WeatherFile> ParseEpw(std::string_view content, const std::string& name, const WeatherOverrides& overrides);

/// NSRDB and SAM CSV (NREL, "SAM CSV weather file format"; NSRDB PSM v3 download).
/// With a minute column a row is the instant hour:minute; without one it is the mean over hour..hour+1. Rows are on the
/// clock of "Time Zone". Where "Local Time Zone" differs, they move to it or to the override; else an override corrects
/// the zone and moves no row.
Result<WeatherFile> ParseNsrdb(std::string_view content, const std::string& name, const WeatherOverrides& overrides);

/// Hourly results of the PVWatts calculator, versions 5 and 8, which carry their weather.
/// A row's hour h is h..h+1 of local standard time. The file names no zone: the override, else found (weather_zone.h).
/// Version 5 takes its weather as means over the hour (kHourMean). Version 8 does so for weather of stations, but takes
/// gridded weather as instants at mid-hour; which one a file has shows in the light of hours at whose middle the sun is
/// down: means have some, instants have none.
/// System losses stay as printed: 14.08 is what the calculator computed with (its DC output shows it), not the 14.0757
/// that the calculator's default losses multiply to.
Result<WeatherFile> ParsePvwatts(std::string_view content, const std::string& name, const WeatherOverrides& overrides);

/// The compact layout of the built-in year: '#' lines that state the site, the clock and the instant, then rows in
/// local standard time. An override moves rows to its clock, because the rows' own is known for certain.
Result<WeatherFile> ParseCompact(std::string_view content, const std::string& name, const WeatherOverrides& overrides);

/// The content of "builtin:turin".
std::string_view BuiltinTurinWeather();

}  // namespace heliograd
