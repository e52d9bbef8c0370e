// The compact layout: any bytes give a year or an error, never a crash.
#include <cstddef>
#include <cstdint>

#include "heliograd/feed/weather_formats.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  heliograd::ParseCompact(content, "fuzz.csv", {.utc_offset_hours = 1});
  return 0;
}
