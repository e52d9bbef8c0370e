#include "heliograd/app/tariff_inputs.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace heliograd {
namespace {

Result<Tariff> PriceFile(const Scenario& scenario, std::string_view key, const TimeZone& zone, InputCache& cache) {
  return OfKey(scenario, key, cache.ReadPrices(scenario.PathOf(key), zone)).map([](const auto& series) {
    return Tariff(*series);
  });
}

Result<Tariff> BandsOf(const Scenario& scenario, const TimeZone& zone) {
  if (scenario.IsRefused("tariff.bands")) return Fail(std::vector<std::string>());
  if (scenario.bands().empty()) {
    return Fail(
        fmt::format("{}: but there is no [[tariff.bands]]: write each band with days, from_hour, to_hour and "
                    "price_eur_per_kwh.",
                    scenario.Cite("tariff.import")));
  }
  std::vector<Band> bands;
  for (const BandRow& row : scenario.bands()) {
    bands.push_back({row.days, row.from_hour, row.to_hour, EurosPerKilowattHour(row.price_eur_per_kwh)});
  }
  const bool italy = scenario.TextOf("tariff.holidays") == "italy";
  auto tariff = MakeBandTariff(bands, zone, italy ? HolidayCalendar::kItaly : HolidayCalendar::kNone);
  if (tariff) return Tariff(std::move(*tariff));
  Error error = tariff.error();
  for (std::string& problem : error.problems)
    problem = fmt::format("{}: [[tariff.bands]]: {}", scenario.source(), problem);
  return Fail(std::move(error));
}

}  // namespace

tl::unexpected<Error> MissingKey(std::string_view key, std::string_view example, const Scenario& scenario) {
  if (scenario.IsRefused(key)) return Fail(std::vector<std::string>());
  return Fail(fmt::format("{}: {} is not given: set it in the file ({}) or with --set {}=...", scenario.source(), key,
                          example, key));
}

Result<Tariff> ImportTariff(const Scenario& scenario, const TimeZone& zone, InputCache& cache) {
  if (!scenario.Has("tariff.import")) return MissingKey("tariff.import", "import = \"builtin:arera\"", scenario);
  const auto price = [&](std::string_view key) { return EurosPerKilowattHour(scenario.NumberOf(key)); };
  const std::string kind = scenario.TextOf("tariff.import");
  if (kind == "builtin:paper") {
    return Tariff(PaperBands(price("tariff.f1_eur_per_kwh"), price("tariff.f2_eur_per_kwh"),
                             price("tariff.f3_eur_per_kwh"), zone));
  }
  if (kind == "builtin:arera") {
    return AreraBands(price("tariff.f1_eur_per_kwh"), price("tariff.f2_eur_per_kwh"), price("tariff.f3_eur_per_kwh"))
        .map([](BandTariff tariff) { return Tariff(std::move(tariff)); });
  }
  if (kind == "bands") return BandsOf(scenario, zone);
  if (kind == "fixed") {
    if (!scenario.Has("tariff.import_price_eur_per_kwh")) {
      return MissingKey("tariff.import_price_eur_per_kwh", "import_price_eur_per_kwh = 0.30", scenario);
    }
    return Tariff(price("tariff.import_price_eur_per_kwh"));
  }
  if (kind.rfind("builtin:", 0) == 0) {
    return Fail(fmt::format("{}: expected builtin:paper, builtin:arera, bands, fixed, or a CSV file of prices.",
                            scenario.Cite("tariff.import")),
                scenario.BlameFor("tariff.import"));
  }
  return PriceFile(scenario, "tariff.import", zone, cache);
}

Result<Tariff> ExportTariff(const Scenario& scenario, const TimeZone& zone, InputCache& cache) {
  if (scenario.Has("tariff.export")) return PriceFile(scenario, "tariff.export", zone, cache);
  return Tariff(EurosPerKilowattHour(scenario.NumberOf("tariff.export_price_eur_per_kwh")));
}

}  // namespace heliograd
