#include "heliograd/model/sun_position.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>

#include "heliograd/model/cubic_table.h"
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

/// cos(2 pi turn) within 1e-11: the nearest whole turn taken off, the rest folded into a quarter turn for Taylor's
/// series of the sine. Plain arithmetic, which compilers turn into vector instructions in a loop; cosines by the
/// library would cost most of a simulated year.
inline double CosineOfTurn(double turn) {
  // Adding and subtracting 1.5 x 2^52 rounds to a whole number without a branch or a call.
  constexpr double kRounder = 6755399441055744.0;
  const double rest = turn - ((turn + kRounder) - kRounder);
  const double x = 2.0 * std::numbers::pi * (0.25 - std::abs(rest));
  const double y = x * x;
  constexpr double k3 = -1.0 / 6.0, k5 = 1.0 / 120.0, k7 = -1.0 / 5040.0, k9 = 1.0 / 362880.0, k11 = -1.0 / 39916800.0,
                   k13 = 1.0 / 6227020800.0, k15 = -1.0 / 1307674368000.0;
  return x * (1.0 + y * (k3 + y * (k5 + y * (k7 + y * (k9 + y * (k11 + y * (k13 + y * k15)))))));
}

void CosineOfTurns(std::span<double> turns) {
  for (double& turn : turns) turn = CosineOfTurn(turn);
}

constexpr double kTurnsPerRadian = 0.5 / std::numbers::pi;
constexpr size_t kLongestSeries = 64;

/// In four strands, so that no addition waits for the one before it.
double Sum(std::span<const double> values) {
  std::array<double, 4> strands = {};
  size_t i = 0;
  for (; i + 4 <= values.size(); i += 4) {
    for (size_t strand = 0; strand < 4; ++strand) strands[strand] += values[i + strand];
  }
  for (; i < values.size(); ++i) strands[0] += values[i];
  return (strands[0] + strands[1]) + (strands[2] + strands[3]);
}

