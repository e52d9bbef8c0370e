// The simulated NVML: clocks, temperature, utilisation, memory, processes and modes.
#include <algorithm>
#include <cmath>

#include "heliograd/model/gpu_physics.h"
#include "sim/nvml_session.h"
#include "sim/sensor.h"

namespace nvml = heliograd::nvml;
using heliograd::sim::Driver;
using heliograd::sim::FaultKind;
using heliograd::sim::GpuView;
using heliograd::sim::Load;
using heliograd::sim::OnDevice;
using heliograd::sim::OnView;
using nvml::Device;
using nvml::Return;

namespace {

constexpr uint32_t kBusyMemoryMhz = 10501;
constexpr uint32_t kIdleMemoryMhz = 405;
constexpr unsigned long long kMebibyte = 1ull << 20;
constexpr unsigned long long kMemoryTotal = 12282 * kMebibyte;
constexpr unsigned long long kMemoryReserved = 300 * kMebibyte;
constexpr unsigned long long kMemoryOfLoad = 1024 * kMebibyte;
constexpr uint32_t kNoInstance = 0xffffffff;
constexpr uint32_t kShutdownC = 103;
constexpr uint32_t kSlowdownC = 100;
constexpr uint32_t kGpuMaxC = 90;
constexpr double kFanStartsC = 50;
constexpr double kFanPercentPerDegree = 2;
constexpr uint32_t kBusyState = 0;
constexpr uint32_t kIdleState = 8;
constexpr uint32_t kRestrictions = 2;
constexpr uint32_t kPolicyPower = 0;
constexpr uint32_t kPolicyThermal = 1;

uint32_t LoadsOn(const GpuView& view) {
  return static_cast<uint32_t>(
      std::count_if(view.state.loads, view.state.loads + heliograd::sim::kMostLoads,
                    [&](const Load& load) { return IsRunning(load) && load.alive_until_ns > view.state.now_ns; }));
}

/// A number of the GPU as it is now.
Return Number(Device device, uint32_t* into, const std::function<double(const GpuView&)>& of) {
  return OnView(device, [&](const GpuView& view) {
    if (!into) return Return::kInvalidArgument;
    *into = static_cast<uint32_t>(std::lround(of(view)));
    return Return::kSuccess;
  });
}

double Clock(const GpuView& view, uint32_t type) {
  if (type == nvml::kClockMemory) return LoadsOn(view) > 0 ? kBusyMemoryMhz : kIdleMemoryMhz;
  return view.state.clock_mhz;
}

Return ClockOf(Device device, uint32_t type, uint32_t* mhz) {
  if (type > nvml::kClockVideo) return Return::kInvalidArgument;
  return Number(device, mhz, [&](const GpuView& view) { return Clock(view, type); });
}

Return MaxClockOf(Device device, uint32_t type, uint32_t* mhz) {
  if (type > nvml::kClockVideo) return Return::kInvalidArgument;
  return Number(device, mhz, [&](const GpuView&) {
    return type == nvml::kClockMemory ? kBusyMemoryMhz : heliograd::kGpuHighestClockMhz;
  });
}

Return Reasons(Device device, unsigned long long* reasons) {
  return OnView(device, [&](const GpuView& view) {
    if (!reasons) return Return::kInvalidArgument;
    *reasons = view.timeline.newest().busy > 0 ? 0 : nvml::kReasonGpuIdle;
    if (view.state.limit_binds) *reasons |= nvml::kReasonSwPowerCap;
    if (view.state.highest_clock_mhz < heliograd::kGpuHighestClockMhz) {
      *reasons |= nvml::kReasonApplicationsClocksSetting;
    }
    if (IsOn(view.config, FaultKind::kThermalSlowdown, view.state.now_ns)) *reasons |= nvml::kReasonSwThermalSlowdown;
    return Return::kSuccess;
  });
}

Return SupportedReasons(Device device, unsigned long long* reasons) {
  return OnDevice(device, [&](Driver&, size_t) {
    if (!reasons) return Return::kInvalidArgument;
    *reasons = nvml::kReasonGpuIdle | nvml::kReasonSwPowerCap | nvml::kReasonApplicationsClocksSetting |
               nvml::kReasonSwThermalSlowdown;
    return Return::kSuccess;
  });
}

/// Applies a change that only root may make.
Return Privileged(Device device, const std::function<void(GpuView&)>& change) {
  return OnDevice(device, [&](Driver& driver, size_t gpu) {
    if (!driver.config().gpus[gpu].privileged) return Return::kNoPermission;
    driver.Change(gpu, change);
    return Return::kSuccess;
  });
}

/// Lists processes into `entries` of the caller, or says how many there are.
template <typename Entry>
Return Processes(Device device, uint32_t* count, Entry* entries, const std::function<Entry(const Load&)>& entry_of) {
  return OnView(device, [&](const GpuView& view) {
    if (!count) return Return::kInvalidArgument;
    uint32_t found = 0;
    const uint32_t room = entries ? *count : 0;
    for (const Load& load : view.state.loads) {
      if (!IsRunning(load) || load.alive_until_ns <= view.state.now_ns) continue;
      if (found < room) entries[found] = entry_of(load);
      ++found;
    }
    *count = found;
    return found > room ? Return::kInsufficientSize : Return::kSuccess;
  });
}

Return ComputeProcesses(Device device, uint32_t* count, nvml::ProcessInfo* entries) {
  return Processes<nvml::ProcessInfo>(device, count, entries, [](const Load& load) {
    return nvml::ProcessInfo{load.pid, kMemoryOfLoad, kNoInstance, kNoInstance};
  });
}

/// Nothing draws on the screen of a simulated GPU.
Return NoProcesses(Device device, uint32_t* count) {
  return OnDevice(device, [&](Driver&, size_t) {
    if (!count) return Return::kInvalidArgument;
    *count = 0;
    return Return::kSuccess;
  });
}

/// Share of the last second, in percent.
double PercentOfLastSecond(const GpuView& view, double (heliograd::sim::Timeline::*seconds_at)(int64_t) const) {
  const int64_t now_ns = view.state.now_ns;
  return 100 * ((view.timeline.*seconds_at)(now_ns) - (view.timeline.*seconds_at)(now_ns - 1'000'000'000));
}

double Temperature(const GpuView& view) { return view.state.temperature_c; }

/// An engine that the simulated GPU has and that nothing uses.
Return UnusedEngine(Device device, uint32_t* percent, uint32_t* period_us) {
  return OnDevice(device, [&](Driver&, size_t) {
    if (!percent || !period_us) return Return::kInvalidArgument;
    *percent = 0;
    *period_us = 1'000'000;
    return Return::kSuccess;
  });
}

}  // namespace

NVML_EXPORT Return nvmlDeviceGetTemperature(Device device, uint32_t sensor, uint32_t* celsius) {
  if (sensor != nvml::kTemperatureGpu) return Return::kInvalidArgument;
  return Number(device, celsius, Temperature);
}

NVML_EXPORT Return nvmlDeviceGetTemperatureV(Device device, nvml::TemperatureV1* temperature) {
  if (!temperature) return Return::kInvalidArgument;
  if (temperature->version != nvml::VersionOf<nvml::TemperatureV1>(1)) return Return::kArgumentVersionMismatch;
  if (temperature->sensor != nvml::kTemperatureGpu) return Return::kInvalidArgument;
  return OnView(device, [&](const GpuView& view) {
    temperature->temperature_c = static_cast<int32_t>(std::lround(Temperature(view)));
    return Return::kSuccess;
  });
}

NVML_EXPORT Return nvmlDeviceGetTemperatureThreshold(Device device, uint32_t type, uint32_t* celsius) {
  switch (type) {
    case nvml::kThresholdShutdown:
      return Number(device, celsius, [](const GpuView&) { return kShutdownC; });
    case nvml::kThresholdSlowdown:
      return Number(device, celsius, [](const GpuView&) { return kSlowdownC; });
    case nvml::kThresholdGpuMax:
      return Number(device, celsius, [](const GpuView&) { return kGpuMaxC; });
    default:
      return OnDevice(device, [](Driver&, size_t) { return Return::kNotSupported; });
  }
}

NVML_EXPORT Return nvmlDeviceGetFanSpeed(Device device, uint32_t* percent) {
  return Number(device, percent, [](const GpuView& view) {
    return std::clamp((Temperature(view) - kFanStartsC) * kFanPercentPerDegree, 0.0, 100.0);
  });
}
NVML_EXPORT Return nvmlDeviceGetFanSpeed_v2(Device device, uint32_t fan, uint32_t* percent) {
  return fan == 0 ? nvmlDeviceGetFanSpeed(device, percent) : Return::kInvalidArgument;
}
NVML_EXPORT Return nvmlDeviceGetNumFans(Device device, uint32_t* fans) {
  return Number(device, fans, [](const GpuView&) { return 1; });
}

NVML_EXPORT Return nvmlDeviceGetClockInfo(Device device, uint32_t type, uint32_t* mhz) {
  return ClockOf(device, type, mhz);
}
NVML_EXPORT Return nvmlDeviceGetMaxClockInfo(Device device, uint32_t type, uint32_t* mhz) {
  return MaxClockOf(device, type, mhz);
}
/// NVML_CLOCK_ID_CURRENT alone is simulated.
NVML_EXPORT Return nvmlDeviceGetClock(Device device, uint32_t type, uint32_t id, uint32_t* mhz) {
  return id == 0 ? ClockOf(device, type, mhz) : Return::kNotSupported;
}

NVML_EXPORT Return nvmlDeviceSetGpuLockedClocks(Device device, uint32_t least_mhz, uint32_t most_mhz) {
  if (least_mhz > most_mhz || most_mhz < heliograd::kGpuLowestClockMhz || least_mhz > heliograd::kGpuHighestClockMhz) {
    return Return::kInvalidArgument;
  }
  return Privileged(device, [&](GpuView& view) {
    view.state.lowest_clock_mhz = std::max<double>(least_mhz, heliograd::kGpuLowestClockMhz);
    view.state.highest_clock_mhz = std::min<double>(most_mhz, heliograd::kGpuHighestClockMhz);
  });
}

NVML_EXPORT Return nvmlDeviceResetGpuLockedClocks(Device device) {
  return Privileged(device, [](GpuView& view) {
    view.state.lowest_clock_mhz = heliograd::kGpuLowestClockMhz;
    view.state.highest_clock_mhz = heliograd::kGpuHighestClockMhz;
  });
}

NVML_EXPORT Return nvmlDeviceGetCurrentClocksEventReasons(Device device, unsigned long long* reasons) {
  return Reasons(device, reasons);
}
NVML_EXPORT Return nvmlDeviceGetCurrentClocksThrottleReasons(Device device, unsigned long long* reasons) {
  return Reasons(device, reasons);
}
NVML_EXPORT Return nvmlDeviceGetSupportedClocksEventReasons(Device device, unsigned long long* reasons) {
  return SupportedReasons(device, reasons);
}
NVML_EXPORT Return nvmlDeviceGetSupportedClocksThrottleReasons(Device device, unsigned long long* reasons) {
  return SupportedReasons(device, reasons);
}

NVML_EXPORT Return nvmlDeviceGetViolationStatus(Device device, uint32_t policy, nvml::ViolationTime* time) {
  return OnDevice(device, [&](const Driver& driver, size_t gpu) {
    if (!time) return Return::kInvalidArgument;
    if (policy != kPolicyPower && policy != kPolicyThermal) return Return::kNotSupported;
    driver.Look(gpu, [&](const GpuView& view) {
      time->reference_us = static_cast<unsigned long long>(driver.UnixStamp(view.state.now_ns) / 1000);
      time->violation_ns = policy == kPolicyPower ? static_cast<unsigned long long>(view.state.throttled_s * 1e9) : 0;
    });
    return Return::kSuccess;
  });
}

NVML_EXPORT Return nvmlDeviceGetUtilizationRates(Device device, nvml::Utilization* utilization) {
  return OnView(device, [&](const GpuView& view) {
    using heliograd::sim::Timeline;
    if (!utilization) return Return::kInvalidArgument;
    utilization->gpu = static_cast<uint32_t>(std::lround(PercentOfLastSecond(view, &Timeline::BusySecondsAt)));
    utilization->memory = static_cast<uint32_t>(std::lround(PercentOfLastSecond(view, &Timeline::MemorySecondsAt)));
    return Return::kSuccess;
  });
}

NVML_EXPORT Return nvmlDeviceGetMemoryInfo(Device device, nvml::Memory* memory) {
  return OnView(device, [&](const GpuView& view) {
    if (!memory) return Return::kInvalidArgument;
    const unsigned long long used = kMemoryReserved + LoadsOn(view) * kMemoryOfLoad;
    *memory = {kMemoryTotal, kMemoryTotal - used, used};
    return Return::kSuccess;
  });
}

NVML_EXPORT Return nvmlDeviceGetMemoryInfo_v2(Device device, nvml::MemoryV2* memory) {
  if (!memory) return Return::kInvalidArgument;
  if (memory->version != nvml::VersionOf<nvml::MemoryV2>(2)) return Return::kArgumentVersionMismatch;
  return OnView(device, [&](const GpuView& view) {
    const unsigned long long used = LoadsOn(view) * kMemoryOfLoad;
    *memory = {memory->version, kMemoryTotal, kMemoryReserved, kMemoryTotal - kMemoryReserved - used, used};
    return Return::kSuccess;
  });
}

NVML_EXPORT Return nvmlDeviceGetPersistenceMode(Device device, uint32_t* mode) {
  return Number(device, mode, [](const GpuView& view) { return static_cast<double>(view.state.persistence); });
}
NVML_EXPORT Return nvmlDeviceSetPersistenceMode(Device device, uint32_t mode) {
  if (mode > nvml::kEnabled) return Return::kInvalidArgument;
  return Privileged(device, [&](GpuView& view) { view.state.persistence = mode; });
}

NVML_EXPORT Return nvmlDeviceGetPerformanceState(Device device, uint32_t* state) {
  return Number(device, state, [](const GpuView& view) { return LoadsOn(view) > 0 ? kBusyState : kIdleState; });
}
NVML_EXPORT Return nvmlDeviceGetPowerState(Device device, uint32_t* state) {
  return nvmlDeviceGetPerformanceState(device, state);
}

NVML_EXPORT Return nvmlDeviceGetComputeRunningProcesses_v3(Device device, uint32_t* count, nvml::ProcessInfo* entries) {
  return ComputeProcesses(device, count, entries);
}
NVML_EXPORT Return nvmlDeviceGetComputeRunningProcesses_v2(Device device, uint32_t* count, nvml::ProcessInfo* entries) {
  return ComputeProcesses(device, count, entries);
}
NVML_EXPORT Return nvmlDeviceGetComputeRunningProcesses(Device device, uint32_t* count, nvml::ProcessInfoV1* entries) {
  return Processes<nvml::ProcessInfoV1>(device, count, entries, [](const Load& load) {
    return nvml::ProcessInfoV1{load.pid, kMemoryOfLoad};
  });
}
NVML_EXPORT Return nvmlDeviceGetGraphicsRunningProcesses_v3(Device device, uint32_t* count, nvml::ProcessInfo*) {
  return NoProcesses(device, count);
}
NVML_EXPORT Return nvmlDeviceGetGraphicsRunningProcesses_v2(Device device, uint32_t* count, nvml::ProcessInfo*) {
  return NoProcesses(device, count);
}
NVML_EXPORT Return nvmlDeviceGetGraphicsRunningProcesses(Device device, uint32_t* count, nvml::ProcessInfoV1*) {
  return NoProcesses(device, count);
}

NVML_EXPORT Return nvmlDeviceGetEncoderUtilization(Device device, uint32_t* percent, uint32_t* period_us) {
  return UnusedEngine(device, percent, period_us);
}
NVML_EXPORT Return nvmlDeviceGetDecoderUtilization(Device device, uint32_t* percent, uint32_t* period_us) {
  return UnusedEngine(device, percent, period_us);
}

NVML_EXPORT Return nvmlDeviceGetAPIRestriction(Device device, uint32_t api, uint32_t* restricted) {
  if (api >= kRestrictions) return Return::kInvalidArgument;
  return Number(device, restricted, [](const GpuView&) { return nvml::kEnabled; });
}
