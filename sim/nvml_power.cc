// The simulated NVML: power, energy, limits, and the batch of field values.
#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/nvml_session.h"
#include "sim/sensor.h"

namespace nvml = heliograd::nvml;
using heliograd::sim::CounterKind;
using heliograd::sim::Driver;
using heliograd::sim::FaultKind;
using heliograd::sim::GpuConfig;
using heliograd::sim::GpuView;
using heliograd::sim::OnDevice;
using heliograd::sim::OnView;
using nvml::Device;
using nvml::Return;

namespace {

constexpr int64_t kSamplesKept = 120;
constexpr int64_t kNanosecondsPerMicrosecond = 1000;

uint32_t Milliwatts(double watts) { return static_cast<uint32_t>(std::llround(watts * 1000)); }

/// A reading in milliwatts, or the fault that is on instead.
Return Reading(const GpuView& view, double watts, uint32_t& milliwatts) {
  const Return code = ReadingCode(view.config, view.state.now_ns);
  const bool zero = IsOn(view.config, FaultKind::kZeroPower, view.state.now_ns);
  milliwatts = zero ? 0 : Milliwatts(watts);
  return code;
}

double InstantWatts(const GpuView& view) {
  const auto& sensor = view.config.sensor;
  return ReadingWatts(sensor, view.timeline, LatestTick(sensor, view.state.now_ns));
}

Return Counter(const GpuView& view, unsigned long long& millijoules) {
  if (view.config.counter == CounterKind::kAbsent) return Return::kNotSupported;
  millijoules = static_cast<unsigned long long>(CounterJoules(view.config, view.timeline, view.state) * 1000);
  return ReadingCode(view.config, view.state.now_ns);
}

/// Fills value and type of one field.
Return Field(const GpuView& view, nvml::FieldValue& field) {
  using nvml::ValueType;
  const GpuConfig& gpu = view.config;
  const auto power = [&](double watts) {
    field.value_type = ValueType::kUnsignedInt;
    field.value.ui = Milliwatts(watts);
    return Return::kSuccess;
  };
  const auto reading = [&](double watts) {
    field.value_type = ValueType::kUnsignedInt;
    return Reading(view, watts, field.value.ui);
  };
  const auto nanoseconds = [&](double seconds) {
    field.value_type = ValueType::kUnsignedLongLong;
    field.value.ull = static_cast<unsigned long long>(seconds * 1e9);
    return Return::kSuccess;
  };
  switch (field.field_id) {
    case nvml::kFieldPerfPolicyPower:
      return nanoseconds(view.state.throttled_s);
    case nvml::kFieldPerfPolicyThermal:
      return nanoseconds(0);
    case nvml::kFieldTotalEnergyConsumption:
    case nvml::kFieldEnergy:
      field.value_type = ValueType::kUnsignedLongLong;
      return Counter(view, field.value.ull);
    case nvml::kFieldPowerAverage:
      return reading(AverageWatts(gpu.sensor, view.timeline, view.state.now_ns));
    case nvml::kFieldPowerInstant:
      return reading(InstantWatts(view));
    case nvml::kFieldPowerMinLimit:
      return power(gpu.limit_min_w);
    case nvml::kFieldPowerMaxLimit:
      return power(gpu.limit_max_w);
    case nvml::kFieldPowerDefaultLimit:
      return power(gpu.limit_default_w);
    case nvml::kFieldPowerCurrentLimit:
    case nvml::kFieldPowerRequestedLimit:
      return power(view.state.limit_w);
    default:
      return Return::kNotSupported;
  }
}

Return LimitOf(Device device, uint32_t* limit_mw) {
  return OnView(device, [&](const GpuView& view) {
    if (!limit_mw) return Return::kInvalidArgument;
    *limit_mw = Milliwatts(view.state.limit_w);
    return Return::kSuccess;
  });
}

Return SetLimit(Device device, uint32_t limit_mw) {
  return OnDevice(device, [&](Driver& driver, size_t gpu) {
    const GpuConfig& config = driver.config().gpus[gpu];
    if (!config.privileged) return Return::kNoPermission;
    if (limit_mw < Milliwatts(config.limit_min_w) || limit_mw > Milliwatts(config.limit_max_w)) {
      return Return::kInvalidArgument;
    }
    driver.Change(gpu, [&](GpuView& view) { view.state.limit_w = limit_mw / 1000.0; });
    return Return::kSuccess;
  });
}

}  // namespace

NVML_EXPORT Return nvmlDeviceGetPowerUsage(Device device, uint32_t* milliwatts) {
  return OnView(device, [&](const GpuView& view) {
    return milliwatts ? Reading(view, InstantWatts(view), *milliwatts) : Return::kInvalidArgument;
  });
}