double SeriesSum(std::span<const std::span<const PeriodicTerm>> series, double millennia) {
  std::array<double, kLongestSeries> buffer;
  double value = 0;
  for (size_t power = series.size(); power-- > 0;) {
    const std::span<const PeriodicTerm> terms = series[power];
    const std::span<double> cosines(buffer.data(), terms.size());
    for (size_t i = 0; i < terms.size(); ++i) {
      cosines[i] = kTurnsPerRadian * (terms[i].phase_rad + terms[i].frequency_rad * millennia);
    }
    CosineOfTurns(cosines);
    for (size_t i = 0; i < terms.size(); ++i) cosines[i] *= terms[i].amplitude;
    value = value * millennia + Sum(cosines);
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
  constexpr double kTurnsPerDegree = 1.0 / 360.0;
  const double elongation = kTurnsPerDegree * Polynomial(kMoonElongation, centuries);
  const double sun_anomaly = kTurnsPerDegree * Polynomial(kSunAnomaly, centuries);
  const double moon_anomaly = kTurnsPerDegree * Polynomial(kMoonAnomaly, centuries);
  const double moon_latitude = kTurnsPerDegree * Polynomial(kMoonLatitude, centuries);
  const double node = kTurnsPerDegree * Polynomial(kMoonNode, centuries);

  const std::span<const NutationTerm> terms = NutationSeries();
  std::array<double, kLongestSeries> sine_buffer;
  std::array<double, kLongestSeries> cosine_buffer;
  for (size_t i = 0; i < terms.size(); ++i) {
    const NutationTerm& term = terms[i];
    cosine_buffer[i] = term.moon_elongation * elongation + term.sun_anomaly * sun_anomaly +
                       term.moon_anomaly * moon_anomaly + term.moon_latitude * moon_latitude + term.moon_node * node;
    sine_buffer[i] = cosine_buffer[i] - 0.25;
  }
  CosineOfTurns({sine_buffer.data(), terms.size()});
  CosineOfTurns({cosine_buffer.data(), terms.size()});

  for (size_t i = 0; i < terms.size(); ++i) {
    sine_buffer[i] *= terms[i].longitude + terms[i].longitude_rate * centuries;
    cosine_buffer[i] *= terms[i].obliquity + terms[i].obliquity_rate * centuries;
  }
  constexpr double kRadiansPerUnit = kRadiansPerDegree / 36'000'000.0;
  return {kRadiansPerUnit * Sum({sine_buffer.data(), terms.size()}),
          kRadiansPerUnit * Sum({cosine_buffer.data(), terms.size()})};
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

/// Section 3.14.3 at 1010 hPa and 10 degrees Celsius: degrees by which the air lifts the sun.
double StandardRefractionDeg(double elevation_deg) {
  const double angle = elevation_deg + 10.3 / (elevation_deg + 5.11);
  return 1.02 / (60.0 * std::tan(kRadiansPerDegree * angle));
}

/// Nothing once the sun's whole disk is below the horizon.
double RefractionDeg(double elevation_deg, double pressure_hpa, double air_c) {
  constexpr double kDiskBelowHorizonDeg = -(0.26667 + 0.5667);
  if (elevation_deg < kDiskBelowHorizonDeg) return 0.0;
  // Pieces of a fifth of a degree: the error is below 1e-6 degrees, and a tangent an hour is saved.
  static const CubicTable<455> kStandard(-1.0, 90.0, StandardRefractionDeg);
  return pressure_hpa * (283.0 / 1010.0) / (273.0 + air_c) * kStandard(elevation_deg);
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
  return {Wrap360(sidereal - kDegreesPerRadian * right_ascension), sin_declination,
          kRadiansPerDegree * 8.794 / (3600.0 * radius_au)};
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
    if (i == kNodes / 2) parallax_rad_ = sun.parallax_rad;
  }
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

SunDirection Observer::Direction(const GeocentricSun& sun, double ut_h, double pressure_hpa, double air_c) const {
  const double hour_angle_turns = (sun.noon_angle_deg + longitude_deg_) * (1.0 / 360.0) + ut_h * (1.0 / 24.0);
  const double cos_declination = std::sqrt(1.0 - sun.sin_declination * sun.sin_declination);

  // The report's angle formulas for parallax and elevation are these differences of vectors, turned into the local
  // frame.
  const double meridian = cos_declination * CosineOfTurn(hour_angle_turns) - sun.parallax_rad * parallax_equatorial_;
  const double west = cos_declination * CosineOfTurn(hour_angle_turns - 0.25);
  const double pole = sun.sin_declination - sun.parallax_rad * parallax_polar_;
  const double up = cos_latitude_ * meridian + sin_latitude_ * pole;
  const double north = cos_latitude_ * pole - sin_latitude_ * meridian;
  const double horizontal_squared = north * north + west * west;
  const double horizontal = std::sqrt(horizontal_squared);
  // Only the parallax takes the length from one, by less than 0.0001: the first terms of 1 / sqrt(1 + excess).
  const double excess = up * up + horizontal_squared - 1.0;
  const double per_length = 1.0 - excess * (0.5 - 0.375 * excess);

  const double elevation_deg = kDegreesPerRadian * std::asin(std::clamp(up * per_length, -1.0, 1.0));
  const double lift_deg = RefractionDeg(elevation_deg, pressure_hpa, air_c);
  // Taylor's series of sine and cosine: the lift is below 0.02 rad.
  const double lift = kRadiansPerDegree * lift_deg;
  const double sin_lift = lift * (1.0 - lift * lift * (1.0 / 6.0));
  const double cos_lift = 1.0 - lift * lift * (0.5 - lift * lift * (1.0 / 24.0));

  SunDirection direction;
  direction.zenith_deg = 90.0 - elevation_deg - lift_deg;
  direction.cos_zenith = (up * cos_lift + horizontal * sin_lift) * per_length;
  direction.sin_zenith = (horizontal * cos_lift - up * sin_lift) * per_length;
  if (horizontal > 0) {
    const double per_horizontal = 1.0 / horizontal;
    direction.north = north * per_horizontal;
    direction.east = -west * per_horizontal;
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
