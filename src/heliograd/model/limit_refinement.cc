#include "heliograd/model/limit_refinement.h"

#include <algorithm>
#include <cmath>

namespace heliograd {
namespace {

constexpr size_t kCoarseSteps = 7;
constexpr double kRoundLimitW = 5;

}  // namespace

std::vector<Power> SpreadLimits(Power lowest, Power highest, Power standard, size_t count) {
  std::vector<Power> limits = {lowest, highest};
  for (size_t i = 1; i + 1 < count; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(count - 1);
    const double exact_w = InWatts(lowest) * std::pow(highest / lowest, part);
    limits.push_back(std::clamp(Watts(std::round(exact_w / kRoundLimitW) * kRoundLimitW), lowest, highest));
  }
  std::sort(limits.begin(), limits.end());
  limits.erase(std::unique(limits.begin(), limits.end()), limits.end());
  if (std::find(limits.begin(), limits.end(), standard) != limits.end()) return limits;
  // It takes the place of the nearest of the inner ones.
  const auto above = std::upper_bound(limits.begin(), limits.end(), standard);
  const bool nearer_below = standard - *(above - 1) <= *above - standard;
  const auto nearest = nearer_below ? above - 1 : above;
  if (nearest != limits.begin() && nearest != limits.end() - 1) {
    *nearest = standard;
  } else {
    limits.insert(above, standard);
  }
  return limits;
}

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