NVML_EXPORT Return nvmlDeviceGetTotalEnergyConsumption(Device device, unsigned long long* millijoules) {
  return OnView(device, [&](const GpuView& view) {
    return millijoules ? Counter(view, *millijoules) : Return::kInvalidArgument;
  });
}

NVML_EXPORT Return nvmlDeviceGetFieldValues(Device device, int count, nvml::FieldValue* fields) {
  return OnDevice(device, [&](const Driver& driver, size_t gpu) {
    if (count < 1 || !fields) return Return::kInvalidArgument;
    driver.Look(gpu, [&](const GpuView& view) {
      for (nvml::FieldValue* field = fields; field != fields + count; ++field) {
        field->value = {};
        field->timestamp_us = driver.UnixStamp(view.state.now_ns) / kNanosecondsPerMicrosecond;
        field->latency_us = static_cast<int64_t>(view.config.call_latency_us);
        field->code = field->scope_id == nvml::kScopeGpu ? Field(view, *field) : Return::kNotSupported;
      }
    });
    return Return::kSuccess;
  });
}

NVML_EXPORT Return nvmlDeviceGetSamples(Device device, uint32_t type, unsigned long long last_seen_us,
                                        nvml::ValueType* value_type, uint32_t* count, nvml::Sample* samples) {
  if (type != nvml::kSamplesTotalPower) {
    return OnDevice(device, [](Driver&, size_t) { return Return::kNotSupported; });
  }
  return OnDevice(device, [&](const Driver& driver, size_t gpu) {
    if (!value_type || !count) return Return::kInvalidArgument;
    *value_type = nvml::ValueType::kUnsignedInt;
    if (!samples) {
      *count = static_cast<uint32_t>(kSamplesKept);
      return Return::kSuccess;
    }
    Return code = Return::kNotFound;
    uint32_t filled = 0;
    driver.Look(gpu, [&](const GpuView& view) {
      const auto& sensor = view.config.sensor;
      code = Return::kNotFound;
      filled = 0;
      const int64_t latest = LatestTick(sensor, view.state.now_ns);
      for (int64_t tick = latest - kSamplesKept + 1; tick <= latest && filled < *count; ++tick) {
        const int64_t at_us = driver.UnixStamp(TickTime(sensor, tick)) / kNanosecondsPerMicrosecond;
        if (at_us <= static_cast<int64_t>(last_seen_us)) continue;
        samples[filled].timestamp_us = static_cast<unsigned long long>(at_us);
        samples[filled].value = {};
        code = Reading(view, ReadingWatts(sensor, view.timeline, tick), samples[filled].value.ui);
        ++filled;
      }
    });
    *count = filled;
    return code;
  });
}

NVML_EXPORT Return nvmlDeviceGetPowerManagementMode(Device device, uint32_t* mode) {
  return OnDevice(device, [&](Driver&, size_t) {
    if (!mode) return Return::kInvalidArgument;
    *mode = nvml::kEnabled;
    return Return::kSuccess;
  });
}

NVML_EXPORT Return nvmlDeviceGetPowerManagementLimit(Device device, uint32_t* limit_mw) {
  return LimitOf(device, limit_mw);
}
NVML_EXPORT Return nvmlDeviceGetEnforcedPowerLimit(Device device, uint32_t* limit_mw) {
  return LimitOf(device, limit_mw);
}

NVML_EXPORT Return nvmlDeviceGetPowerManagementDefaultLimit(Device device, uint32_t* limit_mw) {
  return OnDevice(device, [&](const Driver& driver, size_t gpu) {
    if (!limit_mw) return Return::kInvalidArgument;
    *limit_mw = Milliwatts(driver.config().gpus[gpu].limit_default_w);
    return Return::kSuccess;
  });
}

NVML_EXPORT Return nvmlDeviceGetPowerManagementLimitConstraints(Device device, uint32_t* least_mw, uint32_t* most_mw) {
  return OnDevice(device, [&](const Driver& driver, size_t gpu) {
    if (!least_mw || !most_mw) return Return::kInvalidArgument;
    *least_mw = Milliwatts(driver.config().gpus[gpu].limit_min_w);
    *most_mw = Milliwatts(driver.config().gpus[gpu].limit_max_w);
    return Return::kSuccess;
  });
}

NVML_EXPORT Return nvmlDeviceSetPowerManagementLimit(Device device, uint32_t limit_mw) {
  return SetLimit(device, limit_mw);
}

NVML_EXPORT Return nvmlDeviceSetPowerManagementLimit_v2(Device device, nvml::PowerValueV2* value) {
  if (!value) return Return::kInvalidArgument;
  if (value->version != nvml::kPowerValueV2Version) return Return::kArgumentVersionMismatch;
  if (value->scope != nvml::kScopeGpu) return Return::kNotSupported;
  return SetLimit(device, value->power_mw);
}
