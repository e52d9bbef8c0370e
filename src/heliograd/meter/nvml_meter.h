// Reads and limits NVIDIA GPUs through NVML.
#pragma once

#include <memory>
#include <string>

#include "heliograd/meter/meter.h"
#include "heliograd/meter/nvml_library.h"

namespace heliograd {

/// A meter of one GPU. Power, energy, limit and capped time come in one call where the driver has
/// nvmlDeviceGetFieldValues (fields 83, 185, 186, 190, 74), each with its own code and stamp; what that call does not
/// give is asked for on its own. With `with_clocks` the SM clock and the temperature are read too, one call each.
/// Errors: the device cannot be opened, or gives neither power nor energy.
Result<std::unique_ptr<PowerMeter>> OpenNvmlMeter(std::shared_ptr<NvmlLibrary> library, nvml::Device device,
                                                  bool with_clocks = false);

/// The same device's limits.
Result<std::unique_ptr<PowerCapper>> OpenNvmlCapper(std::shared_ptr<NvmlLibrary> library, nvml::Device device);

/// UUID, name and driver of a device; the reason when it does not tell.
Result<DeviceRecord> DescribeNvmlDevice(const NvmlLibrary& library, nvml::Device device);

}  // namespace heliograd
