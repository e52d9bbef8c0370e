#include "heliograd/model/statistics.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace heliograd {
namespace {

constexpr double kTails = 0.05;

double Autocovariance(std::span<const double> centred, size_t lag) {
  double sum = 0;
  for (size_t i = lag; i < centred.size(); ++i) sum += centred[i] * centred[i - lag];
  return sum / static_cast<double>(centred.size());
}

double LongRunVariance(std::span<const double> autocovariances, size_t bandwidth) {
  double variance = autocovariances[0];
  for (size_t lag = 1; lag <= bandwidth; ++lag) {
    const double weight = 1.0 - static_cast<double>(lag) / static_cast<double>(bandwidth + 1);
    variance += 2 * weight * autocovariances[lag];
  }
  return variance;
}

}  // namespace

double StudentT975(double degrees_of_freedom) {
  const double n = std::max(1.0, degrees_of_freedom);
  if (n < 1.5) return 1.0 / std::tan(kTails * std::numbers::pi / 2);
  if (n < 2.5) return std::sqrt(2.0 / (kTails * (2.0 - kTails)) - 2.0);
  const double a = 1.0 / (n - 0.5);
  const double b = 48.0 / (a * a);
  double c = ((20700.0 * a / b - 98.0) * a - 16.0) * a + 96.36;
  const double d = ((94.5 / (b + c) - 3.0) / b + 1.0) * std::sqrt(a * std::numbers::pi / 2) * n;
  double y = std::pow(d * kTails, 2.0 / n);
  if (y > 0.05 + a) {
    const double x = -kNormal975;
    y = x * x;
    if (n < 5) c += 0.3 * (n - 4.5) * (x + 0.6);
    c = (((0.05 * d * x - 5.0) * x - 7.0) * x - 2.0) * x + b + c;
    y = (((((0.4 * y + 6.3) * y + 36.0) * y + 94.5) / c - y - 3.0) / b + 1.0) * x;
    y = std::expm1(a * y * y);
  } else {
    y = ((1.0 / (((n + 6.0) / (n * y) - 0.089 * d - 0.822) * (n + 2.0) * 3.0) + 0.5 / (n + 4.0)) * y - 1.0) *
            (n + 1.0) / (n + 2.0) +
        1.0 / y;
  }
  return std::sqrt(n * y);
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

std::vector<double> IsotonicRegression(std::span<const double> values, std::span<const double> weights) {
  struct Pool {
    double mean, weight;
    size_t count;
  };
  std::vector<Pool> pools;
  for (size_t i = 0; i < values.size(); ++i) {
    pools.push_back({values[i], weights[i], 1});
    while (pools.size() > 1 && pools[pools.size() - 2].mean > pools.back().mean) {
      const Pool last = pools.back();
      pools.pop_back();
      Pool& into = pools.back();
      const double weight = into.weight + last.weight;
      into = {(into.mean * into.weight + last.mean * last.weight) / weight, weight, into.count + last.count};
    }
  }
  std::vector<double> fitted;
  fitted.reserve(values.size());
  for (const Pool& pool : pools) fitted.insert(fitted.end(), pool.count, pool.mean);
  return fitted;
}

double StandardErrorOfMean(std::span<const double> series) {
  const size_t n = series.size();
  if (n < 2) return 0;
  const double mean = std::accumulate(series.begin(), series.end(), 0.0) / static_cast<double>(n);
  std::vector<double> centred(series.begin(), series.end());
  for (double& value : centred) value -= mean;

  const size_t widest = std::min<size_t>(n / 4, 256);
  std::vector<double> autocovariances(widest + 1);
  for (size_t lag = 0; lag <= widest; ++lag) autocovariances[lag] = Autocovariance(centred, lag);
  double largest = autocovariances[0];
  for (size_t bandwidth = 1; bandwidth <= widest; bandwidth *= 2) {
    largest = std::max(largest, LongRunVariance(autocovariances, bandwidth));
  }
  return std::sqrt(largest / static_cast<double>(n - 1));
}

}  // namespace heliograd
