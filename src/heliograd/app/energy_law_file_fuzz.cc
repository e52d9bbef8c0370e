// Any bytes as a file of the energy law: points that a fit can use and that are written and read again alike, or a list
// of problems.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "heliograd/app/energy_law_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace heliograd;
  const auto file = ParseEnergyLaw({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
  if (!file) {
    if (file.error().problems.empty()) std::abort();
    return 0;
  }
  for (const LawPoint& point : file->points) {
    if (!(point.macs > 0) || !(point.energy > Energy())) std::abort();
    if (point.low && !(*point.low <= point.energy && point.energy <= *point.high)) std::abort();
  }
  if (const auto law = FitEnergyLaw(file->points, LawTerms::kMacs, Scatter::kConstant)) {
    if (law->points.size() != file->points.size()) std::abort();
    (void)PredictLaw(*law, 1e9, {});
  }
  return 0;
}
