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

/// The sensor's times on this machine's clock: a simulated driver's may run faster.
SensorTiming OnHostClock(SensorTiming timing, double clock_ratio) {
  for (double* time : {&timing.period_s, &timing.window_s, &timing.lag_s, &timing.low_pass_s, &timing.lag_sd_s,
                       &timing.low_pass_sd_s, &timing.window_sd_s, &timing.step_sd_s}) {
    *time /= clock_ratio;
  }
  return timing;
}

/// What is taken for granted of a sensor that was never calibrated.
SensorTiming AssumedTiming(ChannelKind kind, double period_s) {
  SensorTiming timing;
  timing.window_s = period_s;
  if (kind == ChannelKind::kPowerAverage) {
    timing.window_s = std::max(kAverageWindowSeconds, period_s);
    timing.contiguous = false;
  }
  return timing;
}

WindowRequest Request(const ChannelTicks& ticks, EnergySource source, ChannelKind kind,
                      const std::optional<SensorTiming>& calibrated) {
  WindowRequest request;
  request.ticks = ticks.ticks;
  request.source = source;
  request.timing = calibrated ? *calibrated : AssumedTiming(kind, ticks.period_s);
  request.timing.period_s = ticks.period_s;
  if (request.timing.contiguous) request.timing.window_s = ticks.period_s;
  request.timing.step_sd_s = std::max(request.timing.step_sd_s, ticks.step_sd_s);
  return request;
}

/// What one channel says of the interval.
struct ChannelEnergy {
  Energy energy, half_width;
  Energy above;  // by which the upper limit lies further away than the half-width
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
  if (!part.coarse.empty()) sum.remarks.push_back(part.coarse);
  if (part.unresolved.empty()) return;
  sum.unresolved = part.unresolved;
  sum.remarks.push_back(part.unresolved);
}

/// The energy of the time that no part covers: at the mean of the rest, down to nothing, up to the most the device may
/// have drawn.
void AddUnknownTime(ChannelEnergy& sum, const RecordedInterval& interval, double most_w) {
  const double unknown_s = interval.length_s() - sum.known_s;
  if (unknown_s < interval.poll_s || sum.known_s <= 0) return;
  const Energy filled = sum.energy * (unknown_s / sum.known_s);
  sum.energy += filled;
  sum.half_width += filled;
  sum.above += std::max(Energy(), Joules(most_w * unknown_s) - 2.0 * filled);
  sum.remarks.push_back(fmt::format(
      "{:.2f} s of {:.2f} s were not seen (the device gave no value, its driver was loaded again, or its sensor "
      "shows them only after the end): their energy is assumed at the mean of the rest, give or take what its power "
      "limit and its highest reading allow",
      unknown_s, interval.length_s()));
}

/// Half of the window and the delay before a tick is what it tells of; the estimator holds the nearest power for
/// another half period.
double LatestKnown(const WindowRequest& request) {
  const SensorTiming& timing = request.timing;
  const double back_s = timing.lag_s + timing.low_pass_s + timing.window_s / 2 - timing.period_s / 2;
  return request.ticks.back().time_s - std::max(0.0, back_s - timing.period_s / 2);
}

std::optional<ChannelEnergy> EnergyOfChannel(const ChannelSeries& series, EnergySource source,
                                             const std::optional<SensorTiming>& calibrated,
                                             const RecordedInterval& interval, double most_w) {
  ChannelEnergy sum;
  const std::vector<ChannelTicks> parts = TicksOfParts(series, interval);
  for (const ChannelTicks& ticks : parts) {
    WindowRequest request = Request(ticks, source, series.kind, calibrated);
    // A part that is cut by a gap is asked only for what it covers.
    const bool reaches_begin = ticks.ticks.front().time_s <= 0 && &ticks == &parts.front();
    const bool reaches_end = ticks.ticks.back().time_s >= interval.length_s() && &ticks == &parts.back();
    const double inset_s = ticks.period_s + request.timing.window_s;
    request.begin_s = reaches_begin ? 0 : std::max(0.0, ticks.ticks.front().time_s + inset_s);
    request.end_s = reaches_end ? std::min(interval.length_s(), LatestKnown(request))
                                : std::min(interval.length_s(), ticks.ticks.back().time_s - inset_s);
    if (request.end_s <= request.begin_s) continue;
    const Result<WindowEnergy> part = EstimateWindowEnergy(request);
    if (!part) {
      sum.remarks.push_back(part.error().Message());
      continue;
    }
    AddPart(sum, *part, request.end_s - request.begin_s);
  }
  if (sum.known_s <= 0) return std::nullopt;
  AddUnknownTime(sum, interval, most_w);
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

/// What the device may have drawn at most: the power limit in force, or the highest reading where that is more.
double MostPower(const std::vector<ChannelSeries>& all, const RecordedInterval& interval) {
  double most_w = 0;
  for (const ChannelSeries& series : all) {
    const bool counts = series.kind == ChannelKind::kPowerLimit || series.kind == ChannelKind::kPowerInstant ||
                        series.kind == ChannelKind::kPowerAverage;
    if (counts) most_w = std::max(most_w, HighestReading(series, interval));
  }
  return most_w;
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
        "time, or one of the two is wrong; run `heliograd calibrate`",
        100 * apart));
  }
}

