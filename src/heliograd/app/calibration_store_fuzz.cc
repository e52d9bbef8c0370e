#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "heliograd/app/calibration_store.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  const auto calibration = heliograd::ParseCalibration(content, "fuzz");
  if (!calibration) return 0;
  // What is accepted can be used, and comes back the same.
  const heliograd::SensorTiming& timing = calibration->power.timing;
  if (calibration->device.uuid.empty() || !(timing.period_s > 0) || !(timing.window_s > 0)) std::abort();
  if (!heliograd::ParseCalibration(heliograd::WriteCalibration(*calibration), "again")) std::abort();
  return 0;
}
