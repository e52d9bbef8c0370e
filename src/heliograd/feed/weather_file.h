// Weather files: PVGIS TMY CSV, EPW, NSRDB/SAM CSV, and the file that the PVWatts calculator writes.
//
// Enters: bytes of a file, whose format is found by content. Leaves: a WeatherYear in local standard time, and for a
// PVWatts file the system and the results that it carries. Knows nothing of the PV model.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/trace/weather.h"

namespace heliograd {

/// The PV system and the results that a PVWatts file carries beside its weather, in the file's own words.
struct PvwattsRecord {
  int version = 8;  // 5 or 8, found from the header
  double dc_capacity_w = 0;
  double tilt_deg = 0;
  double azimuth_deg = 0;
  bool roof_mounted = false;       // else open rack
  std::string module_type;         // "Standard", "Premium", "Thin film"
  double losses_percent = 0;       // as printed, which is what the calculator computed with
  double inverter_efficiency = 0;  // 0..1
  double dc_ac_ratio = 0;
  std::vector<double> ac_w;  // 8760, as the file has them
};

struct WeatherFile {
  WeatherYear weather;
  std::optional<PvwattsRecord> pvwatts;
};

/// What the user says of the site where the file does not, or against it.
///
/// The UTC offset of local standard time: rows whose clock is certain (PVGIS: UTC; NSRDB downloaded in UTC; the
/// built-in year) move to it. Rows in local standard time (EPW, SAM, PVWatts) stay, and the offset corrects what the
/// file says of their clock. PVGIS names no zone: without an override it is the whole hour nearest to longitude / 15.
/// PVWatts names none either: without an override it is found from the irradiance.
struct WeatherOverrides {
  std::optional<double> utc_offset_hours = std::nullopt;
  std::optional<double> latitude_deg = std::nullopt;
  std::optional<double> longitude_deg = std::nullopt;
  std::optional<double> elevation_m = std::nullopt;
};

/// Reads a weather file's content. `name` appears in error messages. All mistakes that can be found in one pass are
/// listed.
Result<WeatherFile> ParseWeather(std::string_view content, const std::string& name, const WeatherOverrides& overrides);

/// `source` is a path or "builtin:turin".
Result<WeatherFile> ReadWeather(const std::string& source, const WeatherOverrides& overrides);

}  // namespace heliograd
