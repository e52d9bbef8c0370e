#include <cstddef>
#include <cstdint>
#include <string_view>

#include "heliograd/feed/price_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  const auto zone = heliograd::TimeZone::Find("Europe/Rome");
  static_cast<void>(heliograd::ParsePriceSeries(content, "fuzz.csv", zone.value_or(heliograd::TimeZone())));
  return 0;
}
