// From a sweep over power limits to the limit of least energy, each with its interval.
//
// Enters: windows of a running job at several limits, in rounds. Leaves: energy and time per unit of work at each
// limit, the knee (least energy), the limit of least energy x time, the limit from which on it no longer binds, and the
// levels that no plan would choose. Gain and slow drift are common to a round and fall out; energy and time are
// smoothed only by what physics orders: a higher limit is never slower and never draws less power. Isotonic regression:
// R. Barlow et al., "Statistical Inference under Order Restrictions", 1972. Pure functions.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"

namespace heliograd {

/// One window of the sweep, per unit of work.
struct SweepWindow {
  int round = 0;
  Power limit;
  Energy energy;
  Duration time;
};

/// 95 % intervals, relative to the curve as a whole: a common gain of the sensor moves all energies alike and is not in
/// them.
struct SweepLevel {
  Power limit;
  Energy energy;
  Duration time;
  double energy_half_width = 0;  // relative
  double time_half_width = 0;    // relative
  /// Another limit is at least as fast and needs less energy by more than the scatter explains.
  bool dominated = false;
};

struct SweepLimit {
  Power limit;
  Power low, high;  // 95 % interval; half a step of the sweep is in it
};

struct SweepResult {
  std::vector<SweepLevel> levels;  // ascending limits
  SweepLimit least_energy;         // the knee
  SweepLimit least_energy_time;
  /// The lowest limit that no longer changes the power drawn; nothing where every limit binds or none does.
  std::optional<SweepLimit> stops_binding;
  double energy_scatter = 0;  // standard deviation of one window, relative
  double time_scatter = 0;
  double degrees_of_freedom = 0;
};

/// Fails, in one sentence, with fewer than 3 limits or 2 rounds, a limit without a window, or windows that are not
/// above 0. Rounds may lack limits: the curve is then the least-squares fit of a limit's and a round's part.
Result<SweepResult> AnalyseSweep(std::span<const SweepWindow> windows);

}  // namespace heliograd
