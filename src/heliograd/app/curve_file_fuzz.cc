// Any bytes as a curve file: levels that a plan can use, or a list of problems, never a crash.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "heliograd/app/curve_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto curve = heliograd::ParseCurve({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
  if (!curve) {
    if (curve.error().problems.empty()) std::abort();
    return 0;
  }
  for (const heliograd::Level& level : curve->levels) {
    if (!(level.limit > heliograd::Power()) || !(level.draw > heliograd::Power()) ||
        !(level.job_time > heliograd::Duration())) {
      std::abort();
    }
  }
  return 0;
}
