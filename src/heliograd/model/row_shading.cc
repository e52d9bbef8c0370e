#include "heliograd/model/row_shading.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace heliograd {
namespace {

constexpr double kGroundCoverage = 0.4;
constexpr double kModuleW = 300.0;
constexpr double kModulesHigh = 2.0;
constexpr double kModulesPerString = 7.0;
constexpr double kRowHeight = 1.7 * kModulesHigh;  // in widths of a module, like every length here
constexpr double kRowSpacing = kRowHeight / kGroundCoverage;
constexpr double kPitchPerHeight = 1.0 / kGroundCoverage;

/// Mean over the row's height of the sky it still sees, against the sky an open plane sees.
double SkyShare(double tilt_deg) {
  if (tilt_deg <= 0) return 1.0;
  constexpr int kSteps = 250;
  const double tilt = kRadiansPerDegree * tilt_deg;
  const double open = std::numbers::pi * (1.0 + std::abs(std::cos(tilt)));
  double sum = 0;
  for (int step = 0; step < kSteps; ++step) {
    const double left = 1.0 - static_cast<double>(step) / kSteps;
    const double edge = std::atan(1.0 / std::tan(tilt) - 1.0 / (kGroundCoverage * std::sin(tilt) * left));
    const double opening = tilt + edge - 0.5 * std::numbers::pi;
    const double seen = std::numbers::pi * (1.0 + std::abs(std::cos(opening)));
    sum += opening > 0.5 * std::numbers::pi ? 2.0 * std::numbers::pi - seen : seen;
  }
  return std::min(1.0, sum / kSteps / open);
}

/// Twice the view of a strip of ground as long as `reach` row heights in front of the row.
double GroundView(double reach, double cos_tilt) {
  return 1.0 + reach - std::sqrt(reach * reach + 2.0 * reach * cos_tilt + 1.0);
}

}  // namespace

RowShading::RowShading(double dc_capacity_w, double tilt_deg) : sky_(SkyShare(tilt_deg)) {
  const double modules = std::max(1.0, std::ceil(dc_capacity_w / kModuleW));
  rows_ = std::ceil(std::sqrt(modules / kModulesHigh));
  row_length_ = std::max(1.0, std::ceil(modules / (rows_ * kModulesHigh)));
  long_rows_ = std::floor(row_length_ / kModulesPerString) > 1.0;
}

double RowShading::ShadedShare(const TiltedPlane& plane, const SunDirection& sun) const {
  const double cos_turn = sun.north * plane.cos_azimuth + sun.east * plane.sin_azimuth;
  if (sun.cos_zenith <= 0 || plane.sin_tilt <= 0 || cos_turn <= 0) return 0;
  // PVWatts compares the azimuths as plain numbers, so a plane that faces north is not shaded by a sun on the other
  // side of north; kept, to equal it.
  if (std::abs(sun.AzimuthDeg() - plane.azimuth_deg) >= 90.0) return 0;
  const double sin_turn = sun.east * plane.cos_azimuth - sun.north * plane.sin_azimuth;
  const double cot_elevation = sun.sin_zenith / sun.cos_zenith;
  const double shadow_along = kRowHeight * plane.sin_tilt * sin_turn * cot_elevation;
  const double shadow_behind = kRowHeight * (plane.cos_tilt + cos_turn * plane.sin_tilt * cot_elevation);
  const double shaded_height = std::clamp(kRowHeight * (1.0 - kRowSpacing / shadow_behind), 0.0, kRowHeight);
  const double free_end = long_rows_ ? 0.0 : std::clamp(kRowSpacing * shadow_along / shadow_behind, 0.0, row_length_);
  return shaded_height * (row_length_ - free_end) / (kRowHeight * row_length_);
}

double RowShading::GroundShare(const TiltedPlane& plane, const SunDirection& sun, double dni, double dhi) const {
  const double beam = std::max(dni, 0.0) * sun.cos_zenith;
  const double diffuse = std::max(dhi, 0.0);
  const double first_row = 0.5 * (1.0 - plane.cos_tilt);
  const double all = rows_ * first_row * (beam + diffuse);
  if (!(all > 0) || sun.cos_zenith <= 0) return 1.0;
  // sin(180 - elevation - tilt) / sin(elevation): how far the row in front throws its shadow, in row heights.
  const double shadow = plane.cos_tilt + plane.sin_tilt * sun.sin_zenith / sun.cos_zenith;
  const double sunlit = std::max(1e-5, kPitchPerHeight - shadow);
  const double beam_view = 0.5 * GroundView(sunlit, plane.cos_tilt);
  const double diffuse_view = 0.5 * GroundView(kPitchPerHeight, plane.cos_tilt);
  return ((first_row + (rows_ - 1.0) * beam_view) * beam + (first_row + (rows_ - 1.0) * diffuse_view) * diffuse) / all;
}

PlaneIrradiance RowShading::Apply(const PlaneIrradiance& open, const TiltedPlane& plane, const SunDirection& sun,
                                  double dni, double dhi) const {
  constexpr double kNoDiffuse = 0.1;  // W/m2
  PlaneIrradiance left = open;
  left.beam *= 1.0 - ShadedShare(plane, sun);
  if (open.sky + open.ground < kNoDiffuse) return left;
  left.sky *= sky_;
  if (open.ground > 0) left.ground *= GroundShare(plane, sun, dni, dhi);
  return left;
}

}  // namespace heliograd
