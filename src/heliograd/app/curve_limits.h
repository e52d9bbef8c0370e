// The power limits that `heliograd curve --limits` names.
#pragma once

#include <string>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/meter/meter.h"

namespace heliograd {

/// "100:320:10" or "100,150,200" in watts, within what the device accepts; every 10 W of its range for an empty text.
/// Ascending, at least three, each once. Errors (kUsage): anything else, in one sentence.
Result<std::vector<Power>> ParseLimits(const std::string& text, const PowerLimitRange& range);

}  // namespace heliograd
