// Whole levels: the proof. Partial schedules go forward slot by slot, as labels of work done and cost over the energy
// that is then stored; the bound discards what cannot end below a threshold.
//
// Enters: a kernel::Problem with all levels. Leaves: a schedule and a bound no further apart than allowed, or as far as
// the time went (docs/kernel.md, section 7).
#pragma once

#include <limits>

#include "heliograd/optimize/kernel_levels.h"

namespace heliograd::kernel {

struct LevelLimits {
  double gap = 1e-3;                                        // EUR
  std::function<bool()> is_late;                            // may be empty
  double guess = 0;                                         // of the price of work
  long most_extensions = std::numeric_limits<long>::max();  // of labels, about a microsecond each
};

struct LevelAnswer {
  bool stopped = false;  // before the proof
  std::optional<LevelSchedule> plan;
  double bound = 0;
  std::vector<double> stored_values;
  long extensions = 0;  // of labels
};

LevelAnswer SolveLevels(const Problem& problem, const LevelLimits& limits);

}  // namespace heliograd::kernel
