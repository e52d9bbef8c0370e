#include "heliograd/meter/clock_reasons.h"

namespace heliograd {

std::optional<std::string> SlowdownNow(const NvmlLibrary& library, nvml::Device device) {
  unsigned long long reasons = 0;
  if (library.clock_reasons == nullptr || library.clock_reasons(device, &reasons) != nvml::Return::kSuccess) {
    return std::nullopt;
  }
  if ((reasons & nvml::kReasonSwThermalSlowdown) != 0) return "the driver slowed the GPU down because of heat";
  if ((reasons & nvml::kReasonHwThermalSlowdown) != 0) return "the GPU slowed itself down because of heat";
  if ((reasons & nvml::kReasonHwPowerBrakeSlowdown) != 0) return "the GPU's power brake was on";
  return std::nullopt;
}

}  // namespace heliograd
