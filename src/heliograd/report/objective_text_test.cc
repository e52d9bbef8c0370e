#include "heliograd/report/objective_text.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

TEST(ObjectiveText, IsSaidInWhatIsMinimised) {
  EXPECT_EQ(ObjectiveText(Objective::kCost, Euros(0.741)), "0.741 EUR");
  // Solvers weigh a gram as a euro.
  EXPECT_EQ(ObjectiveText(Objective::kCarbon, Euros(57.53)), "58 g CO2");
  EXPECT_EQ(ObjectiveText(Objective::kCarbon, Euros(1234)), "1.23 kg CO2");
  EXPECT_EQ(ObjectivePriceText(Objective::kCost, EurosPerKilowattHour(0.45)), "0.450 EUR/kWh");
  EXPECT_EQ(ObjectivePriceText(Objective::kCarbon, EurosPerKilowattHour(317.03)), "317 g CO2/kWh");
  EXPECT_EQ(ObjectivePriceText(Objective::kCarbon, EurosPerKilowattHour(-0.045)), "0 g CO2/kWh");
}

TEST(ObjectiveText, WhatIsNegligiblePrintsAsNothing) {
  for (const Objective objective : {Objective::kCost, Objective::kCarbon}) {
    const Money negligible = NegligibleObjective(objective);
    EXPECT_EQ(ObjectiveText(objective, 0.99 * negligible), ObjectiveText(objective, Money()));
    EXPECT_NE(ObjectiveText(objective, 1.01 * negligible), ObjectiveText(objective, Money()));
  }
}

}  // namespace
}  // namespace heliograd
