#include "heliograd/trace/samples.h"

namespace heliograd {

std::string_view ChannelName(ChannelKind kind) {
  switch (kind) {
    case ChannelKind::kPowerInstant:
      return "power_instant_mw";
    case ChannelKind::kPowerAverage:
      return "power_average_mw";
    case ChannelKind::kEnergy:
      return "energy_uj";
    case ChannelKind::kPowerLimit:
      return "power_limit_mw";
    case ChannelKind::kCappedTime:
      return "capped_time_ns";
    case ChannelKind::kSmClock:
      return "sm_clock_mhz";
    case ChannelKind::kTemperature:
      return "temperature_c";
  }
  return "unknown";
}

void AppendReading(std::vector<Sample>& samples, int64_t host_ns, int64_t driver_us, int64_t value, bool after_gap) {
  if (!after_gap && !samples.empty() && samples.back().value == value) {
    samples.back().last_ns = host_ns;
    return;
  }
  samples.push_back({host_ns, host_ns, driver_us, value, !after_gap && !samples.empty()});
}

}  // namespace heliograd
