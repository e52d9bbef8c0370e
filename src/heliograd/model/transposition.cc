#include "heliograd/model/transposition.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "heliograd/model/cubic_table.h"

namespace heliograd {
namespace {

/// F1 = f11 + f12 D + f13 z and F2 = f21 + f22 D + f23 z for one range of sky clearness.
struct SkyCoefficients {
  double f11, f12, f13, f21, f22, f23;
};

constexpr std::array<SkyCoefficients, 8> kSky = {{
    {-0.0083117, 0.5877285, -0.0620636, -0.0596012, 0.0721249, -0.0220216},
    {0.1299457, 0.6825954, -0.1513752, -0.0189325, 0.0659650, -0.0288748},
    {0.3296958, 0.4868735, -0.2210958, 0.0554140, -0.0639588, -0.0260542},
    {0.5682053, 0.1874525, -0.2951290, 0.1088631, -0.1519229, -0.0139754},
    {0.8730280, -0.3920403, -0.3616149, 0.2255647, -0.4620442, 0.0012448},
    {1.1326077, -1.2367284, -0.4118494, 0.2877813, -0.8230357, 0.0558651},
    {1.0601591, -1.5999137, -0.3589221, 0.2642124, -1.1272340, 0.1310694},
    {0.6777470, -0.3272588, -0.2504286, 0.1561313, -1.3765031, 0.2506212},
}};
constexpr std::array<double, 7> kClearnessEdges = {1.065, 1.23, 1.5, 1.95, 2.8, 4.5, 6.2};

constexpr double kLastPerezZenithDeg = 87.5;
constexpr double kSmallestCosZenith = 0.0871557;  // of 85 degrees
constexpr double kSolarConstant = 1367.0;         // W/m2

/// Which of the ranges; a whole number, which vector instructions count best as a double.
inline double SkyOf(double clearness) {
  double range = 0;
  for (const double edge : kClearnessEdges) range += clearness > edge ? 1.0 : 0.0;
  return range;
}

/// The refraction's part of Kasten and Young's air mass, by zenith.
using AirMassTable = CubicTable<350>;

const AirMassTable& LowSunAirMass() {
  static const AirMassTable kTable(0.0, kLastPerezZenithDeg,
                                   [](double zenith) { return 0.15 * std::pow(93.9 - zenith, -1.253); });
  return kTable;
}

/// Clearness of the sky; `dhi` above zero.
inline double Clearness(double zenith_deg, double dni, double dhi) {
  const double zenith_cubed = 5.534e-6 * zenith_deg * zenith_deg * zenith_deg;
  return 1.0 + dni / (dhi * (1.0 + zenith_cubed));
}

/// As OnPlane; `f` for the sky's clearness and `low_sun` from its table.
inline PlaneIrradiance Perez(const TiltedPlane& plane, double zenith_deg, double cos_zenith, double cos_incidence,
                             double dni, double dhi, double albedo, const SkyCoefficients& f, double low_sun) {
  const double facing = std::max(cos_incidence, 0.0);
  const double sky_view = 0.5 * (1.0 + plane.cos_tilt);
  const double air_mass = 1.0 / (cos_zenith + low_sun);
  const double brightness = dhi * air_mass * (1.0 / kSolarConstant);
  const double zenith_rad = kRadiansPerDegree * zenith_deg;
  const double circumsolar = std::max(0.0, f.f11 + f.f12 * brightness + f.f13 * zenith_rad);
  const double horizon = f.f21 + f.f22 * brightness + f.f23 * zenith_rad;
  const double sky = dhi * ((1.0 - circumsolar) * sky_view +
                            circumsolar * facing / std::max(cos_zenith, kSmallestCosZenith) + horizon * plane.sin_tilt);
  const double ground = albedo * (dni * cos_zenith + dhi) * 0.5 * (1.0 - plane.cos_tilt);
  const bool isotropic = zenith_deg > kLastPerezZenithDeg;
  const bool diffuse = dhi > 0;
  return {cos_zenith > 0 ? dni * facing : 0.0,
          isotropic ? dhi * sky_view
          : diffuse ? sky
                    : 0.0,
          !isotropic && diffuse ? ground : 0.0};
}

}  // namespace

TiltedPlane::TiltedPlane(double tilt, double azimuth)
    : tilt_deg(tilt),
      azimuth_deg(azimuth),
      sin_tilt(std::sin(kRadiansPerDegree * tilt)),
      cos_tilt(std::cos(kRadiansPerDegree * tilt)),
      sin_azimuth(std::sin(kRadiansPerDegree * azimuth)),
      cos_azimuth(std::cos(kRadiansPerDegree * azimuth)) {}

PlaneIrradiance OnPlane(const TiltedPlane& plane, const SunDirection& sun, double cos_incidence, double dni, double dhi,
                        double albedo) {
  dni = std::max(dni, 0.0);
  dhi = std::max(dhi, 0.0);
  return Perez(plane, sun.zenith_deg, sun.cos_zenith, cos_incidence, dni, dhi, albedo,
               kSky[static_cast<size_t>(SkyOf(Clearness(sun.zenith_deg, dni, dhi)))], LowSunAirMass()(sun.zenith_deg));
}

HELIOGRAD_VECTOR_LOOPS
void CosIncidences(const TiltedPlane& plane, const SunDirections& sun, size_t count, HourColumn& cos_incidence) {
  const TiltedPlane own_plane = plane;  // so that no store below can be taken for a change of it
  for (size_t i = 0; i < count; ++i) cos_incidence[i] = own_plane.CosIncidence(sun[i]);
}

HELIOGRAD_VECTOR_LOOPS
void OnPlane(const TiltedPlane& plane, const SunDirections& sun, const HourColumn& cos_incidence, const OpenSky& open,
             size_t count, PlaneIrradiances& on_plane) {
  const TiltedPlane own_plane = plane;
  const AirMassTable& low_sun_table = LowSunAirMass();
  // First what is looked up, then arithmetic alone.
  HourColumn low_sun, range, f11, f12, f13, f21, f22, f23;
  for (size_t i = 0; i < count; ++i) {
    range[i] = SkyOf(Clearness(sun.zenith_deg[i], std::max(open.dni[i], 0.0), std::max(open.dhi[i], 0.0)));
  }
  for (size_t i = 0; i < count; ++i) {
    low_sun[i] = low_sun_table(sun.zenith_deg[i]);
    const SkyCoefficients& f = kSky[static_cast<size_t>(range[i])];
    f11[i] = f.f11;
    f12[i] = f.f12;
    f13[i] = f.f13;
    f21[i] = f.f21;
    f22[i] = f.f22;
    f23[i] = f.f23;
  }
  for (size_t i = 0; i < count; ++i) {
    const PlaneIrradiance hour =
        Perez(own_plane, sun.zenith_deg[i], sun.cos_zenith[i], cos_incidence[i], std::max(open.dni[i], 0.0),
              std::max(open.dhi[i], 0.0), open.albedo[i], {f11[i], f12[i], f13[i], f21[i], f22[i], f23[i]}, low_sun[i]);
    on_plane.beam[i] = hour.beam;
    on_plane.sky[i] = hour.sky;
    on_plane.ground[i] = hour.ground;
  }
}

}  // namespace heliograd
