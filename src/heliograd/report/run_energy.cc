#include "heliograd/report/run_energy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/model/window_energy.h"
#include "heliograd/report/channel_ticks.h"

namespace heliograd {
namespace {

constexpr double kDisagreement = 0.05;         // between counter and integral: beyond it one of them is wrong
constexpr double kAverageWindowSeconds = 1.0;  // of the driver's average power (NVML field 185)

WindowRequest Request(const ChannelTicks& ticks, EnergySource source, ChannelKind kind) {
  WindowRequest request;
  request.ticks = ticks.ticks;
  request.source = source;
  request.timing.period_s = ticks.period_s;
  request.timing.window_s = ticks.period_s;
  if (kind == ChannelKind::kPowerAverage) {
    request.timing.window_s = std::max(kAverageWindowSeconds, ticks.period_s);
    request.timing.contiguous = false;
  }
  request.timing.step_sd_s = std::max(request.timing.step_sd_s, ticks.step_sd_s);
  return request;
}

/// What one channel says of the interval.
struct ChannelEnergy {
  Energy energy, half_width;
  double gain_half_width = 0;
  double known_s = 0;
  std::string unresolved;
  std::vector<std::string> remarks;
};

void AddPart(ChannelEnergy& sum, const WindowEnergy& part, double length_s) {
  sum.energy += part.energy;
  // The parts' errors are taken as fully correlated: lag and offset are the same in all.
  sum.half_width += part.half_width;
  sum.gain_half_width = part.gain_half_width;
  sum.known_s += length_s;
  if (part.unresolved.empty()) return;
  sum.unresolved = part.unresolved;
  sum.remarks.push_back(part.unresolved);
}

/// The energy of the time that no part covers, at the mean of the rest, give or take all of it.
void AddUnknownTime(ChannelEnergy& sum, const RecordedInterval& interval) {
  const double unknown_s = interval.length_s() - sum.known_s;
  if (unknown_s < interval.poll_s || sum.known_s <= 0) return;
  const Energy filled = sum.energy * (unknown_s / sum.known_s);
  sum.energy += filled;
  sum.half_width += filled;
  sum.remarks.push_back(
      fmt::format("{:.2f} s of {:.2f} s were not seen (the device gave no value or its driver was loaded again): their "
                  "energy is assumed at the mean of the rest, give or take all of it",
                  unknown_s, interval.length_s()));
}

std::optional<ChannelEnergy> EnergyOfChannel(const ChannelSeries& series, EnergySource source,
                                             const RecordedInterval& interval) {
  ChannelEnergy sum;
  const std::vector<ChannelTicks> parts = TicksOfParts(series, interval);
  for (const ChannelTicks& ticks : parts) {
    WindowRequest request = Request(ticks, source, series.kind);
    // A part that is cut by a gap is asked only for what it covers.
    const bool reaches_begin = ticks.ticks.front().time_s <= 0 && &ticks == &parts.front();
    const bool reaches_end = ticks.ticks.back().time_s >= interval.length_s() && &ticks == &parts.back();
    const double inset_s = ticks.period_s + request.timing.window_s;
    request.begin_s = reaches_begin ? 0 : std::max(0.0, ticks.ticks.front().time_s + inset_s);
    request.end_s =
        reaches_end ? interval.length_s() : std::min(interval.length_s(), ticks.ticks.back().time_s - inset_s);
    if (request.end_s <= request.begin_s) continue;
    const Result<WindowEnergy> part = EstimateWindowEnergy(request);
    if (!part) {
      sum.remarks.push_back(part.error().Message());
      continue;
    }
    AddPart(sum, *part, request.end_s - request.begin_s);
  }
  if (sum.known_s <= 0) return std::nullopt;
  AddUnknownTime(sum, interval);
  return sum;
}

double HighestReading(const ChannelSeries& series, const RecordedInterval& interval) {
  int64_t highest = 0;
  for (const Sample& sample : series.samples) {
    if (sample.last_ns >= interval.begin_ns && sample.first_ns <= interval.end_ns)
      highest = std::max(highest, sample.value);
  }
  return InSiUnits(series.kind, highest);
}

int64_t ChangesWithin(const ChannelSeries& series, const RecordedInterval& interval) {
  return std::count_if(series.samples.begin(), series.samples.end(), [&](const Sample& sample) {
    return sample.changed && sample.first_ns >= interval.begin_ns && sample.first_ns <= interval.end_ns;
  });
}

const ChannelSeries* Find(const std::vector<ChannelSeries>& all, ChannelKind kind) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const ChannelSeries& series) { return series.kind == kind; });
  return found == all.end() || found->samples.empty() ? nullptr : &*found;
}

