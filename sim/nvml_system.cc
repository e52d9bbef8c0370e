// The simulated NVML: the library itself, and which GPUs there are.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "sim/nvml_session.h"

using heliograd::nvml::Bar1Memory;
using heliograd::nvml::Device;
using heliograd::nvml::PciInfo;
using heliograd::nvml::Return;
using heliograd::sim::CopyText;
using heliograd::sim::Driver;
using heliograd::sim::HandleOf;
using heliograd::sim::InSession;
using heliograd::sim::OnDevice;

namespace {

constexpr uint32_t kBrandGeForce = 5;
constexpr uint32_t kArchitectureAda = 8;
constexpr uint32_t kCores = 5888;
constexpr uint32_t kPciDeviceId = 0x278610de;
constexpr uint32_t kPciSubsystemId = 0x1;
constexpr uint32_t kFirstBus = 1;

const char* Sentence(Return code) {
  switch (code) {
    case Return::kSuccess:
      return "The operation was successful";
    case Return::kUninitialized:
      return "Uninitialized";
    case Return::kInvalidArgument:
      return "Invalid Argument";
    case Return::kNotSupported:
      return "Not Supported";
    case Return::kNoPermission:
      return "Insufficient Permissions";
    case Return::kNotFound:
      return "Not Found";
    case Return::kInsufficientSize:
      return "Insufficient Size";
    case Return::kDriverNotLoaded:
      return "Driver Not Loaded";
    case Return::kTimeout:
      return "Timeout";
    case Return::kFunctionNotFound:
      return "Function Not Found";
    case Return::kGpuIsLost:
      return "GPU is lost";
    case Return::kOperatingSystem:
      return "Unknown Error";
    case Return::kNoData:
      return "No data";
    case Return::kArgumentVersionMismatch:
      return "Argument version mismatch";
    default:
      return heliograd::nvml::ReturnName(code);
  }
}

int CudaVersionOf(const std::string& driver) {
  // Each branch of the driver brings one CUDA version; the newest of which the branch is known.
  const int branch = std::atoi(driver.c_str());
  return branch >= 580 ? 13000 : branch >= 525 ? 12000 : 11000;
}

std::string BusId(size_t gpu, int domain_digits) {
  return fmt::format("{:0{}X}:{:02X}:00.0", 0, domain_digits, gpu + kFirstBus);
}

Return PciInfoOf(Device device, PciInfo* info) {
  return OnDevice(device, [&](Driver&, size_t gpu) {
    if (!info) return Return::kInvalidArgument;
    *info = PciInfo{};
    CopyText(BusId(gpu, 4), info->bus_id_legacy, sizeof info->bus_id_legacy);
    CopyText(BusId(gpu, 8), info->bus_id, sizeof info->bus_id);
    info->bus = static_cast<uint32_t>(gpu) + kFirstBus;
    info->device_id = kPciDeviceId;
    info->subsystem_id = kPciSubsystemId;
    return Return::kSuccess;
  });
}

/// A number that is the same for every GPU.
Return Constant(Device device, uint32_t value, uint32_t* into) {
  return OnDevice(device, [&](Driver&, size_t) {
    if (!into) return Return::kInvalidArgument;
    *into = value;
    return Return::kSuccess;
  });
}

Return IndexOf(Device device, uint32_t* index) {
  return OnDevice(device, [&](Driver&, size_t gpu) {
    if (!index) return Return::kInvalidArgument;
    *index = static_cast<uint32_t>(gpu);
    return Return::kSuccess;
  });
}

Return CountOf(uint32_t* count) {
  return InSession([&](const Driver& driver) {
    if (!count) return Return::kInvalidArgument;
    *count = static_cast<uint32_t>(driver.config().gpus.size());
    return Return::kSuccess;
  });
}

Return HandleByIndex(uint32_t index, Device* device) {
  return InSession([&](const Driver& driver) {
    if (!device || index >= driver.config().gpus.size()) return Return::kInvalidArgument;
    *device = HandleOf(index);
    return Return::kSuccess;
  });
}

/// Bus id with any number of digits in its domain, upper or lower case.
Return HandleByBusId(const char* bus_id, Device* device) {
  return InSession([&](const Driver& driver) {
    unsigned domain = 0;
    unsigned bus = 0;
    unsigned slot = 0;
    if (!bus_id || !device) return Return::kInvalidArgument;
    const bool has_domain = std::count(bus_id, bus_id + std::strlen(bus_id), ':') == 2;
    const int read =
        has_domain ? std::sscanf(bus_id, "%x:%x:%x", &domain, &bus, &slot) : std::sscanf(bus_id, "%x:%x", &bus, &slot);
    if (read != (has_domain ? 3 : 2)) return Return::kInvalidArgument;
    if (domain != 0 || slot != 0 || bus < kFirstBus || bus - kFirstBus >= driver.config().gpus.size()) {
      return Return::kNotFound;
    }
    *device = HandleOf(bus - kFirstBus);
    return Return::kSuccess;
  });
}

}  // namespace

NVML_EXPORT Return nvmlInit_v2() { return heliograd::sim::BeginSession(); }
NVML_EXPORT Return nvmlInit() { return heliograd::sim::BeginSession(); }
NVML_EXPORT Return nvmlInitWithFlags(uint32_t) { return heliograd::sim::BeginSession(); }
NVML_EXPORT Return nvmlShutdown() { return heliograd::sim::EndSession(); }
NVML_EXPORT const char* nvmlErrorString(Return code) { return Sentence(code); }

