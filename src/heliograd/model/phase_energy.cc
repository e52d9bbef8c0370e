#include "heliograd/model/phase_energy.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "heliograd/model/phase_bins.h"
#include "heliograd/model/phase_fit.h"
#include "heliograd/model/statistics.h"

namespace heliograd {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kBinFloor = 0.015;  // relative: what bins of finite width cannot follow
constexpr double kWidest = 0.25;     // half-width against the value beyond which a share or the whole is not known
constexpr double kLeastExposure = 1.0 / 3;
constexpr double kLargestClosure = 0.02;
constexpr double kShortPhaseS = 0.0002;  // shorter phases need not be seen
constexpr int kFewestReadings = 40;
constexpr double kOverlapS = 1e-6;  // rounding of marks

/// What the intervals are made of.
struct Estimates {
  VectorXd energy_j;  // phases, other
  VectorXd length_s;  // the same, per iteration
  double total_j = 0;
  double total_s = 0;
  MatrixXd model_energy, cluster_energy;  // covariances
  MatrixXd model_share, cluster_share;
  MatrixXd step_w;  // from group to group: sum of (step x count per iteration)^2, sleep last
  double t = 2;
  double step_sd_s = 0;
  double offset_sd_w = 1;
};

std::string_view NameOfMark(const PhaseMark& mark) { return mark.phase == kSleepMark ? "sleep" : "phase"; }

std::optional<std::string> DefectOfMarks(const PhaseRun& run) {
  if (run.phase_count < 1 || run.marks.size() < 2) return "phases need at least two marks: none were set";
  std::vector<int> seen(static_cast<size_t>(run.phase_count), 0);
  double end_s = -std::numeric_limits<double>::infinity();
  for (const PhaseMark& mark : run.marks) {
    if (mark.phase != kSleepMark && (mark.phase < 0 || mark.phase >= run.phase_count)) {
      return fmt::format("a mark names phase {}: expected 0 to {}, or {} for sleep", mark.phase, run.phase_count - 1,
                         kSleepMark);
    }
    if (!(mark.begin_s >= end_s - kOverlapS && mark.end_s >= mark.begin_s)) {
      return fmt::format(
          "the mark of a {} from {:.6f} s to {:.6f} s overlaps the one before, which ends at {:.6f} s: phases "
          "must follow each other",
          NameOfMark(mark), mark.begin_s, mark.end_s, end_s);
    }
    end_s = mark.end_s;
    if (mark.phase != kSleepMark) ++seen[static_cast<size_t>(mark.phase)];
  }
  for (size_t phase = 0; phase < seen.size(); ++phase) {
    if (seen[phase] == 0) return fmt::format("phase {} was never marked: expected one mark per iteration", phase);
  }
  if (!(run.iterations >= 2)) {
    return fmt::format("phases need at least 2 iterations: {:.3g} were run", run.iterations);
  }
  return std::nullopt;
}

std::optional<std::string> DefectOfTiming(const SensorTiming& timing) {
  if (timing.period_s > 0 && timing.window_s > 0 && timing.low_pass_s >= 0 && std::isfinite(timing.lag_s)) {
    return std::nullopt;
  }
  return fmt::format(
      "the sensor's timing has period {:.3g} ms, window {:.3g} ms, low pass {:.3g} ms and lag {:.3g} ms: expected a "
      "period and a window above 0 and a low pass of 0 or more; calibrate the sensor again",
      1e3 * timing.period_s, 1e3 * timing.window_s, 1e3 * timing.low_pass_s, 1e3 * timing.lag_s);
}

/// Rows: phases, other, sleep. Times bin powers they give joules per iteration.
MatrixXd EnergyOfBins(const PhaseBins& bins, double iterations) {
  const auto count = static_cast<Eigen::Index>(bins.bins().size());
  MatrixXd energy = MatrixXd::Zero(bins.bins().back().phase + 1, count);
  for (Eigen::Index b = 0; b < count; ++b) {
    const PhaseBin& bin = bins.bins()[static_cast<size_t>(b)];
    energy(bin.phase, b) = bin.run_s / iterations;
  }
  return energy;
}

/// Squares of the power steps between any two phases. A step that comes n times per iteration shifts n times the
/// energy.
MatrixXd SquaredSteps(const PhaseBins& bins, const VectorXd& power_w, double iterations) {
  const int groups = bins.bins().back().phase + 1;
  MatrixXd steps = MatrixXd::Zero(groups, groups);
  for (const BinStep& step : bins.StepsBetweenPhases()) {
    const double size_w = step.count / iterations * (power_w[step.from] - power_w[step.to]);
    steps(bins.Group(step.from), bins.Group(step.to)) += size_w * size_w;
  }
  return steps;
}

Estimates Collect(const PhaseRun& run, const PhaseBins& bins, const PhaseFit& fit, const MatrixXd& energy_of_bins) {
  const int parts = run.phase_count + 1;
  Estimates e;
  e.energy_j = (energy_of_bins * fit.bin_power_w).head(parts);
  e.length_s = energy_of_bins.rowwise().sum().head(parts);
  e.total_j = e.energy_j.sum();
  e.total_s = e.length_s.sum();
  e.model_energy = fit.model_covariance.topLeftCorner(parts, parts);
  e.cluster_energy = fit.cluster_covariance.topLeftCorner(parts, parts);
  const VectorXd shares = e.energy_j / e.total_j;
  const MatrixXd jacobian = (MatrixXd::Identity(parts, parts) - shares * Eigen::RowVectorXd::Ones(parts)) / e.total_j;
  e.model_share = jacobian * e.model_energy * jacobian.transpose();
  e.cluster_share = jacobian * e.cluster_energy * jacobian.transpose();
  e.step_w = SquaredSteps(bins, fit.bin_power_w, run.iterations);
  e.t = StudentT975(fit.blocks - 1);
  e.step_sd_s = run.timing.step_sd_s;
  e.offset_sd_w = InWatts(run.offset_sd);
  return e;
}

/// Root of the summed squares of the steps that lead into or out of the phases.
double EdgeStep(const Estimates& e, const std::vector<int>& phases) {
  double squares = 0;
  const auto inside = [&](Eigen::Index group) {
    return std::find(phases.begin(), phases.end(), static_cast<int>(group)) != phases.end();
  };
  for (Eigen::Index from = 0; from < e.step_w.rows(); ++from) {
    for (Eigen::Index to = 0; to < e.step_w.cols(); ++to) {
      if (inside(from) != inside(to)) squares += e.step_w(from, to);
    }
  }
  return std::sqrt(squares);
}

double LargerDeviation(const MatrixXd& model, const MatrixXd& cluster, const VectorXd& member) {
  return std::sqrt(std::max({0.0, member.dot(model * member), member.dot(cluster * member)}));
}

PhaseEstimate Estimate(const Estimates& e, std::vector<int> phases) {
  VectorXd member = VectorXd::Zero(e.energy_j.size());
  for (int phase : phases) member[phase] = 1;
  const double energy_j = member.dot(e.energy_j), length_s = member.dot(e.length_s);
  const double share = energy_j / e.total_j;
  const double shift_j = e.step_sd_s * EdgeStep(e, phases);
  const double offset_w = kNormal975 * e.offset_sd_w;

  const double energy_fit_j = e.t * LargerDeviation(e.model_energy, e.cluster_energy, member);
  const double share_fit = e.t * LargerDeviation(e.model_share, e.cluster_share, member);
  PhaseEstimate estimate;
  estimate.duration = Seconds(length_s);
  estimate.energy = Joules(energy_j);
  estimate.half_width =
      Joules(std::hypot(std::hypot(energy_fit_j, kBinFloor * energy_j), shift_j, offset_w * length_s));
  estimate.share = share;
  estimate.share_half_width = std::hypot(std::hypot(share_fit, kBinFloor * share), shift_j / e.total_j,
                                         offset_w * (length_s - share * e.total_s) / e.total_j);
  estimate.identifiable = estimate.share_half_width <= kWidest * share;
  estimate.phases = std::move(phases);
  return estimate;
}

double RelativeWidth(const PhaseEstimate& estimate) {
  return estimate.share > 0 ? estimate.share_half_width / estimate.share : std::numeric_limits<double>::infinity();
}

PhaseEstimate Pooled(const Estimates& e, const PhaseEstimate& first, const PhaseEstimate& second) {
  std::vector<int> phases = first.phases;
  phases.insert(phases.end(), second.phases.begin(), second.phases.end());
  return Estimate(e, phases);
}

/// Pools the worst phase with the neighbour in time (the first follows the last) that gives the narrower result, until
/// all that is left can be told apart.
std::vector<PhaseEstimate> PoolUntilIdentifiable(const Estimates& e, std::vector<PhaseEstimate> groups) {
  while (groups.size() > 1) {
    const auto worst = std::max_element(
        groups.begin(), groups.end(), [](const auto& a, const auto& b) { return RelativeWidth(a) < RelativeWidth(b); });
    if (worst->identifiable) break;
    const size_t at = static_cast<size_t>(worst - groups.begin()), count = groups.size();
    const size_t before = (at + count - 1) % count, after = (at + 1) % count;
    const PhaseEstimate with_before = Pooled(e, groups[before], groups[at]);
    const PhaseEstimate with_after = Pooled(e, groups[at], groups[after]);
    const bool take_before = RelativeWidth(with_before) < RelativeWidth(with_after);
    groups[take_before ? before : after] = take_before ? with_before : with_after;
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(at));
  }
  // A single group is the whole iteration, of which every share is 1: nothing was told apart.
  if (groups.size() == 1) groups[0].identifiable = false;
  return groups;
}

