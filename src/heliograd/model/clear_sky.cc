#include "heliograd/model/clear_sky.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "heliograd/model/row_sun.h"

namespace heliograd {

ClearSky ClearSkyAt(double cos_zenith) {
  if (cos_zenith <= 0) return {};
  const double zenith_deg = std::acos(std::min(cos_zenith, 1.0)) / kRadiansPerDegree;
  const double air_mass = 1 / (cos_zenith + 0.50572 * std::pow(96.07995 - zenith_deg, -1.6364));
  ClearSky sky;
  sky.ghi_w_m2 = 1098 * cos_zenith * std::exp(-0.057 / cos_zenith);
  // Close to the horizon the two sources do not meet: the beam is never more than the global irradiance.
  sky.dni_w_m2 = std::min(1353 * std::pow(0.7, std::pow(air_mass, 0.678)), sky.ghi_w_m2 / cos_zenith);
  sky.dhi_w_m2 = sky.ghi_w_m2 - sky.dni_w_m2 * cos_zenith;
  return sky;
}

WeatherYear UnderClearSky(const WeatherYear& weather) {
  WeatherYear clear = weather;
  for (WeatherHour& hour : clear.hours) hour.ghi_w_m2 = hour.dni_w_m2 = hour.dhi_w_m2 = 0;
  RowSun sun(weather);
  const auto lit = std::make_unique<LitHours>();
  for (size_t next = 0; next < weather.hours.size();) {
    next = sun.FindLit(next, *lit);
    for (size_t i = 0; i < lit->count; ++i) {
      const ClearSky sky = ClearSkyAt(lit->sun.cos_zenith[i]);
      WeatherHour& hour = clear.hours[lit->row[i]];
      hour.ghi_w_m2 = sky.ghi_w_m2;
      hour.dni_w_m2 = sky.dni_w_m2;
      hour.dhi_w_m2 = sky.dhi_w_m2;
    }
  }
  clear.source += ", clear sky";
  return clear;
}

}  // namespace heliograd
