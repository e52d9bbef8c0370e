// The irradiance of a cloudless sky: what a forecast of PV begins with.
//
// Global: B. Haurwitz, "Insolation in relation to cloudiness and cloud density", Journal of Meteorology 2 (1945);
// direct normal: A. B. Meinel, M. P. Meinel, "Applied Solar Energy", Addison-Wesley (1976); both as compared in M. J.
// Reno, C. W. Hansen, J. S. Stein, "Global Horizontal Irradiance Clear Sky Models", Sandia report SAND2012-2389. Air
// mass: F. Kasten, A. T. Young, Applied Optics 28 (1989). They know the sun's height alone: neither haze nor altitude.
//
// Enters: a weather year. Leaves: the same year under a cloudless sky. Pure.
#pragma once

#include "heliograd/trace/weather.h"

namespace heliograd {

/// Global and direct normal irradiance in W/m2 under a clear sky, for the cosine of the sun's apparent zenith; the
/// diffuse is what global has beyond direct. Zeros while the sun is down.
struct ClearSky {
  double ghi_w_m2 = 0, dni_w_m2 = 0, dhi_w_m2 = 0;
};
ClearSky ClearSkyAt(double cos_zenith);

/// `weather` with the irradiance of a clear sky in every hour; temperature, wind and the rest as they are. A row's sun
/// is the one that the PV model takes for it.
WeatherYear UnderClearSky(const WeatherYear& weather);

}  // namespace heliograd
