#include "heliograd/report/device_ticks.h"

#include <algorithm>

#include "heliograd/model/tick_times.h"

namespace heliograd {

TellingSensor TellingSensorOf(const DeviceCalibration& calibration) {
  if (calibration.counter && calibration.CounterSource() == EnergySource::kTrueCounter) {
    return {ChannelKind::kEnergy, *calibration.counter};
  }
  return {calibration.power_channel, calibration.power.timing};
}

Result<DeviceTicks> TicksBetween(const RunReader& run, const std::vector<ChannelRecord>& channels, int device,
                                 const TellingSensor& sensor, const RecordedInterval& interval) {
  const auto all = ReadDevice(run, channels, device, interval);
  if (!all) return Fail(all.error());
  const auto channel =
      std::find_if(all->begin(), all->end(), [&](const ChannelSeries& one) { return one.kind == sensor.channel; });
  if (channel == all->end()) return Fail("the calibrated sensor was not recorded");
  const std::vector<ChannelTicks> parts = TicksOfParts(*channel, interval);
  if (parts.empty()) return Fail("the sensor updated too rarely: measure longer");
  const ChannelTicks& longest = *std::max_element(
      parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.ticks.size() < b.ticks.size(); });
  DeviceTicks found;
  found.begin_ns = interval.begin_ns;
  found.end_ns = interval.end_ns;
  if (parts.size() > 1) {
    const auto stamp = [&](double time_s) { return interval.begin_ns + static_cast<int64_t>(time_s * 1e9); };
    found.begin_ns = std::max(found.begin_ns, stamp(longest.ticks.front().time_s));
    found.end_ns = std::min(found.end_ns, stamp(longest.ticks.back().time_s));
  }
  found.clock_ratio = ClockRatio(*all);
  found.ticks = sensor.channel == ChannelKind::kEnergy ? PowerOfCounter(longest.ticks) : longest.ticks;
  const double shift_s = static_cast<double>(found.begin_ns - interval.begin_ns) * 1e-9;
  for (SensorTick& tick : found.ticks) tick.time_s = (tick.time_s - shift_s) * found.clock_ratio;
  found.timing = sensor.timing;
  found.timing.period_s = longest.period_s * found.clock_ratio;
  if (found.timing.contiguous) found.timing.window_s = found.timing.period_s;
  found.timing.step_sd_s = std::max(found.timing.step_sd_s, longest.step_sd_s * found.clock_ratio);
  return found;
}

}  // namespace heliograd
