// Joules of the windows that a program marked: of each name, all of its windows together.
//
// Enters: a recorded run with windows, and what calibration knows of its sensors. Leaves: energy and share of each name
// with intervals, or why they cannot be told. A few long windows are worked out one by one; short ones that repeat are
// estimated together as phases of an iteration (model/phase_energy.h), each level of nesting by itself.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/report/device_calibration.h"
#include "heliograd/trace/run_store.h"

namespace heliograd {

/// Windows of this name are rests: they belong to no name and to no iteration.
inline constexpr char kRestName[] = "sleep";

/// The windows of one name on one device. All limits belong to 95 % intervals with the sensor's gain in them.
struct NameEnergy {
  int device = 0;
  std::string method;  // "each window", "repeated phases"; empty where nothing can be said
  Energy energy, low, high;
  std::optional<double> share, share_low, share_high;  // of an iteration of its level, without rests
  bool identifiable = false;                           // false: the energy is not to be relied on
  std::string why;                                     // why not, one sentence
};

struct NameSummary {
  std::string name;
  int depth = 0;  // 0 = outermost
  int64_t count = 0;
  Duration duration;  // of all together
  std::vector<NameEnergy> devices;
};

/// One level of nesting, estimated as repeated phases on one device.
struct LevelSummary {
  int device = 0;
  int depth = 0;
  double iterations = 0;
  Energy iteration, iteration_low, iteration_high;  // without rests
  NameEnergy other;                                 // of an iteration, in no window
  Duration other_duration;                          // the same, on the host's clock
  Energy rest;                                      // of an iteration
  double closure = 0;                               // the sum against the counter or the mean reading, relative
  bool closure_tells = false;                       // false where both agree by construction
  double condition = 1;                             // for show, decides nothing
  std::string refusal;                              // why the whole level is not to be relied on
};

struct WindowSummary {
  std::vector<DeviceRecord> devices;
  std::vector<NameSummary> names;  // by depth, then in the order in which they first began
  std::vector<LevelSummary> levels;
  std::vector<std::string> notes;
};

/// Devices without a calibration get no repeated phases. Errors: the store cannot be read.
Result<WindowSummary> SummariseWindows(const RunReader& run, std::span<const DeviceCalibration> calibrations);

}  // namespace heliograd
