// What calibration found, kept per card and driver.
#pragma once

#include <map>
#include <string>

#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/report/run_energy.h"

namespace heliograd {

struct StoredCalibration {
  DeviceRecord device;  // UUID and driver are what it holds for
  DeviceCalibration found;
  Stamp made;
  std::string verdict;  // in words: what kind of sensor it is
};

/// The folder calibrations are kept in: $XDG_STATE_HOME/heliograd/calibrations, else ~/.local/state/heliograd/...
Result<std::string> CalibrationFolder();
/// Keeps it, in place of an earlier one of the same card.
Result<void> SaveCalibration(const StoredCalibration& calibration);
/// All that are kept, by UUID. Errors: a file that is damaged, by name.
Result<std::map<std::string, StoredCalibration>> ReadCalibrations();
/// Those of them that still hold for these devices: same UUID and same driver. What does not hold any more goes into
/// `stale`, one sentence each.
Result<std::map<std::string, DeviceCalibration>> LoadCalibrations(const std::vector<DeviceRecord>& devices,
                                                                  std::vector<std::string>& stale);

}  // namespace heliograd
