// Which limits a sweep measures next when it goes from coarse to fine.
//
// Enters: the limits that may be measured, and what a sweep found so far. Leaves: the limits of the next round. The
// energy of a unit of work falls to one least value and rises from there, so the least one of the fine grid lies
// between the neighbours of the least one of a coarse grid. Pure functions.
#pragma once

#include <span>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/model/limit_sweep.h"

namespace heliograd {

/// About so many limits from the lowest to the highest, each by the same factor above the one before, for power is
/// about a straight line over their logarithms; to 5 W, and the standard one among them. Fewer where the range is
/// narrow. Precondition: 0 < lowest <= standard <= highest, `count` at least 3.
std::vector<Power> SpreadLimits(Power lowest, Power highest, Power standard, size_t count);

/// Every so many-th limit, about 8 of them, the first and the last among them. Fewer than 9 come back as they are.
/// Precondition: ascending.
std::vector<Power> CoarseLimits(std::span<const Power> limits);

/// The limits within the interval of the knee and up to the next measured limit on either side, at least 3 where there
/// are as many. Precondition: `limits` ascending, `found` from limits among them.
std::vector<Power> LimitsAroundKnee(std::span<const Power> limits, const SweepResult& found);

/// The interval of a least value, as wide as what was measured warrants: half a step is too narrow where a limit next
/// to the candidates was left out, for the least of `limits` may lie as far as the next measured one. Where none was
/// left out it comes back as it is. Precondition: as above; `least` is `found.least_energy` or
/// `found.least_energy_time`.
SweepLimit Framed(std::span<const Power> limits, const SweepResult& found, SweepLimit least);

}  // namespace heliograd
