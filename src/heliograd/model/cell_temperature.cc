#include "heliograd/model/cell_temperature.h"

#include <algorithm>
#include <cmath>

namespace heliograd {
namespace {

constexpr double kFreezingK = 273.15;
constexpr double kStefanBoltzmann = 5.669e-8;  // W/(m2 K4)
constexpr double kAbsorptance = 0.83;
constexpr double kEmittance = 0.84;
constexpr double kLengthM = 0.5;
constexpr double kGravity = 9.8;
constexpr double kAirHeat = 1007.0;  // J/(kg K)
constexpr double kPrandtl = 0.71;
constexpr double kStepS = 3600.0;
// Conditions at which the nominal temperature is defined: 800 W/m2, air at 20 degrees, wind 1 m/s.
constexpr double kNominalAirK = 293.15;
constexpr double kNominalSkyK = 282.21;
constexpr double kNominalIrradiance = 800.0;

double Square(double x) { return x * x; }
double Fourth(double x) { return Square(Square(x)); }

enum class Flow { kLaminar, kAsItComes };

/// Convection coefficient of one side in W/(m2 K): forced and free flow joined by their cubes.
double Convection(double film_k, double wind_m_s, double rise_k, Flow flow) {
  static const double kPrandtlLaminar = std::pow(kPrandtl, 0.67);
  static const double kPrandtlTurbulent = std::pow(kPrandtl, 0.4);
  const double density = 0.003484 * 101325.0 / film_k;
  const double viscosity = 0.24237e-6 * std::pow(film_k, 0.76) / density;  // kinematic, m2/s
  const double conductivity = 2.1695e-4 * std::pow(film_k, 0.84);
  const double reynolds = wind_m_s * kLengthM / viscosity;
  const double carried = density * wind_m_s * kAirHeat;
  double forced = 0.86 / std::sqrt(reynolds) * carried / kPrandtlLaminar;
  if (reynolds > 1.2e5 && flow == Flow::kAsItComes) {
    forced = 0.0282 * std::pow(reynolds, -0.2) * carried / kPrandtlTurbulent;
  }
  const double grashof = kGravity / film_k * rise_k * (kLengthM * kLengthM * kLengthM) / Square(viscosity) * 0.5;
  const double free = 0.21 * std::pow(kPrandtl * grashof, 0.32) * conductivity / kLengthM;
  return std::cbrt(forced * forced * forced + free * free * free);
}

}  // namespace

double NominalOperatingCellC(PvMounting mounting) { return mounting == PvMounting::kRack ? 45.0 : 49.0; }

FuentesModel::FuentesModel(double nominal_cell_c) {
  const double cell = nominal_cell_c + kFreezingK;
  const double rise = cell - kNominalAirK;
  const double absorbed = kNominalIrradiance * kAbsorptance;
  const double radiation = kEmittance * kStefanBoltzmann;
  const double convection = Convection(0.5 * (cell + kNominalAirK), 1.0, rise, Flow::kLaminar);
  const double to_ground = radiation * (Square(cell) + Square(kNominalAirK)) * (cell + kNominalAirK);
  const double back_ratio = (absorbed - radiation * (Fourth(cell) - Fourth(kNominalSkyK)) - convection * rise) /
                            ((to_ground + convection) * rise);
  const double ground_fourth = Fourth(cell) - back_ratio * (Fourth(cell) - Fourth(kNominalAirK));
  const double ground = std::clamp(std::sqrt(std::sqrt(std::max(ground_fourth, 0.0))), kNominalAirK, cell);
  ground_ratio_ = (ground - kNominalAirK) / rise;
  convection_ratio_ =
      (absorbed - radiation * (2.0 * Fourth(cell) - Fourth(kNominalSkyK) - Fourth(ground))) / (convection * rise);
  constexpr double kHeatCapacity = 11000.0;
  heat_capacity_ = kHeatCapacity * (cell > 321.15 ? 1.0 + (cell - 321.15) / 12.0 : 1.0);
}

double FuentesModel::Step(double poa_w_m2, double air_c, double wind_m_s) {
  const double air = air_c + kFreezingK;
  if (poa_w_m2 <= 0) {
    last_k_ = air;
    last_absorbed_ = 0;
    return air_c;
  }
  // Wind is measured at 9.144 m and falls off towards the module's 5 m.
  static const double kWindAtModule = std::pow(5.0 / 9.144, 0.2);
  constexpr double kRadiation = kEmittance * kStefanBoltzmann;
  const double absorbed = kAbsorptance * poa_w_m2;
  const double sky = 0.68 * 0.0552 * air * std::sqrt(air) + 0.32 * air;
  const double wind = std::max(wind_m_s, 0.0) * kWindAtModule + 1e-4;

  double module = last_k_;
  for (int iteration = 0; iteration < 10; ++iteration) {
    const double convection =
        convection_ratio_ * Convection(0.5 * (module + air), wind, std::abs(module - air), Flow::kAsItComes);
    const double to_sky = kRadiation * (Square(module) + Square(sky)) * (module + sky);
    const double ground = air + ground_ratio_ * (module - air);
    const double to_ground = kRadiation * (Square(module) + Square(ground)) * (module + ground);
    const double total = convection + to_sky + to_ground;
    const double exponent = -total * kStepS / heat_capacity_;
    const double left = exponent > -10.0 ? std::exp(exponent) : 0.0;
    const double gain =
        convection * air + to_sky * sky + to_ground * ground + last_absorbed_ + (absorbed - last_absorbed_) / exponent;
    module = last_k_ * left + ((1.0 - left) * gain + absorbed - last_absorbed_) / total;
  }
  last_k_ = module;
  last_absorbed_ = absorbed;
  return module - kFreezingK;
}

double NominalCellTemperatureV8(double poa, double effective, double air_c, double wind_m_s, double nominal_cell_c,
                                double module_efficiency) {
  constexpr double kTransmittanceAbsorptance = 0.9;
  if (effective <= 0) return air_c;
  const double wind = std::max(0.51 * wind_m_s, 0.001);
  const double kept = 1.0 - module_efficiency * poa / (kTransmittanceAbsorptance * effective);
  return air_c + poa / kNominalIrradiance * (nominal_cell_c - 20.0) * kept * 9.5 / (5.7 + 3.8 * wind);
}

}  // namespace heliograd
