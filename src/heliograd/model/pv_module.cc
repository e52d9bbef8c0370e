#include "heliograd/model/pv_module.h"

#include <algorithm>
#include <cmath>

#include "heliograd/model/sun_position.h"

namespace heliograd {
namespace {

constexpr CecModule kStandard = {1.6864,  35.8,        9.01,     0.004755, 1.65916,
                                 9.51393, 4.37813e-11, 0.269953, 654.059,  5.79586};
constexpr CecModule kPremium = {1.6297, 54.7, 5.98, 0.0026, 2.45326, 6.4704, 2.01784e-11, 0.421231, 261.723, 9.56482};
constexpr CecModule kThinFilm = {2.4751,  183.6,       2.37,    0.00102, 7.97293,
                                 2.55475, 2.69243e-12, 4.60991, 2476.95, -2.49865};

constexpr double kFreezingK = 273.15;
constexpr double kReferenceK = 298.15;
constexpr double kBandGapEv = 1.12;
constexpr double kBoltzmannEvPerK = 8.618e-5;

/// The module's five parameters under the sun and at the temperature of the moment.
struct Diode {
  double light_a;
  double saturation_a;
  double ideality_v;
  double series_ohm;
  double shunt_siemens;
};

Diode DiodeAt(const CecModule& module, double effective_w_m2, double cell_c) {
  const double cell_k = cell_c + kFreezingK;
  const double warmer_k = cell_k - kReferenceK;
  const double ratio = cell_k / kReferenceK;
  const double suns = effective_w_m2 / 1000.0;
  const double current_per_kelvin = module.current_per_kelvin * (1.0 - module.adjustment_percent / 100.0);
  const double gap_ev = kBandGapEv * (1.0 - 0.0002677 * warmer_k);
  const double exponent = (kBandGapEv / kReferenceK - gap_ev / cell_k) / kBoltzmannEvPerK;

  Diode diode;
  diode.light_a = std::max(0.0, suns * (module.light_current_a + current_per_kelvin * warmer_k));
  diode.saturation_a = module.diode_current_a * ratio * ratio * ratio * std::exp(exponent);
  diode.ideality_v = module.ideality_v * ratio;
  diode.series_ohm = module.series_ohm;
  diode.shunt_siemens = suns / module.shunt_ohm;
  return diode;
}

/// Power and its first two derivatives at u = V + I Rs, in which current and voltage are explicit.
struct PowerAt {
  double power;
  double slope;
  double curvature;
};

PowerAt PowerAtJunction(const Diode& diode, double junction_v) {
  const double grown_a = diode.saturation_a * std::exp(junction_v / diode.ideality_v);
  const double current = diode.light_a + diode.saturation_a - grown_a - junction_v * diode.shunt_siemens;
  const double current_slope = -grown_a / diode.ideality_v - diode.shunt_siemens;
  const double current_curvature = -grown_a / (diode.ideality_v * diode.ideality_v);
  const double voltage = junction_v - current * diode.series_ohm;
  const double voltage_slope = 1.0 - current_slope * diode.series_ohm;
  return {voltage * current, voltage_slope * current + voltage * current_slope,
          2.0 * voltage_slope * current_slope + current_curvature * (voltage - current * diode.series_ohm)};
}

/// Close below the maximum: where a diode without resistances has it, ln(IL/Io) = x + ln(1 + x), less the drop in Rs.
double StartV(const Diode& diode) {
  const double open_circuit = std::log(diode.light_a / diode.saturation_a);
  return diode.ideality_v * (open_circuit - std::log(1.0 + open_circuit));
}

}  // namespace

const CecModule& CecModuleOf(PvModule module) {
  switch (module) {
    case PvModule::kPremium:
      return kPremium;
    case PvModule::kThinFilm:
      return kThinFilm;
    case PvModule::kStandard:
      break;
  }
  return kStandard;
}

double PowerPerKelvinV5(PvModule module) {
  switch (module) {
    case PvModule::kPremium:
      return -0.0035;
    case PvModule::kThinFilm:
      return -0.0020;
    case PvModule::kStandard:
      break;
  }
  return -0.0047;
}

double MaximumPowerW(const CecModule& module, double effective_w_m2, double cell_c) {
  constexpr double kDarkestW = 1.0;  // per m2
  if (!(effective_w_m2 >= kDarkestW)) return 0;
  const Diode diode = DiodeAt(module, effective_w_m2, cell_c);
  if (diode.light_a <= diode.saturation_a) return 0;

  double junction_v = StartV(diode);
  for (int iteration = 0; iteration < 60; ++iteration) {
    const PowerAt at = PowerAtJunction(diode, junction_v);
    const double step_v = -at.slope / at.curvature;
    junction_v += step_v;
    if (std::abs(step_v) < 1e-9 * diode.ideality_v) return std::max(0.0, at.power);
  }
  return std::max(0.0, PowerAtJunction(diode, junction_v).power);
}

double AirMassModifier(double zenith_deg, double cos_zenith, double elevation_m) {
  constexpr double kLowestSunDeg = 86.0;
  static const double kCosLowestSun = std::cos(kRadiansPerDegree * kLowestSunDeg);
  const double zenith = std::clamp(zenith_deg, 0.0, kLowestSunDeg);
  const double cosine = std::max(cos_zenith, kCosLowestSun);
  const double thickness = std::exp(-0.0001184 * elevation_m);
  const double m = thickness / (cosine + 0.5057 * std::pow(96.080 - zenith, -1.634));
  return std::max(0.0, 0.918093 + m * (0.086257 + m * (-0.024459 + m * (0.002816 - m * 0.000126))));
}

}  // namespace heliograd
