// The simulated driver: one state of all GPUs, shared by every process that names the same configuration file.
//
// Enters: the configuration, the machine's clock. Leaves: snapshots of a GPU at this instant, and changes to it. The
// state lies in one mapped file. Readers take no lock and write nothing: they copy the last committed state and go on
// from it to now by themselves, so a reader stopped or killed anywhere harms nobody. Writers (limits, clocks, loads)
// hold a robust lock, prepare the next state beside the present one and switch with one store: a writer killed at any
// instruction leaves the state as it was before.
//
// Time: simulated nanoseconds since the driver started run `speed` times as fast as the machine's monotonic clock. Safe
// from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "heliograd/base/result.h"
#include "sim/config.h"
#include "sim/gpu_state.h"
#include "sim/timeline.h"

namespace heliograd::sim {

struct SharedDriver;
struct SharedGpu;

/// A GPU at one instant.
struct GpuView {
  const GpuConfig& config;
  GpuState state;
  Timeline timeline;
};

class Driver {
 public:
  /// Maps the state file, or begins a new one where there is none, where it was made for another content of the
  /// configuration file, or before the last boot of the machine.
  static Result<std::unique_ptr<Driver>> Open(SimConfig config);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  const SimConfig& config() const { return config_; }

  /// Simulated time now.
  int64_t Now() const;
  /// The simulated instant that passes at a real UNIX time, and back.
  int64_t SimTimeOf(int64_t real_unix_ns) const;
  int64_t RealUnixTimeOf(int64_t sim_ns) const;
  /// The UNIX time that simulated programs see: the driver's start plus simulated time.
  int64_t UnixStamp(int64_t sim_ns) const;

  /// Calls `look` with the GPU as it is now; again, should what it saw have been overwritten meanwhile.
  void Look(size_t gpu, const std::function<void(const GpuView&)>& look) const;
  /// Goes on to now, lets `change` alter the state, and commits both. What a process killed meanwhile leaves behind is
  /// the state before.
  void Change(size_t gpu, const std::function<void(GpuView&)>& change);

 private:
  Driver(SimConfig config, SharedDriver* shared, size_t bytes)
      : config_(std::move(config)), shared_(shared), bytes_(bytes) {}

  GpuView Snapshot(size_t gpu) const;
  void Commit(size_t gpu, GpuView& view);

  SimConfig config_;
  SharedDriver* shared_;
  size_t bytes_;
};

}  // namespace heliograd::sim
