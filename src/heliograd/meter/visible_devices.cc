#include "heliograd/meter/visible_devices.h"

#include <algorithm>

#include "heliograd/base/text.h"

namespace heliograd {
namespace {

/// The device whose UUID starts so; nothing when none or several do.
std::optional<int> FindByUuid(std::string_view start, const std::vector<std::string>& uuids) {
  std::optional<int> found;
  for (size_t i = 0; i < uuids.size(); ++i) {
    if (!StartsWithIgnoringCase(uuids[i], start)) continue;
    if (found) return std::nullopt;
    found = static_cast<int>(i);
  }
  return found;
}

/// "MIG-GPU-<uuid>/1/0" (drivers before 470) names its board; later names "MIG-<uuid>" do not.
std::string_view BoardOf(std::string_view item) {
  if (!item.starts_with("MIG-GPU-")) return item;
  item.remove_prefix(4);
  return item.substr(0, item.find('/'));
}

}  // namespace

Result<std::vector<int>> SelectVisibleDevices(std::string_view list, const std::vector<std::string>& uuids) {
  std::vector<int> selected;
  if (Trim(list).empty() || ToLower(Trim(list)) == "none" || Trim(list) == "NoDevFiles") return selected;
  for (const std::string& item : SplitCsvLine(list)) {
    std::optional<int> device;
    if (const std::optional<long> number = ParseInteger(item)) {
      if (*number < 0 || *number >= static_cast<long>(uuids.size())) return selected;
      device = static_cast<int>(*number);
    } else {
      device = FindByUuid(BoardOf(item), uuids);
    }
    if (!device && item.starts_with("MIG-")) {
      return Fail("CUDA_VISIBLE_DEVICES: " + Quoted(item) +
                      " does not tell its board: name the board with --gpu, whose sensor is the only one there is",
                  ErrorKind::kUsage);
    }
    if (!device) {
      return Fail("CUDA_VISIBLE_DEVICES: " + Quoted(item) +
                      " is neither the number nor the start of the UUID of one GPU: `nvidia-smi -L` lists them",
                  ErrorKind::kUsage);
    }
    if (std::find(selected.begin(), selected.end(), *device) == selected.end()) selected.push_back(*device);
  }
  return selected;
}

}  // namespace heliograd
