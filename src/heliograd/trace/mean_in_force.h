// The mean over time of a quantity that holds its value until the next sample, such as a clock or a temperature.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "heliograd/trace/samples.h"

namespace heliograd {

/// The mean of what was in force from `begin_ns` to `end_ns`: a value holds until the next one. Nothing without any.
std::optional<double> MeanInForce(const std::vector<Sample>& samples, int64_t begin_ns, int64_t end_ns);

}  // namespace heliograd
