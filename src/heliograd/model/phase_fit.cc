#include "heliograd/model/phase_fit.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace heliograd {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kInsideSpread = 0.2;   // prior deviation inside a phase, of the mean power
constexpr double kCorrelationRate = 8;  // prior correlation exp(-8 distance / phase length)
constexpr double kAloneSpread = 0.21;   // of a part that resembles none: two of them differ by 30 %
constexpr double kDriftSpread = 0.1;    // prior deviation at a drift knot
constexpr double kKnotS = 30;
constexpr double kTimingUnitS = 1e-3;  // timing unknowns are in ms, which keeps the normal matrix well scaled
constexpr double kLeastTimingSdS = 1e-6;
constexpr double kStallMemory = 5;  // low passes after which a stall no longer matters
constexpr size_t kMostStalled = 2;  // beyond one window in two, stalls are the rule and are fitted like the rest
constexpr int kMoves = 4;           // of lag, low pass and window
constexpr size_t kMostLost = 2;     // a move that leaves less than one reading in two inside the run is not made
constexpr int kNoisePasses = 3;

struct Look {
  double begin_s, end_s, value_w, time_s;
};

/// The windows, in the time of the load, of the ticks that lie inside the bins with what the low pass remembers.
std::vector<Look> LooksOf(const PhaseBins& bins, std::span<const SensorTick> ticks, const SensorTiming& timing) {
  std::vector<Look> looks;
  const double memory_s = PhaseBins::kForgotten * timing.low_pass_s;
  for (size_t k = 0; k < ticks.size(); ++k) {
    const double end_s = ticks[k].time_s - timing.lag_s;
    double begin_s = end_s - timing.window_s;
    if (timing.contiguous) {
      const bool follows = k > 0 && ticks[k - 1].number + 1 == ticks[k].number;
      begin_s = follows ? ticks[k - 1].time_s - timing.lag_s : end_s - timing.period_s;
    }
    if (begin_s - memory_s < bins.begin_s() || end_s > bins.end_s()) continue;
    looks.push_back({begin_s, end_s, ticks[k].value, ticks[k].time_s});
  }
  return looks;
}

/// Sparse rows, one after the other.
class Rows {
 public:
  explicit Rows(int columns) : sum_(static_cast<size_t>(columns), 0.0), used_(static_cast<size_t>(columns), false) {}

  void Add(int column, double value) {
    const auto c = static_cast<size_t>(column);
    if (!used_[c]) {
      used_[c] = true;
      touched_.push_back(column);
    }
    sum_[c] += value;
  }
  void Finish() {
    std::sort(touched_.begin(), touched_.end());
    for (int column : touched_) {
      const auto c = static_cast<size_t>(column);
      columns_.push_back(column);
      values_.push_back(sum_[c]);
      sum_[c] = 0;
      used_[c] = false;
    }
    touched_.clear();
    ends_.push_back(columns_.size());
  }
  size_t count() const { return ends_.size(); }
  size_t last() const { return ends_.size() - 1; }
  template <typename Visit>
  void VisitRow(size_t row, Visit visit) const {
    for (size_t i = row == 0 ? 0 : ends_[row - 1]; i < ends_[row]; ++i) visit(columns_[i], values_[i]);
  }
  double Times(size_t row, const VectorXd& x) const {
    double sum = 0;
    VisitRow(row, [&](int column, double value) { sum += value * x[column]; });
    return sum;
  }
  /// Adds Z'Z into the lower triangle.
  void AddSquareTo(MatrixXd& normal) const {
    for (size_t row = 0; row < ends_.size(); ++row) {
      const size_t from = row == 0 ? 0 : ends_[row - 1];
      for (size_t j = from; j < ends_[row]; ++j) {
        double* column = normal.col(columns_[j]).data();
        for (size_t i = j; i < ends_[row]; ++i) column[columns_[i]] += values_[i] * values_[j];
      }
    }
  }

 private:
  std::vector<double> sum_;
  std::vector<bool> used_;
  std::vector<int> touched_, columns_;
  std::vector<double> values_;
  std::vector<size_t> ends_;
};

/// Hat functions, one knot each 30 s, each centred on its mean over the readings.
class Drift {
 public:
  Drift(std::span<const Look> looks) : begin_s_(looks.front().time_s) {
    const double length_s = looks.back().time_s - begin_s_;
    knots_ = std::max(2, static_cast<int>(std::lround(length_s / kKnotS)) + 1);
    spacing_s_ = std::max(length_s, 1e-6) / (knots_ - 1);
    means_ = VectorXd::Zero(knots_);
    for (const Look& look : looks) means_ += At(look.time_s);
    means_ /= static_cast<double>(looks.size());
  }
  int knots() const { return knots_; }
  VectorXd Centred(double time_s) const { return At(time_s) - means_; }

