#include "heliograd/model/pv_module.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "heliograd/model/sun_position.h"

namespace heliograd {
namespace {

// Reference vectors rounded to three decimals.
TEST(CecModule, MaximumPowerEqualsTheReferenceVectors) {
  const CecModule& standard = CecModuleOf(PvModule::kStandard);
  EXPECT_NEAR(MaximumPowerW(standard, 1000, 25), 322.559, 5e-4);
  EXPECT_NEAR(MaximumPowerW(standard, 800, 50), 234.503, 5e-4);
  EXPECT_NEAR(MaximumPowerW(standard, 200, 15), 65.780, 5e-4);
}

/// The largest power by trying a thousand million-th of the voltage range: slow, and shares no step with the model.
double MaximumPowerByTrial(const CecModule& m, double g, double cell_c) {
  const double t = cell_c + 273.15;
  const double gap = 1.12 * (1 - 0.0002677 * (t - 298.15));
  const double light =
      g / 1000 * (m.light_current_a + m.current_per_kelvin * (1 - m.adjustment_percent / 100) * (t - 298.15));
  const double dark = m.diode_current_a * std::pow(t / 298.15, 3) * std::exp((1.12 / 298.15 - gap / t) / 8.618e-5);
  const double a = m.ideality_v * t / 298.15;
  const auto power = [&](double u) {
    const double i = light - dark * std::expm1(u / a) - u * g / 1000 / m.shunt_ohm;
    return (u - i * m.series_ohm) * i;
  };
  double best = 0;
  const double open = a * std::log(light / dark + 1);
  for (double u = 0; u < open; u += open / 20000) best = std::max(best, power(u));
  return best;
}

TEST(CecModule, FindsTheMaximumForEveryModuleIrradianceAndTemperature) {
  for (PvModule type : {PvModule::kStandard, PvModule::kPremium, PvModule::kThinFilm}) {
    const CecModule& module = CecModuleOf(type);
    for (double irradiance : {1.0, 3.0, 30.0, 300.0, 1000.0, 1500.0}) {
      for (double cell_c : {-60.0, -20.0, 25.0, 60.0, 100.0}) {
        const double expected = MaximumPowerByTrial(module, irradiance, cell_c);
        // The trial steps by 1/20000 of the range; power is flat there to the square of half a step times the
        // curvature.
        EXPECT_NEAR(MaximumPowerW(module, irradiance, cell_c), expected, 2e-6 * expected)
            << irradiance << " " << cell_c;
      }
    }
  }
}

TEST(CecModule, IsDarkBelowOneWattPerSquareMetre) {
  EXPECT_EQ(MaximumPowerW(CecModuleOf(PvModule::kStandard), 0.99, 10), 0);
  EXPECT_EQ(MaximumPowerW(CecModuleOf(PvModule::kStandard), -5, 10), 0);
}

TEST(AirMassModifier, EqualsTheReferenceVectors) {
  const auto at = [](double zenith) { return AirMassModifier(zenith, std::cos(kRadiansPerDegree * zenith), 0); };
  EXPECT_NEAR(at(0), 0.98257, 5e-6);  // rounded to five decimals
  EXPECT_NEAR(at(60), 1.01318, 5e-6);
  EXPECT_NEAR(at(80), 1.00489, 5e-6);
  EXPECT_EQ(at(86), at(91));
}

}  // namespace
}  // namespace heliograd
