// Durations as people write them.
#pragma once

#include <string>
#include <string_view>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"

namespace heliograd {

/// "90", "60s", "1.5 min", "2h", "250 ms", "3d": a positive number and a unit, seconds without one. `flag` stands in
/// the message.
Result<Duration> ParseDuration(std::string_view text, const std::string& flag);

}  // namespace heliograd
