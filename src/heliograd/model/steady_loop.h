// Energy of work far shorter than a sensor's update, from running it in a loop: single layers, and the phases of an
// iteration on a sensor that averages over a second.
//
// Enters: trials, each one layer back to back for seconds with short random pauses, in rounds; the sensor's timing.
// Leaves: joules per repetition with a 95 % interval. A layer alone in a loop keeps its data in the cache and the clock
// in one state, so its energy is not that of the same layer within an iteration: the ratio against a loop over all
// layers tells by how much. Repeating until the reading is steady follows M. Burtscher, I. Zecena, Z. Zong, "Measuring
// GPU Power with the K20 Built-in Sensor", GPGPU-7, 2014. Pure functions.
#pragma once

#include <span>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/model/sensor_timing.h"

namespace heliograd {

struct LoopTrial {
  std::span<const TimeSpan> runs;     // back to back repetitions; between two runs is a pause
  std::span<const SensorTick> ticks;  // W
};

struct LoopPower {
  Power running;
  Power pausing;  // equals `running` where no pause was long enough to tell
  int readings = 0;
};

/// Mean power while the loop runs, corrected for its pauses by regression on the share of each reading's window that is
/// busy. Uses the readings whose window lies inside the trial and after it has settled (0.3 s, and no less than the
/// sensor's window, lag and low pass take). Fails with fewer than 5 such readings.
Result<LoopPower> MeanLoopPower(const LoopTrial& trial, const SensorTiming& timing);

/// One trial's outcome: power while running times the mean duration of one repetition.
struct LoopEnergy {
  int layer = 0;  // 0, 1, ...
  int round = 0;
  Energy energy;
};

struct LayerEnergy {
  Energy energy;      // mean over the rounds
  Energy half_width;  // 95 %, without the sensor's gain, which is common to all
  int rounds = 0;
};

struct LoopResult {
  std::vector<LayerEnergy> layers;
  Energy sum;
  Energy sum_half_width;
  double scatter = 0;  // of one trial, relative, pooled over the layers
  double degrees_of_freedom = 0;
};

/// Intervals from the scatter pooled over all layers (own scatter of 3 to 5 rounds is far too uncertain) and 1 % for
/// what settling leaves. Fails, in one sentence, where a layer has no trial, an energy is not above 0, or no layer has
/// two rounds.
Result<LoopResult> EnergiesOfLayers(std::span<const LoopEnergy> trials);

/// Energy above what the idle device would have drawn. The idle power's uncertainty is in the half-width; it depends on
/// the clock's state, so both numbers belong in a report.
LayerEnergy NetOfIdle(const LayerEnergy& layer, Duration repetition, Power idle, Power idle_sd);

/// Sum of the layers against a loop over all of them. Beyond 5 % either way the layers describe themselves in
/// isolation, not within the iteration.
struct LoopClosure {
  double ratio = 1;
  double half_width = 0;
  bool isolated = false;
};
LoopClosure AgainstWhole(const LoopResult& layers, const LayerEnergy& whole);

}  // namespace heliograd
