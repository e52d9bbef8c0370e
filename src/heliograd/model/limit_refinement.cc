#include "heliograd/model/limit_refinement.h"

#include <algorithm>

namespace heliograd {
namespace {

constexpr size_t kCoarseSteps = 7;

}  // namespace

std::vector<Power> CoarseLimits(std::span<const Power> limits) {
  if (limits.size() <= kCoarseSteps + 1) return {limits.begin(), limits.end()};
  const size_t stride = std::max<size_t>(2, limits.size() / kCoarseSteps);
  std::vector<Power> coarse;
  for (size_t i = 0; i < limits.size(); i += stride) coarse.push_back(limits[i]);
  if (coarse.back() != limits.back()) coarse.push_back(limits.back());
  return coarse;
}

std::vector<Power> LimitsAroundKnee(std::span<const Power> limits, const SweepResult& found) {
  Power from = limits.front(), to = limits.back();
  for (const SweepLevel& level : found.levels) {
    if (level.limit <= found.least_energy.low) from = std::max(from, level.limit);
  }
  for (auto level = found.levels.rbegin(); level != found.levels.rend(); ++level) {
    if (level->limit >= found.least_energy.high) to = std::min(to, level->limit);
  }
  auto first = std::lower_bound(limits.begin(), limits.end(), from);
  auto last = std::upper_bound(limits.begin(), limits.end(), to);
  while (last - first < 3 && (first != limits.begin() || last != limits.end())) {
    if (first != limits.begin()) --first;
    if (last - first < 3 && last != limits.end()) ++last;
  }
  return {first, last};
}

SweepLimit Framed(std::span<const Power> limits, const SweepResult& found, SweepLimit least) {
  const auto& levels = found.levels;
  const auto left_out = [&](Power above, Power below) {
    const auto next = std::upper_bound(limits.begin(), limits.end(), above);
    return next != limits.end() && *next < below;
  };
  for (size_t i = 1; i < levels.size(); ++i) {
    const Power below = levels[i - 1].limit, above = levels[i].limit;
    // An end of the interval lies in at most one step on its side, halfway between a candidate and its neighbour.
    const bool holds_low = below < least.low && least.low < above;
    const bool holds_high = below < least.high && least.high < above;
    if ((!holds_low && !holds_high) || !left_out(below, above)) continue;
    if (holds_low) least.low = below;
    if (holds_high) least.high = above;
  }
  return least;
}

}  // namespace heliograd
