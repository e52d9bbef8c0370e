// Any text as a moment: no crash; what is read is no more than ten years from the reference, or a stamp of its own.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "heliograd/app/moment_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace heliograd;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const auto zone = TimeZone::Find("Europe/Rome");
  const Stamp reference = StampFromUtc({2025, 3, 29, 21, 0, 0});
  const auto moment = ParseMoment(text, *zone, reference);
  if (!moment && moment.error().problems.empty()) std::abort();
  if (moment && !ParseStamp(text, *zone)) {
    const auto away = *moment - reference;
    if (away > std::chrono::hours(24 * 3670) || away < -std::chrono::hours(25)) std::abort();
  }
  return 0;
}