NVML_EXPORT Return nvmlSystemGetDriverVersion(char* version, uint32_t length) {
  return InSession(
      [&](const Driver& driver) { return CopyText(driver.config().gpus.front().driver, version, length); });
}

NVML_EXPORT Return nvmlSystemGetNVMLVersion(char* version, uint32_t length) {
  return InSession([&](const Driver& driver) {
    const std::string& name = driver.config().gpus.front().driver;
    return CopyText(fmt::format("{}.{}", CudaVersionOf(name) / 1000, name), version, length);
  });
}

NVML_EXPORT Return nvmlSystemGetCudaDriverVersion_v2(int* version) {
  return InSession([&](const Driver& driver) {
    if (!version) return Return::kInvalidArgument;
    *version = CudaVersionOf(driver.config().gpus.front().driver);
    return Return::kSuccess;
  });
}
NVML_EXPORT Return nvmlSystemGetCudaDriverVersion(int* version) { return nvmlSystemGetCudaDriverVersion_v2(version); }

NVML_EXPORT Return nvmlSystemGetProcessName(uint32_t pid, char* name, uint32_t length) {
  return InSession([&](const Driver&) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%u/comm", pid);
    std::FILE* file = std::fopen(path, "r");
    if (!file) return Return::kNotFound;
    char text[64] = "";
    const bool read = std::fgets(text, sizeof text, file) != nullptr;
    std::fclose(file);
    text[std::strcspn(text, "\n")] = '\0';
    return read ? CopyText(text, name, length) : Return::kNotFound;
  });
}

NVML_EXPORT Return nvmlDeviceGetCount_v2(uint32_t* count) { return CountOf(count); }
NVML_EXPORT Return nvmlDeviceGetCount(uint32_t* count) { return CountOf(count); }
NVML_EXPORT Return nvmlDeviceGetHandleByIndex_v2(uint32_t index, Device* device) {
  return HandleByIndex(index, device);
}
NVML_EXPORT Return nvmlDeviceGetHandleByIndex(uint32_t index, Device* device) { return HandleByIndex(index, device); }

NVML_EXPORT Return nvmlDeviceGetHandleByUUID(const char* uuid, Device* device) {
  return InSession([&](const Driver& driver) {
    if (!uuid || !device) return Return::kInvalidArgument;
    const auto& gpus = driver.config().gpus;
    for (size_t k = 0; k < gpus.size(); ++k) {
      if (gpus[k].uuid != uuid) continue;
      *device = HandleOf(k);
      return Return::kSuccess;
    }
    return Return::kNotFound;
  });
}

NVML_EXPORT Return nvmlDeviceGetHandleByPciBusId_v2(const char* id, Device* device) {
  return HandleByBusId(id, device);
}
NVML_EXPORT Return nvmlDeviceGetHandleByPciBusId(const char* id, Device* device) { return HandleByBusId(id, device); }

NVML_EXPORT Return nvmlDeviceGetName(Device device, char* name, uint32_t length) {
  return OnDevice(
      device, [&](const Driver& driver, size_t gpu) { return CopyText(driver.config().gpus[gpu].name, name, length); });
}

NVML_EXPORT Return nvmlDeviceGetUUID(Device device, char* uuid, uint32_t length) {
  return OnDevice(
      device, [&](const Driver& driver, size_t gpu) { return CopyText(driver.config().gpus[gpu].uuid, uuid, length); });
}

NVML_EXPORT Return nvmlDeviceGetIndex(Device device, uint32_t* index) { return IndexOf(device, index); }
NVML_EXPORT Return nvmlDeviceGetMinorNumber(Device device, uint32_t* minor) { return IndexOf(device, minor); }
NVML_EXPORT Return nvmlDeviceGetPciInfo_v3(Device device, PciInfo* info) { return PciInfoOf(device, info); }
NVML_EXPORT Return nvmlDeviceGetPciInfo_v2(Device device, PciInfo* info) { return PciInfoOf(device, info); }

NVML_EXPORT Return nvmlDeviceGetBrand(Device device, uint32_t* brand) { return Constant(device, kBrandGeForce, brand); }
NVML_EXPORT Return nvmlDeviceGetArchitecture(Device device, uint32_t* architecture) {
  return Constant(device, kArchitectureAda, architecture);
}
NVML_EXPORT Return nvmlDeviceGetNumGpuCores(Device device, uint32_t* cores) { return Constant(device, kCores, cores); }
NVML_EXPORT Return nvmlDeviceGetComputeMode(Device device, uint32_t* mode) { return Constant(device, 0, mode); }
NVML_EXPORT Return nvmlDeviceIsMigDeviceHandle(Device device, uint32_t* is_mig) { return Constant(device, 0, is_mig); }
NVML_EXPORT Return nvmlDeviceGetMaxMigDeviceCount(Device device, uint32_t* count) { return Constant(device, 0, count); }

NVML_EXPORT Return nvmlDeviceGetCudaComputeCapability(Device device, int* major, int* minor) {
  return OnDevice(device, [&](Driver&, size_t) {
    if (!major || !minor) return Return::kInvalidArgument;
    *major = 8;
    *minor = 9;
    return Return::kSuccess;
  });
}
