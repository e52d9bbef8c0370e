// A quantity for each hour of a typical year, looked up by a place's own standard time.
#pragma once

#include <chrono>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/time.h"

namespace heliograd {

/// PV power at each of the 8760 hours of a typical year: entry 0 is the mean over 1 January 00:00..01:00 local standard
/// time of the place.
struct PvYearSeries {
  std::vector<Power> hourly;
  std::chrono::seconds utc_offset{0};  // local standard time minus UTC
};

/// The energy that the PV system makes in each slot of the horizon. Real dates are matched to the typical year by
/// month, day and hour of local standard time; 29 February reads 28 February. A slot within an hour takes its share of
/// it.
std::vector<Energy> PvEnergyPerSlot(const PvYearSeries& year, const Horizon& horizon);

}  // namespace heliograd
