// A price or an intensity over real time, as published: steps of any length, with gaps.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/base/time.h"

namespace heliograd {

/// One published value over [start, end), UTC.
template <typename Q>
struct Step {
  Stamp start;
  Stamp end;
  Q value;
};

/// Steps in ascending order that do not overlap; gaps are allowed and mean "not known".
template <typename Q>
struct StepSeries {
  std::string source;  // file name, for error messages
  std::vector<Step<Q>> steps;
};

/// Time-weighted mean over each slot. An error names the first stretch of the horizon that the series does not cover: a
/// missing value is never read as zero. `clock` is the one that the error's times are told on.
template <typename Q>
Result<std::vector<Q>> MeanPerSlot(const StepSeries<Q>& series, const Horizon& horizon,
                                   const TimeZone& clock = TimeZone());

extern template Result<std::vector<Power>> MeanPerSlot(const StepSeries<Power>&, const Horizon&, const TimeZone&);
extern template Result<std::vector<EnergyPrice>> MeanPerSlot(const StepSeries<EnergyPrice>&, const Horizon&,
                                                             const TimeZone&);
extern template Result<std::vector<CarbonIntensity>> MeanPerSlot(const StepSeries<CarbonIntensity>&, const Horizon&,
                                                                 const TimeZone&);

}  // namespace heliograd
