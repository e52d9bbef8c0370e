// Any bytes as a PV forecast: no crash, and what is read lies in order and in range.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "heliograd/feed/pv_forecast_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  const auto series = heliograd::ParsePvForecast(content, "fuzz.csv", heliograd::TimeZone());
  if (!series) return 0;
  heliograd::Stamp end = series->steps.front().start;
  for (const auto& step : series->steps) {
    if (step.start < end || step.end <= step.start || step.value < heliograd::Power()) std::abort();
    end = step.end;
  }
  return 0;
}