 private:
  VectorXd At(double time_s) const {
    VectorXd hats = VectorXd::Zero(knots_);
    const double place = std::clamp((time_s - begin_s_) / spacing_s_, 0.0, static_cast<double>(knots_ - 1));
    const int left = std::min(static_cast<int>(place), knots_ - 2);
    hats[left] = 1 - (place - left);
    hats[left + 1] = place - left;
    return hats;
  }

  double begin_s_, spacing_s_ = 1;
  int knots_ = 2;
  VectorXd means_;
};

/// Which unknown stands where: bins, drift knots, then the timing that is fitted.
struct Columns {
  int bins = 0, knots = 0;
  bool timing = false, window = false;

  int drift() const { return bins; }
  int lag() const { return bins + knots; }
  int low_pass() const { return lag() + 1; }
  int window_column() const { return lag() + 2; }
  int timings() const { return timing ? (window ? 3 : 2) : 0; }
  int count() const { return bins + knots + timings(); }
};

/// Rows of the design, their derivatives by lag, low pass and window (per ms, in the bins' columns), and what was read.
struct Readings {
  explicit Readings(int columns) : rows(columns), slopes{Rows(columns), Rows(columns), Rows(columns)} {}

  Rows rows;
  std::array<Rows, 3> slopes;
  std::vector<double> values_w;
};

class Regression {
 public:
  Regression(const PhaseBins& bins, std::span<const SensorTick> ticks, const SensorTiming& prior)
      : bins_(bins), ticks_(ticks), prior_(prior), timing_(prior) {}

  void Run() {
    Build(false);
    Solve(1);
    for (int move = 0; move < kMoves; ++move) {
      Build(true);
      Solve(move + 1 == kMoves ? kNoisePasses : 1);
      MoveTiming();
    }
    EstimateStalls();
  }
  PhaseFit Result(const MatrixXd& energy_of_bins) const;

 private:
  void Build(bool with_timing);
  bool TouchesStall(const Look& look) const;
  void AddRow(const Look& look, const Drift& drift, Readings& readings);
  void AddTiming(Readings& readings) const;
  void Solve(int passes);
  void MoveTiming();
  void EstimateStalls();
  MatrixXd Prior() const;
  VectorXd PriorMean() const;
  VectorXd PullOfSpread() const;
  MatrixXd ClusterMiddle(int& blocks) const;
  double Condition() const;

  const PhaseBins& bins_;
  std::span<const SensorTick> ticks_;
  SensorTiming prior_, timing_;
  Columns columns_;
  std::vector<Look> looks_;
  Readings sound_{0}, stalled_{0};  // the second are of windows that touch a stall within a phase
  VectorXd seen_s_, x_;
  VectorXd stall_variance_;  // of the bins' powers
  MatrixXd normal_, precision_;
  Eigen::LLT<MatrixXd> solver_;
  double mean_w_ = 0, noise2_ = 1;
};

void Regression::Build(bool with_timing) {
  looks_ = LooksOf(bins_, ticks_, timing_);
  const Drift drift(looks_);
  columns_ = {static_cast<int>(bins_.bins().size()), drift.knots(), with_timing, !timing_.contiguous};
  sound_ = stalled_ = Readings(columns_.count());
  seen_s_ = VectorXd::Zero(columns_.bins);
  const auto stalled = static_cast<size_t>(
      std::count_if(looks_.begin(), looks_.end(), [&](const Look& look) { return TouchesStall(look); }));
  const bool set_apart = stalled * kMostStalled < looks_.size();
  mean_w_ = 0;
  for (const Look& look : looks_) {
    AddRow(look, drift, set_apart && TouchesStall(look) ? stalled_ : sound_);
    mean_w_ += look.value_w / static_cast<double>(looks_.size());
  }
  normal_ = MatrixXd::Zero(columns_.count(), columns_.count());
  sound_.rows.AddSquareTo(normal_);
  normal_ = normal_.selfadjointView<Eigen::Lower>();
  precision_ = Prior();
}

/// Within a stall power is anything but constant. A window that holds some of it would pull at all its other bins.
bool Regression::TouchesStall(const Look& look) const {
  bool touches = false;
  bins_.VisitTime(look.begin_s - kStallMemory * timing_.low_pass_s, look.end_s,
                  [&](int bin, double) { touches = touches || bins_.IsStall(bin); });
  return touches;
}