/// The least, over the bins of phases that are long enough to matter, of a bin's share of the looks against its share
/// of the time.
double LeastExposure(const PhaseRun& run, const PhaseBins& bins, const PhaseFit& fit, const Estimates& e) {
  const double seen_s = fit.seen_s.sum(), run_s = bins.end_s() - bins.begin_s();
  double least = std::numeric_limits<double>::infinity();
  for (size_t b = 0; b < bins.bins().size(); ++b) {
    const PhaseBin& bin = bins.bins()[b];
    if (bin.phase >= run.phase_count || e.length_s[bin.phase] <= kShortPhaseS || bin.run_s <= 0) continue;
    least = std::min(least, (fit.seen_s[static_cast<Eigen::Index>(b)] / seen_s) / (bin.run_s / run_s));
  }
  return std::isfinite(least) ? least : 1;
}

std::string Refusal(const PhaseRun& run, const PhaseEnergies& result) {
  if (result.least_exposure < kLeastExposure) {
    return fmt::format(
        "aliased, add sleep: the sensor looks {:.0f} % of the time and sees a part of the iteration only {:.0f} "
        "% as often as its length asks for; random sleep of 5 % of the iteration cures it",
        100 * run.timing.Duty(), 100 * result.least_exposure);
  }
  const double half_width = InJoules(result.iteration.half_width), energy = InJoules(result.iteration.energy);
  if (half_width > kWidest * energy) {
    return fmt::format("too short: the energy of an iteration is known as {:.3g} +-{:.2g} J, no better; run longer",
                       energy, half_width);
  }
  // Where the sensor sees all, phases and mean agree by construction, but for what the interval allows: too few
  // readings for the phases break that first.
  const double largest = kLargestClosure + (result.closure_tells ? 0 : half_width / energy);
  if (std::abs(result.closure) > largest) {
    return fmt::format(
        "phases do not close: they add up to {:.1f} W and the sensor's mean is {:+.1f} % off that, more than "
        "{:.0f} %; run longer or add random sleep between iterations",
        InWatts(result.mean_power), -100 * result.closure, 100 * largest);
  }
  return {};
}

}  // namespace

