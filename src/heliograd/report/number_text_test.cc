#include "heliograd/report/number_text.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

TEST(NumberText, CarriesUnitsAndTheDigitsThatMatter) {
  EXPECT_EQ(MoneyText(Euros(0.7412)), "0.741 EUR");
  EXPECT_EQ(MoneyText(Euros(-12.345)), "-12.35 EUR");
  EXPECT_EQ(EnergyText(WattHours(2304.4)), "2304 Wh");
  EXPECT_EQ(EnergyText(WattHours(0.04)), "0.0 Wh");
  EXPECT_EQ(EnergyText(KilowattHours(31.24)), "31.2 kWh");
  EXPECT_EQ(EnergyText(KilowattHours(12345)), "12.3 MWh");
  EXPECT_EQ(PowerText(Watts(150)), "150 W");
  EXPECT_EQ(PowerText(Watts(12500)), "12.5 kW");
  EXPECT_EQ(PriceText(EurosPerKilowattHour(-0.0312)), "-0.031 EUR/kWh");
  EXPECT_EQ(CarbonText(Kilograms(0.8124)), "812 g CO2");
  EXPECT_EQ(CarbonText(Kilograms(1.5)), "1.50 kg CO2");
  EXPECT_EQ(PercentText(0.5691), "56.9 %");
}

TEST(NumberText, NeverShowsMinusZero) {
  EXPECT_EQ(MoneyText(Euros(-0.0001)), "0.000 EUR");
  EXPECT_EQ(EnergyText(WattHours(-0.01)), "0.0 Wh");
  EXPECT_EQ(PercentText(-0.0001), "0.0 %");
}

TEST(NumberText, Durations) {
  EXPECT_EQ(DurationText(Seconds(0.0124)), "12 ms");
  EXPECT_EQ(DurationText(Seconds(59.96)), "60.0 s");
  EXPECT_EQ(DurationText(Minutes(45)), "45 min");
  EXPECT_EQ(DurationText(Hours(19)), "19 h");
  EXPECT_EQ(DurationText(Hours(19.5)), "19 h 30 min");
  EXPECT_EQ(DurationText(Hours(76)), "3 d 4 h");
  EXPECT_EQ(DurationText(Hours(8760)), "365 d");
}

TEST(NumberText, Dates) {
  EXPECT_EQ(DayText({2025, 1, 1, 20, 5, 0}), "Wed 1 Jan");
  EXPECT_EQ(ClockText({2025, 1, 1, 20, 5, 0}), "20:05");
}

}  // namespace
}  // namespace heliograd
