// Any bytes as a picture: pixels of the announced number, or one problem; libpng and libjpeg are met through it.
#include <cstdint>
#include <cstdlib>

#include "heliograd/profile/dataset_image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto picture = heliograd::DecodePicture({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!picture) {
    if (picture.error().problems.size() != 1) std::abort();
    return 0;
  }
  const size_t pixels = 3 * static_cast<size_t>(picture->height) * static_cast<size_t>(picture->width);
  if (pixels == 0 || picture->pixels.size() != pixels) std::abort();
  return 0;
}