/// The calibration of a device, where there is one that may be used, and the remarks that it calls for.
struct FoundCalibration {
  const DeviceCalibration* usable = nullptr;
  std::optional<CalibrationUse> use;
  std::vector<std::string> remarks;
};

FoundCalibration CalibrationOf(const DeviceRecord& device, const std::vector<DeviceCalibration>& calibrations,
                               Stamp now) {
  FoundCalibration found;
  if (device.source != "nvml") return found;  // processors' counters look all the time
  const DeviceCalibration* calibration = FindCalibration(calibrations, device);
  if (calibration == nullptr) {
    found.remarks.push_back(
        "its sensor is not calibrated, so its lag and window are assumed: run `heliograd calibrate` once");
    return found;
  }
  found.use = JudgeCalibration(*calibration, device, now);
  if (found.use->used) found.usable = calibration;
  if (found.use->stale.empty()) {
    found.remarks.push_back("its sensor was calibrated on " + FormatStamp(calibration->made).substr(0, 10));
  } else {
    found.remarks.push_back(found.use->stale);
  }
  return found;
}

std::optional<DeviceEnergy> EnergyOfDevice(const DeviceRecord& device, const std::vector<ChannelSeries>& all,
                                           const FoundCalibration& found, const RecordedInterval& interval) {
  const ChannelSeries* counter = Find(all, ChannelKind::kEnergy);
  const ChannelSeries* power = Find(all, ChannelKind::kPowerInstant);
  if (power == nullptr) power = Find(all, ChannelKind::kPowerAverage);

  const double clock_ratio = ClockRatio(all);
  EnergySource counter_source = EnergySource::kTrueCounter;
  std::optional<SensorTiming> counter_timing, power_timing;
  if (found.usable != nullptr) {
    counter_source = found.usable->CounterSource();
    if (const auto timing = found.usable->CounterTiming()) counter_timing = OnHostClock(*timing, clock_ratio);
    if (power != nullptr && power->kind == found.usable->power_channel) {
      power_timing = OnHostClock(found.usable->power.timing, clock_ratio);
    }
  }
  std::optional<ChannelEnergy> counted, integrated;
  const double most_w = MostPower(all, interval);
  if (counter != nullptr) counted = EnergyOfChannel(*counter, counter_source, counter_timing, interval, most_w);
  if (power != nullptr) integrated = EnergyOfChannel(*power, EnergySource::kReadings, power_timing, interval, most_w);
  if (!counted && !integrated) return std::nullopt;
  if (integrated) {
    integrated->energy *= clock_ratio;
    integrated->half_width *= clock_ratio;
    integrated->above *= clock_ratio;
  }

  const ChannelEnergy& chosen = counted ? *counted : *integrated;
  DeviceEnergy result;
  result.device = device;
  result.energy = chosen.energy;
  // Processors' counters are models or shunts of the maker with no published gain error; the same 5 % is assumed.
  const double half_j = std::hypot(InJoules(chosen.half_width), chosen.gain_half_width * InJoules(chosen.energy));
  result.low = Joules(std::max(0.0, InJoules(chosen.energy) - half_j));
  result.high = Joules(InJoules(chosen.energy) + half_j) + chosen.above;
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
  if (counted && counter_source == EnergySource::kBlindCounter) {
    result.remarks.push_back(fmt::format(
        "its counter adds up only what its sensor sees, {:.0f} % of the time: a load that repeats in step with the "
        "sensor needs random pauses",
        100 * found.usable->power.timing.Duty()));
  }
  if (counted) CrossCheck(result, counted->energy, integrated);
  result.calibration = found.use;
  result.remarks.insert(result.remarks.end(), found.remarks.begin(), found.remarks.end());
  return result;
}

}  // namespace

Result<std::vector<DeviceEnergy>> EnergyBetween(const RunReader& run, int64_t begin_ns, int64_t end_ns,
                                                std::vector<std::string>& left_out,
                                                const std::vector<DeviceCalibration>& calibrations) {
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
    const FoundCalibration found = CalibrationOf(record, calibrations, Stamp(std::chrono::nanoseconds(begin_ns)));
    if (std::optional<DeviceEnergy> energy = EnergyOfDevice(record, *all, found, interval)) {
      energies.push_back(std::move(*energy));
    } else {
      left_out.push_back(record.name + " (" + record.uuid +
                         "): its sensor updated too rarely in this interval to tell an energy: measure longer");
    }
  }
  return energies;
}

}  // namespace heliograd
