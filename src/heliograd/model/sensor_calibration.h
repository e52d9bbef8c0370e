// How a power sensor looks at time: lag, low pass, averaging window, update period, from a load of known bursts.
//
// Enters: when bursts ran, and the ticks of the sensor meanwhile (tick_times.h). Leaves: the sensor's timing with
// uncertainties, and whether an energy counter sees what the sensor's windows skip. 60 s of bursts and pauses of 5 to
// 150 ms, each drawn at random, suffice. Model of the sensor: Z. Yang et al., SC24, arXiv 2312.02741, who fit the
// window alone; here all parameters are fitted together, the two powers by variable projection (G. Golub, V. Pereyra,
// SIAM J. Numer. Anal. 10, 1973). Pure functions.
#pragma once

#include <span>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/model/sensor_timing.h"

namespace heliograd {

struct SensorCalibration {
  SensorTiming timing;    // standard uncertainties in it; step_sd_s is 0.5 ms, which bursts cannot better
  double delay_sd_s = 0;  // of lag + low pass, known better than each
  Power busy, idle;
  Power busy_sd, idle_sd;
  Power residual;        // standard deviation of a reading about the fit
  double explained = 0;  // share of the readings' variance, 0 to 1
  int readings = 0;
  bool long_average = false;  // a window beyond two periods: phases cannot be timed in place, use loops
};

/// `bursts` ascend and do not overlap; `ticks` in W lie on the same clock. Fails, in one sentence, with fewer than 50
/// ticks within the bursts, or where the readings do not follow the bursts.
Result<SensorCalibration> CalibrateSensor(std::span<const TimeSpan> bursts, std::span<const SensorTick> ticks);

enum class CounterSight {
  kSeesAll,      // the counter follows all energy, whatever the sensor's window
  kBlind,        // the counter adds up what the sensor's windows see
  kNoDifference  // the sensor looks (nearly) always, or the record is too short to tell
};

struct CounterVerdict {
  CounterSight sight = CounterSight::kNoDifference;
  double squares_ratio = 1;  // squared residuals of "sees all" against those of "blind"
  SensorTiming timing;       // of the counter, as the better of the two has it
};

/// From the same bursts: does the counter's power between two ticks (PowerOfCounter) follow all of the time between
/// them, or only the sensor's window? Fails as CalibrateSensor does.
Result<CounterVerdict> JudgeCounter(std::span<const TimeSpan> bursts, std::span<const SensorTick> counter_power,
                                    const SensorCalibration& sensor);

/// One stretch of a load that is high for a part of each sensor period, locked to the sensor at a given shift.
struct LockedStretch {
  int shift = 0;     // number of the shift
  Power by_counter;  // mean over the stretch
};

/// The direct test: a counter that sees all does not depend on the shift at which a locked load meets the sensor. Blind
/// where the means of two shifts differ by more than 5 % of the mean and by more than their scatter explains, sees all
/// where they agree within 5 % surely. Needs 2 shifts and 2 stretches of each, else kNoDifference.
CounterSight JudgeByShift(std::span<const LockedStretch> stretches);

}  // namespace heliograd
