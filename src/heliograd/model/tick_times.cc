#include "heliograd/model/tick_times.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/model/statistics.h"

namespace heliograd {
namespace {

constexpr size_t kFewestChanges = 10;
constexpr double kSegmentS = 120;

struct Line {
  double start_s = 0;
  double period_s = 0;
  double At(double number) const { return start_s + period_s * number; }
};

/// A median gap is known to a poll only; the mean of the gaps of one period is known far better.
double Period(std::span<const PolledValue> changes) {
  std::vector<double> gaps;
  for (size_t i = 1; i < changes.size(); ++i) gaps.push_back(changes[i].time_s - changes[i - 1].time_s);
  const double median = Median(gaps);
  double sum = 0;
  size_t count = 0;
  for (double gap : gaps) {
    if (std::abs(gap - median) > 0.25 * median) continue;
    sum += gap;
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : median;
}

/// Numbers the changes by whole periods since the change before. A change within half a period of the last is a glitch
/// of the readings, not an update.
std::vector<SensorTick> Number(std::span<const PolledValue> changes, double period_s) {
  std::vector<SensorTick> ticks = {{changes[0].time_s, changes[0].value, 0}};
  for (const PolledValue& change : changes.subspan(1)) {
    const long steps = std::lround((change.time_s - ticks.back().time_s) / period_s);
    if (steps >= 1) ticks.push_back({change.time_s, change.value, ticks.back().number + steps});
  }
  return ticks;
}

Line LeastSquares(std::span<const SensorTick> ticks, const std::vector<bool>& kept) {
  double n = 0, mean_k = 0, mean_t = 0;
  for (size_t i = 0; i < ticks.size(); ++i) {
    if (!kept[i]) continue;
    n += 1;
    mean_k += static_cast<double>(ticks[i].number - ticks[0].number);
    mean_t += ticks[i].time_s - ticks[0].time_s;
  }
  mean_k /= n;
  mean_t /= n;
  double kk = 0, kt = 0;
  for (size_t i = 0; i < ticks.size(); ++i) {
    if (!kept[i]) continue;
    const double k = static_cast<double>(ticks[i].number - ticks[0].number) - mean_k;
    kk += k * k;
    kt += k * (ticks[i].time_s - ticks[0].time_s - mean_t);
  }
  const double slope = kt / kk;
  return {ticks[0].time_s + mean_t - slope * (mean_k + static_cast<double>(ticks[0].number)), slope};
}

/// Fits, drops what lies beyond four robust standard deviations and never less than 1.5 polls, and fits again.
Line RobustLine(std::span<const SensorTick> ticks, double poll_period_s, std::vector<bool>& kept) {
  kept.assign(ticks.size(), true);
  Line line = LeastSquares(ticks, kept);
  for (int pass = 0; pass < 4; ++pass) {
    std::vector<double> residuals, sizes;
    for (const SensorTick& tick : ticks) residuals.push_back(tick.time_s - line.At(static_cast<double>(tick.number)));
    const double middle = Median(residuals);
    for (double residual : residuals) sizes.push_back(std::abs(residual - middle));
    const double limit = std::max(4 * 1.4826 * Median(sizes), 1.5 * poll_period_s);
    for (size_t i = 0; i < ticks.size(); ++i) kept[i] = sizes[i] <= limit;
    if (std::count(kept.begin(), kept.end(), true) < 3) kept.assign(ticks.size(), true);
    line = LeastSquares(ticks, kept);
  }
  return line;
}

}  // namespace

double TickTimes::StepSd() const { return std::hypot(1.5 * residual_s, shift_sd_s); }

Result<TickTimes> FitTickTimes(std::span<const PolledValue> changes, double poll_period_s) {
  if (changes.size() < kFewestChanges) {
    return Fail(
        fmt::format("the sensor's value changed only {} times: expected at least {}; measure longer or put a load "
                    "on the device",
                    changes.size(), kFewestChanges));
  }
  const double period_s = Period(changes);
  if (!(period_s >= 3 * poll_period_s)) {
    return Fail(
        fmt::format("the sensor updates every {:.3g} ms but was polled every {:.3g} ms: poll at least three times "
                    "per update",
                    1e3 * period_s, 1e3 * poll_period_s));
  }
  const std::vector<SensorTick> seen = Number(changes, period_s);
  if (seen.size() < kFewestChanges) {
    return Fail(
        fmt::format("the sensor's value changes at no steady pace: only {} of {} changes follow the median of {:.3g} "
                    "ms",
                    seen.size(), changes.size(), 1e3 * period_s));
  }

  TickTimes fit;
  const double length_s = seen.back().time_s - seen.front().time_s;
  const auto segments = static_cast<size_t>(
      std::clamp(std::round(length_s / kSegmentS), 1.0, static_cast<double>(seen.size() / kFewestChanges)));
  double squares = 0, freedom = 0;
  for (size_t s = 0; s < segments; ++s) {
    const size_t from = seen.size() * s / segments, to = seen.size() * (s + 1) / segments;
    const std::span<const SensorTick> part(seen.data() + from, to - from);
    std::vector<bool> kept;
    const Line line = RobustLine(part, poll_period_s, kept);
    freedom -= 2;
    for (size_t i = 0; i < part.size(); ++i) {
      if (!kept[i]) continue;
      const double on_line_s = line.At(static_cast<double>(part[i].number));
      squares += (part[i].time_s - on_line_s) * (part[i].time_s - on_line_s);
      freedom += 1;
      fit.ticks.push_back({on_line_s - poll_period_s / 2, part[i].value, part[i].number});
    }
  }
  fit.left_out = changes.size() - fit.ticks.size();
  fit.period_s = (fit.ticks.back().time_s - fit.ticks.front().time_s) /
                 static_cast<double>(fit.ticks.back().number - fit.ticks.front().number);
  const double poll_sd_s = poll_period_s / std::sqrt(12.0);
  const double scatter_s = std::sqrt(squares / std::max(1.0, freedom));
  fit.residual_s = std::sqrt(std::max(0.0, scatter_s * scatter_s - poll_sd_s * poll_sd_s));
  const bool in_step = scatter_s < 0.7 * poll_sd_s;
  fit.shift_sd_s = in_step ? poll_sd_s : scatter_s / std::sqrt(static_cast<double>(fit.ticks.size()));
  return fit;
}

std::vector<SensorTick> PowerOfCounter(std::span<const SensorTick> counter) {
  std::vector<SensorTick> power;
  for (size_t i = 1; i < counter.size(); ++i) {
    const double distance_s = counter[i].time_s - counter[i - 1].time_s;
    const double mean_w = (counter[i].value - counter[i - 1].value) / distance_s;
    // A counter that stands still between two ticks is seen once, so the mean holds for each period between.
    const long steps = counter[i].number - counter[i - 1].number;
    for (long step = 1; step <= steps; ++step) {
      const double share = static_cast<double>(step) / static_cast<double>(steps);
      power.push_back({counter[i - 1].time_s + share * distance_s, mean_w, counter[i - 1].number + step});
    }
  }
  return power;
}

}  // namespace heliograd
