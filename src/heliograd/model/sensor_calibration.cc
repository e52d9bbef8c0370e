#include "heliograd/model/sensor_calibration.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "heliograd/model/power_sensor.h"
#include "heliograd/model/statistics.h"

namespace heliograd {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr int kFewestTicks = 50;
constexpr double kLeastExplained = 0.5;
constexpr double kFirstLagS = -0.012, kLastLagS = 0.4, kLagStepS = 0.004;
constexpr double kScanLowPassS = 0.001;
constexpr double kLongAverageS = 1.0;
constexpr double kPeriodMatch = 0.03;  // a window this close to the period is the period
constexpr double kTellsApart = 1.5;    // ratio of squares that decides between two kinds of counter
constexpr double kTickFloorS = 1e-4;   // jitter of ticks and polls, which does not average out of a shape
constexpr double kMaterialShift = 0.05;

struct Shape {
  double lag_s = 0, low_pass_s = kScanLowPassS, window_s = 0.1;
  bool contiguous = false;
  bool window_known = false;

  int Count() const { return contiguous || window_known ? 2 : 3; }
  double& At(int i) { return i == 0 ? lag_s : i == 1 ? low_pass_s : window_s; }
};

/// Bursts, readings, and what a shape leaves of the readings when the two powers and a slow drift are fitted.
class BurstFit {
 public:
  BurstFit(std::span<const TimeSpan> bursts, std::span<const SensorTick> ticks) {
    for (const TimeSpan& burst : bursts) {
      busy_.push_back({burst.begin_s, 0});
      busy_.push_back({burst.end_s, 1});
    }
    // Windows may reach back by the longest lag and average.
    const double from_s = bursts.front().begin_s + kLastLagS + kLongAverageS, to_s = bursts.back().end_s;
    for (size_t k = 1; k < ticks.size(); ++k) {
      if (ticks[k].time_s < from_s || ticks[k].time_s > to_s) continue;
      const long steps = ticks[k].number - ticks[k - 1].number;
      ticks_.push_back(ticks[k]);
      distances_s_.push_back((ticks[k].time_s - ticks[k - 1].time_s) / static_cast<double>(std::max(1L, steps)));
    }
    values_.resize(Size());
    for (Eigen::Index k = 0; k < Size(); ++k) values_[k] = ticks_[static_cast<size_t>(k)].value;
  }

  Eigen::Index Size() const { return static_cast<Eigen::Index>(ticks_.size()); }
  double Period() const { return Median(distances_s_); }
  const VectorXd& values() const { return values_; }

  /// Columns: one, share of the window that is busy, time, busy x time.
  MatrixXd Columns(const Shape& shape) const {
    const FilteredPower busy(busy_, shape.low_pass_s);
    const double middle_s = (ticks_.front().time_s + ticks_.back().time_s) / 2;
    const double length_s = ticks_.back().time_s - ticks_.front().time_s;
    MatrixXd columns(Size(), 4);
    for (Eigen::Index k = 0; k < Size(); ++k) {
      const auto i = static_cast<size_t>(k);
      const double end_s = ticks_[i].time_s - shape.lag_s;
      const double window_s = shape.contiguous ? distances_s_[i] : shape.window_s;
      const double share = (busy.EnergyUntil(end_s) - busy.EnergyUntil(end_s - window_s)) / window_s;
      const double place = (ticks_[i].time_s - middle_s) / length_s;
      columns.row(k) << 1, share, place, share * place;
    }
    return columns;
  }
  VectorXd Powers(const Shape& shape) const { return Columns(shape).colPivHouseholderQr().solve(values_); }
  VectorXd Residuals(const Shape& shape) const {
    const MatrixXd columns = Columns(shape);
    const MatrixXd normal = columns.transpose() * columns;
    return values_ - columns * normal.ldlt().solve(columns.transpose() * values_);
  }
  double Squares(const Shape& shape) const { return Residuals(shape).squaredNorm(); }

  /// Derivatives of the residuals after projection, by central differences of 0.05 ms.
  MatrixXd Jacobian(const Shape& shape) const {
    constexpr double kStepS = 5e-5;
    MatrixXd jacobian(Size(), shape.Count());
    for (int i = 0; i < shape.Count(); ++i) {
      Shape up = shape, down = shape;
      up.At(i) += kStepS;
      down.At(i) = std::max(i == 1 ? 0.0 : -1e9, down.At(i) - kStepS);
      jacobian.col(i) = (Residuals(up) - Residuals(down)) / (up.At(i) - down.At(i));
    }
    return jacobian;
  }

