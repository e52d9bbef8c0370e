// One typical year of weather as the PV model reads it. Made by `feed` (readers of weather files), used by `model`.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/base/quantity.h"

namespace heliograd {

inline constexpr int kHoursPerYear = 8760;

/// What the irradiance of row h (the hour from h to h+1, local standard time) stands for.
enum class IrradianceStamp {
  kHourMean,  // the mean over the hour: the sun is taken at mid-hour, moved by the midpoint rule at sunrise and sunset
  kInstant    // the value at h + instant_offset: the sun is taken there, no midpoint rule
};

/// One hour of weather, local standard time. Temperatures are degrees Celsius, a point scale and so no Quantity.
struct WeatherHour {
  int source_year = 0;  // the calendar year the row was measured in (typical years mix years); sets the sun's position
  int month = 0;        // 1..12
  int day = 0;          // 1..31
  int hour = 0;         // 0..23: the row covers hour .. hour + 1
  double ghi_w_m2 = 0;  // global horizontal irradiance; 0 where a file does not carry it (the PV model does not use it)
  double dni_w_m2 = 0;  // direct normal irradiance
  double dhi_w_m2 = 0;  // diffuse horizontal irradiance
  double ambient_c = 0;
  double wind_m_s = 0;
  double pressure_hpa = 0;       // 0 = unknown
  std::optional<double> albedo;  // ground reflectance where the file carries it
};

/// Where and when the weather was observed, and its 8760 hours in order from 1 January 00:00 local standard time.
struct WeatherYear {
  std::string source;        // for people: file name or "builtin:turin", and the format found
  double latitude_deg = 0;   // north positive
  double longitude_deg = 0;  // east positive
  double elevation_m = 0;
  std::chrono::seconds utc_offset{0};  // local standard time minus UTC
  IrradianceStamp stamp = IrradianceStamp::kHourMean;
  double instant_offset_h = 0;     // 0 <= offset < 1, used with kInstant
  std::vector<WeatherHour> hours;  // kHoursPerYear of them, no leap day
};

}  // namespace heliograd
