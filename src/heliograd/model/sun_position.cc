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

constexpr double kTurnsPerRadian = 0.5 / std::numbers::pi;

/// Sections 3.2.1 to 3.2.3.
HELIOGRAD_VECTOR_LOOPS
Instants SeriesSums(std::span<const std::span<const PeriodicTerm>> series, const Instants& millennia) {
  Instants values = {};
  for (size_t power = series.size(); power-- > 0;) {
    Instants sums = {};
    for (const PeriodicTerm& term : series[power]) {
      const double phase = kTurnsPerRadian * term.phase_rad;
      const double frequency = kTurnsPerRadian * term.frequency_rad;
      for (size_t i = 0; i < kInstantsAtOnce; ++i) {
        sums[i] += term.amplitude * CosineOfTurn(phase + frequency * millennia[i]);
      }
    }
    for (size_t i = 0; i < kInstantsAtOnce; ++i) values[i] = values[i] * millennia[i] + sums[i];
  }
  for (double& value : values) value *= 1e-8;
  return values;
}

struct Nutations {
  Instants longitude_rad = {};
  Instants obliquity_rad = {};
};

/// Section 3.4.
HELIOGRAD_VECTOR_LOOPS
Nutations NutationsAt(const Instants& centuries) {
  static constexpr double kMoonElongation[] = {297.85036, 445267.111480, -0.0019142, 1.0 / 189474.0};
  static constexpr double kSunAnomaly[] = {357.52772, 35999.050340, -0.0001603, -1.0 / 300000.0};
  static constexpr double kMoonAnomaly[] = {134.96298, 477198.867398, 0.0086972, 1.0 / 56250.0};
  static constexpr double kMoonLatitude[] = {93.27191, 483202.017538, -0.0036825, 1.0 / 327270.0};
  static constexpr double kMoonNode[] = {125.04452, -1934.136261, 0.0020708, 1.0 / 450000.0};
  constexpr double kTurnsPerDegree = 1.0 / 360.0;
  Instants elongation, sun_anomaly, moon_anomaly, moon_latitude, node;
  for (size_t i = 0; i < kInstantsAtOnce; ++i) {
    elongation[i] = kTurnsPerDegree * Polynomial(kMoonElongation, centuries[i]);
    sun_anomaly[i] = kTurnsPerDegree * Polynomial(kSunAnomaly, centuries[i]);
    moon_anomaly[i] = kTurnsPerDegree * Polynomial(kMoonAnomaly, centuries[i]);
    moon_latitude[i] = kTurnsPerDegree * Polynomial(kMoonLatitude, centuries[i]);
    node[i] = kTurnsPerDegree * Polynomial(kMoonNode, centuries[i]);
  }

  Nutations nutations;
  for (const NutationTerm& term : NutationSeries()) {
    for (size_t i = 0; i < kInstantsAtOnce; ++i) {
      const double turn = term.moon_elongation * elongation[i] + term.sun_anomaly * sun_anomaly[i] +
                          term.moon_anomaly * moon_anomaly[i] + term.moon_latitude * moon_latitude[i] +
                          term.moon_node * node[i];
      const double sine = CosineOfTurn(turn - 0.25);
      const double cosine = CosineOfTurn(turn);
      nutations.longitude_rad[i] += sine * (term.longitude + term.longitude_rate * centuries[i]);
      nutations.obliquity_rad[i] += cosine * (term.obliquity + term.obliquity_rate * centuries[i]);
    }
  }
  constexpr double kRadiansPerUnit = kRadiansPerDegree / 36'000'000.0;
  for (size_t i = 0; i < kInstantsAtOnce; ++i) {
    nutations.longitude_rad[i] *= kRadiansPerUnit;
    nutations.obliquity_rad[i] *= kRadiansPerUnit;
  }
  return nutations;
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

/// Pieces of a fifth of a degree: the error is below 1e-6 degrees, and a tangent an hour is saved.
using RefractionTable = CubicTable<455>;

const RefractionTable& StandardRefraction() {
  static const RefractionTable kTable(-1.0, 90.0, StandardRefractionDeg);
  return kTable;
}

/// Nothing once the sun's whole disk is below the horizon.
inline double RefractionDeg(const RefractionTable& standard, double elevation_deg, double pressure_hpa, double air_c) {
  constexpr double kDiskBelowHorizonDeg = -(0.26667 + 0.5667);
  const double lift_deg = pressure_hpa * (283.0 / 1010.0) / (273.0 + air_c) * standard(elevation_deg);
  return elevation_deg < kDiskBelowHorizonDeg ? 0.0 : lift_deg;
}

/// The sun without air: a vector in the local frame.
struct AirlessSun {
  double up;
  double horizontal;
  double elevation_deg;
  double north;  // horizontal unit vector
  double east;
};

/// Sections 3.11 to 3.14.1 and 3.15. The report's angle formulas for parallax and elevation are these differences of
/// vectors, turned into the local frame.
inline AirlessSun SeenFrom(const Observer::Site& site, const GeocentricSun& sun, double ut_h) {
  const double hour_angle_turns = (sun.noon_angle_deg + site.longitude_deg) * (1.0 / 360.0) + ut_h * (1.0 / 24.0);
  const double cos_declination = std::sqrt(1.0 - sun.sin_declination * sun.sin_declination);
  const double meridian =
      cos_declination * CosineOfTurn(hour_angle_turns) - sun.parallax_rad * site.parallax_equatorial;
  const double west = cos_declination * CosineOfTurn(hour_angle_turns - 0.25);
  const double pole = sun.sin_declination - sun.parallax_rad * site.parallax_polar;
  const double up = site.cos_latitude * meridian + site.sin_latitude * pole;
  const double north = site.cos_latitude * pole - site.sin_latitude * meridian;
  const double horizontal_squared = north * north + west * west;
  const double horizontal = std::sqrt(horizontal_squared);
  // Only the parallax takes the length from one, by less than 0.0001: the first terms of 1 / sqrt(1 + excess).
  const double excess = up * up + horizontal_squared - 1.0;
  const double per_length = 1.0 - excess * (0.5 - 0.375 * excess);
  const double elevation_rad = AngleOfUnitVector(horizontal * per_length, up * per_length);
  // A sun straight above or below stands nowhere; it reads as north.
  const double per_horizontal = 1.0 / horizontal;
  return {up * per_length, horizontal * per_length, kDegreesPerRadian * elevation_rad,
          horizontal > 0 ? north * per_horizontal : 1.0, horizontal > 0 ? -west * per_horizontal : 0.0};
}

/// Section 3.14.4. The sines and cosines of the lift, which is below 0.02 rad, are the first terms of Taylor's series.
inline SunDirection Lifted(const AirlessSun& sun, double lift_deg) {
  const double lift = kRadiansPerDegree * lift_deg;
  const double sin_lift = lift * (1.0 - lift * lift * (1.0 / 6.0));
  const double cos_lift = 1.0 - lift * lift * (0.5 - lift * lift * (1.0 / 24.0));
  return {90.0 - sun.elevation_deg - lift_deg, sun.up * cos_lift + sun.horizontal * sin_lift,
          sun.horizontal * cos_lift - sun.up * sin_lift, sun.north, sun.east};
}

struct AirlessSuns {
  HourColumn up, horizontal, elevation_deg, north, east;
};

HELIOGRAD_VECTOR_LOOPS
void SeeAll(const Observer::Site& site, const SunTrack& track, const SunMoments& moments, size_t count,
            AirlessSuns& suns) {
  const Observer::Site local_site = site;  // so that no store below can be taken for a change of it
  const SunTrack local_track = track;
  for (size_t i = 0; i < count; ++i) {
    const AirlessSun sun = SeenFrom(local_site, local_track.At(moments.days[i]), moments.ut_h[i]);
    suns.up[i] = sun.up;
    suns.horizontal[i] = sun.horizontal;
    suns.elevation_deg[i] = sun.elevation_deg;
    suns.north[i] = sun.north;
    suns.east[i] = sun.east;
  }
}

HELIOGRAD_VECTOR_LOOPS
void LiftAll(const AirlessSuns& suns, const HourColumn& lift_deg, size_t count, SunDirections& directions) {
  for (size_t i = 0; i < count; ++i) {
    const AirlessSun sun = {suns.up[i], suns.horizontal[i], suns.elevation_deg[i], suns.north[i], suns.east[i]};
    const SunDirection direction = Lifted(sun, lift_deg[i]);
    directions.zenith_deg[i] = direction.zenith_deg;
    directions.cos_zenith[i] = direction.cos_zenith;
    directions.sin_zenith[i] = direction.sin_zenith;
    directions.north[i] = direction.north;
    directions.east[i] = direction.east;
  }
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

std::array<GeocentricSun, kInstantsAtOnce> GeocentricSunsAt(const Instants& days,
                                                            double terrestrial_minus_universal_s) {
  Instants centuries, millennia;
  for (size_t i = 0; i < kInstantsAtOnce; ++i) {
    centuries[i] = (days[i] + terrestrial_minus_universal_s / 86400.0) / 36525.0;
    millennia[i] = centuries[i] / 10.0;
  }
  const Instants longitudes = SeriesSums(EarthLongitudeSeries(), millennia);
  const Instants latitudes = SeriesSums(EarthLatitudeSeries(), millennia);
  const Instants radii_au = SeriesSums(EarthRadiusSeries(), millennia);
  const Nutations nutations = NutationsAt(centuries);

  std::array<GeocentricSun, kInstantsAtOnce> suns;
  for (size_t i = 0; i < kInstantsAtOnce; ++i) {
    const double obliquity = MeanObliquityRad(millennia[i]) + nutations.obliquity_rad[i];
    const double aberration = -kRadiansPerDegree * 20.4898 / (3600.0 * radii_au[i]);
    const double longitude = longitudes[i] + std::numbers::pi + nutations.longitude_rad[i] + aberration;
    const double latitude = -latitudes[i];

    const double right_ascension = std::atan2(
        std::sin(longitude) * std::cos(obliquity) - std::tan(latitude) * std::sin(obliquity), std::cos(longitude));
    const double sin_declination =
        std::sin(latitude) * std::cos(obliquity) + std::cos(latitude) * std::sin(obliquity) * std::sin(longitude);
    const double sidereal =
        SiderealAngleAtMidnightDeg(days[i]) + kDegreesPerRadian * nutations.longitude_rad[i] * std::cos(obliquity);
    suns[i] = {Wrap360(sidereal - kDegreesPerRadian * right_ascension), sin_declination,
               kRadiansPerDegree * 8.794 / (3600.0 * radii_au[i])};
  }
  return suns;
}

GeocentricSun GeocentricSunAt(double days, double terrestrial_minus_universal_s) {
  Instants same;
  same.fill(days);
  return GeocentricSunsAt(same, terrestrial_minus_universal_s)[0];
}

SunTrack::SunTrack(double first, double last, double terrestrial_minus_universal_s)
    : first_(first), last_(last), middle_(0.5 * (first + last)) {
  // Never shorter than a day: a single instant would leave no width to scale by.
  const double half = std::max(0.5 * (last - first), 0.5);
  inverse_half_ = 1.0 / half;
  std::array<double, kNodes> x;
  Instants days;
  for (size_t i = 0; i < kNodes; ++i) {
    x[i] = std::cos(std::numbers::pi * (static_cast<double>(i) + 0.5) / kNodes);
    days[i] = middle_ + half * x[i];
  }
  const std::array<GeocentricSun, kNodes> suns = GeocentricSunsAt(days, terrestrial_minus_universal_s);
  for (size_t i = 0; i < kNodes; ++i) {
    noon_angle_[i] = suns[i].noon_angle_deg;
    sin_declination_[i] = suns[i].sin_declination;
  }
  parallax_rad_ = suns[kNodes / 2].parallax_rad;
  ToPowers(x, noon_angle_);
  ToPowers(x, sin_declination_);
}

double SunDirection::AzimuthDeg() const { return Wrap360(kDegreesPerRadian * std::atan2(east, north)); }

Observer::Observer(double latitude_deg, double longitude_deg, double elevation_m)
    : site_{longitude_deg, std::sin(kRadiansPerDegree * latitude_deg), std::cos(kRadiansPerDegree * latitude_deg), 0,
            0} {
  constexpr double kPolarOverEquatorialRadius = 0.99664719;
  constexpr double kEquatorialRadiusM = 6'378'140.0;
  const double reduced_latitude = std::atan2(kPolarOverEquatorialRadius * site_.sin_latitude, site_.cos_latitude);
  const double height = elevation_m / kEquatorialRadiusM;
  site_.parallax_equatorial = std::cos(reduced_latitude) + height * site_.cos_latitude;
  site_.parallax_polar = kPolarOverEquatorialRadius * std::sin(reduced_latitude) + height * site_.sin_latitude;
}

SunDirection Observer::Direction(const GeocentricSun& sun, double ut_h, double pressure_hpa, double air_c) const {
  const AirlessSun airless = SeenFrom(site_, sun, ut_h);
  return Lifted(airless, RefractionDeg(StandardRefraction(), airless.elevation_deg, pressure_hpa, air_c));
}

void Observer::Directions(const SunTrack& track, const SunMoments& moments, size_t count,
                          SunDirections& directions) const {
  AirlessSuns suns;
  HourColumn lift_deg;
  const RefractionTable& standard = StandardRefraction();
  SeeAll(site_, track, moments, count, suns);
  for (size_t i = 0; i < count; ++i) {
    lift_deg[i] = RefractionDeg(standard, suns.elevation_deg[i], moments.pressure_hpa[i], moments.air_c[i]);
  }
  LiftAll(suns, lift_deg, count, directions);
}

double Observer::HalfDayArcDeg(double sin_declination) const {
  const double cos_declination = std::sqrt(1.0 - sin_declination * sin_declination);
  const double reach = site_.cos_latitude * cos_declination;
  const double height = std::sin(kRadiansPerDegree * kRiseElevationDeg) - site_.sin_latitude * sin_declination;
  if (height >= reach) return 0.0;
  if (height <= -reach) return 180.0;
  return kDegreesPerRadian * std::acos(height / reach);
}

}  // namespace heliograd
