#include "heliograd/app/input_cache.h"

#include <fmt/format.h>

#include <utility>

#include "heliograd/base/file.h"
#include "heliograd/feed/carbon_builtin.h"
#include "heliograd/feed/price_file.h"
#include "heliograd/feed/pv_series_file.h"

namespace heliograd {

template <typename T, typename Read>
InputCache::Shared<T> InputCache::Once(Files<T>& files, const std::string& key, const Read& read) {
  const std::lock_guard lock(mutex_);
  if (const auto known = files.find(key); known != files.end()) return known->second;
  Result<T> content = read();
  if (!content) return Fail(content.error());
  return files[key] = std::make_shared<const T>(std::move(*content));
}

InputCache::Shared<WeatherFile> InputCache::ReadWeather(const std::string& source, const WeatherOverrides& overrides) {
  const auto text = [](const std::optional<double>& value) { return value ? fmt::format("{}", *value) : "-"; };
  const std::string key =
      fmt::format("{}|{}|{}|{}|{}", source, text(overrides.utc_offset_hours), text(overrides.latitude_deg),
                  text(overrides.longitude_deg), text(overrides.elevation_m));
  return Once(weather_, key, [&] { return heliograd::ReadWeather(source, overrides); });
}

InputCache::Shared<StepSeries<EnergyPrice>> InputCache::ReadPrices(const std::string& path, const TimeZone& zone) {
  return Once(prices_, path + "|" + zone.name(), [&] {
    return ReadFile(path).and_then([&](const std::string& content) { return ParsePriceSeries(content, path, zone); });
  });
}

InputCache::Shared<StepSeries<CarbonIntensity>> InputCache::ReadCarbon(const std::string& source, CarbonScope scope) {
  const std::string key = source + (scope == CarbonScope::kDirect ? "|direct" : "|lifecycle");
  return Once(carbon_, key, [&]() -> Result<StepSeries<CarbonIntensity>> {
    if (source == kBuiltinCarbon) return ParseCarbonSeries(BuiltinItalyCarbon(), source, scope);
    return ReadFile(source).and_then([&](const std::string& text) { return ParseCarbonSeries(text, source, scope); });
  });
}

InputCache::Shared<CarbonYear> InputCache::ReadCarbonYear(const std::string& source, CarbonScope scope) {
  const auto series = ReadCarbon(source, scope);
  if (!series) return Fail(series.error());
  return Once(carbon_years_, source + (scope == CarbonScope::kDirect ? "|direct" : "|lifecycle"),
              [&] { return CarbonYearOf(**series); });
}

InputCache::Shared<std::vector<Power>> InputCache::ReadPvHours(const std::string& path) {
  return Once(pv_hours_, path, [&] {
    return ReadFile(path).and_then([&](const std::string& content) { return ParsePvSeries(content, path); });
  });
}

std::shared_ptr<const PvYearSeries> InputCache::PvYear(const std::string& key,
                                                       const std::function<PvYearSeries()>& simulate) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = pv_years_.find(key); known != pv_years_.end()) return known->second;
  }
  auto year = std::make_shared<const PvYearSeries>(simulate());  // not under the lock: it takes a millisecond
  const std::lock_guard lock(mutex_);
  if (pv_years_.size() < kMostPvYears) pv_years_.emplace(key, year);
  return year;
}

}  // namespace heliograd
