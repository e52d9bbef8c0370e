#include "heliograd/model/transposition.h"

#include <algorithm>
#include <array>
#include <cmath>

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

const SkyCoefficients& SkyFor(double clearness) {
  size_t bin = 0;
  for (const double edge : kClearnessEdges) bin += clearness > edge ? 1 : 0;
  return kSky[bin];
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
  const double facing = std::max(cos_incidence, 0.0);
  const double sky_view = 0.5 * (1.0 + plane.cos_tilt);

  PlaneIrradiance on_plane;
  if (sun.cos_zenith > 0) on_plane.beam = dni * facing;
  if (sun.zenith_deg > kLastPerezZenithDeg) {
    on_plane.sky = dhi * sky_view;
    return on_plane;
  }
  if (dhi <= 0) return on_plane;

  const double air_mass = 1.0 / (sun.cos_zenith + 0.15 * std::pow(93.9 - sun.zenith_deg, -1.253));
  const double brightness = dhi * air_mass / kSolarConstant;
  const double zenith_cubed = 5.534e-6 * sun.zenith_deg * sun.zenith_deg * sun.zenith_deg;
  const double clearness = ((dni + dhi) / dhi + zenith_cubed) / (1.0 + zenith_cubed);
  const SkyCoefficients& f = SkyFor(clearness);
  const double zenith_rad = kRadiansPerDegree * sun.zenith_deg;
  const double circumsolar = std::max(0.0, f.f11 + f.f12 * brightness + f.f13 * zenith_rad);
  const double horizon = f.f21 + f.f22 * brightness + f.f23 * zenith_rad;

  on_plane.sky = dhi * ((1.0 - circumsolar) * sky_view +
                        circumsolar * facing / std::max(sun.cos_zenith, kSmallestCosZenith) + horizon * plane.sin_tilt);
  on_plane.ground = albedo * (dni * sun.cos_zenith + dhi) * 0.5 * (1.0 - plane.cos_tilt);
  return on_plane;
}

}  // namespace heliograd
