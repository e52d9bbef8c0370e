#include "heliograd/app/curve_windows.h"

#include <algorithm>
#include <map>

#include "heliograd/report/run_energy.h"
#include "heliograd/trace/mean_in_force.h"

namespace heliograd {
namespace {

/// The channel of a kind on the first device, which is the only one of a sweep.
std::optional<int> ChannelOf(const std::vector<ChannelRecord>& channels, ChannelKind kind) {
  for (size_t i = 0; i < channels.size(); ++i) {
    if (channels[i].device == 0 && channels[i].kind == kind) return static_cast<int>(i);
  }
  return std::nullopt;
}

/// Sums over the windows of one limit.
struct Total {
  int windows = 0;
  double clock = 0, temperature = 0;
  int clocks = 0, temperatures = 0;
};

Result<void> Add(const RunReader& run, std::optional<int> channel, const MeasuredWindow& window, double& sum,
                 int& count) {
  if (!channel) return {};
  const auto samples = run.Samples(*channel, window.begin_ns, window.end_ns);
  if (!samples) return Fail(samples.error());
  const std::optional<double> mean = MeanInForce(*samples, window.begin_ns, window.end_ns);
  if (!mean) return {};
  sum += *mean;
  ++count;
  return {};
}

std::optional<double> MeanOf(double sum, int count) { return count > 0 ? std::optional(sum / count) : std::nullopt; }

}  // namespace

Result<EvaluatedSweep> EvaluateWindows(const RunReader& run, const std::vector<MeasuredWindow>& windows,
                                       const std::vector<DeviceCalibration>& calibrations) {
  const auto channels = run.Channels();
  if (!channels) return Fail(channels.error());
  const std::optional<int> clock = ChannelOf(*channels, ChannelKind::kSmClock);
  const std::optional<int> temperature = ChannelOf(*channels, ChannelKind::kTemperature);
  EvaluatedSweep evaluated;
  std::map<Power, Total> totals;
  for (const MeasuredWindow& window : windows) {
    const auto energies = EnergyBetween(run, window.begin_ns, window.end_ns, evaluated.notes, calibrations);
    if (!energies) return Fail(energies.error());
    if (energies->empty()) continue;
    const DeviceEnergy& energy = energies->front();
    evaluated.gain_half_width = energy.gain_half_width;
    evaluated.notes.insert(evaluated.notes.end(), energy.remarks.begin(), energy.remarks.end());
    evaluated.windows.push_back(
        {window.round, window.limit, energy.energy / window.units, energy.duration / window.units});
    Total& total = totals[window.limit];
    ++total.windows;
    if (auto done = Add(run, clock, window, total.clock, total.clocks); !done) return Fail(done.error());
    if (auto done = Add(run, temperature, window, total.temperature, total.temperatures); !done) {
      return Fail(done.error());
    }
  }
  for (const auto& [limit, total] : totals) {
    evaluated.states.push_back(
        {limit, total.windows, MeanOf(total.clock, total.clocks), MeanOf(total.temperature, total.temperatures)});
  }
  // Each window has the same to say of an uncalibrated sensor.
  std::vector<std::string> once;
  for (std::string& note : evaluated.notes) {
    if (std::find(once.begin(), once.end(), note) == once.end()) once.push_back(std::move(note));
  }
  evaluated.notes = std::move(once);
  return evaluated;
}

}  // namespace heliograd
