#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "heliograd/control/lease_record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  const auto record = heliograd::ParseLease(content, "fuzz");
  // What is accepted can put a limit back.
  if (record && (record->uuid.empty() || record->prior_mw <= 0)) std::abort();
  return 0;
}
