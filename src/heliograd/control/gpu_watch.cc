#include "heliograd/control/gpu_watch.h"

#include <algorithm>

namespace heliograd {

GpuLook MeterWatch::Look() {
  meter_.Read(readings_);
  GpuLook look;
  for (size_t i = 0; i < readings_.size(); ++i) {
    const ChannelReading& reading = readings_[i];
    look.is_lost = look.is_lost || reading.state == ReadingState::kLost;
    if (reading.state != ReadingState::kValue) continue;
    const auto value = static_cast<double>(reading.value);
    switch (meter_.Channels()[i]) {
      case ChannelKind::kEnergy:
        look.energy_uj = reading.value;
        break;
      case ChannelKind::kPowerInstant:
        look.power = Watts(value / 1000);
        break;
      case ChannelKind::kPowerLimit:
        look.limit = Watts(value / 1000);
        break;
      default:
        break;
    }
  }
  return look;
}

}  // namespace heliograd
