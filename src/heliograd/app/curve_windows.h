// What the windows of a sweep say: energy and time per unit of work, clock and temperature at each limit.
//
// Enters: a recording and the windows of the job under one limit each. Leaves: what `model/limit_sweep.h` analyses, and
// what the figure and the file say beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/model/limit_sweep.h"
#include "heliograd/report/device_calibration.h"
#include "heliograd/trace/run_store.h"

namespace heliograd {

/// One stretch of the job under one limit. Stamps as the recording's.
struct MeasuredWindow {
  int round = 0;
  Power limit;
  int64_t begin_ns = 0, end_ns = 0;
  double units = 0;
};

/// Means over all windows of a limit; nothing where the device does not tell.
struct LevelState {
  Power limit;
  int windows = 0;
  std::optional<double> sm_clock_mhz;
  std::optional<double> temperature_c;
};

struct EvaluatedSweep {
  std::vector<SweepWindow> windows;
  std::vector<LevelState> states;  // ascending limits
  double gain_half_width = 0;      // relative, common to all energies
  std::vector<std::string> notes;  // one sentence each
};

/// Errors: the recording cannot be read.
Result<EvaluatedSweep> EvaluateWindows(const RunReader& run, const std::vector<MeasuredWindow>& windows,
                                       const std::vector<DeviceCalibration>& calibrations);

}  // namespace heliograd
