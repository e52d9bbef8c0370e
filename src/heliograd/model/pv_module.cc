#include "heliograd/model/pv_module.h"

#include <algorithm>
#include <cmath>

#include "heliograd/model/cubic_table.h"
#include "heliograd/model/sun_position.h"
#include "heliograd/model/vector_math.h"

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

/// Where the table of saturation ratios holds.
constexpr double kColdestK = 203.15;
constexpr double kHottestK = 403.15;

/// Pieces of a kelvin keep the ratio within 1e-6 where cells can be.
using SaturationTable = CubicTable<200>;

const SaturationTable& SaturationRatios() {
  static const SaturationTable kTable(kColdestK, kHottestK, SaturationRatio);
  return kTable;
}

/// Saturation current of the module at a cell's temperature; beyond the table, by the formula itself.
inline double SaturationA(const CecModule& module, const SaturationTable& ratios, double cell_c) {
  const double cell_k = cell_c + kFreezingK;
  const bool in_table = cell_k > kColdestK && cell_k < kHottestK;
  return module.diode_current_a * (in_table ? ratios(cell_k) : SaturationRatio(cell_k));
}

inline Diode DiodeAt(const CecModule& module, double effective_w_m2, double cell_c, double saturation_a) {
  const double cell_k = cell_c + kFreezingK;
  const double warmer_k = cell_k - kReferenceK;
  const double suns = effective_w_m2 * 1e-3;
  const double current_per_kelvin = module.current_per_kelvin * (1.0 - module.adjustment_percent * 0.01);

  Diode diode;
  diode.light_a = std::max(0.0, suns * (module.light_current_a + current_per_kelvin * warmer_k));
  diode.saturation_a = saturation_a;
  diode.ideality_v = module.ideality_v * cell_k * (1.0 / kReferenceK);
  diode.series_ohm = module.series_ohm;
  diode.shunt_siemens = suns * (1.0 / module.shunt_ohm);
  return diode;
}

/// Power and its derivatives by x at u = V + I Rs = a x, in which current and voltage are explicit.
struct PowerAt {
  double power;
  double slope;
  double curvature;
  double third;

  /// How far the maximum is, by Halley's method.
  double StepToPeak() const { return -2.0 * slope * curvature / (2.0 * curvature * curvature - slope * third); }
  double After(double step) const {
    return power + step * (slope + step * (curvature * (1.0 / 2.0) + step * third * (1.0 / 6.0)));
  }
};

inline PowerAt PowerAtX(const Diode& diode, double x) {
  const double grown_a = diode.saturation_a * Exponential(x);
  const double shunt_a = diode.ideality_v * diode.shunt_siemens;
  const double current = diode.light_a + diode.saturation_a - grown_a - x * shunt_a;
  const double current_slope = -grown_a - shunt_a;
  const double voltage = diode.ideality_v * x - current * diode.series_ohm;
  const double voltage_slope = diode.ideality_v - current_slope * diode.series_ohm;
  // The further derivatives of the current are -grown_a, those of the voltage grown_a Rs.
  const double bend = grown_a * (voltage - current * diode.series_ohm);
  return {voltage * current, voltage_slope * current + voltage * current_slope,
          2.0 * voltage_slope * current_slope - bend,
          3.0 * grown_a * (current_slope * diode.series_ohm - voltage_slope) - bend};
}

/// Close to the maximum: dP/dx = 0 with the grown diode current put as IL/(1 + x - 2 Rs I/a) is
/// x + ln(1 + x - rho) = ln(IL/Io), but for a small pull of the shunt. One step of Newton from a line fitted to its
/// answer, which ends within 0.02 of the maximum for every module, light and temperature.
inline double StartX(const Diode& diode) {
  constexpr double kCurrentAtMaximum = 0.95;  // of the light's current, within a few percent for any module
  const double per_light = 1.0 / diode.light_a;
  const double height = RoughLogarithm(diode.light_a / diode.saturation_a);
  const double rho = 2.0 * kCurrentAtMaximum * diode.series_ohm * diode.light_a / diode.ideality_v;
  const double shunt = 1.0 + 2.0 * diode.shunt_siemens * diode.ideality_v * per_light;
  const double guess = std::max(0.5 * height, 0.935 * height - 1.4);
  const double inner = std::max(1.0, 1.0 + guess - rho);
  const double miss = guess * shunt + RoughLogarithm(inner) - height;
  return guess - miss * inner / (shunt * inner + 1.0);
}

