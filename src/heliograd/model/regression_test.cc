#include "heliograd/model/regression.h"

#include <gmock/gmock.h>

#include <cmath>
#include <random>

#include "heliograd/model/statistics.h"

namespace heliograd {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using testing::HasSubstr;

VectorXd Vector(const std::vector<double>& values) {
  return Eigen::Map<const VectorXd>(values.data(), static_cast<Index>(values.size()));
}

RegressionInput Input(const std::vector<double>& x, const std::vector<double>& y) { return {Vector(x), Vector(y), {}}; }

std::string Problem(const RegressionInput& input, Scatter scatter = Scatter::kConstant) {
  const auto fit = FitRegression(input, scatter);
  return fit ? "none" : fit.error().Message();
}

// F. Anscombe, "Graphs in statistical analysis", The American Statistician 27, 1973: the first and the fourth set.
const std::vector<double> kX1 = {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5};
const std::vector<double> kY1 = {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68};
const std::vector<double> kX4 = {8, 8, 8, 8, 8, 8, 8, 19, 8, 8, 8};
const std::vector<double> kY4 = {6.58, 5.76, 7.71, 8.84, 8.47, 7.04, 5.25, 12.50, 5.56, 7.91, 6.89};

// The paper prints 3.0, 0.500, a standard error of 0.118 for the slope and R2 0.67; further digits are those of R's lm.
TEST(RegressionTest, AnscombesFirstSet) {
  const Regression fit = FitRegression(Input(kX1, kY1), Scatter::kConstant).value();
  EXPECT_NEAR(fit.coefficients[0], 3.0000909, 1e-6);
  EXPECT_NEAR(fit.coefficients[1], 0.5000909, 1e-6);
  EXPECT_NEAR(std::sqrt(fit.covariance(0, 0)), 1.1247468, 1e-6);
  EXPECT_NEAR(std::sqrt(fit.covariance(1, 1)), 0.1179055, 1e-6);
  EXPECT_NEAR(fit.r_squared, 0.6665425, 1e-6);
  EXPECT_NEAR(fit.scatter_sd, 1.236603, 1e-6);
  EXPECT_NEAR(fit.half_widths[1], 2.262157 * 0.1179055, 1e-4);
}

// The same line, but one point decides its slope alone: full leverage, no residual, and without it there is no line.
TEST(RegressionTest, AnscombesFourthSetShowsItsLeverage) {
  const Regression fit = FitRegression(Input(kX4, kY4), Scatter::kConstant).value();
  EXPECT_NEAR(fit.coefficients[0], 3.0017273, 1e-6);
  EXPECT_NEAR(fit.coefficients[1], 0.4999091, 1e-6);
  EXPECT_NEAR(fit.r_squared, 0.6667073, 1e-6);
  EXPECT_NEAR(fit.points[7].leverage, 1, 1e-12);
  EXPECT_NEAR(fit.points[7].residual, 0, 1e-12);
  EXPECT_FALSE(fit.points[7].left_out_error.has_value());
  EXPECT_FALSE(fit.predicted_r_squared.has_value());
  EXPECT_NEAR(fit.points[0].leverage, 0.1, 1e-12);
}

RegressionInput Random(std::mt19937& random, Index count, Index variables, double sd) {
  std::uniform_real_distribution<double> uniform(1, 20);
  std::normal_distribution<double> normal;
  RegressionInput input{MatrixXd(count, variables), VectorXd(count), {}};
  for (Index i = 0; i < count; ++i) {
    double y = 2;
    for (Index j = 0; j < variables; ++j) {
      input.x(i, j) = uniform(random);
      y += (0.5 + static_cast<double>(j)) * input.x(i, j);
    }
    input.y[i] = y + sd * normal(random);
  }
  return input;
}

RegressionInput Without(const RegressionInput& input, Index left_out) {
  RegressionInput rest{MatrixXd(input.x.rows() - 1, input.x.cols()), VectorXd(input.y.size() - 1), {}};
  for (Index i = 0, to = 0; i < input.y.size(); ++i) {
    if (i == left_out) continue;
    rest.x.row(to) = input.x.row(i);
    rest.y[to++] = input.y[i];
  }
  return rest;
}

TEST(RegressionTest, LeftOutErrorsAreThoseOfFitsWithoutThePoint) {
  std::mt19937 random(1);
  for (int round = 0; round < 30; ++round) {
    const RegressionInput input = Random(random, 5 + round % 10, 1 + round % 2, 3);
    const Regression fit = FitRegression(input, Scatter::kConstant).value();
    double leverages = 0;
    for (Index i = 0; i < input.y.size(); ++i) {
      const Regression rest = FitRegression(Without(input, i), Scatter::kConstant).value();
      const double error = input.y[i] - PredictAt(rest, input.x.row(i).transpose()).value;
      EXPECT_NEAR(*fit.points[static_cast<size_t>(i)].left_out_error, error, 1e-8);
      leverages += fit.points[static_cast<size_t>(i)].leverage;
    }
    EXPECT_NEAR(leverages, static_cast<double>(input.x.cols() + 1), 1e-9);
  }
}

TEST(RegressionTest, ScalesOfVariablesAndValuesDoNotMatter) {
  std::mt19937 random(2);
  for (const Scatter scatter : {Scatter::kConstant, Scatter::kProportional}) {
    const RegressionInput input = Random(random, 12, 2, 1);
    RegressionInput scaled = input;
    scaled.x.col(0) *= 1e9;
    scaled.y *= 1e-6;
    const Regression fit = FitRegression(input, scatter).value(), other = FitRegression(scaled, scatter).value();
    EXPECT_NEAR(other.coefficients[1] * 1e15 / fit.coefficients[1], 1, 1e-8);
    EXPECT_NEAR(other.half_widths[2] * 1e6 / fit.half_widths[2], 1, 1e-8);
    EXPECT_NEAR(other.r_squared, fit.r_squared, 1e-9);
    for (size_t i = 0; i < fit.points.size(); ++i) EXPECT_NEAR(other.points[i].leverage, fit.points[i].leverage, 1e-9);
  }
}

TEST(RegressionTest, APointOnTheLineNarrowsTheIntervals) {
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    const RegressionInput input = Random(random, 8, 1, 2);
    const Regression before = FitRegression(input, Scatter::kConstant).value();
    RegressionInput more = input;
    more.x.conservativeResize(9, 1);
    more.y.conservativeResize(9);
    const VectorXd at = VectorXd::Constant(1, std::uniform_real_distribution<double>(0, 30)(random));
    more.x(8, 0) = at[0];
    more.y[8] = PredictAt(before, at).value;
    const Regression after = FitRegression(more, Scatter::kConstant).value();
    EXPECT_LT(after.half_widths[0], before.half_widths[0]);
    EXPECT_LT(after.half_widths[1], before.half_widths[1]);
    const auto width = [&](const Regression& fit) { return PredictAt(fit, at).high - PredictAt(fit, at).low; };
    EXPECT_LT(width(after), width(before));
    EXPECT_NEAR(after.coefficients[1], before.coefficients[1], 1e-9);
  }
}

