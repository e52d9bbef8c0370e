#include "heliograd/report/channel_ticks.h"

#include <algorithm>
#include <cmath>

#include "heliograd/base/text.h"
#include "heliograd/model/tick_times.h"

namespace heliograd {
namespace {

/// An unbroken part of a record.
struct Part {
  std::vector<PolledValue> changes;
  std::optional<PolledValue> before;  // the value on show before the first change, and since when
  double held_until_s = 0;            // the last poll that saw the last value
};

/// The record cut where the driver was loaded again; silences of a counter that went on are no cut.
std::vector<Part> UnbrokenParts(const ChannelSeries& series, const RecordedInterval& interval) {
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

/// Tick times from the line through all of them; where there are too few, or the sensor is as fast as the polls, each
/// change half a poll before the poll that saw it.
ChannelTicks TicksOf(const std::vector<PolledValue>& changes, double poll_s) {
  if (const Result<TickTimes> fitted = FitTickTimes(changes, poll_s)) {
    return {fitted->ticks, fitted->period_s, fitted->StepSd()};
  }
  ChannelTicks ticks;
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
void AddHeldReadings(const Part& part, ChannelTicks& ticks) {
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

/// A counter moves at every update, so the value on show before the first change that was seen is one update older.
void AddCountBefore(const Part& part, ChannelTicks& ticks) {
  if (!part.before) return;
  const SensorTick first = ticks.ticks.front();
  ticks.ticks.insert(ticks.ticks.begin(), {first.time_s - ticks.period_s, part.before->value, first.number - 1});
}

}  // namespace

double InSiUnits(ChannelKind kind, int64_t value) {
  return static_cast<double>(value) * (kind == ChannelKind::kEnergy ? 1e-6 : 1e-3);
}

std::vector<ChannelTicks> TicksOfParts(const ChannelSeries& series, const RecordedInterval& interval) {
  std::vector<ChannelTicks> all;
  for (const Part& part : UnbrokenParts(series, interval)) {
    all.push_back(TicksOf(part.changes, interval.poll_s));
    if (series.kind == ChannelKind::kEnergy) {
      AddCountBefore(part, all.back());
    } else {
      AddHeldReadings(part, all.back());
    }
  }
  return all;
}

// Stamps are those of values, so over a few seconds they tell the ratio to some percent; less than that apart is the
// same clock.
double ClockRatio(const std::vector<ChannelSeries>& all) {
  constexpr double kSameClock = 0.1;
  const Sample *first = nullptr, *last = nullptr;
  for (const ChannelSeries& series : all) {
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

double PollSeconds(const std::vector<std::pair<std::string, std::string>>& facts) {
  for (const auto& [key, value] : facts) {
    const std::optional<double> number = key == "sampling_period_ms" ? ParseNumber(value) : std::nullopt;
    if (number && *number > 0) return *number * 1e-3;
  }
  return 0.002;
}

Result<std::vector<ChannelSeries>> ReadDevice(const RunReader& run, const std::vector<ChannelRecord>& channels,
                                              int device, const RecordedInterval& interval) {
  constexpr int64_t kSpareNs = 5'000'000'000;
  std::vector<ChannelSeries> all;
  for (size_t i = 0; i < channels.size(); ++i) {
    if (channels[i].device != device) continue;
    Result<std::vector<Sample>> samples =
        run.Samples(static_cast<int>(i), interval.begin_ns - kSpareNs, interval.end_ns + kSpareNs);
    if (!samples) return Fail(samples.error());
    all.push_back({channels[i].kind, std::move(*samples)});
  }
  return all;
}

}  // namespace heliograd
