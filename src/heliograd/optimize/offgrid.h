// Off grid: PV alone feeds the GPU, no battery, no grid, no deadline; the job waits while the sun is too weak.
#pragma once

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
  bool finished = false;          // within three years
  Duration time_to_finish;        // from the start; the last slot counts by the fraction used
  Duration running_time;
  Power mean_gpu_power;           // over running time
  Energy pv_used, pv_lost;        // from the start to the finish (three years when not finished)
};

/// `pv` holds the mean PV power of each slot of a whole year, which repeats; `first_slot` is where the job starts.
/// `levels` ascend in power; all of them count here (a dominated level may be the highest that PV can feed).
OffgridResult SimulateOffgrid(const std::vector<Power>& pv, Duration slot, size_t first_slot,
                              const std::vector<Level>& levels, OffgridMode mode, double work = 1.0);

}  // namespace heliograd