// Errors known and alone in explaining the residuals: weights are 1 / sd^2, by hand. Of two groups at x = 0 and x = 1
// the line goes through their weighted means, (1 * 1 + 3 * 4) / 5 ... at the sds 1 and 1/2.
TEST(RegressionTest, WeighsByKnownErrorsWhereTheyExplainAll) {
  RegressionInput input = Input({0, 0, 1, 1}, {2.0, 3.0, 5.0, 5.5});
  input.sd = Vector({1, 0.5, 1, 0.5});
  const Regression fit = FitRegression(input, Scatter::kConstant).value();
  EXPECT_EQ(fit.scatter_sd, 0);
  EXPECT_NEAR(fit.coefficients[0], (2.0 * 1 + 3.0 * 4) / 5, 1e-12);
  EXPECT_NEAR(fit.coefficients[0] + fit.coefficients[1], (5.0 * 1 + 5.5 * 4) / 5, 1e-12);
  EXPECT_NEAR(fit.covariance(0, 0), 1.0 / 5, 1e-12);  // the factor does not go below 1
}

// The defining property of t^2: the weighted sum of squares equals the degrees of freedom.
TEST(RegressionTest, TheScatterExplainsWhatErrorsDoNot) {
  std::mt19937 random(4);
  for (const Scatter scatter : {Scatter::kConstant, Scatter::kProportional}) {
    RegressionInput input = Random(random, 15, 1, 2);
    input.sd = VectorXd::LinSpaced(15, 0.1, 0.6);
    const Regression fit = FitRegression(input, scatter).value();
    double sum = 0;
    for (size_t i = 0; i < fit.points.size(); ++i) {
      const double of_scatter = fit.scatter_sd * (scatter == Scatter::kConstant ? 1 : fit.points[i].fitted);
      const double sd = input.sd[static_cast<Index>(i)];
      sum += std::pow(fit.points[i].residual, 2) / (sd * sd + of_scatter * of_scatter);
    }
    EXPECT_NEAR(sum, 13, 1e-6);
  }
}

