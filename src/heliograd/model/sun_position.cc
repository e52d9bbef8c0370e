#include "heliograd/model/sun_position.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>

#include "heliograd/model/solar_series.h"

namespace heliograd {
namespace {

constexpr double kDegreesPerRadian = 1.0 / kRadiansPerDegree;
constexpr double kRiseElevationDeg = -0.8333;  // refraction and the sun's radius, section A.2.3

/// Value of a polynomial, lowest power first.
double Polynomial(std::span<const double> coefficients, double x) {
  double value = 0;
  for (size_t i = coefficients.size(); i-- > 0;) value = value * x + coefficients[i];
  return value;
}

double SeriesSum(std::span<const std::span<const PeriodicTerm>> series, double millennia) {
  double value = 0;
  for (size_t power = series.size(); power-- > 0;) {
    double sum = 0;
    for (const PeriodicTerm& term : series[power]) {
      sum += term.amplitude * std::cos(term.phase_rad + term.frequency_rad * millennia);
    }
    value = value * millennia + sum;
  }
  return value * 1e-8;
}

struct Nutation {
  double longitude_rad = 0;
  double obliquity_rad = 0;
};

/// Section 3.4.
Nutation NutationAt(double centuries) {
  static constexpr double kMoonElongation[] = {297.85036, 445267.111480, -0.0019142, 1.0 / 189474.0};
  static constexpr double kSunAnomaly[] = {357.52772, 35999.050340, -0.0001603, -1.0 / 300000.0};
  static constexpr double kMoonAnomaly[] = {134.96298, 477198.867398, 0.0086972, 1.0 / 56250.0};
  static constexpr double kMoonLatitude[] = {93.27191, 483202.017538, -0.0036825, 1.0 / 327270.0};
  static constexpr double kMoonNode[] = {125.04452, -1934.136261, 0.0020708, 1.0 / 450000.0};
  const double elongation = kRadiansPerDegree * Polynomial(kMoonElongation, centuries);
  const double sun_anomaly = kRadiansPerDegree * Polynomial(kSunAnomaly, centuries);
  const double moon_anomaly = kRadiansPerDegree * Polynomial(kMoonAnomaly, centuries);
  const double moon_latitude = kRadiansPerDegree * Polynomial(kMoonLatitude, centuries);
  const double node = kRadiansPerDegree * Polynomial(kMoonNode, centuries);

  Nutation sum;
  for (const NutationTerm& term : NutationSeries()) {
    const double argument = term.moon_elongation * elongation + term.sun_anomaly * sun_anomaly +
                            term.moon_anomaly * moon_anomaly + term.moon_latitude * moon_latitude +
                            term.moon_node * node;
    sum.longitude_rad += (term.longitude + term.longitude_rate * centuries) * std::sin(argument);
    sum.obliquity_rad += (term.obliquity + term.obliquity_rate * centuries) * std::cos(argument);
  }
  constexpr double kRadiansPerUnit = kRadiansPerDegree / 36'000'000.0;
  return {sum.longitude_rad * kRadiansPerUnit, sum.obliquity_rad * kRadiansPerUnit};
}

/// Section 3.5.1.
double MeanObliquityRad(double millennia) {
  static constexpr double kArcSeconds[] = {84381.448, -4680.93, -1.55, 1999.25, -51.38, -249.67,
                                           -39.05,    7.12,     27.87, 5.79,    2.45};
  return kRadiansPerDegree * Polynomial(kArcSeconds, millennia / 10.0) / 3600.0;
}

double Wrap360(double degrees) { return degrees - 360.0 * std::floor(degrees / 360.0); }

/// Section 3.8.1 less the turn of 360 degrees per day of universal time, which leaves half a turn: days count from
/// noon.
double SiderealAngleAtMidnightDeg(double days) {
  const double centuries = days / 36525.0;
  return 280.46061837 - 180.0 + 0.98564736629 * days + centuries * centuries * (0.000387933 - centuries / 38'710'000.0);
}

/// Section 3.14.3: degrees by which the air lifts the sun; nothing once the sun's whole disk is below the horizon.
double RefractionDeg(double elevation_deg, double pressure_hpa, double air_c) {
  if (elevation_deg < kRiseElevationDeg) return 0.0;
  const double angle = elevation_deg + 10.3 / (elevation_deg + 5.11);
  return pressure_hpa / 1010.0 * 283.0 / (273.0 + air_c) * 1.02 / (60.0 * std::tan(kRadiansPerDegree * angle));
}

/// Turns values at `x` into the coefficients of the polynomial through them, lowest power first (Newton's differences).
template <size_t n>
void ToPowers(const std::array<double, n>& x, std::array<double, n>& values) {
  for (size_t order = 1; order < n; ++order) {
    for (size_t i = n - 1; i >= order; --i) values[i] = (values[i] - values[i - 1]) / (x[i] - x[i - order]);
  }
  for (size_t k = n - 1; k-- > 0;) {
    for (size_t i = k; i < n - 1; ++i) values[i] -= x[k] * values[i + 1];
  }
}

}  // namespace

double DaysSinceJ2000(int year, int month, int day) {
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  constexpr sys_days kFirst = std::chrono::year(2000) / 1 / 1;
  return static_cast<double>((sys_days(date) - kFirst).count()) - 0.5;
}

double TerrestrialMinusUniversalSeconds(int year) {
  static constexpr double kFrom1961[] = {45.45, 1.067, -1.0 / 260.0, -1.0 / 718.0};
  static constexpr double kFrom1986[] = {63.86, 0.3345, -0.060374, 0.0017275, 0.000651814, 0.00002373599};
  static constexpr double kFrom2005[] = {62.92, 0.32217, 0.005589};
  if (year < 1961 || year > 2050) return 66.7;
  if (year < 1986) return Polynomial(kFrom1961, year - 1975);
  if (year < 2005) return Polynomial(kFrom1986, year - 2000);
  return Polynomial(kFrom2005, year - 2000);
}

GeocentricSun GeocentricSunAt(double days, double terrestrial_minus_universal_s) {
  const double centuries = (days + terrestrial_minus_universal_s / 86400.0) / 36525.0;
  const double millennia = centuries / 10.0;
  const double radius_au = SeriesSum(EarthRadiusSeries(), millennia);
  const Nutation nutation = NutationAt(centuries);
  const double obliquity = MeanObliquityRad(millennia) + nutation.obliquity_rad;
  const double aberration = -kRadiansPerDegree * 20.4898 / (3600.0 * radius_au);
  const double longitude =
      SeriesSum(EarthLongitudeSeries(), millennia) + std::numbers::pi + nutation.longitude_rad + aberration;
  const double latitude = -SeriesSum(EarthLatitudeSeries(), millennia);

  const double right_ascension = std::atan2(
      std::sin(longitude) * std::cos(obliquity) - std::tan(latitude) * std::sin(obliquity), std::cos(longitude));
  const double sin_declination =
      std::sin(latitude) * std::cos(obliquity) + std::cos(latitude) * std::sin(obliquity) * std::sin(longitude);
  const double sidereal =
      SiderealAngleAtMidnightDeg(days) + kDegreesPerRadian * nutation.longitude_rad * std::cos(obliquity);
  return {Wrap360(sidereal - kDegreesPerRadian * right_ascension), sin_declination, radius_au};
}

SunTrack::SunTrack(double first, double last, double terrestrial_minus_universal_s)
    : first_(first), last_(last), middle_(0.5 * (first + last)) {
  // Never shorter than a day: a single instant would leave no width to scale by.
  const double half = std::max(0.5 * (last - first), 0.5);
  inverse_half_ = 1.0 / half;
  std::array<double, kNodes> x;
  for (size_t i = 0; i < kNodes; ++i) {
    x[i] = std::cos(std::numbers::pi * (static_cast<double>(i) + 0.5) / kNodes);
    const GeocentricSun sun = GeocentricSunAt(middle_ + half * x[i], terrestrial_minus_universal_s);
    noon_angle_[i] = sun.noon_angle_deg;
    sin_declination_[i] = sun.sin_declination;
  }
  distance_au_ = SeriesSum(EarthRadiusSeries(), (middle_ + terrestrial_minus_universal_s / 86400.0) / 365'250.0);
  ToPowers(x, noon_angle_);
  ToPowers(x, sin_declination_);
}

double SunDirection::AzimuthDeg() const { return Wrap360(kDegreesPerRadian * std::atan2(east, north)); }

Observer::Observer(double latitude_deg, double longitude_deg, double elevation_m)
    : longitude_deg_(longitude_deg),
      sin_latitude_(std::sin(kRadiansPerDegree * latitude_deg)),
      cos_latitude_(std::cos(kRadiansPerDegree * latitude_deg)) {
  constexpr double kPolarOverEquatorialRadius = 0.99664719;
  constexpr double kEquatorialRadiusM = 6'378'140.0;
  const double reduced_latitude = std::atan2(kPolarOverEquatorialRadius * sin_latitude_, cos_latitude_);
  const double height = elevation_m / kEquatorialRadiusM;
  parallax_equatorial_ = std::cos(reduced_latitude) + height * cos_latitude_;
  parallax_polar_ = kPolarOverEquatorialRadius * std::sin(reduced_latitude) + height * sin_latitude_;
}

SunDirection Observer::Direction(const GeocentricSun& sun, double ut_days, double pressure_hpa, double air_c) const {
  const double turn = ut_days + 0.5 - std::floor(ut_days + 0.5);
  const double hour_angle = kRadiansPerDegree * (sun.noon_angle_deg + longitude_deg_ + 360.0 * turn);
  const double cos_declination = std::sqrt(1.0 - sun.sin_declination * sun.sin_declination);

  // The report's angle formulas for parallax and elevation are these differences of vectors, turned into the local
  // frame.
  const double parallax = kRadiansPerDegree * 8.794 / 3600.0 / sun.distance_au;
  const double meridian = cos_declination * std::cos(hour_angle) - parallax * parallax_equatorial_;
  const double west = cos_declination * std::sin(hour_angle);
  const double pole = sun.sin_declination - parallax * parallax_polar_;
  const double up = cos_latitude_ * meridian + sin_latitude_ * pole;
  const double north = cos_latitude_ * pole - sin_latitude_ * meridian;
  const double horizontal = std::sqrt(north * north + west * west);

  const double elevation_deg = kDegreesPerRadian * std::atan2(up, horizontal);
  const double lift_deg = RefractionDeg(elevation_deg, pressure_hpa, air_c);
  const double length = std::sqrt(up * up + horizontal * horizontal);
  const double sin_lift = std::sin(kRadiansPerDegree * lift_deg);
  const double cos_lift = std::sqrt(1.0 - sin_lift * sin_lift);

  SunDirection direction;
  direction.zenith_deg = 90.0 - elevation_deg - lift_deg;
  direction.cos_zenith = (up * cos_lift + horizontal * sin_lift) / length;
  direction.sin_zenith = (horizontal * cos_lift - up * sin_lift) / length;
  if (horizontal > 0) {
    direction.north = north / horizontal;
    direction.east = -west / horizontal;
  }
  return direction;
}

double Observer::HalfDayArcDeg(double sin_declination) const {
  const double cos_declination = std::sqrt(1.0 - sin_declination * sin_declination);
  const double reach = cos_latitude_ * cos_declination;
  const double height = std::sin(kRadiansPerDegree * kRiseElevationDeg) - sin_latitude_ * sin_declination;
  if (height >= reach) return 0.0;
  if (height <= -reach) return 180.0;
  return kDegreesPerRadian * std::acos(height / reach);
}

}  // namespace heliograd