void Regression::AddRow(const Look& look, const Drift& drift, Readings& readings) {
  const double tau_s = timing_.low_pass_s, window_s = look.end_s - look.begin_s;
  Rows& rows = readings.rows;
  auto& [by_lag, by_low_pass, by_window] = readings.slopes;
  const double unit = kTimingUnitS / window_s;
  bins_.VisitTime(look.begin_s, look.end_s, [&](int bin, double seconds) {
    rows.Add(bin, seconds / window_s);
    seen_s_[bin] += seconds;
    if (columns_.timing) by_window.Add(bin, -unit * seconds / window_s);
  });
  // What the low pass holds back at the window's two ends.
  for (const int end : {0, 1}) {
    const double sign = end == 0 ? -1 : 1;
    bins_.VisitFiltered(end == 0 ? look.begin_s : look.end_s, tau_s, [&](int bin, double y, double dy) {
      if (tau_s >= PhaseBins::kNoLowPassS) rows.Add(bin, -sign * tau_s * y / window_s);
      if (!columns_.timing) return;
      by_lag.Add(bin, -sign * unit * y);
      by_low_pass.Add(bin, -sign * unit * dy);
      by_window.Add(bin, unit * (sign * tau_s * y / window_s + (end == 0 ? y : 0)));
    });
  }
  const VectorXd hats = drift.Centred(look.time_s);
  for (int knot = 0; knot < columns_.knots; ++knot) rows.Add(columns_.drift() + knot, hats[knot]);
  if (columns_.timing) AddTiming(readings);
  rows.Finish();
  readings.values_w.push_back(look.value_w);
}

/// The modelled reading's derivatives: the bins' times the powers found so far.
void Regression::AddTiming(Readings& readings) const {
  for (int i = 0; i < columns_.timings(); ++i) {
    Rows& slopes = readings.slopes[i];
    slopes.Finish();
    readings.rows.Add(columns_.lag() + i, slopes.Times(slopes.last(), x_));
  }
}

/// Deviations from a phase's own mean have this covariance, the mean itself is free.
MatrixXd PrecisionOfPhase(std::span<const PhaseBin> bins, double mean_w) {
  const auto count = static_cast<Eigen::Index>(bins.size());
  const double parts = static_cast<double>(std::count_if(bins.begin(), bins.end(), [](auto& b) { return !b.alone; }));
  const double inside_w = kInsideSpread * mean_w, alone_w = kAloneSpread * mean_w;
  MatrixXd covariance = MatrixXd::Zero(count, count);
  for (Eigen::Index i = 0; i < count; ++i) {
    for (Eigen::Index j = 0; j < count; ++j) {
      const bool alone = bins[static_cast<size_t>(i)].alone || bins[static_cast<size_t>(j)].alone;
      const double distance = static_cast<double>(std::abs(i - j));
      covariance(i, j) = !alone   ? inside_w * inside_w * std::exp(-kCorrelationRate * distance / parts)
                         : i == j ? alone_w * alone_w
                                  : 0;
    }
  }
  const MatrixXd inverse = covariance.llt().solve(MatrixXd::Identity(count, count));
  const VectorXd sums = inverse.rowwise().sum();
  return inverse - sums * sums.transpose() / sums.sum();
}

MatrixXd Regression::Prior() const {
  MatrixXd precision = MatrixXd::Zero(columns_.count(), columns_.count());
  for (int first = 0; first < columns_.bins;) {
    const int count = bins_.BinCount(bins_.Group(first));
    precision.block(first, first, count, count) =
        PrecisionOfPhase(bins_.bins().subspan(static_cast<size_t>(first), static_cast<size_t>(count)), mean_w_);
    first += count;
  }
  // A bin without time has no data: any value does, and it carries no energy.
  for (int bin = 0; bin < columns_.bins; ++bin) precision(bin, bin) += 1e-9 / (mean_w_ * mean_w_);
  for (int knot = 0; knot < columns_.knots; ++knot) {
    precision(columns_.drift() + knot, columns_.drift() + knot) = 1 / std::pow(kDriftSpread * mean_w_, 2);
  }
  if (!columns_.timing) return precision;
  const double lag = std::max(prior_.lag_sd_s, kLeastTimingSdS) / kTimingUnitS;
  const double low_pass = std::max(prior_.low_pass_sd_s, kLeastTimingSdS) / kTimingUnitS;
  const double both = std::clamp(prior_.lag_low_pass_correlation, -0.999, 0.999) * lag * low_pass;
  Eigen::Matrix2d covariance;
  covariance << lag * lag, both, both, low_pass * low_pass;
  precision.block(columns_.lag(), columns_.lag(), 2, 2) = covariance.inverse();
  if (columns_.window) {
    const double window = std::max(prior_.window_sd_s, kLeastTimingSdS) / kTimingUnitS;
    precision(columns_.window_column(), columns_.window_column()) = 1 / (window * window);
  }
  return precision;
}

