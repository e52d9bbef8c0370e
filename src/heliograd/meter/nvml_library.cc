#include "heliograd/meter/nvml_library.h"

#include <dlfcn.h>

namespace heliograd {
namespace {

template <typename Function>
void Find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
}

/// What to do about a code; empty when nothing more than the code can be said.
std::string Advice(nvml::Return code) {
  using nvml::Return;
  switch (code) {
    case Return::kDriverNotLoaded:
      return "the driver is not loaded: run `sudo modprobe nvidia`, or start the container with its GPUs passed in";
    case Return::kNoPermission:
      return "that needs root (or CAP_SYS_ADMIN): run it with sudo";
    case Return::kLibRmVersionMismatch:
      return "library and kernel driver are of different versions, as after an update: reboot, or load the driver "
             "again";
    case Return::kGpuIsLost:
    case Return::kResetRequired:
      return "the GPU has dropped off the bus or needs a reset: see `dmesg`, then `nvidia-smi --gpu-reset` or reboot";
    case Return::kOperatingSystem:
      return "the operating system refuses, as in a container without the device: pass the GPU into the container";
    case Return::kNotSupported:
      return "this device does not offer it";
    case Return::kInvalidArgument:
      return "the driver does not accept this value";
    case Return::kInsufficientPower:
      return "the GPU's power connectors are not plugged in properly";
    case Return::kIrqIssue:
      return "the kernel has an interrupt problem with the GPU: see `dmesg`";
    case Return::kCorruptedInforom:
      return "the card's own memory is damaged: nvidia-smi tells more";
    case Return::kMemory:
    case Return::kInsufficientResources:
      return "the system is out of memory or handles";
    case Return::kInUse:
      return "another program holds the device";
    case Return::kTimeout:
    case Return::kNotReady:
    case Return::kNoData:
      return "for the moment there is no answer: try again";
    case Return::kFunctionNotFound:
    case Return::kArgumentVersionMismatch:
    case Return::kDeprecated:
      return "this driver is too old or too new for the call: update driver or heliograd";
    case Return::kNotFound:
    case Return::kGpuNotFound:
      return "no such device: `nvidia-smi -L` lists those there are";
    case Return::kLibraryNotFound:
      return "a library that NVML needs is missing: install the driver again";
    case Return::kUninitialized:
    case Return::kAlreadyInitialized:
    case Return::kInsufficientSize:
    case Return::kVgpuEccNotSupported:
    case Return::kFreqNotSupported:
    case Return::kInvalidState:
    case Return::kResetTypeNotSupported:
    case Return::kUnknown:
    case Return::kSuccess:
      return "";
  }
  return "";
}

ErrorKind KindOf(nvml::Return code) {
  switch (code) {
    case nvml::Return::kNoPermission:
      return ErrorKind::kPermission;
    case nvml::Return::kInvalidArgument:
      return ErrorKind::kUsage;
    default:
      return ErrorKind::kDevice;
  }
}

}  // namespace

std::string NvmlCodeName(nvml::Return code) { return nvml::ReturnName(code); }

Error NvmlError(const std::string& what, nvml::Return code) {
  const std::string advice = Advice(code);
  std::string sentence = what + " (" + NvmlCodeName(code);
  if (code != nvml::Return::kSuccess) sentence.append(" ").append(std::to_string(static_cast<uint32_t>(code)));
  sentence.append(")");
  if (!advice.empty()) sentence.append(": ").append(advice);
  return {KindOf(code), {sentence}};
}

