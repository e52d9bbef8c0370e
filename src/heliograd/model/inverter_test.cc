#include "heliograd/model/inverter.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

// 1 kW DC at a ratio of 1.2 and 96 %; reference vectors rounded to three decimals.
TEST(Inverter, Version5EqualsTheReferenceVectors) {
  EXPECT_NEAR(InverterAcV5(100, 1000 / 1.2, 0.96), 92.914, 5e-4);
  EXPECT_NEAR(InverterAcV5(500, 1000 / 1.2, 0.96), 481.258, 5e-4);
  EXPECT_NEAR(InverterAcV5(900, 1000 / 1.2, 0.96), 833.333, 5e-4);
  EXPECT_EQ(InverterAcV5(0, 1000 / 1.2, 0.96), 0);
}

TEST(Inverter, Version8IsALineFromItsOwnNeedToItsRating) {
  const InverterV8 inverter(1000, 800, 0.96);
  const double own_need = 0.004931 * 800;
  EXPECT_EQ(inverter.Ac(own_need), 0);
  EXPECT_NEAR(inverter.Ac(800 / 0.96), 800, 1e-9);
  EXPECT_NEAR(inverter.Ac(0.5 * (own_need + 800 / 0.96)), 400, 1e-9);
  EXPECT_EQ(inverter.Ac(2000), 800);
}

TEST(Inverter, Version8ChangesClassAtTenAndAThousandWatts) {
  EXPECT_EQ(InverterV8(9.99, 100, 0.96).Ac(0.2246), 0);
  EXPECT_GT(InverterV8(9.99, 100, 0.96).Ac(0.2247), 0);
  EXPECT_EQ(InverterV8(10, 100, 0.96).Ac(0.2478), 0);
  EXPECT_GT(InverterV8(999, 100, 0.96).Ac(0.2479), 0);
  EXPECT_EQ(InverterV8(1000, 100, 0.96).Ac(0.4931), 0);
}

}  // namespace
}  // namespace heliograd
