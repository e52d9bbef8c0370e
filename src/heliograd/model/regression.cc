#include "heliograd/model/regression.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "heliograd/model/statistics.h"

namespace heliograd {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kLargestCondition = 1e6;  // of the centred columns of length one: beyond, half of the digits are noise
constexpr double kFullLeverage = 1 - 1e-9;
constexpr double kLeastFitted = 0.01;  // of the largest |y|: where a fitted value is below, its scatter counts as there
constexpr int kMostRounds = 100;
constexpr int kHalvings = 200;

/// The columns with the constant before them, each divided by its largest value so that they are of like size.
struct Design {
  MatrixXd x;
  VectorXd scale;
};

Design DesignOf(const MatrixXd& variables) {
  Design design;
  design.x.resize(variables.rows(), variables.cols() + 1);
  design.x.col(0).setOnes();
  design.x.rightCols(variables.cols()) = variables;
  design.scale = design.x.cwiseAbs().colwise().maxCoeff().transpose();
  for (Index j = 0; j < design.scale.size(); ++j) {
    if (design.scale[j] == 0) design.scale[j] = 1;
    design.x.col(j) /= design.scale[j];
  }
  return design;
}

/// How hard the variables are to tell apart, from each other and from the constant; infinite where they cannot be.
double Condition(const Design& design) {
  MatrixXd centred = design.x.rightCols(design.x.cols() - 1);
  double widest = 1;
  for (Index j = 0; j < centred.cols(); ++j) {
    centred.col(j).array() -= centred.col(j).mean();
    const double length = centred.col(j).norm();
    if (!(length > 0)) return std::numeric_limits<double>::infinity();
    widest = std::max(widest, 1 / length);
    centred.col(j) /= length;
  }
  const VectorXd singular = Eigen::JacobiSVD<MatrixXd>(centred).singularValues();
  const double least = singular[singular.size() - 1];
  return least > 0 ? std::max(widest, singular[0] / least) : std::numeric_limits<double>::infinity();
}

std::optional<std::string> Unusable(const RegressionInput& input, Scatter scatter) {
  const Index points = input.y.size(), coefficients = input.x.cols() + 1;
  if (points < coefficients + 1) {
    return fmt::format("{} point{} for {} coefficients: expected {} or more, for the scatter must be seen too", points,
                       points == 1 ? "" : "s", coefficients, coefficients + 1);
  }
  if (!input.x.allFinite() || !input.y.allFinite() || !input.sd.allFinite()) {
    return "a value of the points is not finite: expected numbers";
  }
  if (input.sd.size() > 0 && input.sd.minCoeff() < 0) return "a standard deviation is below 0";
  if (scatter == Scatter::kProportional && !(input.y.minCoeff() > 0)) {
    return "scatter in proportion needs values above 0";
  }
  if (!(Condition(DesignOf(input.x)) < kLargestCondition)) {
    return input.x.cols() == 1 ? "the points lie at (nearly) one place: expected different ones"
                               : "the variables are (nearly) the same but for a factor or a constant, so that no fit "
                                 "tells them apart: leave one out, or add points where they differ";
  }
  return std::nullopt;
}

struct Solution {
  VectorXd coefficients;  // of the scaled columns
  MatrixXd inverse;       // (X' W X)^-1 of the scaled columns
  VectorXd residuals;
};

Solution Solve(const MatrixXd& x, const VectorXd& y, const VectorXd& weights) {
  const VectorXd roots = weights.cwiseSqrt();
  const MatrixXd weighted = roots.asDiagonal() * x;
  const Eigen::HouseholderQR<MatrixXd> qr(weighted);
  const MatrixXd r = qr.matrixQR().topRows(x.cols()).triangularView<Eigen::Upper>();
  const MatrixXd r_inverse = r.triangularView<Eigen::Upper>().solve(MatrixXd::Identity(x.cols(), x.cols()));
  Solution solution;
  solution.coefficients = qr.solve(roots.cwiseProduct(y));
  solution.inverse = r_inverse * r_inverse.transpose();
  solution.residuals = y - x * solution.coefficients;
  return solution;
}

/// The weights that a variance t2 of the scatter gives. Scaled by the smallest, so that equal ones are 1 and none is
/// infinite; `unit` is what 1 stands for.
struct Weights {
  VectorXd variances;
  VectorXd relative;  // 1 / variance, times the smallest variance
  double unit = 1;    // the smallest variance
};

Weights WeightsOf(const VectorXd& measured, const VectorXd& factors, double t2) {
  Weights weights;
  weights.variances = measured + t2 * factors;
  weights.unit = weights.variances.minCoeff();
  weights.relative =
      weights.unit > 0 ? VectorXd(weights.unit * weights.variances.cwiseInverse()) : VectorXd::Ones(measured.size());
  return weights;
}

/// Sum of squared residuals over their variances.
double Excess(const MatrixXd& x, const VectorXd& y, const Weights& weights) {
  const VectorXd residuals = Solve(x, y, weights.relative).residuals;
  return residuals.cwiseAbs2().dot(weights.relative) / weights.unit;
}

/// Paule and Mandel's t^2.
double ScatterVariance(const MatrixXd& x, const VectorXd& y, const VectorXd& measured, const VectorXd& factors) {
  const double freedom = static_cast<double>(x.rows() - x.cols());
  if (measured.maxCoeff() == 0) {  // only t^2 is there, and it falls out of the weights
    const VectorXd relative = factors.minCoeff() * factors.cwiseInverse();
    return Solve(x, y, relative).residuals.cwiseAbs2().cwiseQuotient(factors).sum() / freedom;
  }
  if (measured.minCoeff() > 0 && Excess(x, y, WeightsOf(measured, factors, 0)) <= freedom) return 0;
  double low = 0, high = y.cwiseAbs2().sum() / factors.minCoeff() + measured.maxCoeff() / factors.minCoeff();
  for (int i = 0; i < kHalvings && high - low > 1e-13 * high; ++i) {
    const double middle = 0.5 * (low + high);
    (Excess(x, y, WeightsOf(measured, factors, middle)) > freedom ? low : high) = middle;
  }
  return high;
}

/// v_i.
VectorXd FactorsOf(Scatter scatter, const VectorXd& fitted, const VectorXd& y) {
  if (scatter == Scatter::kConstant) return VectorXd::Ones(y.size());
  return fitted.cwiseMax(kLeastFitted * y.cwiseAbs().maxCoeff()).cwiseAbs2();
}

void AddPoints(const MatrixXd& x, const VectorXd& y, const Solution& solution, const Weights& weights,
               Regression& regression) {
  double squares = 0, relative_squares = 0;
  bool all = true;
  for (Index i = 0; i < y.size(); ++i) {
    const VectorXd row = x.row(i).transpose();
    const double form = row.dot(solution.inverse * row);
    RegressionPoint point;
    point.residual = solution.residuals[i];
    point.fitted = y[i] - point.residual;
    point.leverage = std::clamp(form * weights.relative[i], 0.0, 1.0);
    regression.largest_form = std::max(regression.largest_form, form);
    if (point.leverage < kFullLeverage) {
      const double sd = std::sqrt(weights.variances[i] * (1 - point.leverage));
      point.studentised = sd > 0 ? point.residual / sd : 0;
      point.left_out_error = point.residual / (1 - point.leverage);
      squares += *point.left_out_error * *point.left_out_error;
      relative_squares += *point.left_out_error * *point.left_out_error / (y[i] * y[i]);
    } else {
      all = false;
    }
    regression.points.push_back(point);
  }
  const double count = static_cast<double>(y.size());
  const double about_mean = (y.array() - y.mean()).square().sum();
  const auto share = [&](double sum) { return about_mean > 0 ? 1 - sum / about_mean : 0; };
  regression.r_squared = share(solution.residuals.squaredNorm());
  if (!all) return;
  regression.predicted_r_squared = share(squares);
  regression.left_out_rms = std::sqrt(squares / count);
  if (std::isfinite(relative_squares)) regression.left_out_relative_rms = std::sqrt(relative_squares / count);
}

double LogLikelihood(const VectorXd& residuals, const VectorXd& variances) {
  double sum = 0;
  for (Index i = 0; i < residuals.size(); ++i) {
    const double variance = std::max(variances[i], std::numeric_limits<double>::min());
    sum -= 0.5 * (std::log(2 * std::numbers::pi * variance) + residuals[i] * residuals[i] / variance);
  }
  return sum;
}

}  // namespace