/// How many of `trials` prediction intervals hold a new point as it is measured.
int Covered(std::mt19937& random, int trials, Scatter scatter, double scatter_sd, double error_sd) {
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform(0.3, 20);
  int covered = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const auto truth = [&](double x) {
      const double line = 1 + 0.8 * x;
      return line + scatter_sd * (scatter == Scatter::kConstant ? 1 : line) * normal(random);
    };
    std::vector<double> x(14), y(14);
    for (size_t i = 0; i < x.size(); ++i) x[i] = uniform(random), y[i] = truth(x[i]) + error_sd * normal(random);
    RegressionInput input = Input(x, y);
    if (error_sd > 0) input.sd = VectorXd::Constant(14, error_sd);
    const double at = uniform(random);
    const auto prediction = PredictAt(FitRegression(input, scatter).value(), VectorXd::Constant(1, at));
    const double value = truth(at) + error_sd * normal(random);
    covered += prediction.low <= value && value <= prediction.high;
  }
  return covered;
}

// Exact where scatter is constant: 1900 of 2000 +- 4 deviations of a binomial (9.7). Where errors are as large as the
// scatter, t^2 cut at 0 makes it wider; in proportion it is an approximation: one part in a hundred of 2000 more.
TEST(RegressionTest, PredictionIntervalsHoldNewPointsAsOftenAsTheySay) {
  std::mt19937 random(5);
  EXPECT_NEAR(Covered(random, 2000, Scatter::kConstant, 1, 0), 1900, 39);
  EXPECT_NEAR(Covered(random, 2000, Scatter::kProportional, 0.08, 0), 1900, 59);
  EXPECT_NEAR(Covered(random, 2000, Scatter::kConstant, 1, 0.3), 1900, 39);
  EXPECT_NEAR(Covered(random, 2000, Scatter::kConstant, 1, 1), 1900, 59);
}

TEST(RegressionTest, PredictionsWithinAndBeyondThePoints) {
  const Regression fit = FitRegression(Input(kX1, kY1), Scatter::kConstant).value();
  EXPECT_TRUE(PredictAt(fit, VectorXd::Constant(1, 4)).within);
  EXPECT_TRUE(PredictAt(fit, VectorXd::Constant(1, 9)).within);
  EXPECT_FALSE(PredictAt(fit, VectorXd::Constant(1, 15)).within);
}

TEST(RegressionTest, WhatDecidesNoLineIsRefused) {
  EXPECT_THAT(Problem(Input({1, 2}, {1, 2})), HasSubstr("2 points for 2 coefficients: expected 3 or more"));
  EXPECT_THAT(Problem(Input({5, 5, 5, 5 + 1e-9}, {1, 2, 3, 4})), HasSubstr("the points lie at (nearly) one place"));
  EXPECT_THAT(Problem(Input({1, NAN, 3}, {1, 2, 3})), HasSubstr("not finite"));
  EXPECT_THAT(Problem(Input({1, 2, 3}, {1, INFINITY, 3})), HasSubstr("not finite"));
  EXPECT_THAT(Problem(Input({1, 2, 3}, {1, 0, 3}), Scatter::kProportional), HasSubstr("above 0"));
  RegressionInput collinear = Input({1, 2, 3, 5}, {1, 2, 3, 4});
  collinear.x.conservativeResize(4, 2);
  collinear.x.col(1) = 7 * collinear.x.col(0).array() + 2;
  EXPECT_THAT(Problem(collinear), HasSubstr("no fit tells them apart"));
}

TEST(RegressionTest, APerfectLineHasNoWidth) {
  const Regression fit = FitRegression(Input({1, 2, 3, 4}, {3, 5, 7, 9}), Scatter::kConstant).value();
  EXPECT_NEAR(fit.coefficients[1], 2, 1e-12);
  EXPECT_NEAR(fit.half_widths[1], 0, 1e-10);
  EXPECT_NEAR(*fit.predicted_r_squared, 1, 1e-12);
}

}  // namespace
}  // namespace heliograd
