#include "heliograd/app/curve_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "heliograd/base/text.h"

namespace heliograd {
namespace {

constexpr size_t kMostLimits = 1000;

}  // namespace

Result<std::vector<Power>> ParseLimits(const std::string& text, const PowerLimitRange& range) {
  std::vector<Power> limits;
  const auto wrong = [&](const std::string& what) {
    return Fail(fmt::format("--limits {}: {}: expected START:STOP:STEP or a list, in W, within {:.0f} to {:.0f}",
                            Quoted(text), what, InWatts(range.lowest), InWatts(range.highest)),
                ErrorKind::kUsage);
  };
  const std::vector<std::string> parts = SplitCsvLine(text, text.find(':') == std::string::npos ? ',' : ':');
  std::vector<double> numbers;
  for (const std::string& part : parts) {
    const std::optional<double> number = text.empty() ? 0 : ParseNumber(part);
    if (!number) return wrong(Quoted(part) + " is no number");
    numbers.push_back(*number);
  }
  if (text.empty()) {
    numbers = {std::ceil(InWatts(range.lowest) / 10) * 10, InWatts(range.highest), 10};
  }
  if (text.empty() || text.find(':') != std::string::npos) {
    if (numbers.size() != 3 || !(numbers[2] > 0) || !std::isfinite(numbers[1] - numbers[0])) {
      return wrong("is no range");
    }
    if ((numbers[1] - numbers[0]) / numbers[2] > kMostLimits) {
      return wrong(fmt::format("names more than {} limits", kMostLimits));
    }
    for (double watts = numbers[0]; watts <= numbers[1] + 1e-9; watts += numbers[2]) limits.push_back(Watts(watts));
  } else {
    for (const double watts : numbers) limits.push_back(Watts(watts));
  }
  std::sort(limits.begin(), limits.end());
  limits.erase(std::unique(limits.begin(), limits.end()), limits.end());
  if (limits.size() < 3) return wrong("names fewer than three limits");
  if (limits.front() < range.lowest || limits.back() > range.highest) return wrong("is out of range");
  return limits;
}

}  // namespace heliograd
