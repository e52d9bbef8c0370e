#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "heliograd/profile/onnx_count.h"

// Whatever is counted has sums that are those of its layers, and none below zero.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto count = heliograd::CountOnnx(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz.onnx");
  if (!count) return 0;
  heliograd::MacCount sum;
  for (const heliograd::FileLayer& layer : count->layers) sum += layer.macs;
  if (!(sum == count->macs) || sum.Macs() < 0 || sum.bias < 0 || sum.elementwise < 0) std::abort();
  return 0;
}
