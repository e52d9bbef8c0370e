#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "heliograd/plan/plan_json.h"

// Whatever is read without an error must be written and read again as the same text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = heliograd::PlanFromJson(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz.json");
  if (!file) return 0;
  const std::string text = heliograd::PlanToJson(file->problem, file->plan, file->zone, file->labels);
  const auto again = heliograd::PlanFromJson(text, "again.json");
  if (!again || heliograd::PlanToJson(again->problem, again->plan, again->zone, again->labels) != text) std::abort();
  return 0;
}
