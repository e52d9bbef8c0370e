#include "heliograd/base/quantity.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

TEST(Quantity, PowerTimesDurationIsEnergy) {
  const Energy energy = Watts(300) * Hours(2);
  EXPECT_DOUBLE_EQ(InWattHours(energy), 600);
  EXPECT_DOUBLE_EQ(InKilowattHours(energy), 0.6);
}

TEST(Quantity, EnergyTimesPriceIsMoney) {
  EXPECT_DOUBLE_EQ(InEuros(KilowattHours(2) * EurosPerKilowattHour(0.45)), 0.9);
  EXPECT_DOUBLE_EQ(InEurosPerKilowattHour(EurosPerMegawattHour(113)), 0.113);
}

TEST(Quantity, CarbonOfEnergyTimesItsPriceIsMoney) {
  const CarbonMass mass = KilowattHours(3) * GramsPerKilowattHour(200);
  EXPECT_DOUBLE_EQ(InKilograms(mass), 0.6);
  EXPECT_DOUBLE_EQ(InEuros(mass * EurosPerKilogram(0.1)), 0.06);
}

TEST(Quantity, RatioOfLikeQuantitiesIsANumber) { EXPECT_DOUBLE_EQ(Hours(1) / Minutes(15), 4.0); }

}  // namespace
}  // namespace heliograd
