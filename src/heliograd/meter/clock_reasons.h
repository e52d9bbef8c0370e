// Whether a GPU's clock is held down by heat or by the board's emergency brake, as its driver tells.
//
// Enters: NVML. Leaves: the reason in words. What else holds a clock down (the power limit, idleness) is not told.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "heliograd/meter/nvml_library.h"

namespace heliograd {

/// The first of NVML's clocks event reasons 0x20 (software thermal slowdown), 0x40 (hardware thermal slowdown) and 0x80
/// (power brake) that is active, in words; nothing while none is, or where the driver does not tell. One thread at a
/// time.
std::optional<std::string> SlowdownNow(const NvmlLibrary& library, nvml::Device device);

}  // namespace heliograd
