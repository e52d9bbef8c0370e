// heliograd's PV model as a contender: a year of 8760 hours, PVWatts V8, Turin, the study's system of 1 kW.
//
//   pv_bench --case FILE   writes the weather and the system as JSON, for peers to read
//   pv_bench               answers requests (contender.h); a request is how often to simulate the year
#include <fmt/format.h>

#include <iostream>

#include "bench/contender.h"
#include "heliograd/base/text.h"
#include "heliograd/feed/weather_file.h"
#include "heliograd/model/pvwatts.h"

namespace heliograd::bench {
namespace {

using nlohmann::json;

constexpr long kMostYears = 100000;

json CaseJson(const WeatherYear& weather, const PvSystem& system) {
  json hours = json::array();
  for (const WeatherHour& hour : weather.hours) {
    hours.push_back({{"year", hour.source_year},
                     {"month", hour.month},
                     {"day", hour.day},
                     {"hour", hour.hour},
                     {"ghi_w_m2", hour.ghi_w_m2},
                     {"dni_w_m2", hour.dni_w_m2},
                     {"dhi_w_m2", hour.dhi_w_m2},
                     {"ambient_c", hour.ambient_c},
                     {"wind_m_s", hour.wind_m_s},
                     {"pressure_hpa", hour.pressure_hpa}});
  }
  return {{"latitude_deg", weather.latitude_deg},
          {"longitude_deg", weather.longitude_deg},
          {"elevation_m", weather.elevation_m},
          {"utc_offset_h", static_cast<double>(weather.utc_offset.count()) / 3600},
          {"instant_offset_h", weather.instant_offset_h},
          {"dc_capacity_w", InWatts(system.dc_capacity)},
          {"tilt_deg", system.tilt_deg},
          {"azimuth_deg", system.azimuth_deg},
          {"losses_percent", system.losses_percent},
          {"dc_ac_ratio", system.dc_ac_ratio},
          {"inverter_efficiency", system.inverter_efficiency},
          {"hours", hours}};
}

Result<json> SimulateYears(const WeatherYear& weather, const PvSystem& system, const std::string& request) {
  const auto years = ParseInteger(request);
  if (!years || *years < 1 || *years > kMostYears) {
    return Fail(
        fmt::format("request {}: expected how often to simulate the year, 1 to {}", Quoted(request), kMostYears));
  }
  json times_ms = json::array(), cpu_times_ms = json::array();
  Energy annual;
  for (long i = 0; i < *years; ++i) {
    const Stopwatch watch;
    annual = SimulatePvYear(weather, system).AnnualAc();
    times_ms.push_back(watch.ElapsedMs());
    cpu_times_ms.push_back(watch.ElapsedCpuMs());
  }
  return json{{"times_ms", times_ms}, {"cpu_times_ms", cpu_times_ms}, {"ac_annual_kwh", InKilowattHours(annual)}};
}

int Main(const std::vector<std::string>& arguments) {
  const bool write = arguments.size() == 2 && arguments[0] == "--case";
  if (!write && !arguments.empty()) {
    std::cerr << "usage: pv_bench [--case FILE]\n";
    return 2;
  }
  const auto file = ReadWeather("builtin:turin", {});
  if (!file) return Complain(file.error());
  const PvSystem system;
  if (write) return WriteJson(arguments[1], CaseJson(file->weather, system));
  return AnswerRequests("heliograd",
                        [&](const std::string& request) { return SimulateYears(file->weather, system, request); });
}

}  // namespace
}  // namespace heliograd::bench

int main(int argc, char** argv) { return heliograd::bench::Main({argv + 1, argv + argc}); }
