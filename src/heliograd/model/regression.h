// A straight line, or plane, through few points that scatter around it by more than they were measured wrong.
//
//   y_i = b_0 + b_1 x_i1 + ... + e_i + m_i,   var(m_i) = s_i^2 known,   var(e_i) = t^2 v_i unknown
//
// v_i = 1 (constant scatter) or the square of the fitted value (proportional scatter). Weighted least squares with
// weights 1 / (s_i^2 + t^2 v_i); t^2 is what makes the weighted sum of squared residuals equal its degrees of freedom
// (R. Paule, J. Mandel, "Consensus values and weighting factors", 1982), 0 where the measurement errors alone explain
// the residuals. With all s_i = 0 and constant scatter this is ordinary least squares, and its intervals are Student's.
// Intervals else: G. Knapp, J. Hartung, "Improved tests for a random effects meta-regression", 2003, whose factor is
// never taken below 1. Pure functions; no units of their own.
#pragma once

#include <Eigen/Dense>
#include <optional>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd {

enum class Scatter { kConstant, kProportional };

struct RegressionInput {
  Eigen::MatrixXd x;   // a row per point, a column per variable; the constant is added
  Eigen::VectorXd y;   // above 0 where scatter is proportional
  Eigen::VectorXd sd;  // standard deviation of each measurement, 0 or more; empty: all 0
};

/// One point as the fit sees it.
struct RegressionPoint {
  double fitted = 0;
  double residual = 0;  // y - fitted
  /// Share of the fitted value that the point itself decides, 0 to 1; their sum is the number of coefficients.
  double leverage = 0;
  double studentised = 0;  // residual over its own standard deviation; 0 where leverage is 1
  /// y - what the fit without this point says, = residual / (1 - leverage) at the same weights (D. Allen, "The
  /// relationship between variable selection and data augmentation and a method for prediction", 1974). Nothing where
  /// the others do not decide the line.
  std::optional<double> left_out_error;
};

struct Regression {
  Scatter scatter = Scatter::kConstant;
  Eigen::VectorXd coefficients;  // the constant first
  Eigen::VectorXd half_widths;   // of their 95 % intervals
  Eigen::MatrixXd covariance;
  double scatter_sd = 0;      // t: as y, or relative where proportional
  double measurement_sd = 0;  // root mean square of s_i, in the same terms
  double degrees_of_freedom = 0;
  double r_squared = 0;  // 1 - sum of squared residuals / that about the mean, unweighted; the same for the next
  std::optional<double> predicted_r_squared;    // with the errors of the points left out; nothing where one has none
  std::optional<double> left_out_rms;           // root mean square of those errors
  std::optional<double> left_out_relative_rms;  // of those errors over y
  double log_likelihood = 0;                    // Gaussian, at the variances of the fit
  std::vector<RegressionPoint> points;
  Eigen::MatrixXd spread;   // C = (X' W X)^-1, weights relative to the largest
  double largest_form = 0;  // largest x' C x of the points: beyond it a prediction extrapolates
};

/// Fails, in one sentence without a file's name, with numbers that are not finite, fewer points than coefficients + 1,
/// or variables that no fit tells apart (a column nearly constant, or two nearly in proportion).
Result<Regression> FitRegression(const RegressionInput& input, Scatter scatter);

struct RegressionPrediction {
  double value = 0;
  /// 95 %: of a new point measured as well as the others. Its true value is in it more often, for how much of the
  /// scatter is measurement is not known well enough to take it off.
  double low = 0, high = 0;
  bool within = false;  // x' C x is no larger than that of a point fitted
};

/// Precondition: `at` has as many values as the fit has variables.
RegressionPrediction PredictAt(const Regression& regression, const Eigen::VectorXd& at);

}  // namespace heliograd
