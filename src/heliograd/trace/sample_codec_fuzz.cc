#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "heliograd/trace/sample_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto samples = heliograd::DecodeSamples(bytes);
  // Every sample takes at least three bytes, so memory stays bounded by the input.
  if (samples && samples->size() * 3 > size) std::abort();
  return 0;
}
