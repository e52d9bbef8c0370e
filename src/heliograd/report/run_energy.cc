#include "heliograd/report/run_energy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/base/text.h"
#include "heliograd/model/tick_times.h"
#include "heliograd/model/window_energy.h"

namespace heliograd {
namespace {

constexpr double kDisagreement = 0.05;         // between counter and integral: beyond it one of them is wrong
constexpr double kSpareSeconds = 5;            // of record read before and after the interval, for ticks and lag
constexpr double kAverageWindowSeconds = 1.0;  // of the driver's average power (NVML field 185)

/// One channel of one device over the interval, in seconds from the interval's begin.
struct Series {
  ChannelKind kind;
  std::vector<Sample> samples;
};

struct Interval {
  int64_t begin_ns, end_ns;
  double poll_s;

  double Seconds(int64_t stamp_ns) const { return static_cast<double>(stamp_ns - begin_ns) * 1e-9; }
  double length_s() const { return Seconds(end_ns); }
};

double InSiUnits(ChannelKind kind, int64_t value) {
  return static_cast<double>(value) * (kind == ChannelKind::kEnergy ? 1e-6 : 1e-3);
}

/// An unbroken part of a record.
struct Part {
  std::vector<PolledValue> changes;
  std::optional<PolledValue> before;  // the value on show before the first change, and since when
  double held_until_s = 0;            // the last poll that saw the last value
};

/// The record cut where the driver was loaded again; silences of a counter that went on are no cut.
std::vector<Part> UnbrokenParts(const Series& series, const Interval& interval) {
  std::vector<Part> parts(1);
  const Sample* before = nullptr;
  for (const Sample& sample : series.samples) {
    const bool is_counter = series.kind == ChannelKind::kEnergy;
    const bool cut = before != nullptr && (is_counter ? sample.value < before->value : !sample.changed);
    if (cut) parts.emplace_back();
    const PolledValue value = {interval.Seconds(sample.first_ns), InSiUnits(series.kind, sample.value)};
    Part& part = parts.back();
    if (sample.changed) part.changes.push_back(value);
    if (!sample.changed && part.changes.empty()) part.before = value;
    part.held_until_s = interval.Seconds(sample.last_ns);
    before = &sample;
  }
  std::erase_if(parts, [](const Part& part) { return part.changes.size() < 3; });
  return parts;
}

/// Time between two updates, from few changes: the shortest gap is one update, the longer ones are several in which the
/// value stayed the same.
double UpdatePeriod(const std::vector<PolledValue>& changes) {
  double shortest_s = changes.back().time_s - changes.front().time_s;
  for (size_t i = 1; i < changes.size(); ++i) {
    shortest_s = std::min(shortest_s, changes[i].time_s - changes[i - 1].time_s);
  }
  double updates = 0;
  for (size_t i = 1; i < changes.size(); ++i) {
    updates += std::round((changes[i].time_s - changes[i - 1].time_s) / shortest_s);
  }
  return (changes.back().time_s - changes.front().time_s) / updates;
}

struct Ticks {
  std::vector<SensorTick> ticks;
  double period_s = 0;
  double step_sd_s = 0;
};

/// Tick times from the line through all of them; where there are too few, or the sensor is as fast as the polls, each
/// change half a poll before the poll that saw it.
Ticks TicksOf(const std::vector<PolledValue>& changes, double poll_s) {
  if (const Result<TickTimes> fitted = FitTickTimes(changes, poll_s)) {
    return {fitted->ticks, fitted->period_s, fitted->StepSd()};
  }
  Ticks ticks;
  ticks.period_s = UpdatePeriod(changes);
  ticks.step_sd_s = poll_s / std::sqrt(12.0);  // evenly anywhere within one poll
  for (const PolledValue& change : changes) {
    const double updates = (change.time_s - changes.front().time_s) / ticks.period_s;
    ticks.ticks.push_back({change.time_s - poll_s / 2, change.value, std::lround(updates)});
  }
  return ticks;
}

/// A power that stays the same is put out again at every update, though nothing changes: before the first change and
/// after the last one.
void AddHeldReadings(const Part& part, Ticks& ticks) {
  const SensorTick first = ticks.ticks.front(), last = ticks.ticks.back();
  const long after = std::lround(std::floor((part.held_until_s - last.time_s) / ticks.period_s));
  if (after > 0) {
    ticks.ticks.push_back({last.time_s + static_cast<double>(after) * ticks.period_s, last.value, last.number + after});
  }
  if (!part.before) return;
  const long earlier = std::lround(std::floor((first.time_s - part.before->time_s) / ticks.period_s));
  if (earlier > 0) {
    ticks.ticks.insert(ticks.ticks.begin(), {first.time_s - static_cast<double>(earlier) * ticks.period_s,
                                             part.before->value, first.number - earlier});
  }
}

WindowRequest Request(const Ticks& ticks, EnergySource source, ChannelKind kind) {
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
  double highest_w = 0;  // of any reading
  std::vector<std::string> remarks;
};

void AddPart(ChannelEnergy& sum, const WindowEnergy& part, double length_s) {
  sum.energy += part.energy;
  // The parts' errors are taken as fully correlated: lag and offset are the same in all.
  sum.half_width += part.half_width;
  sum.gain_half_width = part.gain_half_width;
  sum.known_s += length_s;
  if (!part.unresolved.empty()) sum.remarks.push_back(part.unresolved);
}

/// The energy of the time that no part covers, at the mean of the rest, give or take all of it.
void AddUnknownTime(ChannelEnergy& sum, const Interval& interval) {
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

std::optional<ChannelEnergy> EnergyOfChannel(const Series& series, EnergySource source, const Interval& interval) {
  ChannelEnergy sum;
  const std::vector<Part> parts = UnbrokenParts(series, interval);
  for (const Part& recorded : parts) {
    Ticks ticks = TicksOf(recorded.changes, interval.poll_s);
    if (source == EnergySource::kReadings) AddHeldReadings(recorded, ticks);
    WindowRequest request = Request(ticks, source, series.kind);
    // A part that is cut by a gap is asked only for what it covers.
    const bool reaches_begin = ticks.ticks.front().time_s <= 0 && &recorded == &parts.front();
    const bool reaches_end = ticks.ticks.back().time_s >= interval.length_s() && &recorded == &parts.back();
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

/// How fast the driver's clock runs against the host's: 1 but on a simulated GPU in accelerated time. Stamps are those
/// of values, so over a few seconds they tell it to some percent; less than that apart is the same clock.
double ClockRatio(const std::vector<Series>& all) {
  constexpr double kSameClock = 0.1;
  const Sample *first = nullptr, *last = nullptr;
  for (const Series& series : all) {
    for (const Sample& sample : series.samples) {
      if (sample.driver_us == 0 || !sample.changed) continue;
      if (first == nullptr || sample.first_ns < first->first_ns) first = &sample;
      if (last == nullptr || sample.first_ns > last->first_ns) last = &sample;
    }
  }
  if (first == nullptr || last->first_ns - first->first_ns < 1'000'000'000) return 1;
  const double ratio = 1000 * static_cast<double>(last->driver_us - first->driver_us) /
                       static_cast<double>(last->first_ns - first->first_ns);
  return ratio > 0 && std::abs(ratio - 1) > kSameClock ? ratio : 1;
}

double HighestReading(const Series& series, const Interval& interval) {
  int64_t highest = 0;
  for (const Sample& sample : series.samples) {
    if (sample.last_ns >= interval.begin_ns && sample.first_ns <= interval.end_ns)
      highest = std::max(highest, sample.value);
  }
  return InSiUnits(series.kind, highest);
}

int64_t ChangesWithin(const Series& series, const Interval& interval) {
  return std::count_if(series.samples.begin(), series.samples.end(), [&](const Sample& sample) {
    return sample.changed && sample.first_ns >= interval.begin_ns && sample.first_ns <= interval.end_ns;
  });
}

const Series* Find(const std::vector<Series>& all, ChannelKind kind) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Series& series) { return series.kind == kind; });
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

std::optional<DeviceEnergy> EnergyOfDevice(const DeviceRecord& device, const std::vector<Series>& all,
                                           const Interval& interval) {
  const Series* counter = Find(all, ChannelKind::kEnergy);
  const Series* power = Find(all, ChannelKind::kPowerInstant);
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

double PollSeconds(const std::vector<std::pair<std::string, std::string>>& facts) {
  for (const auto& [key, value] : facts) {
    const std::optional<double> number = key == "sampling_period_ms" ? ParseNumber(value) : std::nullopt;
    if (number && *number > 0) return *number * 1e-3;
  }
  return 0.002;
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
  const Interval interval = {begin_ns, end_ns, PollSeconds(*facts)};
  const auto spare_ns = static_cast<int64_t>(kSpareSeconds * 1e9);

  std::vector<DeviceEnergy> energies;
  for (size_t device = 0; device < devices->size(); ++device) {
    std::vector<Series> all;
    for (size_t i = 0; i < channels->size(); ++i) {
      const ChannelRecord& channel = (*channels)[i];
      if (channel.device != static_cast<int>(device)) continue;
      Result<std::vector<Sample>> samples = run.Samples(static_cast<int>(i), begin_ns - spare_ns, end_ns + spare_ns);
      if (!samples) return Fail(samples.error());
      all.push_back({channel.kind, std::move(*samples)});
    }
    const DeviceRecord& record = (*devices)[device];
    if (std::optional<DeviceEnergy> energy = EnergyOfDevice(record, all, interval)) {
      energies.push_back(std::move(*energy));
    } else {
      left_out.push_back(record.name + " (" + record.uuid +
                         "): its sensor updated too rarely in this interval to tell an energy: measure longer");
    }
  }
  return energies;
}

}  // namespace heliograd