Result<std::shared_ptr<NvmlLibrary>> NvmlLibrary::Load(const std::string& file) {
  std::shared_ptr<NvmlLibrary> library(new NvmlLibrary);
  library->handle_ = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library->handle_ == nullptr) {
    const char* reason = dlerror();
    return Fail("no NVIDIA driver library: " + std::string(reason == nullptr ? file : reason) +
                    ": install NVIDIA's driver, or pass the GPU into the container",
                ErrorKind::kDevice);
  }
  void* const handle = library->handle_;
  NvmlLibrary& nvml = *library;
  Find(handle, "nvmlInit_v2", nvml.init);
  Find(handle, "nvmlShutdown", nvml.shutdown);
  Find(handle, "nvmlSystemGetDriverVersion", nvml.driver_version);
  Find(handle, "nvmlDeviceGetCount_v2", nvml.count);
  Find(handle, "nvmlDeviceGetHandleByIndex_v2", nvml.handle_by_index);
  Find(handle, "nvmlDeviceGetHandleByUUID", nvml.handle_by_uuid);
  Find(handle, "nvmlDeviceGetName", nvml.name);
  Find(handle, "nvmlDeviceGetUUID", nvml.uuid);
  Find(handle, "nvmlDeviceGetFieldValues", nvml.field_values);
  Find(handle, "nvmlDeviceGetPowerUsage", nvml.power_usage);
  Find(handle, "nvmlDeviceGetTotalEnergyConsumption", nvml.total_energy);
  Find(handle, "nvmlDeviceGetEnforcedPowerLimit", nvml.enforced_limit);
  Find(handle, "nvmlDeviceGetPowerManagementLimit", nvml.limit);
  Find(handle, "nvmlDeviceGetPowerManagementDefaultLimit", nvml.default_limit);
  Find(handle, "nvmlDeviceGetPowerManagementLimitConstraints", nvml.limit_range);
  Find(handle, "nvmlDeviceSetPowerManagementLimit", nvml.set_limit);
  Find(handle, "nvmlDeviceGetClockInfo", nvml.clock);
  Find(handle, "nvmlDeviceGetTemperature", nvml.temperature);
  Find(handle, "nvmlDeviceGetCurrentClocksEventReasons", nvml.clock_reasons);
  if (nvml.clock_reasons == nullptr) Find(handle, "nvmlDeviceGetCurrentClocksThrottleReasons", nvml.clock_reasons);
  Find(handle, "nvmlDeviceGetMigMode", nvml.mig_mode);
  Find(handle, "nvmlDeviceGetPersistenceMode", nvml.persistence_mode);
  Find(handle, "nvmlDeviceGetPciInfo_v3", nvml.pci_info);
  if (nvml.init == nullptr || nvml.shutdown == nullptr || nvml.count == nullptr || nvml.handle_by_index == nullptr) {
    nvml.shutdown = nullptr;  // it was never initialised
    return Fail(file + ": is no NVML of driver 375 or later: update NVIDIA's driver", ErrorKind::kDevice);
  }
  if (const nvml::Return code = nvml.init(); code != nvml::Return::kSuccess) {
    nvml.shutdown = nullptr;
    return Fail(NvmlError("NVIDIA's driver does not answer", code));
  }
  return library;
}

NvmlLibrary::~NvmlLibrary() {
  if (shutdown != nullptr) shutdown();
  if (handle_ != nullptr) dlclose(handle_);
}

nvml::Return NvmlLibrary::Restart() {
  ++restarts_;
  shutdown();
  return init();
}

std::string NvmlLibrary::DriverVersion() const {
  char text[nvml::kVersionLength] = "";
  if (driver_version == nullptr || driver_version(text, sizeof text) != nvml::Return::kSuccess) return "";
  return text;
}

Result<std::vector<nvml::Device>> NvmlLibrary::Devices() const {
  uint32_t number = 0;
  if (const nvml::Return code = count(&number); code != nvml::Return::kSuccess) {
    return Fail(NvmlError("the GPUs cannot be counted", code));
  }
  std::vector<nvml::Device> devices(number, nullptr);
  for (uint32_t i = 0; i < number; ++i) {
    if (handle_by_index(i, &devices[i]) != nvml::Return::kSuccess) devices[i] = nullptr;
  }
  return devices;
}

}  // namespace heliograd