Energy PhaseEnergies::HalfWidthWithGain(const PhaseEstimate& estimate) const {
  return Joules(std::hypot(InJoules(estimate.half_width), gain_half_width * InJoules(estimate.energy)));
}

Result<PhaseEnergies> EstimatePhaseEnergies(const PhaseRun& run) {
  if (const auto defect = DefectOfMarks(run)) return Fail(*defect);
  if (const auto defect = DefectOfTiming(run.timing)) return Fail(*defect);
  const PhaseBins bins(run.marks, run.phase_count, run.timing.window_s);
  const int readings = UsableTicks(bins, run.ticks, run.timing);
  if (readings < kFewestReadings) {
    return Fail(
        fmt::format("only {} readings of the sensor lie within the marked phases: expected at least {}; run longer",
                    readings, kFewestReadings));
  }
  const MatrixXd energy_of_bins = EnergyOfBins(bins, run.iterations);
  const PhaseFit fit = FitPhases(bins, run.ticks, run.timing, energy_of_bins);
  const Estimates e = Collect(run, bins, fit, energy_of_bins);

  PhaseEnergies result;
  std::vector<int> all(static_cast<size_t>(run.phase_count) + 1);
  std::iota(all.begin(), all.end(), 0);
  for (int phase : all) result.phases.push_back(Estimate(e, {phase}));
  std::vector<PhaseEstimate> present = result.phases;
  if (e.length_s[run.phase_count] <= 0) present.pop_back();
  result.groups = PoolUntilIdentifiable(e, std::move(present));
  result.iteration = Estimate(e, all);
  const double sleep_j = (energy_of_bins * fit.bin_power_w)[run.phase_count + 1];
  result.sleep = Joules(sleep_j);
  result.gain_half_width = kNormal975 * run.gain_sd;

  const double run_s = bins.end_s() - bins.begin_s();
  result.mean_power = Watts((e.total_j + sleep_j) * run.iterations / run_s);
  const double reference_w = run.counter_power ? InWatts(*run.counter_power) : fit.mean_reading_w;
  result.closure = InWatts(result.mean_power) / reference_w - 1;
  result.closure_tells = run.timing.Duty() < 1;
  result.least_exposure = LeastExposure(run, bins, fit, e);
  result.condition = fit.condition;
  result.timing = fit.timing;
  result.noise = Watts(fit.noise_w);
  result.readings = fit.rows;
  result.unknowns = fit.unknowns;
  result.refusal = Refusal(run, result);
  return result;
}

}  // namespace heliograd
