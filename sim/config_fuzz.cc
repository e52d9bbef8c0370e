#include <cstdint>
#include <string_view>

#include "sim/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto config = heliograd::sim::ParseConfig({reinterpret_cast<const char*>(data), size}, "gpu.toml");
  if (!config && config.error().problems.empty()) __builtin_trap();
  return 0;
}
