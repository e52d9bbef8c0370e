// Loads: programs that compute on a simulated GPU. What sim-train asks for becomes an entry of the GPU's state.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"
#include "sim/gpu_state.h"

namespace heliograd::sim {

/// What a program asks the GPU to do.
struct LoadRequest {
  uint32_t pid = 0;
  std::vector<LoadPhase> phases;  // 1 to kMostPhases
  int64_t iterations = INT64_MAX;
  double seconds = 0;  // simulated; 0 = no end but the iterations
};

/// "NAME:MILLISECONDS:UTILISATION" or "NAME:MILLISECONDS:POWERw", separated by commas.
Result<std::vector<LoadPhase>> ParsePhases(std::string_view text);
/// One iteration of the study's job.
std::vector<LoadPhase> StudyPhases();

/// Starts a load at state.now_ns and gives its id; nothing if as many run as the GPU can hold. `alive_s`: simulated
/// seconds after which it stops drawing unless KeepAlive is called.
std::optional<uint64_t> StartLoad(const LoadRequest& request, double alive_s, GpuState& state);
/// The load with this id, or nullptr.
Load* FindLoad(GpuState& state, uint64_t id);
const Load* FindLoad(const GpuState& state, uint64_t id);
/// The owner shows that it lives; a paused load draws nothing and gets nowhere.
void KeepAlive(Load& load, double alive_s, bool paused, int64_t now_ns);
/// Ends a load that has not finished by itself.
void EndLoad(Load& load, int64_t now_ns);

}  // namespace heliograd::sim
