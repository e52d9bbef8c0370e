// Any bytes as an IDX file, plain or compressed: images and labels of the announced number, or one problem.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "heliograd/profile/dataset_idx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kLargest = size_t{1} << 22;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto images = heliograd::ParseIdxImages(bytes, "fuzz", kLargest);
  if (images) {
    const size_t pixels = images->count * static_cast<size_t>(images->height) * static_cast<size_t>(images->width);
    if (pixels == 0 || images->bytes.size() != heliograd::kIdxImagesHeader + pixels) std::abort();
  } else if (images.error().problems.size() != 1) {
    std::abort();
  }
  const auto labels = heliograd::ParseIdxLabels(bytes, "fuzz", 10, kLargest);
  if (!labels) {
    if (labels.error().problems.size() != 1) std::abort();
    return 0;
  }
  for (const int64_t label : *labels) {
    if (label < 0 || label >= 10) std::abort();
  }
  return 0;
}
