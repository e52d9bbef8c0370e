// From a scenario's [tariff] to the tariffs that the planner prices slots with.
#pragma once

#include <string>
#include <string_view>

#include "heliograd/app/input_cache.h"
#include "heliograd/app/scenario.h"
#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/feed/tariff.h"

namespace heliograd {

/// What reading the file that a key names gave; an error names the key and where it stands: "my.toml:4: weather.file:
/// tmy.csv: cannot read: ...".
template <typename T>
Result<T> OfKey(const Scenario& scenario, std::string_view key, Result<T> read) {
  if (!read) {
    for (std::string& problem : read.error().problems) {
      problem = scenario.Find(key)->origin + ": " + std::string(key) + ": " + problem;
    }
  }
  return read;
}

/// The error for a key that must be given: where, which, and an example. Without a sentence when the key was given but
/// refused, which has been told.
tl::unexpected<Error> MissingKey(std::string_view key, std::string_view example, const Scenario& scenario);

/// What is bought costs this; `zone` is the clock of bands and of price files with local stamps.
Result<Tariff> ImportTariff(const Scenario& scenario, const TimeZone& zone, InputCache& cache);
/// What is sold earns this.
Result<Tariff> ExportTariff(const Scenario& scenario, const TimeZone& zone, InputCache& cache);

}  // namespace heliograd