VectorXd Regression::PriorMean() const {
  VectorXd mean = VectorXd::Zero(columns_.count());
  if (!columns_.timing) return mean;
  mean[columns_.lag()] = (prior_.lag_s - timing_.lag_s) / kTimingUnitS;
  mean[columns_.low_pass()] = (prior_.low_pass_s - timing_.low_pass_s) / kTimingUnitS;
  if (columns_.window) mean[columns_.window_column()] = (prior_.window_s - timing_.window_s) / kTimingUnitS;
  return mean;
}

/// Readings tell timing and powers together, and their joint best favours a low pass that is too short: powers then
/// need to vary less (A. Levin et al., CVPR 2009, on blind deconvolution). Timing is to fit readings whose powers have
/// their spread, not their best value alone: E |v - Z p|^2 = |v - Z E p|^2 + tr(Z cov(p) Z'), of which this is the
/// second term's derivative.
VectorXd Regression::PullOfSpread() const {
  VectorXd pull = VectorXd::Zero(columns_.count());
  if (!columns_.timing) return pull;
  const int powers = columns_.lag();
  const MatrixXd inverse =
      (normal_ + noise2_ * precision_).topLeftCorner(powers, powers).llt().solve(MatrixXd::Identity(powers, powers));
  VectorXd spread(powers);
  for (size_t row = 0; row < sound_.rows.count(); ++row) {
    spread.setZero();
    sound_.rows.VisitRow(row, [&](int column, double z) {
      if (column < powers) spread += z * inverse.col(column);
    });
    for (int i = 0; i < columns_.timings(); ++i) {
      sound_.slopes[i].VisitRow(
          row, [&](int column, double slope) { pull[powers + i] -= noise2_ * slope * spread[column]; });
    }
  }
  return pull;
}

void Regression::Solve(int passes) {
  const Rows& rows = sound_.rows;
  VectorXd moment = VectorXd::Zero(columns_.count());
  for (size_t row = 0; row < rows.count(); ++row) {
    const double value = sound_.values_w[row];
    rows.VisitRow(row, [&](int column, double z) { moment[column] += z * value; });
  }
  const VectorXd pull = precision_ * PriorMean();
  const VectorXd spread = PullOfSpread();
  for (int pass = 0;; ++pass) {
    solver_.compute(normal_ + noise2_ * precision_);
    x_ = solver_.solve(moment + noise2_ * pull + spread);
    if (pass == passes) return;
    double squares = 0;
    for (size_t row = 0; row < rows.count(); ++row) {
      squares += std::pow(sound_.values_w[row] - rows.Times(row, x_), 2);
    }
    const double used = solver_.solve(normal_).trace();
    noise2_ = std::max(squares, 1e-12) / std::max(1.0, static_cast<double>(rows.count()) - used);
  }
}

void Regression::MoveTiming() {
  SensorTiming moved = timing_;
  moved.lag_s += kTimingUnitS * x_[columns_.lag()];
  moved.low_pass_s = std::max(0.0, moved.low_pass_s + kTimingUnitS * x_[columns_.low_pass()]);
  if (columns_.window) {
    moved.window_s = std::max(0.1 * prior_.window_s, moved.window_s + kTimingUnitS * x_[columns_.window_column()]);
  }
  // A few readings may ask for a timing with which they would lie outside the run: they do not know it.
  if (LooksOf(bins_, ticks_, moved).size() * kMostLost < looks_.size()) return;
  timing_ = moved;
}

