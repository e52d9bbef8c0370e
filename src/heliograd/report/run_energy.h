// Energy, power and time of a recorded run, or of any interval of one, per device.
//
// Enters: a run store and an interval. Leaves: joules with their interval and how they were obtained. Joins what the
// trace keeps with the estimators of `model`; knows no device and no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/report/device_calibration.h"
#include "heliograd/trace/run_store.h"

namespace heliograd {

/// All limits belong to 95 % intervals with the sensor's gain in them.
struct DeviceEnergy {
  DeviceRecord device;
  Energy energy, low, high;
  Duration duration;  // of the interval on the driver's clock, which is the host's but in a simulation
  Power mean, peak;
  std::string unresolved;                     // why the energy is not to be relied on, one sentence; empty where it is
  std::string method;                         // "energy counter", "integral of power readings"
  double gain_half_width = 0;                 // relative; one factor that all energies of this device share
  int64_t samples = 0;                        // values that the sensor put out within the interval
  std::optional<Energy> integral;             // of the power readings, where the energy is the counter's: a cross-check
  std::optional<CalibrationUse> calibration;  // nothing where the device has none
  std::vector<std::string> remarks;           // what a reader of the number must know, one sentence each
};

/// The energy of every device between two stamps of UNIX time in ns. Devices of which nothing can be said are left out,
/// with the reason in `left_out`. A device's sensor is timed as its calibration says; without one its lag counts as
/// zero and its window as the whole period, and a remark says so. Errors: the store cannot be read.
Result<std::vector<DeviceEnergy>> EnergyBetween(const RunReader& run, int64_t begin_ns, int64_t end_ns,
                                                std::vector<std::string>& left_out,
                                                const std::vector<DeviceCalibration>& calibrations = {});

}  // namespace heliograd
