// Where the sun stands: NREL's Solar Position Algorithm (SPA), and a fast track of it over a run of days.
//
// Source: I. Reda, A. Andreas, "Solar Position Algorithm for Solar Radiation Applications", NREL/TP-560-34302, revised
// January 2008; section numbers below are the report's. Its stated uncertainty is 0.0003 degrees.
//
// Enters: an instant in universal time, a site, the air's pressure and temperature. Leaves: the sun's direction. All
// functions are pure and safe from any thread.
#pragma once

#include <array>
#include <numbers>

#include "heliograd/model/vector_math.h"

namespace heliograd {

inline constexpr double kRadiansPerDegree = std::numbers::pi / 180.0;

/// Days from J2000 (1 January 2000 12:00 UT) to 00:00 UT of a date of the Gregorian calendar; a half-integer.
double DaysSinceJ2000(int year, int month, int day);

/// Terrestrial time minus universal time in seconds, one value per year: the polynomials of F. Espenak and J. Meeus,
/// NASA/TP-2006-214141, for 1961..2050; 66.7 s outside, which moves the sun by less than 0.0001 degrees per second of
/// error.
double TerrestrialMinusUniversalSeconds(int year);

/// The sun seen from the Earth's centre: the part of its position that no site changes.
struct GeocentricSun {
  double noon_angle_deg =
      180;  // Greenwich hour angle minus 15 degrees per hour of UT: 180 + equation of time, 175..185
  double sin_declination = 0;
  double parallax_rad = 0;  // equatorial horizontal parallax: the Earth's radius against the sun's distance
};

/// Sections 3.2 to 3.10. `days` is universal time in days since J2000.
GeocentricSun GeocentricSunAt(double days, double terrestrial_minus_universal_s);

/// The same at several instants at a time.
inline constexpr size_t kInstantsAtOnce = 8;
using Instants = std::array<double, kInstantsAtOnce>;
std::array<GeocentricSun, kInstantsAtOnce> GeocentricSunsAt(const Instants& days, double terrestrial_minus_universal_s);

/// The sun over a run of days as a polynomial through Chebyshev nodes at which the algorithm is evaluated in full.
class SunTrack {
 public:
  /// Longest run that one track follows within kLargestErrorDeg.
  static constexpr double kLongestDays = 35.0;
  /// Bound of the difference to GeocentricSunAt in either angle; a test measures it. What remains are the terms of the
  /// nutation with periods of 9 and 14 days, which so few nodes do not resolve.
  static constexpr double kLargestErrorDeg = 1e-4;

  /// Follows the sun over [first, last], days since J2000 in universal time, last - first <= kLongestDays.
  SunTrack(double first, double last, double terrestrial_minus_universal_s);

  bool Covers(double days) const { return days >= first_ && days <= last_; }
  /// `days` must be covered.
  GeocentricSun At(double days) const {
    const double x = (days - middle_) * inverse_half_;
    double angle = noon_angle_[kNodes - 1];
    double sine = sin_declination_[kNodes - 1];
    for (int k = kNodes - 2; k >= 0; --k) {
      angle = angle * x + noon_angle_[k];
      sine = sine * x + sin_declination_[k];
    }
    return {angle, sine, parallax_rad_};
  }

 private:
  static constexpr int kNodes = kInstantsAtOnce;
  double first_;
  double last_;
  double middle_;
  double inverse_half_;
  double parallax_rad_;  // at the middle: it changes by less than 0.00002 degrees over the run
  std::array<double, kNodes> noon_angle_;
  std::array<double, kNodes> sin_declination_;
};

/// The sun's direction at a site, lifted by refraction.
struct SunDirection {
  double zenith_deg = 180;
  double cos_zenith = -1;
  double sin_zenith = 0;
  double north = 1;  // horizontal unit vector towards the sun: cosine of the azimuth,
  double east = 0;   // and its sine

  /// North 0, east 90, in [0, 360).
  double AzimuthDeg() const;
};

/// The same, one column per quantity.
struct SunDirections {
  HourColumn zenith_deg;
  HourColumn cos_zenith;
  HourColumn sin_zenith;
  HourColumn north;
  HourColumn east;

  SunDirection operator[](size_t i) const { return {zenith_deg[i], cos_zenith[i], sin_zenith[i], north[i], east[i]}; }
};

/// When the sun is looked at and through which air.
struct SunMoments {
  HourColumn days;  // universal time since J2000
  HourColumn ut_h;  // the same instant in hours of universal time of any date
  HourColumn pressure_hpa;
  HourColumn air_c;
};

/// A place on Earth and what the algorithm needs of it.
class Observer {
 public:
  Observer(double latitude_deg, double longitude_deg, double elevation_m);

  /// Sections 3.11 to 3.15. `ut_h` is the instant of the geocentric sun in hours of universal time of any date.
  SunDirection Direction(const GeocentricSun& sun, double ut_h, double pressure_hpa, double air_c) const;

  /// The same for the first `count` moments, which the track covers; several at a time.
  void Directions(const SunTrack& track, const SunMoments& moments, size_t count, SunDirections& directions) const;

  /// Half of the arc from sunrise to sunset in degrees of hour angle, for the sun's centre at -0.8333 degrees (section
  /// A.2): 0 in the polar night, 180 in the polar day.
  double HalfDayArcDeg(double sin_declination) const;

  double longitude_deg() const { return site_.longitude_deg; }

  struct Site {
    double longitude_deg;
    double sin_latitude;
    double cos_latitude;
    double parallax_equatorial;  // x and y of section 3.12.2 and 3.12.3: the site in Earth radii
    double parallax_polar;
  };

 private:
  Site site_;
};

}  // namespace heliograd
