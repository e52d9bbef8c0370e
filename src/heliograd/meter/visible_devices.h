// Which GPUs a program may use: the rules of CUDA_VISIBLE_DEVICES.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd {

/// Indices into `uuids` (the driver's order) that the list selects, in the order of the list: "0,2", "GPU-8f3a" (a UUID
/// or its start, if only one begins so), "" or "none" for no device. As CUDA does, the list ends at the first number
/// that is out of range. A MIG device counts as the board it is a part of: the board's sensor is the only one there is.
/// Numbers are CUDA's, which are the driver's only with CUDA_DEVICE_ORDER=PCI_BUS_ID or equal cards. Errors: text that
/// is neither a number nor a known UUID.
Result<std::vector<int>> SelectVisibleDevices(std::string_view list, const std::vector<std::string>& uuids);

}  // namespace heliograd