 private:
  std::vector<PowerPiece> busy_;
  std::vector<SensorTick> ticks_;
  std::vector<double> distances_s_;
  VectorXd values_;
};

Shape Scanned(const BurstFit& fit, Shape shape) {
  Shape best = shape;
  double least = std::numeric_limits<double>::infinity();
  for (shape.lag_s = kFirstLagS; shape.lag_s <= kLastLagS; shape.lag_s += kLagStepS) {
    const double squares = fit.Squares(shape);
    if (squares < least) {
      least = squares;
      best = shape;
    }
  }
  return best;
}

/// Gauss-Newton with Levenberg's and Marquardt's damping.
Shape Refined(const BurstFit& fit, Shape shape) {
  constexpr int kMostPasses = 30;
  constexpr double kStillS = 1e-7;
  double damping = 1e-3, squares = fit.Squares(shape);
  for (int pass = 0; pass < kMostPasses; ++pass) {
    const MatrixXd jacobian = fit.Jacobian(shape);
    const MatrixXd normal = jacobian.transpose() * jacobian;
    const VectorXd pull = jacobian.transpose() * fit.Residuals(shape);
    double moved = 1;
    for (; damping < 1e6; damping *= 8) {
      const MatrixXd damped = normal + MatrixXd(damping * normal.diagonal().asDiagonal());
      const VectorXd step = damped.ldlt().solve(pull);
      Shape next = shape;
      for (int i = 0; i < shape.Count(); ++i) next.At(i) -= step[i];
      next.low_pass_s = std::max(0.0, next.low_pass_s);
      next.window_s = std::max(5e-4, next.window_s);
      const double next_squares = fit.Squares(next);
      if (next_squares > squares) continue;
      moved = step.cwiseAbs().maxCoeff();
      shape = next;
      squares = next_squares;
      damping = std::max(1e-9, damping / 8);
      break;
    }
    if (moved < kStillS || damping >= 1e6) break;
  }
  return shape;
}

/// The best shape of any window: short windows, whole periods and the average of 1 s each have their own valley.
Shape BestWindow(const BurstFit& fit) {
  const double period_s = fit.Period();
  Shape best;
  double least = std::numeric_limits<double>::infinity();
  for (const double window_s : {0.1 * period_s, 0.25 * period_s, 0.5 * period_s, period_s, kLongAverageS}) {
    Shape start;
    start.window_s = window_s;
    const Shape shape = Refined(fit, Scanned(fit, start));
    const double squares = fit.Squares(shape);
    if (squares < least) {
      least = squares;
      best = shape;
    }
  }
  return best;
}

Shape Contiguous(const BurstFit& fit, double window_s) {
  Shape shape;
  shape.contiguous = true;
  shape.window_s = window_s;
  return Refined(fit, Scanned(fit, shape));
}

MatrixXd CovarianceOf(const BurstFit& fit, const Shape& shape) {
  // At a low pass of 0 its derivative vanishes to first order; the uncertainty is that of a small one.
  Shape inside = shape;
  inside.low_pass_s = std::max(inside.low_pass_s, 2e-4);
  const MatrixXd jacobian = fit.Jacobian(inside);
  const double freedom = static_cast<double>(fit.Size() - 4 - shape.Count());
  return fit.Squares(shape) / freedom * (jacobian.transpose() * jacobian).inverse();
}

SensorTiming TimingOf(const BurstFit& fit, const Shape& shape, const MatrixXd& covariance) {
  SensorTiming timing;
  timing.period_s = fit.Period();
  timing.contiguous = shape.contiguous;
  timing.window_s = shape.contiguous ? timing.period_s : shape.window_s;
  timing.lag_s = shape.lag_s;
  timing.low_pass_s = shape.low_pass_s;
  timing.lag_sd_s = std::hypot(std::sqrt(covariance(0, 0)), kTickFloorS);
  timing.low_pass_sd_s = std::hypot(std::sqrt(covariance(1, 1)), kTickFloorS);
  timing.window_sd_s = shape.contiguous     ? 0
                       : shape.window_known ? kTickFloorS
                                            : std::hypot(std::sqrt(covariance(2, 2)), kTickFloorS);
  timing.lag_low_pass_correlation = covariance(0, 1) / (timing.lag_sd_s * timing.low_pass_sd_s);
  return timing;
}

Result<BurstFit> Prepared(std::span<const TimeSpan> bursts, std::span<const SensorTick> ticks) {
  if (bursts.size() < 2) return Fail("calibration needs bursts: fewer than 2 were marked");
  for (size_t i = 0; i < bursts.size(); ++i) {
    if (bursts[i].end_s > bursts[i].begin_s && (i == 0 || bursts[i].begin_s >= bursts[i - 1].end_s)) continue;
    return Fail(fmt::format("burst {} runs from {:.6f} s to {:.6f} s: bursts must follow each other", i + 1,
                            bursts[i].begin_s, bursts[i].end_s));
  }
  BurstFit fit(bursts, ticks);
  if (fit.Size() < kFewestTicks) {
    return Fail(
        fmt::format("only {} readings of the sensor lie within the bursts: expected at least {}; calibrate longer",
                    fit.Size(), kFewestTicks));
  }
  return fit;
}

}  // namespace

