// Samples as bytes: differences as variable-length integers. A sample of a steady sensor takes 6 to 9 bytes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/trace/samples.h"

namespace heliograd {

/// The samples, in order of time, as bytes. Stamps are kept to the microsecond: polls are not placed more exactly.
std::string EncodeSamples(std::span<const Sample> samples);
/// The samples back; an error when the bytes are cut short or hold anything else. Memory stays within a small multiple
/// of the bytes.
Result<std::vector<Sample>> DecodeSamples(std::string_view bytes);

}  // namespace heliograd