Result<Regression> FitRegression(const RegressionInput& input, Scatter scatter) {
  if (const auto problem = Unusable(input, scatter)) return Fail(*problem + ".");
  const Design design = DesignOf(input.x);
  const MatrixXd& x = design.x;
  const double size = input.y.cwiseAbs().maxCoeff() > 0 ? input.y.cwiseAbs().maxCoeff() : 1;  // of y, 1 while solving
  const VectorXd y = input.y / size;
  const VectorXd measured = input.sd.size() > 0 ? VectorXd((input.sd / size).cwiseAbs2()) : VectorXd::Zero(y.size());

  VectorXd fitted = y;  // where scatter is proportional, the first weights are by what was measured
  Weights weights;
  Solution solution;
  double t2 = 0;
  for (int round = 0; round < kMostRounds; ++round) {
    const VectorXd factors = FactorsOf(scatter, fitted, y);
    t2 = ScatterVariance(x, y, measured, factors);
    weights = WeightsOf(measured, factors, t2);
    if (!(weights.unit > 0)) weights.relative = factors.minCoeff() * factors.cwiseInverse();  // points on a line
    solution = Solve(x, y, weights.relative);
    const VectorXd moved = y - solution.residuals;
    const double change = (moved - fitted).cwiseAbs().maxCoeff();
    fitted = moved;
    if (scatter == Scatter::kConstant || change < 1e-13) break;
  }

  Regression regression;
  regression.scatter = scatter;
  regression.degrees_of_freedom = static_cast<double>(x.rows() - x.cols());
  const double excess = weights.unit > 0 ? solution.residuals.cwiseAbs2().dot(weights.relative) / weights.unit : 0;
  const double factor = std::max(1.0, excess / regression.degrees_of_freedom) * weights.unit;
  const VectorXd unscale = design.scale.cwiseInverse() * size;
  regression.coefficients = solution.coefficients.cwiseProduct(unscale);
  regression.covariance = factor * (unscale.asDiagonal() * solution.inverse * unscale.asDiagonal());
  const VectorXd shrink = design.scale.cwiseInverse();
  regression.spread = shrink.asDiagonal() * solution.inverse * shrink.asDiagonal();
  regression.half_widths = StudentT975(regression.degrees_of_freedom) * regression.covariance.diagonal().cwiseSqrt();
  regression.scatter_sd = std::sqrt(t2) * (scatter == Scatter::kConstant ? size : 1);
  const VectorXd factors = FactorsOf(scatter, fitted, y);
  regression.measurement_sd =
      std::sqrt(measured.cwiseQuotient(factors).mean()) * (scatter == Scatter::kConstant ? size : 1);
  solution.residuals *= size;
  weights.variances *= size * size;
  AddPoints(x, input.y, solution, weights, regression);
  regression.log_likelihood = LogLikelihood(solution.residuals, weights.variances);
  return regression;
}

RegressionPrediction PredictAt(const Regression& regression, const VectorXd& at) {
  VectorXd row(at.size() + 1);
  row << 1, at;
  RegressionPrediction prediction;
  prediction.value = row.dot(regression.coefficients);
  const double line = std::max(0.0, row.dot(regression.covariance * row));
  const double scatter = std::hypot(regression.scatter_sd, regression.measurement_sd) *
                         (regression.scatter == Scatter::kConstant ? 1 : std::abs(prediction.value));
  const double half_width = StudentT975(regression.degrees_of_freedom) * std::sqrt(line + scatter * scatter);
  prediction.low = prediction.value - half_width;
  prediction.high = prediction.value + half_width;
  prediction.within = row.dot(regression.spread * row) <= regression.largest_form * (1 + 1e-9);
  return prediction;
}

}  // namespace heliograd
