// How fast a job really runs at each power level, learnt while it runs, with an interval.
//
// Enters: the rates that the power curve promises, and stretches of the job at one level with the work seen in them.
// Leaves: the rate of any level. The curve is of another day, so all levels may be off by one factor g, and each by a
// little of its own:
//   measured rate / promised rate of level k  =  g + d_k,    g ~ N(1, common_sd^2),  d_k ~ N(0, level_sd^2)
// The work of a stretch is known to the time at which its two marks were read and to the unit that they count in. A
// level that never ran is known through g. Pure; knows no clock.
#pragma once

#include <cstddef>
#include <vector>

#include "heliograd/base/quantity.h"

namespace heliograd {

/// Standard deviations of what is not known before anything is measured; assumed.
struct ProgressPrior {
  double common_sd = 0.15;  // of g: another driver, another room, another build of the job
  double level_sd = 0.02;   // of d_k: the intervals of curves measured by `heliograd curve` are 1 to 2 % wide
  double drift_sd = 0.005;  // of a level's rate over a run: it is never known better
};

struct RateEstimate {
  double rate = 0;        // parts of the whole job per second
  double half_width = 0;  // relative half-width of the 95 % interval
};

class ProgressEstimate {
 public:
  /// `promised`: parts of the whole job per second, one per level, all positive.
  explicit ProgressEstimate(std::vector<double> promised, const ProgressPrior& prior = {});

  /// A stretch of `duration` at one level in which `work` (parts of the job) was done. `time_sd`: of each of its two
  /// marks; `grain`: the least work that a mark can tell. A stretch without length is no news.
  void Add(size_t level, Duration duration, double work, Duration time_sd, double grain);

  RateEstimate RateOf(size_t level) const;
  /// True when some stretch was seen.
  bool has_measured() const;

 private:
  struct Seen {
    double seconds = 0, work = 0;
    double time_variance = 0, work_variance = 0;
  };
  struct Normal {
    double mean = 1, variance = 0;
  };
  Normal MeasuredRatio(size_t level) const;
  Normal CommonWithout(size_t level) const;

  std::vector<double> promised_;
  ProgressPrior prior_;
  std::vector<Seen> seen_;
};

}  // namespace heliograd
