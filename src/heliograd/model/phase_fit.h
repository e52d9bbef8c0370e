// The regression of phase_energy.h: bin powers, drift and timing from the readings, and their covariance.
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "heliograd/model/phase_bins.h"
#include "heliograd/model/sensor_timing.h"

namespace heliograd {

struct PhaseFit {
  Eigen::VectorXd bin_power_w;
  SensorTiming timing;  // as moved by the fit
  double noise_w = 0;   // standard deviation of a residual
  int rows = 0;
  int unknowns = 0;
  int blocks = 0;          // of the cluster covariance
  Eigen::VectorXd seen_s;  // time that all windows spend in each bin
  double mean_reading_w = 0;
  double condition = 1;  // of the column-scaled phase design
  /// Covariance of the energies per iteration of the phases (other and sleep last two), J2, in two estimates.
  Eigen::MatrixXd model_covariance;
  Eigen::MatrixXd cluster_covariance;
};

/// Solves for the bin powers. `energy_of_bins` has one row per phase, other and sleep; times bin powers it gives J per
/// iteration. At least one tick's window lies inside the bins (PhaseRows says how many do).
PhaseFit FitPhases(const PhaseBins& bins, std::span<const SensorTick> ticks, const SensorTiming& timing,
                   const Eigen::MatrixXd& energy_of_bins);

/// How many ticks have their window inside the bins.
int UsableTicks(const PhaseBins& bins, std::span<const SensorTick> ticks, const SensorTiming& timing);

}  // namespace heliograd