Result<SensorCalibration> CalibrateSensor(std::span<const TimeSpan> bursts, std::span<const SensorTick> ticks) {
  const Result<BurstFit> prepared = Prepared(bursts, ticks);
  if (!prepared) return Fail(prepared.error());
  const BurstFit& fit = *prepared;
  Shape shape = BestWindow(fit);
  const double free_sd_s = std::sqrt(CovarianceOf(fit, shape)(2, 2));
  const double from_period_s = std::abs(shape.window_s - fit.Period());
  if (from_period_s < std::max(kPeriodMatch * fit.Period(), 3 * free_sd_s)) {
    const Shape whole = Contiguous(fit, fit.Period());
    // A window that only looks like the period for want of data must not fit much worse as the period.
    if (fit.Squares(whole) < 1.1 * fit.Squares(shape)) shape = whole;
  }

  const MatrixXd covariance = CovarianceOf(fit, shape);
  const MatrixXd columns = fit.Columns(shape);
  const VectorXd powers = fit.Powers(shape);
  const double freedom = static_cast<double>(fit.Size() - 4 - shape.Count());
  const double variance = fit.Squares(shape) / freedom;
  const MatrixXd power_covariance = variance * (columns.transpose() * columns).inverse();
  SensorCalibration result;
  result.timing = TimingOf(fit, shape, covariance);
  result.delay_sd_s =
      std::sqrt(std::max(0.0, covariance(0, 0) + covariance(1, 1) + 2 * covariance(0, 1)) + kTickFloorS * kTickFloorS);
  result.idle = Watts(powers[0]);
  result.busy = Watts(powers[0] + powers[1]);
  result.idle_sd = Watts(std::sqrt(power_covariance(0, 0)));
  result.busy_sd = Watts(std::sqrt(power_covariance(0, 0) + power_covariance(1, 1) + 2 * power_covariance(0, 1)));
  result.residual = Watts(std::sqrt(variance));
  result.readings = static_cast<int>(fit.Size());
  result.explained = 1 - fit.Squares(shape) / (fit.values().array() - fit.values().mean()).square().sum();
  result.long_average = result.timing.window_s > 2 * result.timing.period_s;
  if (!(result.explained >= kLeastExplained)) {
    return Fail(
        fmt::format("the sensor's readings do not follow the bursts (they explain {:.0f} % of the readings' variance, "
                    "expected at least {:.0f} %): is another program using the device, or is this the wrong sensor?",
                    100 * result.explained, 100 * kLeastExplained));
  }
  return result;
}

Result<CounterVerdict> JudgeCounter(std::span<const TimeSpan> bursts, std::span<const SensorTick> counter_power,
                                    const SensorCalibration& sensor) {
  const Result<BurstFit> prepared = Prepared(bursts, counter_power);
  if (!prepared) return Fail(prepared.error());
  const BurstFit& fit = *prepared;
  const Shape all = Contiguous(fit, fit.Period());
  Shape start;
  start.window_s = sensor.timing.window_s;
  start.contiguous = sensor.timing.contiguous;
  start.window_known = true;
  const Shape blind = Refined(fit, Scanned(fit, start));
  CounterVerdict verdict;
  verdict.squares_ratio = fit.Squares(all) / fit.Squares(blind);
  if (sensor.timing.Duty() < 1 && verdict.squares_ratio > kTellsApart) verdict.sight = CounterSight::kBlind;
  if (sensor.timing.Duty() < 1 && verdict.squares_ratio < 1 / kTellsApart) verdict.sight = CounterSight::kSeesAll;
  const Shape& better = verdict.sight == CounterSight::kBlind ? blind : all;
  verdict.timing = TimingOf(fit, better, CovarianceOf(fit, better));
  return verdict;
}

CounterSight JudgeByShift(std::span<const LockedStretch> stretches) {
  std::map<int, std::vector<double>> by_shift;
  for (const LockedStretch& stretch : stretches) by_shift[stretch.shift].push_back(InWatts(stretch.by_counter));
  double squares = 0, freedom = 0, sum = 0, fewest = 1e9;
  std::vector<double> means;
  for (const auto& [shift, powers] : by_shift) {
    double mean = 0;
    for (double power : powers) mean += power / static_cast<double>(powers.size());
    for (double power : powers) squares += (power - mean) * (power - mean);
    freedom += static_cast<double>(powers.size()) - 1;
    fewest = std::min(fewest, static_cast<double>(powers.size()));
    means.push_back(mean);
    sum += mean;
  }
  if (means.size() < 2 || fewest < 2) return CounterSight::kNoDifference;
  const auto [low, high] = std::minmax_element(means.begin(), means.end());
  const double range = *high - *low, mean = sum / static_cast<double>(means.size());
  // The range of several means scatters more than the difference of two: 1.5 covers four shifts (Tukey's 4.2 of 12
  // degrees of freedom against 2.18 x 1.41).
  const double scatter = 1.5 * StudentT975(freedom) * std::sqrt(2 * squares / freedom / fewest);
  if (range > std::max(kMaterialShift * mean, scatter)) return CounterSight::kBlind;
  if (range + scatter < kMaterialShift * mean) return CounterSight::kSeesAll;
  return CounterSight::kNoDifference;
}

}  // namespace heliograd
