#include "heliograd/trace/mean_in_force.h"

#include <algorithm>

namespace heliograd {

std::optional<double> MeanInForce(const std::vector<Sample>& samples, int64_t begin_ns, int64_t end_ns) {
  double sum = 0, length = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const int64_t from = std::max(begin_ns, i == 0 ? begin_ns : samples[i].first_ns);
    const int64_t to = std::min(end_ns, i + 1 < samples.size() ? samples[i + 1].first_ns : end_ns);
    if (to <= from) continue;
    sum += static_cast<double>(samples[i].value) * static_cast<double>(to - from);
    length += static_cast<double>(to - from);
  }
  return length > 0 ? std::optional(sum / length) : std::nullopt;
}

}  // namespace heliograd
