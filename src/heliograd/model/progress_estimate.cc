#include "heliograd/model/progress_estimate.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace heliograd {
namespace {

constexpr double kNormal95 = 1.96;

double Square(double x) { return x * x; }

}  // namespace

ProgressEstimate::ProgressEstimate(std::vector<double> promised, const ProgressPrior& prior)
    : promised_(std::move(promised)), prior_(prior), seen_(promised_.size()) {}

void ProgressEstimate::Add(size_t level, Duration duration, double work, Duration time_sd, double grain) {
  if (!(duration > Duration()) || !(work >= 0)) return;
  Seen& seen = seen_[level];
  seen.seconds += InSeconds(duration);
  seen.work += work;
  seen.time_variance += 2 * Square(InSeconds(time_sd));
  seen.work_variance += 2 * Square(grain) / 12;  // a count is uniform within its unit
}

bool ProgressEstimate::has_measured() const {
  return std::any_of(seen_.begin(), seen_.end(), [](const Seen& seen) { return seen.seconds > 0; });
}

/// Measured over promised rate of a level that has run.
ProgressEstimate::Normal ProgressEstimate::MeasuredRatio(size_t level) const {
  const Seen& seen = seen_[level];
  const double promised = promised_[level] * seen.seconds;
  const double ratio = seen.work / promised;
  return {ratio, Square(ratio) * seen.time_variance / Square(seen.seconds) + seen.work_variance / Square(promised) +
                     Square(prior_.drift_sd)};
}

/// The common factor g by every level but one.
ProgressEstimate::Normal ProgressEstimate::CommonWithout(size_t level) const {
  double precision = 1 / Square(prior_.common_sd);
  double sum = precision;  // its mean is 1
  for (size_t k = 0; k < seen_.size(); ++k) {
    if (k == level || seen_[k].seconds <= 0) continue;
    const Normal measured = MeasuredRatio(k);
    const double weight = 1 / (measured.variance + Square(prior_.level_sd));
    precision += weight;
    sum += weight * measured.mean;
  }
  return {sum / precision, 1 / precision};
}

RateEstimate ProgressEstimate::RateOf(size_t level) const {
  Normal ratio = CommonWithout(level);
  ratio.variance += Square(prior_.level_sd);
  if (seen_[level].seconds > 0) {
    const Normal measured = MeasuredRatio(level);
    const double before = 1 / ratio.variance, now = 1 / measured.variance;
    ratio = {(before * ratio.mean + now * measured.mean) / (before + now), 1 / (before + now)};
  }
  const double mean =
      std::max(ratio.mean, 1e-3);  // a job that stands still is told by its silence, not by a rate of zero
  return {promised_[level] * mean, kNormal95 * std::sqrt(ratio.variance) / mean};
}

}  // namespace heliograd
