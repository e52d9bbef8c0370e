#include "heliograd/optimize/linear_model.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

TEST(LinearModel, KeepsRowsOneAfterAnother) {
  LinearModel model;
  const int x = model.AddColumn(0, 2, 1), y = model.AddColumn(-1, 1, 0);
  EXPECT_EQ(model.AddRow(0, 1, {{x, 1}, {y, 2}}), 0);
  EXPECT_EQ(model.AddRow(-kUnbounded, 3, {{y, 5}}), 1);
  EXPECT_EQ(model.row_start, (std::vector<int>{0, 2, 3}));
  EXPECT_EQ(model.terms.back().column, y);
  EXPECT_FALSE(model.HasIntegers());
}

TEST(WithDirectionBinaries, TurnsAPairIntoABinaryWithItsBounds) {
  LinearModel model;
  const int x = model.AddColumn(0, 2, 1), y = model.AddColumn(0, 3, 1);
  model.exclusive.push_back({x, y});
  const LinearModel binary = WithDirectionBinaries(model);
  EXPECT_TRUE(binary.exclusive.empty());
  ASSERT_EQ(binary.columns(), 3);
  EXPECT_TRUE(binary.integer[2]);
  ASSERT_EQ(binary.rows(), 2);
  // x <= 2 z and y <= 3 (1 - z).
  EXPECT_EQ(binary.terms[1].coefficient, -2);
  EXPECT_EQ(binary.terms[3].coefficient, 3);
  EXPECT_EQ(binary.row_upper, (std::vector<double>{0, 3}));
}

}  // namespace
}  // namespace heliograd
