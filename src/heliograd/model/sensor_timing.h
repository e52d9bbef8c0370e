// When a power sensor looks: shared by everything that reads its values back into time.
//
// Values of the simulated and the real sensors alike are raw doubles with the unit in the name, because they run
// through the innermost loops of the estimators. All times are seconds since one start, on one clock.
//
// A reading that appears at t is the mean, over [t - lag - window, t - lag], of the true power behind a first-order low
// pass: the model of Z. Yang, K. Adamek, W. Armour, "Accurate and Convenient Energy Measurements for GPUs" (SC24, arXiv
// 2312.02741), who find windows of 25 to 100 % of the update period on data-centre cards and averages of 1 s on others.
#pragma once

namespace heliograd {

/// What calibration finds of one sensor, with its uncertainty.
struct SensorTiming {
  double period_s = 0.1;   // between two updates
  double window_s = 0.1;   // averaged by each reading
  bool contiguous = true;  // each window begins where the last one ended; window_s is the period then
  double lag_s = 0;        // from the end of the window until the value appears
  double low_pass_s = 0;   // time constant before the averaging
  double lag_sd_s = 0.0003;
  double low_pass_sd_s = 0.0003;
  double window_sd_s = 0.0003;
  double lag_low_pass_correlation = 0;  // of the two errors; calibration knows their sum better than each
  /// Standard uncertainty of every time of a power step, which repetition does not remove: real power ramps up within
  /// about a millisecond of a kernel's start. 0.2 ms only where the ramp is known.
  double step_sd_s = 0.0005;

  /// Share of the run that the sensor looks at, at most 1.
  double Duty() const { return contiguous || window_s > period_s ? 1.0 : window_s / period_s; }
};

/// A polled value at the time of the first poll that saw it: watts of a power sensor, joules of an energy counter.
struct PolledValue {
  double time_s = 0;
  double value = 0;
};

/// The same value at the time at which the sensor put it out. Ticks count the sensor's updates; a number is missing
/// where the value did not change.
struct SensorTick {
  double time_s = 0;
  double value = 0;
  long number = 0;
};

/// From begin to end, seconds.
struct TimeSpan {
  double begin_s = 0;
  double end_s = 0;
};

}  // namespace heliograd
