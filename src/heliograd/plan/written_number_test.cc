#include "heliograd/plan/written_number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "heliograd/base/quantity.h"

namespace heliograd {
namespace {

double Wh(Energy energy) { return WrittenNumber<Energy>(energy, InWattHours, WattHours); }
double Price(EnergyPrice price) {
  return WrittenNumber<EnergyPrice>(price, InEurosPerKilowattHour, EurosPerKilowattHour);
}

TEST(WrittenNumber, ShortNumbersStayShort) {
  for (const double price : {0.25, 0.35, 0.45, 0.3, 0.1, -0.05, 0.12345}) {
    EXPECT_EQ(Price(EurosPerKilowattHour(price)), price);
  }
  EXPECT_EQ(Wh(WattHours(0.1)), 0.1);
  EXPECT_EQ(Wh(Energy()), 0);
}

TEST(WrittenNumber, AQuantityMadeOfANumberComesBackBitForBit) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> exponent(-12, 12);
  for (int i = 0; i < 100000; ++i) {
    const double number = std::pow(10.0, exponent(random));
    EXPECT_EQ(WattHours(Wh(WattHours(number))), WattHours(number));
    EXPECT_EQ(EurosPerKilowattHour(Price(EurosPerKilowattHour(number))), EurosPerKilowattHour(number));
  }
}

TEST(WrittenNumber, AnyQuantityMovesByNoMoreThanARoundingAndOnlyOnce) {
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> exponent(-12, 12);
  for (int i = 0; i < 100000; ++i) {
    const Energy energy = Joules(std::pow(10.0, exponent(random)));
    const double written = Wh(energy);
    EXPECT_DOUBLE_EQ(InJoules(WattHours(written)), InJoules(energy));
    EXPECT_EQ(Wh(WattHours(written)), written);
  }
}

TEST(WrittenNumber, ZeroHasNoSign) {
  EXPECT_FALSE(std::signbit(WrittenNumber<Energy>(WattHours(-0.0), InWattHours, WattHours)));
}

}  // namespace
}  // namespace heliograd
