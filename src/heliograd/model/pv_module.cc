#include "heliograd/model/pv_module.h"

#include <algorithm>
#include <cmath>

#include "heliograd/model/cubic_table.h"
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

/// Saturation current against that at 25 degrees Celsius: (T/T0)^3 exp((Eg0/T0 - Eg/T) / k).
double SaturationRatio(double cell_k) {
  const double ratio = cell_k / kReferenceK;
  const double gap_ev = kBandGapEv * (1.0 - 0.0002677 * (cell_k - kReferenceK));
  return ratio * ratio * ratio * std::exp((kBandGapEv / kReferenceK - gap_ev / cell_k) / kBoltzmannEvPerK);
}

Diode DiodeAt(const CecModule& module, double effective_w_m2, double cell_c) {
  // Pieces of a kelvin keep the ratio within 1e-6 where cells can be; beyond, the formula itself.
  constexpr double kColdestK = 203.15;
  constexpr double kHottestK = 403.15;
  static const CubicTable<200> kSaturation(kColdestK, kHottestK, SaturationRatio);
  const double cell_k = cell_c + kFreezingK;
  const double warmer_k = cell_k - kReferenceK;
  const double suns = effective_w_m2 * 1e-3;
  const double current_per_kelvin = module.current_per_kelvin * (1.0 - module.adjustment_percent * 0.01);
  const bool in_table = cell_k > kColdestK && cell_k < kHottestK;

  Diode diode;
  diode.light_a = std::max(0.0, suns * (module.light_current_a + current_per_kelvin * warmer_k));
  diode.saturation_a = module.diode_current_a * (in_table ? kSaturation(cell_k) : SaturationRatio(cell_k));
  diode.ideality_v = module.ideality_v * cell_k * (1.0 / kReferenceK);
  diode.series_ohm = module.series_ohm;
  diode.shunt_siemens = suns / module.shunt_ohm;
  return diode;
}

/// Power and its first two derivatives by x at u = V + I Rs = a x, in which current and voltage are explicit.
struct PowerAt {
  double power;
  double slope;
  double curvature;
};

PowerAt PowerAtX(const Diode& diode, double x) {
  const double grown_a = diode.saturation_a * std::exp(x);
  const double shunt_a = diode.ideality_v * diode.shunt_siemens;
  const double current = diode.light_a + diode.saturation_a - grown_a - x * shunt_a;
  const double current_slope = -grown_a - shunt_a;
  const double voltage = diode.ideality_v * x - current * diode.series_ohm;
  const double voltage_slope = diode.ideality_v - current_slope * diode.series_ohm;
  return {voltage * current, voltage_slope * current + voltage * current_slope,
          2.0 * voltage_slope * current_slope - grown_a * (voltage - current * diode.series_ohm)};
}

/// Close to the maximum: dP/dx = 0 with the grown diode current put as IL/(1 + x - 2 Rs I/a) is
/// x + ln(1 + x - rho) = ln(IL/Io), but for a small pull of the shunt. One step of Newton from a line fitted to its
/// answer.
double StartX(const Diode& diode) {
  constexpr double kCurrentAtMaximum = 0.95;  // of the light's current, within a few percent for any module
  const double height = std::log(diode.light_a / diode.saturation_a);
  const double rho = 2.0 * kCurrentAtMaximum * diode.series_ohm * diode.light_a / diode.ideality_v;
  const double shunt = 1.0 + 2.0 * diode.shunt_siemens * diode.ideality_v / diode.light_a;
  const double guess = std::max(0.5 * height, 0.935 * height - 1.4);
  const double inner = std::max(1.0, 1.0 + guess - rho);
  const double miss = guess * shunt + std::log(inner) - height;
  return guess - miss * inner / (shunt * inner + 1.0);
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
  constexpr int kMostSteps = 60;     // two or three are usual
  constexpr double kCloseStep = 0.01;
  if (!(effective_w_m2 >= kDarkestW)) return 0;
  const Diode diode = DiodeAt(module, effective_w_m2, cell_c);
  if (diode.light_a <= diode.saturation_a) return 0;

  double x = StartX(diode);
  for (int iteration = 0; iteration < kMostSteps; ++iteration) {
    const PowerAt at = PowerAtX(diode, x);
    const double step = -at.slope / at.curvature;
    // So close, the parabola through the power is exact to the cube of the step: 1e-8 of the power.
    if (std::abs(step) < kCloseStep) return std::max(0.0, at.power + 0.5 * at.slope * step);
    x += step;
  }
  return std::max(0.0, PowerAtX(diode, x).power);
}

double AirMassModifier(double zenith_deg, double cos_zenith, double pressure_ratio) {
  constexpr double kLowestSunDeg = 86.0;
  static const double kCosLowestSun = std::cos(kRadiansPerDegree * kLowestSunDeg);
  static const CubicTable<344> kCorrection(0.0, kLowestSunDeg,
                                           [](double zenith) { return 0.5057 * std::pow(96.080 - zenith, -1.634); });
  const double m = pressure_ratio / (std::max(cos_zenith, kCosLowestSun) + kCorrection(zenith_deg));
  return std::max(0.0, 0.918093 + m * (0.086257 + m * (-0.024459 + m * (0.002816 - m * 0.000126))));
}

double PressureRatio(double elevation_m) { return std::exp(-0.0001184 * elevation_m); }

}  // namespace heliograd
