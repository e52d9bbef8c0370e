// Any bytes as a CIFAR-100 file: whole records with labels in range, or one problem.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "heliograd/profile/dataset_cifar.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto dataset =
      heliograd::ParseCifar(std::string(reinterpret_cast<const char*>(data), size), "fuzz", heliograd::CifarInfo());
  if (!dataset) {
    if (dataset.error().problems.size() != 1) std::abort();
    return 0;
  }
  std::vector<uint8_t> scratch;
  unsigned sum = 0;
  for (size_t i = 0; i < (*dataset)->size(); ++i) {
    if ((*dataset)->Label(i) < 0 || (*dataset)->Label(i) > 99) std::abort();
    const auto image = (*dataset)->Image(i, scratch);
    sum += image->pixels[0] + image->pixels[3 * 32 * 32 - 1];  // the last byte is there
  }
  return sum > 510 * (*dataset)->size() ? 1 : 0;
}