void CrossCheck(DeviceEnergy& result, const Energy counter, const std::optional<ChannelEnergy>& integral) {
  if (!integral) return;
  result.integral = integral->energy;
  const double apart = InJoules(integral->energy) / InJoules(counter) - 1;
  // The integral's own interval may be wide in a short run; then it proves nothing.
  const double known = InJoules(integral->half_width) / InJoules(counter);
  if (std::abs(apart) > kDisagreement + known) {
    result.remarks.push_back(fmt::format(
        "counter and integral of the power readings disagree by {:+.1f} %: the sensor does not look all the "
        "time, or one of the two is wrong",
        100 * apart));
  }
}

std::optional<DeviceEnergy> EnergyOfDevice(const DeviceRecord& device, const std::vector<ChannelSeries>& all,
                                           const RecordedInterval& interval) {
  const ChannelSeries* counter = Find(all, ChannelKind::kEnergy);
  const ChannelSeries* power = Find(all, ChannelKind::kPowerInstant);
  if (power == nullptr) power = Find(all, ChannelKind::kPowerAverage);

  std::optional<ChannelEnergy> counted, integrated;
  if (counter != nullptr) counted = EnergyOfChannel(*counter, EnergySource::kTrueCounter, interval);
  if (power != nullptr) integrated = EnergyOfChannel(*power, EnergySource::kReadings, interval);
  if (!counted && !integrated) return std::nullopt;
  const double clock_ratio = ClockRatio(all);
  if (integrated) {
    integrated->energy *= clock_ratio;
    integrated->half_width *= clock_ratio;
  }

  const ChannelEnergy& chosen = counted ? *counted : *integrated;
  DeviceEnergy result;
  result.device = device;
  result.energy = chosen.energy;
  // Processors' counters are models or shunts of the maker with no published gain error; the same 5 % is assumed.
  const double half_j = std::hypot(InJoules(chosen.half_width), chosen.gain_half_width * InJoules(chosen.energy));
  result.low = Joules(std::max(0.0, InJoules(chosen.energy) - half_j));
  result.high = Joules(InJoules(chosen.energy) + half_j);
  result.gain_half_width = chosen.gain_half_width;
  result.duration = Seconds(interval.length_s() * clock_ratio);
  result.mean = chosen.energy / result.duration;
  result.peak = power != nullptr ? Watts(HighestReading(*power, interval)) : result.mean;
  result.method = counted                                     ? "energy counter"
                  : power->kind == ChannelKind::kPowerAverage ? "integral of 1 s average power"
                                                              : "integral of power readings";
  result.samples = ChangesWithin(counted ? *counter : *power, interval);
  result.unresolved = chosen.unresolved;
  result.remarks = chosen.remarks;
  if (clock_ratio != 1) {
    result.remarks.push_back(fmt::format(
        "the driver's clock runs {:.3g} times as fast as this machine's, as in a simulation: powers and times "
        "are the driver's",
        clock_ratio));
  }
  if (power == nullptr) result.remarks.push_back("the peak is not known: this source has no power readings");
  if (counted) CrossCheck(result, counted->energy, integrated);
  return result;
}

}  // namespace

Result<std::vector<DeviceEnergy>> EnergyBetween(const RunReader& run, int64_t begin_ns, int64_t end_ns,
                                                std::vector<std::string>& left_out) {
  const auto devices = run.Devices();
  const auto channels = run.Channels();
  const auto facts = run.Facts();
  if (!devices) return Fail(devices.error());
  if (!channels) return Fail(channels.error());
  if (!facts) return Fail(facts.error());
  const RecordedInterval interval = {begin_ns, end_ns, PollSeconds(*facts)};

  std::vector<DeviceEnergy> energies;
  for (size_t device = 0; device < devices->size(); ++device) {
    const auto all = ReadDevice(run, *channels, static_cast<int>(device), interval);
    if (!all) return Fail(all.error());
    const DeviceRecord& record = (*devices)[device];
    if (std::optional<DeviceEnergy> energy = EnergyOfDevice(record, *all, interval)) {
      energies.push_back(std::move(*energy));
    } else {
      left_out.push_back(record.name + " (" + record.uuid +
                         "): its sensor updated too rarely in this interval to tell an energy: measure longer");
    }
  }
  return energies;
}

}  // namespace heliograd
