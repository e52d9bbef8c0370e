#include "heliograd/model/cubic_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace heliograd {
namespace {

TEST(CubicTable, ReproducesACubicExactly) {
  const auto cubic = [](double x) { return 1 + x * (2 - x * (3 + x)); };
  const CubicTable<7> table(-2, 5, cubic);
  for (double x = -2; x <= 5; x += 0.01) EXPECT_NEAR(table(x), cubic(x), 1e-11);
}

TEST(CubicTable, KeepsItsErrorBound) {
  const CubicTable<10> table(0, 3, [](double x) { return std::sin(x); });
  double worst = 0;
  for (double x = 0; x <= 3; x += 0.001) worst = std::max(worst, std::abs(table(x) - std::sin(x)));
  EXPECT_LT(worst, std::pow(3.0 / 10, 4) / (128 * 24));
}

TEST(CubicTable, HoldsItsEnds) {
  const CubicTable<4> table(0, 1, [](double x) { return x; });
  EXPECT_NEAR(table(-5), 0, 1e-12);
  EXPECT_NEAR(table(9), 1, 1e-12);
  EXPECT_NEAR(table(std::nan("")), 0, 1e-12);
}

}  // namespace
}  // namespace heliograd