/// The mean power of a stall is what its windows show beyond the other bins' part in them.
void Regression::EstimateStalls() {
  stall_variance_ = VectorXd::Zero(columns_.bins);
  if (stalled_.rows.count() == 0) return;
  for (int bin = 0; bin < columns_.bins; ++bin) {
    if (!bins_.IsStall(bin) || bins_.bins()[static_cast<size_t>(bin)].run_s <= 0) continue;
    std::vector<std::pair<double, double>> shares;  // of the window, and what it shows of the stall
    double share_sum = 0, power_sum = 0;
    for (size_t row = 0; row < stalled_.rows.count(); ++row) {
      double share = 0;
      stalled_.rows.VisitRow(row, [&](int column, double z) { share += column == bin ? z : 0; });
      if (share <= 0) continue;
      const double power_w = stalled_.values_w[row] - stalled_.rows.Times(row, x_) + share * x_[bin];
      shares.emplace_back(share, power_w);
      share_sum += share;
      power_sum += power_w;
    }
    stall_variance_[bin] = std::pow(kAloneSpread * mean_w_, 2);
    if (shares.size() < 2) continue;
    x_[bin] = power_sum / share_sum;
    double squares = 0;
    for (const auto& [share, power_w] : shares) squares += std::pow(power_w - share * x_[bin], 2);
    const double n = static_cast<double>(shares.size());
    stall_variance_[bin] = n / (n - 1) * squares / (share_sum * share_sum);
  }
}

/// The sum over blocks of q q', q the block's sum of row times residual.
MatrixXd Regression::ClusterMiddle(int& blocks) const {
  const double length_s = looks_.back().time_s - looks_.front().time_s;
  const double least_s = std::max(1.0, 5 * timing_.window_s);
  blocks = std::clamp(static_cast<int>(length_s / least_s), 10, 40);
  const Rows& rows = sound_.rows;
  MatrixXd sums = MatrixXd::Zero(columns_.count(), blocks);
  for (size_t row = 0; row < rows.count(); ++row) {
    const double residual = sound_.values_w[row] - rows.Times(row, x_);
    const auto block = static_cast<Eigen::Index>(row * static_cast<size_t>(blocks) / rows.count());
    rows.VisitRow(row, [&](int column, double z) { sums(column, block) += z * residual; });
  }
  return blocks / (blocks - 1.0) * sums * sums.transpose();
}

/// Square root of the ratio of the extreme eigenvalues of the phases' scaled normal matrix.
double Regression::Condition() const {
  std::vector<int> present;
  const int groups = bins_.Group(columns_.bins - 1) + 1;
  MatrixXd sum = MatrixXd::Zero(columns_.bins, groups);
  for (int bin = 0; bin < columns_.bins; ++bin) sum(bin, bins_.Group(bin)) = 1;
  const MatrixXd normal = sum.transpose() * normal_.topLeftCorner(columns_.bins, columns_.bins) * sum;
  for (int group = 0; group < groups; ++group) {
    if (normal(group, group) > 0) present.push_back(group);
  }
  const MatrixXd some = normal(present, present);
  const VectorXd scale = some.diagonal().cwiseSqrt().cwiseInverse();
  const MatrixXd scaled = scale.asDiagonal() * some * scale.asDiagonal();
  const VectorXd eigen = Eigen::SelfAdjointEigenSolver<MatrixXd>(scaled, Eigen::EigenvaluesOnly).eigenvalues();
  return std::sqrt(eigen.maxCoeff() / std::max(eigen.minCoeff(), 1e-12 * eigen.maxCoeff()));
}

PhaseFit Regression::Result(const MatrixXd& energy_of_bins) const {
  PhaseFit fit;
  fit.bin_power_w = x_.head(columns_.bins);
  fit.timing = timing_;
  fit.noise_w = std::sqrt(noise2_);
  fit.rows = static_cast<int>(looks_.size());
  fit.unknowns = columns_.count();
  fit.seen_s = seen_s_;
  fit.mean_reading_w = mean_w_;
  fit.condition = Condition();
  MatrixXd energies = MatrixXd::Zero(columns_.count(), energy_of_bins.rows());
  energies.topRows(columns_.bins) = energy_of_bins.transpose();
  const MatrixXd weights = solver_.solve(energies);
  const MatrixXd middle = ClusterMiddle(fit.blocks) + noise2_ * noise2_ * precision_;
  fit.model_covariance = noise2_ * energies.transpose() * weights;
  fit.cluster_covariance = weights.transpose() * middle * weights;
  const MatrixXd stalls = energy_of_bins * stall_variance_.asDiagonal() * energy_of_bins.transpose();
  fit.model_covariance += stalls;
  fit.cluster_covariance += stalls;
  return fit;
}

}  // namespace

PhaseFit FitPhases(const PhaseBins& bins, std::span<const SensorTick> ticks, const SensorTiming& timing,
                   const MatrixXd& energy_of_bins) {
  Regression regression(bins, ticks, timing);
  regression.Run();
  return regression.Result(energy_of_bins);
}

int UsableTicks(const PhaseBins& bins, std::span<const SensorTick> ticks, const SensorTiming& timing) {
  return static_cast<int>(LooksOf(bins, ticks, timing).size());
}

}  // namespace heliograd
