// From a scenario's [tariff] to the tariffs that the planner prices slots with.
#pragma once

#include <string_view>

#include "heliograd/app/input_cache.h"
#include "heliograd/app/scenario.h"
#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/feed/tariff.h"

namespace heliograd {

/// The error for a key that must be given: where, which, and an example.
tl::unexpected<Error> MissingKey(std::string_view key, std::string_view example, const Scenario& scenario);

/// What is bought costs this; `zone` is the clock of bands and of price files with local stamps.
Result<Tariff> ImportTariff(const Scenario& scenario, const TimeZone& zone, InputCache& cache);
/// What is sold earns this.
Result<Tariff> ExportTariff(const Scenario& scenario, const TimeZone& zone, InputCache& cache);

}  // namespace heliograd
