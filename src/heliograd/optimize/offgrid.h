// Off grid: PV alone feeds the GPU, no battery, no grid, no deadline; the job waits while the sun is too weak.
//
// Enters: a year of mean PV power per slot, which repeats, and the GPU's levels. Leaves: when the job is finished and
// what became of the sun until then. It knows no price and no solver.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

enum class OffgridMode {
  kMinimum,  // always the lowest level
  kDynamic   // the highest level not above the slot's mean PV power
};

struct OffgridResult {
  bool finished = false;    // within three years
  Duration time_to_finish;  // from the start; the last slot counts by the fraction used
  Duration running_time;
  Power mean_gpu_power;     // over running time
  Energy pv_used, pv_lost;  // from the start to the finish (three years when not finished)
};

/// A job that is not finished after three years never will be in practice.
inline constexpr size_t kOffgridYears = 3;

/// `pv` holds the mean PV power of each slot of a whole year, which repeats; `first_slot` is where the job starts.
/// `levels` ascend in power; all of them count here (a dominated level may be the highest that PV can feed).
///
/// The GPU runs a slot whole or not at all, but for the last, which ends with the job. It runs where the slot's mean PV
/// power is at least the draw of its level, and then takes that draw: pv_used is the energy so taken. pv_lost is the
/// rest of what PV offers until the finish, in slots where the GPU is off too; of the last slot only the fraction used
/// counts. What is left of the work when it is less than 1e-9 of it is rounding, and done: a job of exactly n slots
/// ends in the nth. Precondition: first_slot < slots of the year, work in (0, 1], `pv` and `levels` are not empty.
///
/// This is the definition, one slot after the other; OffgridYear gives the same answers fast.
OffgridResult SimulateOffgrid(const std::vector<Power>& pv, Duration slot, size_t first_slot,
                              const std::vector<Level>& levels, OffgridMode mode, double work = 1.0);

/// The same answers for many starts: one pass over the year, then each start in O(log slots) by bisection of running
/// sums. Immutable after construction; safe from any thread. Preconditions as above.
class OffgridYear {
 public:
  OffgridYear(const std::vector<Power>& pv, Duration slot, const std::vector<Level>& levels, OffgridMode mode);

  /// As SimulateOffgrid from `first_slot`, up to rounding (1e-9 of each number).
  OffgridResult From(size_t first_slot, double work = 1.0) const;

 private:
  /// What has happened from the start of the year up to a slot.
  struct Sums {
    double progress = 0;  // part of the whole job
    double running = 0;   // slots
    double used_wh = 0;
    double pv_wh = 0;
  };

  Sums Between(size_t first_slot, size_t slots) const;
  OffgridResult Answer(bool finished, double slots, const Sums& sums) const;

  Duration slot_;
  std::vector<Sums> until_;  // entry i: sums of slots 0 .. i-1; one more entry than the year has slots
};

}  // namespace heliograd
