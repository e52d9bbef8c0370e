// The file that describes the simulated GPUs: which keys it may have, their ranges and defaults.
//
// Enters: TOML text. Leaves: a checked SimConfig, or every mistake with file, line and key. Pure but for ReadConfig.
// docs/simulated_gpu.md explains the keys to people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd::sim {

/// What the energy counter adds up.
enum class CounterKind {
  kTrue,    // the power really drawn
  kSensor,  // the sensor's readings, so it is blind to what the sensor does not see
  kAbsent   // the driver says NOT_SUPPORTED
};

enum class FaultKind {
  kLost,            // every call on the device: GPU_IS_LOST
  kNotSupported,    // power and energy readings: NOT_SUPPORTED
  kNoData,          // power and energy readings: NO_DATA
  kZeroPower,       // power readings: 0 mW
  kCounterReset,    // the energy counter starts again at zero (at the beginning only)
  kDriverReload,    // limits and clocks back to default, counter at zero; while it lasts: DRIVER_NOT_LOADED
  kHang,            // every call on the device blocks until it is over
  kThermalSlowdown  // the driver says that heat holds the clock down; it does not
};

/// One fault, in simulated seconds since the shared driver started.
struct FaultConfig {
  double at_s = 0;
  double lasts_s = 1;
  FaultKind kind = FaultKind::kLost;
};

struct SensorConfig {
  double period_ms = 100;
  double window_ms = 25;  // a reading is the mean over this window, which ends `lag_ms` before the tick
  double phase_ms = 0;    // ticks lie at phase + k x period, plus jitter
  double jitter_ms = 0;   // standard deviation of a tick's place
  double lag_ms = 0;
  double low_pass_ms = 0;  // time constant of the first-order low-pass before the window
  double gain = 1;
  double offset_w = 0;
  double noise_w = 0;  // standard deviation of a reading
  double quantum_mw = 1;
  double seed = 1;  // of noise and jitter
};

struct GpuConfig {
  std::string name = "NVIDIA GeForce RTX 4070";
  std::string uuid;  // default: made from the index
  std::string driver = "580.00";
  double idle_w = 15;
  double limit_min_w = 100;
  double limit_max_w = 320;
  double limit_default_w = 320;
  SensorConfig sensor;
  CounterKind counter = CounterKind::kTrue;
  double counter_period_ms = 100;
  double call_latency_us = 20;  // real time, busy: so long the caller's core is kept
  bool privileged = true;
  std::vector<FaultConfig> faults;
};

struct SimConfig {
  double speed = 1;   // simulated seconds per real second
  std::string state;  // file of the shared driver state
  std::vector<GpuConfig> gpus;
  uint64_t fingerprint = 0;  // of the text it was read from
};

inline constexpr size_t kMostGpus = 16;

/// Reads the text; `name` stands for the file in messages, and a relative `state` lies in its folder.
Result<SimConfig> ParseConfig(std::string_view content, const std::string& name);

/// Reads the file that HELIOGRAD_SIM_GPU names; without it, one default GPU whose state lies in the user's run folder.
Result<SimConfig> ReadConfig();

}  // namespace heliograd::sim
