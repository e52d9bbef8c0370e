#include "sim/load.h"

#include <fmt/format.h>

#include <algorithm>

#include "heliograd/base/text.h"
#include "heliograd/model/gpu_physics.h"
#include "sim/sensor.h"

namespace heliograd::sim {
namespace {

constexpr double kShortestPhaseMs = 0.001;
constexpr double kLongestPhaseMs = 1e7;
constexpr double kMostWatts = 4000;

/// The last part of a phase: a utilisation, or a power with the unit W.
bool ParseStrength(std::string_view text, LoadPhase& phase) {
  const bool is_power = !text.empty() && (text.back() == 'W' || text.back() == 'w');
  const auto number = ParseNumber(is_power ? text.substr(0, text.size() - 1) : text);
  if (!number || *number < 0 || *number > (is_power ? kMostWatts : 1) || (is_power && *number == 0)) return false;
  (is_power ? phase.fixed_w : phase.utilisation) = *number;
  return true;
}

std::optional<LoadPhase> ParsePhase(std::string_view text) {
  const std::vector<std::string> parts = SplitCsvLine(text, ':');
  if (parts.size() != 3 || parts[0].empty()) return std::nullopt;
  const auto ms = ParseNumber(parts[1]);
  LoadPhase phase;
  if (!ms || *ms < kShortestPhaseMs || *ms > kLongestPhaseMs || !ParseStrength(parts[2], phase)) return std::nullopt;
  phase.seconds = *ms / 1000;
  return phase;
}

/// A slot that is free, or that a process left behind which was killed.
Load* FreeSlot(GpuState& state) {
  for (Load& load : state.loads) {
    if (load.id == 0 || load.alive_until_ns < state.now_ns) return &load;
  }
  return nullptr;
}

}  // namespace

Result<std::vector<LoadPhase>> ParsePhases(std::string_view text) {
  std::vector<std::string> problems;
  std::vector<LoadPhase> phases;
  for (const std::string& part : SplitCsvLine(text)) {
    if (const auto phase = ParsePhase(part)) {
      phases.push_back(*phase);
    } else {
      problems.push_back(
          fmt::format("phase {}: expected NAME:MILLISECONDS:UTILISATION with {} to {} ms and 0 to 1, as in "
                      "forward:30:0.9, or a power up to {} W in place of the utilisation, as in forward:30:120W.",
                      Quoted(part), kShortestPhaseMs, kLongestPhaseMs, kMostWatts));
    }
  }
  if (phases.size() > kMostPhases) {
    problems.push_back(fmt::format("{} phases: expected at most {}.", phases.size(), kMostPhases));
  }
  if (!problems.empty()) return Fail(std::move(problems), ErrorKind::kUsage);
  return phases;
}

std::vector<LoadPhase> StudyPhases() {
  std::vector<LoadPhase> phases;
  for (const GpuPhase& phase : StudyIteration()) {
    phases.push_back({InSeconds(phase.full_clock_time), phase.utilisation, 0});
  }
  return phases;
}

std::optional<uint64_t> StartLoad(const LoadRequest& request, double alive_s, GpuState& state) {
  Load* slot = FreeSlot(state);
  if (!slot) return std::nullopt;
  Load load;
  load.id = ++state.last_load_id;
  load.pid = request.pid;
  load.phase_count = static_cast<uint32_t>(request.phases.size());
  std::copy(request.phases.begin(), request.phases.end(), load.phases);
  load.left_s = load.phases[0].seconds;
  load.iterations_wanted = request.iterations;
  if (request.seconds > 0) load.end_ns = state.now_ns + SimNanoseconds(request.seconds);
  KeepAlive(load, alive_s, false, state.now_ns);
  *slot = load;
  return load.id;
}

const Load* FindLoad(const GpuState& state, uint64_t id) {
  for (const Load& load : state.loads) {
    if (load.id == id) return &load;
  }
  return nullptr;
}

Load* FindLoad(GpuState& state, uint64_t id) {
  return const_cast<Load*>(FindLoad(static_cast<const GpuState&>(state), id));
}

void KeepAlive(Load& load, double alive_s, bool paused, int64_t now_ns) {
  load.alive_until_ns = now_ns + SimNanoseconds(alive_s);
  load.paused = paused ? 1 : 0;
}

void EndLoad(Load& load, int64_t now_ns) { load.finished_ns = std::min(load.finished_ns, now_ns); }

}  // namespace heliograd::sim
