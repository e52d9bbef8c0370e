#include "heliograd/model/glass.h"

#include <algorithm>
#include <cmath>

#include "heliograd/model/cubic_table.h"
#include "heliograd/model/sun_position.h"

namespace heliograd {
namespace {

constexpr double kAirIndex = 1.0;
constexpr double kCoatingIndex = 1.3;
constexpr double kGlassIndex = 1.526;
constexpr double kCoatingDepth = 4.0 * 2e-5;  // extinction per metre times thickness in metres
constexpr double kGlassDepth = 4.0 * 2e-3;

/// Transmittance by the cosine of incidence, in which it is smooth: the table's error is below 1e-8.
using CoverTable = CubicTable<256>;

double CosDeg(double degrees) { return std::cos(kRadiansPerDegree * degrees); }

/// Snell's law: cosine of the angle behind the boundary.
double CosRefracted(double cos_front, double front_index, double back_index) {
  const double ratio = front_index / back_index;
  return std::sqrt(1.0 - ratio * ratio * (1.0 - cos_front * cos_front));
}

/// Part of unpolarised light that passes a boundary (Duffie and Beckman, equations 5.1.1 to 5.1.3).
double PassesBoundary(double cos_front, double cos_back, double front_index, double back_index) {
  const double perpendicular =
      (front_index * cos_front - back_index * cos_back) / (front_index * cos_front + back_index * cos_back);
  const double parallel =
      (back_index * cos_front - front_index * cos_back) / (back_index * cos_front + front_index * cos_back);
  return 1.0 - 0.5 * (perpendicular * perpendicular + parallel * parallel);
}

/// One layer: its front boundary and the absorption in it.
double PassesLayer(double cos_front, double front_index, double back_index, double depth) {
  const double cos_back = CosRefracted(cos_front, front_index, back_index);
  return PassesBoundary(cos_front, cos_back, front_index, back_index) * std::exp(-depth / cos_back);
}

double PassesGlass(double cos_incidence) { return PassesLayer(cos_incidence, kAirIndex, kGlassIndex, kGlassDepth); }

double PassesCoatedGlass(double cos_incidence) {
  const double cos_coating = CosRefracted(cos_incidence, kAirIndex, kCoatingIndex);
  const double cos_glass = CosRefracted(cos_coating, kCoatingIndex, kGlassIndex);
  return PassesBoundary(cos_incidence, cos_coating, kAirIndex, kCoatingIndex) *
         PassesBoundary(cos_coating, cos_glass, kCoatingIndex, kGlassIndex) *
         std::exp(-(kCoatingDepth / cos_coating + kGlassDepth / cos_glass));
}

/// PVWatts 8 takes 1 degree as normal, and there lets light enter the glass as if from air: kept, to equal it.
double NormalV8() {
  const double cos_coating = CosRefracted(CosDeg(1), kAirIndex, kCoatingIndex);
  return PassesLayer(CosDeg(1), kAirIndex, kCoatingIndex, kCoatingDepth) * PassesGlass(cos_coating);
}

const CoverTable& BeamTableV8() {
  static const CoverTable kTable(CosDeg(89), CosDeg(1),
                                 [](double cosine) { return PassesCoatedGlass(cosine) / NormalV8(); });
  return kTable;
}

}  // namespace

bool HasIncidenceModifierV5(double cos_incidence) {
  static const double kLowest = CosDeg(89.5);
  static const double kHighest = CosDeg(0.5);
  return cos_incidence > kLowest && cos_incidence < kHighest;
}

double IncidenceModifierV5(double cos_incidence, bool coated) {
  static const CoverTable kGlass(CosDeg(89.5), CosDeg(0.5),
                                 [](double cosine) { return PassesGlass(cosine) / PassesGlass(CosDeg(1)); });
  static const CoverTable kCoatedGlass(CosDeg(89.5), CosDeg(0.5), [](double cosine) {
    return PassesCoatedGlass(cosine) / PassesCoatedGlass(CosDeg(1));
  });
  return coated ? kCoatedGlass(cos_incidence) : kGlass(cos_incidence);
}

CoverV8::CoverV8(double tilt_deg) {
  // Duffie and Beckman, equations 5.4.1 and 5.4.2: the single angles that stand for diffuse light.
  const double sky_deg = 59.7 - 0.1388 * tilt_deg + 0.001497 * tilt_deg * tilt_deg;
  const double ground_deg = 90.0 - 0.5788 * tilt_deg + 0.002693 * tilt_deg * tilt_deg;
  sky_ = std::min(1.0, PassesGlass(CosDeg(sky_deg)) / NormalV8());
  ground_ = std::min(1.0, PassesGlass(CosDeg(ground_deg)) / NormalV8());
}

double CoverV8::Beam(double cos_incidence) { return std::min(1.0, BeamTableV8()(cos_incidence)); }

void CoverV8::Beams(const HourColumn& cos_incidence, size_t count, HourColumn& passed) {
  const CoverTable& table = BeamTableV8();
  for (size_t i = 0; i < count; ++i) passed[i] = std::min(1.0, table(cos_incidence[i]));
}

}  // namespace heliograd
