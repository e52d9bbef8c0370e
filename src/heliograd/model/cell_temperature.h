// How warm the cells get: Fuentes' transient model (PVWatts 5) and the nominal operating cell temperature (PVWatts 8).
// Pure but for FuentesModel, which carries the last hour's state; one object serves one thread and one year.
#pragma once

#include <algorithm>

#include "heliograd/model/pvwatts.h"

namespace heliograd {

/// Installed nominal operating cell temperature: 45 degrees on an open rack, 49 close to a roof.
double NominalOperatingCellC(PvMounting mounting);

/// M. Fuentes, "A simplified thermal model for flat-plate photovoltaic arrays", SAND85-0330, 1987, with the constants
/// of PVWatts: module height 5 m, absorptance 0.83, emittance 0.84, hydraulic diameter 0.5 m, steps of one hour.
class FuentesModel {
 public:
  explicit FuentesModel(double nominal_cell_c);

  /// The mean cell temperature at the end of an hour with the sun up, in degrees Celsius. Hours of night leave the
  /// model as it stands, so they are not stepped; an hour without irradiance sets it to the air's temperature.
  double Step(double poa_w_m2, double air_c, double wind_m_s);

 private:
  double convection_ratio_ = 0;  // both sides against the front alone
  double ground_ratio_ = 0;      // rise of the ground against the module's
  double heat_capacity_ = 0;     // J/(m2 K)
  double last_k_ = 293.15;
  double last_absorbed_ = 0;  // W/m2
};

/// W. De Soto, S. Klein, W. Beckman, Solar Energy 80, 2006, with the constants of the deployed PVWatts 8 calculator.
/// `poa` is what reaches the cover and `effective` what the cells convert, in W/m2; `module_efficiency` is rated, 0..1.
/// The library behind the calculator changed this formula on 21 October 2024 (effective irradiance throughout, +0.08 %
/// a year); files that the calculator wrote follow the one here.
inline double NominalCellTemperatureV8(double poa, double effective, double air_c, double wind_m_s,
                                       double nominal_cell_c, double module_efficiency) {
  constexpr double kTransmittanceAbsorptance = 0.9;
  constexpr double kNominalIrradiance = 800.0;  // W/m2
  const double wind = std::max(0.51 * wind_m_s, 0.001);
  // One division for both quotients of the equation: 1 - efficiency poa / (0.9 effective) and 9.5 / (5.7 + 3.8 wind).
  const double kept =
      (effective - module_efficiency / kTransmittanceAbsorptance * poa) * 9.5 / (effective * (5.7 + 3.8 * wind));
  const double warmer = poa * (1.0 / kNominalIrradiance) * (nominal_cell_c - 20.0) * kept;
  return effective > 0 ? air_c + warmer : air_c;
}

}  // namespace heliograd
