// What every function of the simulated NVML goes through: initialisation, handles, the cost of a call, and faults.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "heliograd/meter/nvml_abi.h"
#include "sim/driver.h"

/// A function that programs find under its NVML name.
#define NVML_EXPORT extern "C" __attribute__((visibility("default")))

namespace heliograd::sim {

/// nvmlInit and nvmlShutdown, counted.
nvml::Return BeginSession();
nvml::Return EndSession();

/// Calls `act` with the driver while the session holds; UNINITIALIZED otherwise.
nvml::Return InSession(const std::function<nvml::Return(Driver&)>& act);

/// The same for a call on a device, which costs the device's call latency and meets the faults that are on: a lost GPU,
/// a driver that is being reloaded, a hang.
nvml::Return OnDevice(nvml::Device device, const std::function<nvml::Return(Driver&, size_t gpu)>& act);

/// OnDevice with the GPU as it is now.
nvml::Return OnView(nvml::Device device, const std::function<nvml::Return(const GpuView&)>& look);

/// The handle of a GPU.
nvml::Device HandleOf(size_t gpu);

/// The fault of one of these kinds that is on at an instant.
bool IsOn(const GpuConfig& gpu, FaultKind kind, int64_t at_ns);
/// What power and energy readings return at an instant: success, or the fault that is on.
nvml::Return ReadingCode(const GpuConfig& gpu, int64_t at_ns);

/// Copies a text with its closing zero.
nvml::Return CopyText(std::string_view text, char* into, uint32_t length);

}  // namespace heliograd::sim
