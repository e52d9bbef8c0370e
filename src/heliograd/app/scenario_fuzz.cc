// Any bytes as a scenario file: a scenario or a list of problems, never a crash.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "heliograd/app/scenario.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto scenario = heliograd::Scenario::Parse({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
  // A refusal must say why.
  if (!scenario && scenario.error().problems.empty()) std::abort();
  return 0;
}
