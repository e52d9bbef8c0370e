#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "heliograd/control/limitd_protocol.h"

namespace {

using namespace heliograd::limitd;

/// What is accepted is written back as the very same line: there is one way to say each thing.
void Expect(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  if (const auto request = ParseRequest(line)) {
    Expect(WriteRequest(*request) == std::string(line) + "\n");
    Expect(request->limit_mw >= 0 && request->limit_mw <= kHighestLimitMw);
  }
  if (const auto gpu = ParseGpuLine(line))
    Expect(ParseGpuLine(WriteGpuLine(*gpu).substr(0, WriteGpuLine(*gpu).size() - 1)).has_value());
  if (const auto lease = ParseLeaseLine(line)) Expect(WriteLeaseLine(*lease).size() <= kLongestFrame);
  const auto reply = ParseReply({std::string(line)});
  Expect(reply.has_value() || !reply.error().problems.empty());
  return 0;
}
