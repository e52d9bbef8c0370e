// Files that a scenario names, read once however many points of a study name them, and what is computed from them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/feed/carbon_file.h"
#include "heliograd/feed/weather_file.h"
#include "heliograd/trace/step_series.h"
#include "heliograd/trace/typical_year.h"

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
  /// The same as a year that stands for others.
  Shared<CarbonYear> ReadCarbonYear(const std::string& source, CarbonScope scope);
  Shared<std::vector<Power>> ReadPvHours(const std::string& path);
  /// What `simulate` gives, once for each key: all that the answer depends on. The first kMostPvYears are kept.
  std::shared_ptr<const PvYearSeries> PvYear(const std::string& key, const std::function<PvYearSeries()>& simulate);
  /// Years that are kept: 70 kB each.
  static constexpr size_t kMostPvYears = 1024;

 private:
  template <typename T>
  using Files = std::map<std::string, std::shared_ptr<const T>>;
  template <typename T, typename Read>
  Shared<T> Once(Files<T>& files, const std::string& key, const Read& read);

  std::mutex mutex_;
  Files<WeatherFile> weather_;
  Files<StepSeries<EnergyPrice>> prices_;
  Files<StepSeries<CarbonIntensity>> carbon_;
  Files<CarbonYear> carbon_years_;
  Files<std::vector<Power>> pv_hours_;
  Files<PvYearSeries> pv_years_;
};

}  // namespace heliograd
