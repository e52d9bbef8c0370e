#include "heliograd/model/pv_module.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

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

/// The largest power by a golden-section search of the single-diode equation: slow, and shares no step with the model.
double MaximumPowerByTrial(const CecModule& m, double g, double cell_c) {
  const double t = cell_c + 273.15;
  const double gap = 1.12 * (1 - 0.0002677 * (t - 298.15));
  const double rate = m.current_per_kelvin * (1 - m.adjustment_percent / 100);
  const double light = g / 1000 * (m.light_current_a + rate * (t - 298.15));
  const double dark = m.diode_current_a * std::pow(t / 298.15, 3) * std::exp((1.12 / 298.15 - gap / t) / 8.618e-5);
  const double a = m.ideality_v * t / 298.15;
  const auto power = [&](double u) {
    const double i = light - dark * std::expm1(u / a) - u * g / 1000 / m.shunt_ohm;
    return (u - i * m.series_ohm) * i;
  };
  double low = 0;
  double high = a * std::log(light / dark + 1);
  const double golden = 0.5 * (std::sqrt(5.0) - 1);
  while (high - low > 1e-7 * a) {
    const double left = high - golden * (high - low);
    const double right = low + golden * (high - low);
    (power(left) < power(right) ? low : high) = power(left) < power(right) ? left : right;
  }
  return power(0.5 * (low + high));
}

TEST(CecModule, FindsTheMaximumForEveryModuleIrradianceAndTemperature) {
  for (PvModule type : {PvModule::kStandard, PvModule::kPremium, PvModule::kThinFilm}) {
    const CecModule& module = CecModuleOf(type);
    for (double irradiance : {1.0, 3.0, 30.0, 100.0, 300.0, 700.0, 1000.0, 1500.0}) {
      for (double cell_c = -60; cell_c <= 120; cell_c += 5) {
        const double expected = MaximumPowerByTrial(module, irradiance, cell_c);
        // The model stops where its parabola is within 1e-8 of the maximum; the search is closer than that.
        EXPECT_NEAR(MaximumPowerW(module, irradiance, cell_c), expected, 1e-7 * expected)
            << irradiance << " " << cell_c;
      }
    }
  }
}

TEST(CecModule, ManyAtOnceEqualOneByOne) {
  const CecModule& module = CecModuleOf(PvModule::kPremium);
  const std::vector<double> effective = {0, 0.99, 1, 5, -5, 250, 800, 1000, 1400, 60, 3};
  const std::vector<double> cell_c = {-20, 10, 10, -40, 5, 30, 55, 25, 75, 140, -80};
  std::vector<double> power_w(effective.size());
  MaximumPowersW(module, effective, cell_c, power_w);
  for (size_t i = 0; i < effective.size(); ++i) {
    // Either way ends within 1e-9 of the maximum.
    const double alone = MaximumPowerW(module, effective[i], cell_c[i]);
    EXPECT_NEAR(power_w[i], alone, 2e-9 * alone) << effective[i] << " " << cell_c[i];
  }
}

TEST(CecModule, IsDarkBelowOneWattPerSquareMetre) {
  EXPECT_EQ(MaximumPowerW(CecModuleOf(PvModule::kStandard), 0.99, 10), 0);
  EXPECT_EQ(MaximumPowerW(CecModuleOf(PvModule::kStandard), -5, 10), 0);
}

TEST(AirMassModifier, EqualsTheReferenceVectors) {
  const auto at = [](double zenith) {
    return AirMassModifier(zenith, std::cos(kRadiansPerDegree * zenith), PressureRatio(0));
  };
  EXPECT_NEAR(at(0), 0.98257, 5e-6);  // rounded to five decimals
  EXPECT_NEAR(at(60), 1.01318, 5e-6);
  EXPECT_NEAR(at(80), 1.00489, 5e-6);
  EXPECT_EQ(at(86), at(91));
}

}  // namespace
}  // namespace heliograd
