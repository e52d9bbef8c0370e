#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "heliograd/plan/slot_choice.h"

// Whatever is understood is a slot of the plan.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace heliograd;
  static const TimeZone kZone = *TimeZone::Find("Europe/Rome");
  static const Horizon kHorizon{StampFromUtc({2025, 10, 25, 20}), std::chrono::minutes(15), 4 * 24 * 3};
  const auto slot = ChooseSlot(std::string_view(reinterpret_cast<const char*>(data), size), kHorizon, kZone);
  if (slot && *slot >= static_cast<size_t>(kHorizon.slots)) std::abort();
  return 0;
}
