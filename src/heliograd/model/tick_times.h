// From the polls that saw a value change to the times at which the sensor put it out.
//
// A sensor updates at a steady pace, so its ticks lie on a line; a poll sees each up to one poll period late. The line
// through all of them knows each tick far better than its own poll does. Pure functions.
#pragma once

#include <span>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/model/sensor_timing.h"

namespace heliograd {

struct TickTimes {
  std::vector<SensorTick> ticks;  // ascending
  double period_s = 0;            // mean over the run
  /// How far the sensor's updates scatter about the line, root mean square; what the polls add is taken out.
  double residual_s = 0;
  /// Standard uncertainty of a shift common to all ticks. Half a poll is subtracted from each, which is right on the
  /// average only where the ticks wander through the polls; where polls and ticks run in step it cannot be known better
  /// than a poll.
  double shift_sd_s = 0;
  size_t left_out = 0;  // changes that fit no tick

  /// The standard uncertainty that every power step's time has at least: 1.5 times the residual, and the shift.
  double StepSd() const;
};

/// `changes` as polled, ascending; `poll_period_s` between two polls. At least 10 changes, and updates that are at
/// least 3 polls apart. The line is fitted robustly in segments of about 2 minutes, for a sensor's pace drifts with its
/// temperature.
Result<TickTimes> FitTickTimes(std::span<const PolledValue> changes, double poll_period_s);

/// Mean power between neighbouring ticks of an energy counter, in W, at the later of the two: what a sensor with
/// contiguous windows would show.
std::vector<SensorTick> PowerOfCounter(std::span<const SensorTick> counter);

}  // namespace heliograd
