// The grid of a study: which keys vary over which values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd {

/// One key of the scenario and the values that it takes, as they would be written on the command line.
struct Variation {
  std::string key;
  std::vector<std::string> values;
};

/// Reads "KEY=a:b:step" (both ends included; times step by minutes "30m", hours "1h" or days "1d") or "KEY=v1,v2,v3".
Result<Variation> ParseVariation(std::string_view text);

/// The assignment "KEY=value" of each variation at a point of the grid; the last variation changes fastest.
std::vector<std::string> AssignmentsAt(const std::vector<Variation>& variations, size_t point);
size_t PointsIn(const std::vector<Variation>& variations);

/// More points than this are refused.
inline constexpr size_t kMostPoints = 10'000'000;

}  // namespace heliograd
