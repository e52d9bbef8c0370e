#include <cstddef>
#include <cstdint>
#include <string_view>

#include "heliograd/feed/measured_pv_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  static_cast<void>(heliograd::ParseMeasuredPv(content, "fuzz.csv"));
  return 0;
}
