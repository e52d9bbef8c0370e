// NVIDIA's management library, found and loaded at run time: heliograd starts without it and says what is missing.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/meter/nvml_abi.h"

namespace heliograd {

/// The functions of NVML that heliograd calls. A null pointer means that this version of the library has not got it.
/// Loading and closing are counted by NVML itself. Safe from any thread, as NVML is.
class NvmlLibrary {
 public:
  /// Loads and initialises `file` as the dynamic linker finds it. Errors (kDevice, kPermission) say what is missing and
  /// the command that mends it: no library, no driver, library and driver of different versions.
  static Result<std::shared_ptr<NvmlLibrary>> Load(const std::string& file = "libnvidia-ml.so.1");
  NvmlLibrary(const NvmlLibrary&) = delete;
  NvmlLibrary& operator=(const NvmlLibrary&) = delete;
  ~NvmlLibrary();

  /// Shuts the library down and initialises it again, after the driver was loaded anew or a device came back. Handles
  /// from before are void: whoever holds one compares `restarts` and asks again. Not while another thread calls.
  nvml::Return Restart();
  int restarts() const { return restarts_; }

  /// "580.00"; empty when the library does not tell.
  std::string DriverVersion() const;
  /// Handles of all devices in the order of the driver, a null handle for one that cannot be opened.
  Result<std::vector<nvml::Device>> Devices() const;

  nvml::InitFunction* init = nullptr;
  nvml::InitFunction* shutdown = nullptr;
  nvml::SystemTextFunction* driver_version = nullptr;
  nvml::CountFunction* count = nullptr;
  nvml::HandleByIndexFunction* handle_by_index = nullptr;
  nvml::HandleByTextFunction* handle_by_uuid = nullptr;
  nvml::DeviceTextFunction* name = nullptr;
  nvml::DeviceTextFunction* uuid = nullptr;
  nvml::FieldValuesFunction* field_values = nullptr;
  nvml::DeviceNumberFunction* power_usage = nullptr;
  nvml::DeviceLongNumberFunction* total_energy = nullptr;
  nvml::DeviceNumberFunction* enforced_limit = nullptr;
  nvml::DeviceNumberFunction* limit = nullptr;
  nvml::DeviceNumberFunction* default_limit = nullptr;
  nvml::DeviceTwoNumbersFunction* limit_range = nullptr;
  nvml::SetPowerLimitFunction* set_limit = nullptr;
  nvml::DeviceSelectedNumberFunction* clock = nullptr;
  nvml::DeviceSelectedNumberFunction* temperature = nullptr;
  nvml::DeviceLongNumberFunction* clock_reasons = nullptr;
  nvml::DeviceTwoNumbersFunction* mig_mode = nullptr;
  nvml::DeviceNumberFunction* persistence_mode = nullptr;
  nvml::PciInfoFunction* pci_info = nullptr;

 private:
  NvmlLibrary() = default;
  void* handle_ = nullptr;
  std::atomic<int> restarts_{0};
};

/// "NVML_ERROR_NO_PERMISSION".
std::string NvmlCodeName(nvml::Return code);
/// What an NVML failure means for the user: the kind of error, the sentence `what` ("GPU 0: its power cannot be read"),
/// the code, and what to do about it.
Error NvmlError(const std::string& what, nvml::Return code);

}  // namespace heliograd
