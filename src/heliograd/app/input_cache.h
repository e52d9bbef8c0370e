// Files that a scenario names, read once however many points of a study name them.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/feed/carbon_file.h"
#include "heliograd/feed/weather_file.h"
#include "heliograd/trace/step_series.h"

namespace heliograd {

/// Carbon intensity that comes with the program.
inline constexpr std::string_view kBuiltinCarbon = "builtin:italy-2024";

/// Thread-safe. A file that could not be read is tried again at the next call.
class InputCache {
 public:
  template <typename T>
  using Shared = Result<std::shared_ptr<const T>>;

  Shared<WeatherFile> ReadWeather(const std::string& source, const WeatherOverrides& overrides);
  /// `zone` is the clock of stamps that carry no offset.
  Shared<StepSeries<EnergyPrice>> ReadPrices(const std::string& path, const TimeZone& zone);
  /// A path or kBuiltinCarbon.
  Shared<StepSeries<CarbonIntensity>> ReadCarbon(const std::string& source, CarbonScope scope);

 private:
  template <typename T>
  using Files = std::map<std::string, std::shared_ptr<const T>>;
  template <typename T, typename Read>
  Shared<T> Once(Files<T>& files, const std::string& key, const Read& read);

  std::mutex mutex_;
  Files<WeatherFile> weather_;
  Files<StepSeries<EnergyPrice>> prices_;
  Files<StepSeries<CarbonIntensity>> carbon_;
};

}  // namespace heliograd
