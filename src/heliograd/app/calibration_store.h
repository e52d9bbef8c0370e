// Calibrations on disk: one JSON file for each card and driver.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/report/device_calibration.h"

namespace heliograd {

/// Where calibrations are kept: $XDG_STATE_HOME/heliograd/calibrations; without the variable /var/lib/heliograd for
/// root, else ~/.local/state/heliograd.
Result<std::string> CalibrationFolder();

/// "sees-all", "blind", "undecided".
std::string_view CounterSightName(CounterSight sight);

/// A calibration as the text of its file, and back. Every mistake of the text is named with the file `name` and its
/// key.
std::string WriteCalibration(const DeviceCalibration& calibration);
Result<DeviceCalibration> ParseCalibration(std::string_view content, const std::string& name);

/// Makes the folder, so that a place that cannot be written is known before a minute is spent. Errors: kPermission.
Result<void> PrepareCalibrationFolder();
/// Keeps it in place of an earlier one of the same card and driver, whole or not at all. Gives the file's path.
Result<std::string> SaveCalibration(const DeviceCalibration& calibration);

struct LoadedCalibrations {
  std::vector<DeviceCalibration> usable;
  std::vector<std::string> problems;  // files that cannot be used, one sentence each
};
/// All that are kept; a user without an own folder reads root's too. A damaged file is a problem, never a failure: what
/// is measured does not depend on it.
LoadedCalibrations LoadCalibrations();

}  // namespace heliograd
