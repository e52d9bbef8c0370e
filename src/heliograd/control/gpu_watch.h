// One look at a GPU: its energy counter, power and limit in force, as far as it tells them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/meter/meter.h"

namespace heliograd {

struct GpuLook {
  bool is_lost = false;              // device or driver are away
  std::optional<int64_t> energy_uj;  // the counter's; only differences mean anything
  std::optional<Power> power;
  std::optional<Power> limit;  // in force, out-of-band limits included
};

/// One thread.
class GpuWatch {
 public:
  virtual ~GpuWatch() = default;
  virtual GpuLook Look() = 0;
};

/// Looks through a meter, which must outlive it and which it has for itself.
class MeterWatch : public GpuWatch {
 public:
  explicit MeterWatch(PowerMeter& meter) : meter_(meter), readings_(meter.Channels().size()) {}
  GpuLook Look() override;

 private:
  PowerMeter& meter_;
  std::vector<ChannelReading> readings_;
};

}  // namespace heliograd
