// Finds what can be measured on this machine: GPUs through NVML, processors through RAPL.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/meter/meter.h"
#include "heliograd/meter/nvml_library.h"

namespace heliograd {

struct SourceSelection {
  /// GPUs by number or start of their UUID, comma-separated; empty = CUDA_VISIBLE_DEVICES, else all.
  std::string gpus;
  /// SM clock and temperature too, at one more call each.
  bool with_clocks = false;
  bool with_processor = true;
};

struct OpenedSources {
  std::vector<std::unique_ptr<PowerMeter>> meters;
  std::vector<std::string> absent;  // why each source that is not among them is not, one sentence each
};

/// Opens every source. Errors: none can be read (kDevice, or kPermission when only a permission is missing), or the
/// selection names no GPU (kUsage).
Result<OpenedSources> OpenSources(const SourceSelection& selection);

/// The selected GPUs: their handles with NVML loaded. Errors: no NVML, no such GPU.
struct SelectedGpus {
  std::shared_ptr<NvmlLibrary> library;
  std::vector<nvml::Device> devices;
};
Result<SelectedGpus> SelectGpus(const std::string& gpus);

/// The UUID of the GPU that CUDA calls "cuda" or "cuda:1": of those that are visible to it, the one of that number.
/// Errors: no NVML, no such GPU.
Result<std::string> GpuOfDevice(const std::string& device);

/// The capper of the GPU with this UUID.
Result<std::unique_ptr<PowerCapper>> OpenCapper(const std::string& uuid);

}  // namespace heliograd
