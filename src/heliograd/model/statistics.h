// The few statistics that the estimators of this room share. Pure functions; no units of their own.
#pragma once

#include <span>
#include <vector>

namespace heliograd {

/// The 97.5 % quantile of Student's t, so the factor of a two-sided 95 % interval. `degrees_of_freedom` of 1 or more,
/// less counts as 1. G. Hill, "Algorithm 396: Student's t-quantiles", CACM 13(10), 1970: better than 1e-4 relative.
double StudentT975(double degrees_of_freedom);

/// The same for a normal distribution.
inline constexpr double kNormal975 = 1.959963984540054;

/// The middle value (the mean of the two middle ones); 0 of nothing.
double Median(std::vector<double> values);

/// The non-decreasing sequence closest to `values` in weighted least squares: pool adjacent violators, R. Barlow et
/// al., "Statistical Inference under Order Restrictions", 1972. As many weights as values, all above 0.
std::vector<double> IsotonicRegression(std::span<const double> values, std::span<const double> weights);

/// How uncertain the mean of a series is that depends on its own past: the largest of W. Newey and K. West's variances
/// ("A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent covariance matrix",
/// Econometrica 55, 1987) over bandwidths 0, 1, 2, 4 ... n/4. Taking the largest errs to the safe side where a slow
/// beat goes through the series. 0 for fewer than 2 values.
double StandardErrorOfMean(std::span<const double> series);

}  // namespace heliograd