/// A step so short that the cubic through the power is within 1e-9 of it.
constexpr double kCloseStep = 0.03;

constexpr double kDarkestW = 1.0;  // per m2

bool IsDark(const Diode& diode, double effective_w_m2) {
  return !(effective_w_m2 >= kDarkestW) || diode.light_a <= diode.saturation_a;
}

constexpr double kLowestSunDeg = 86.0;
constexpr double kCosLowestSun = 0.069756473744125302;

/// What the air's curvature adds to the cosine of the zenith in Kasten and Young's air mass.
using AirMassTable = CubicTable<344>;

const AirMassTable& AirMassCorrection() {
  static const AirMassTable kTable(0.0, kLowestSunDeg,
                                   [](double zenith) { return 0.5057 * std::pow(96.080 - zenith, -1.634); });
  return kTable;
}

inline double SpectralFactor(double correction, double cos_zenith, double pressure_ratio) {
  const double m = pressure_ratio / (std::max(cos_zenith, kCosLowestSun) + correction);
  return std::max(0.0, 0.918093 + m * (0.086257 + m * (-0.024459 + m * (0.002816 - m * 0.000126))));
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
  constexpr int kMostSteps = 60;  // one or two are usual
  const Diode diode = DiodeAt(module, effective_w_m2, cell_c, SaturationA(module, SaturationRatios(), cell_c));
  if (IsDark(diode, effective_w_m2)) return 0;
  double x = StartX(diode);
  for (int iteration = 0; iteration < kMostSteps; ++iteration) {
    const PowerAt at = PowerAtX(diode, x);
    const double step = at.StepToPeak();
    if (std::abs(step) < kCloseStep) return std::max(0.0, at.After(step));
    x += step;
  }
  return std::max(0.0, PowerAtX(diode, x).power);
}

HELIOGRAD_VECTOR_LOOPS
void MaximumPowersW(const CecModule& module, std::span<const double> effective_w_m2, std::span<const double> cell_c,
                    std::span<double> power_w) {
  const CecModule local = module;  // so that no store below can be taken for a change of it
  const SaturationTable& ratios = SaturationRatios();
  // The saturation currents go through the place of the result, to leave plain arithmetic to the second loop.
  for (size_t i = 0; i < power_w.size(); ++i) power_w[i] = SaturationA(local, ratios, cell_c[i]);
  for (size_t i = 0; i < power_w.size(); ++i) {
    const Diode diode = DiodeAt(local, effective_w_m2[i], cell_c[i], power_w[i]);
    const PowerAt at = PowerAtX(diode, StartX(diode));
    const double step = at.StepToPeak();
    const bool settled = std::abs(step) < kCloseStep && diode.light_a > diode.saturation_a;
    power_w[i] = settled ? at.After(step) : -1.0;
  }
  // Left over: the dark, and what one step did not settle.
  for (size_t i = 0; i < power_w.size(); ++i) {
    if (!(effective_w_m2[i] >= kDarkestW) || !(power_w[i] > 0))
      power_w[i] = MaximumPowerW(local, effective_w_m2[i], cell_c[i]);
  }
}

double AirMassModifier(double zenith_deg, double cos_zenith, double pressure_ratio) {
  return SpectralFactor(AirMassCorrection()(zenith_deg), cos_zenith, pressure_ratio);
}

HELIOGRAD_VECTOR_LOOPS
void AirMassModifiers(const SunDirections& sun, double pressure_ratio, size_t count, HourColumn& modifiers) {
  const AirMassTable& correction = AirMassCorrection();
  // The corrections go through the place of the result, to leave plain arithmetic to the second loop.
  for (size_t i = 0; i < count; ++i) modifiers[i] = correction(sun.zenith_deg[i]);
  for (size_t i = 0; i < count; ++i) modifiers[i] = SpectralFactor(modifiers[i], sun.cos_zenith[i], pressure_ratio);
}

double PressureRatio(double elevation_m) { return std::exp(-0.0001184 * elevation_m); }

}  // namespace heliograd
