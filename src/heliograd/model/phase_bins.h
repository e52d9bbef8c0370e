// The time of a run cut into sub-phase bins, and how much of each bin a sensor's window holds: the design of the
// regression of phase_energy.h (docs/attribution.md).
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "heliograd/model/phase_energy.h"

namespace heliograd {

struct PhaseBin {
  int phase = 0;  // phase_count = other, phase_count + 1 = sleep
  int part = 0;   // of the phase's
  /// Neighbouring parts of one phase resemble each other; a part that stands alone resembles none.
  bool alone = false;
  double run_s = 0;  // time of the whole run in it
};

/// One step from one bin into another, and how often it happens.
struct BinStep {
  int from = 0;
  int to = 0;
  double count = 0;
};

/// The partition. Immutable; safe from any thread.
class PhaseBins {
 public:
  /// Marks are sound (EstimatePhaseEnergies checks them). Phases are cut into equal parts of each measured duration,
  /// other and sleep into their first 5 ms and the rest. What takes more than twice as long as usual is a stall: a
  /// phase's falls into a part of its own, for nothing tells where in it the stall was; in other and sleep, the part
  /// beyond the usual length does.
  PhaseBins(std::span<const PhaseMark> marks, int phase_count, double window_s);

  std::span<const PhaseBin> bins() const { return bins_; }
  int Group(int bin) const { return bins_[static_cast<size_t>(bin)].phase; }
  /// True of the part that holds a phase's stalls.
  bool IsStall(int bin) const {
    const PhaseBin& b = bins_[static_cast<size_t>(bin)];
    return b.alone && b.phase + 2 < static_cast<int>(usual_s_.size());
  }
  double begin_s() const { return edges_s_.front(); }
  double end_s() const { return edges_s_.back(); }
  /// First of the bins of a phase, and how many.
  int FirstBin(int phase) const { return first_bin_[static_cast<size_t>(phase)]; }
  int BinCount(int phase) const { return first_bin_[static_cast<size_t>(phase) + 1] - FirstBin(phase); }
  /// All steps between bins of different phases.
  std::vector<BinStep> StepsBetweenPhases() const;

  /// Calls visit(bin, seconds) for the bins of [from_s, to_s].
  template <typename Visit>
  void VisitTime(double from_s, double to_s, Visit visit) const {
    size_t i = IntervalAt(from_s);
    for (; i < bin_of_.size() && edges_s_[i] < to_s; ++i) {
      const double begin_s = edges_s_[i] > from_s ? edges_s_[i] : from_s;
      const double end_s = edges_s_[i + 1] < to_s ? edges_s_[i + 1] : to_s;
      if (end_s > begin_s) visit(bin_of_[i], end_s - begin_s);
    }
  }

  /// Calls visit(bin, y, dy) for every bin that the low pass still holds at `time_s`: y is the low-passed indicator of
  /// the bin, dy the derivative of tau y by tau.
  template <typename Visit>
  void VisitFiltered(double time_s, double tau_s, Visit visit) const {
    size_t i = IntervalAt(time_s);
    if (tau_s < kNoLowPassS) return visit(bin_of_[i], 1.0, 1.0);
    double x_end = 0, decay_end = 1;  // at the later edge of the interval, or at time_s itself
    while (true) {
      const double x_begin = (time_s - edges_s_[i]) / tau_s;
      const double decay_begin = std::exp(-x_begin);
      visit(bin_of_[i], decay_end - decay_begin, decay_end + x_end * decay_end - decay_begin - x_begin * decay_begin);
      if (i == 0 || x_begin > kForgotten) return;
      x_end = x_begin;
      decay_end = decay_begin;
      --i;
    }
  }

  /// Low passes shorter than this count as none.
  static constexpr double kNoLowPassS = 1e-6;
  /// After this many time constants the low pass has forgotten (exp(-18) < 2e-8).
  static constexpr double kForgotten = 18;

 private:
  size_t IntervalAt(double time_s) const;
  void MakeBins(int phase_count, double window_s);
  void CutPhase(int phase, double begin_s, double end_s);
  void CutRest(int phase, double begin_s, double end_s);
  void Append(int bin, double end_s);

  std::vector<PhaseBin> bins_;
  std::vector<int> first_bin_;
  std::vector<double> usual_s_;  // median length of each phase, of other and of sleep
  std::vector<double> edges_s_;  // one more than bin_of_
  std::vector<int> bin_of_;
};

}  // namespace heliograd
