// Joules and shares of the phases of a repeating load, from a power sensor far slower than the phases.
//
// Enters: marks of when each phase ran, ticks of a sensor, the sensor's timing. Leaves: energy per iteration and share
// of each phase, each with a 95 % interval, and what cannot be told apart. The load need not stand still, but its phase
// must move against the sensor's: random sleep between iterations sees to that.
//
// Method (docs/attribution.md): the readings are regressed on the time that each sub-phase bin spends in each window,
// the sensor's low pass, window and lag treated exactly. It generalises J. Lang, G. Rünger, "High-Resolution Power
// Profiling of GPU Functions Using Low-Resolution Measurement", Euro-Par 2013, from folding to a least-squares fit with
// intervals; the sensor's model is that of Z. Yang et al., SC24, arXiv 2312.02741. Pure; it knows no hardware.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/model/sensor_timing.h"

namespace heliograd {

/// The phase number of inserted sleep.
inline constexpr int kSleepMark = -1;

/// One stretch of one phase.
struct PhaseMark {
  int phase = 0;  // 0 .. phase_count - 1 in the order in which they run, or kSleepMark
  double begin_s = 0;
  double end_s = 0;
};

struct PhaseRun {
  std::span<const PhaseMark> marks;  // ascending, not overlapping; time in none of them is "other"
  int phase_count = 0;
  double iterations = 0;              // the marks' span holds this many
  std::span<const SensorTick> ticks;  // W, ascending; ticks outside the marks are left aside
  SensorTiming timing;
  std::optional<Power> counter_power;  // mean over the marks' span by an energy counter, for the closure
  double gain_sd = 0.025;              // relative, of an uncalibrated sensor
  Power offset_sd = Watts(1);          // of an uncalibrated sensor
};

/// Half-widths belong to 95 % intervals.
struct PhaseEstimate {
  std::vector<int> phases;  // phase_count stands for "other"; several where they are pooled
  Duration duration;        // mean per iteration
  Energy energy;            // per iteration
  Energy half_width;        // without the gain, which is common to all
  double share = 0;         // of the iteration's energy without sleep
  double share_half_width = 0;
  bool identifiable = false;  // the share's half-width is at most a quarter of it
};

struct PhaseEnergies {
  std::vector<PhaseEstimate> phases;  // one each, "other" last
  std::vector<PhaseEstimate> groups;  // the same, what cannot be told apart pooled with a neighbour in time
  PhaseEstimate iteration;            // the sum, without sleep
  Energy sleep;                       // per iteration
  double gain_half_width = 0;         // relative, one common factor of all joules; shares do not depend on it
  Power mean_power;                   // of the marks' span, as the fit has it
  double closure = 0;                 // mean_power against the counter's (or the mean reading), relative
  bool closure_tells = false;         // false where phases and counter agree by construction
  double least_exposure = 1;          // of any bin: its share of the looks against its share of the time
  double condition = 1;               // of the column-scaled phase design; for show, decides nothing
  SensorTiming timing;                // lag, low pass and window as the fit moved them
  Power noise;                        // residual, standard deviation of a reading
  int readings = 0;
  int unknowns = 0;
  std::string refusal;  // why the whole result is not to be relied on, one sentence; empty where it is

  /// The interval's half-width of an energy with the gain in it.
  Energy HalfWidthWithGain(const PhaseEstimate& estimate) const;
};

/// Fails, in one sentence, where marks, ticks or timing are unusable: overlapping, unknown phase, fewer than 2
/// iterations or 40 readings, a window of no length.
Result<PhaseEnergies> EstimatePhaseEnergies(const PhaseRun& run);

}  // namespace heliograd
