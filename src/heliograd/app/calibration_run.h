// One calibration: puts bursts on a GPU, watches its sensor meanwhile, and asks the estimators what they tell.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "heliograd/base/result.h"
#include "heliograd/meter/burst_load.h"
#include "heliograd/meter/meter.h"
#include "heliograd/report/device_calibration.h"

namespace heliograd {

struct CalibrationOptions {
  Duration bursts = Seconds(60);  // time of bursts and pauses at random
  /// No sensor's period is likely to be a multiple of it: polls that run in step with updates would leave the lag
  /// uncertain by a poll.
  std::chrono::nanoseconds poll = std::chrono::microseconds(1913);
  /// Called a few times a second with what is going on and the share done, 0 to 1.
  std::function<void(const std::string& stage, double share)> progress;
};

/// Bursts and pauses of 5 to 150 ms each; then, where the sensor does not look all the time, a load locked to it at
/// four shifts, which a counter that sees all cannot tell apart. Sets no limit, clock or mode. Ctrl-C (Interrupted)
/// gives it up. Errors: no power readings, the load fails, the readings do not follow the bursts, the driver's clock is
/// not this machine's.
Result<DeviceCalibration> Calibrate(std::unique_ptr<PowerMeter> meter, BurstLoad& load,
                                    const CalibrationOptions& options);

}  // namespace heliograd
