#include "heliograd/app/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "heliograd/app/curve_file.h"
#include "heliograd/app/moment_text.h"
#include "heliograd/app/problems.h"
#include "heliograd/app/tariff_inputs.h"
#include "heliograd/base/clock.h"
#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/feed/carbon_file.h"
#include "heliograd/model/clear_sky.h"

namespace heliograd {
namespace {

Result<TimeZone> FindZone(const Scenario& scenario, std::string_view key) {
  auto zone = TimeZone::Find(scenario.TextOf(key));
  if (zone) return zone;
  return Fail(fmt::format("{}: {}", scenario.Cite(key), zone.error().Message()), scenario.BlameFor(key));
}

Result<std::shared_ptr<const WeatherFile>> WeatherOf(const Scenario& scenario, InputCache& cache) {
  return OfKey(scenario, "weather.file",
               cache.ReadWeather(scenario.PathOf("weather.file"), WeatherOverridesOf(scenario)));
}

/// The site's own zone, else the fixed offset of its weather.
Result<TimeZone> SiteZone(const Scenario& scenario, InputCache& cache) {
  if (scenario.IsGiven("site.timezone")) return FindZone(scenario, "site.timezone");
  return WeatherOf(scenario, cache).map([](const auto& file) { return TimeZone::Fixed(file->weather.utc_offset); });
}

CarbonScope ScopeOf(const Scenario& scenario) {
  return scenario.TextOf("carbon.scope") == "direct" ? CarbonScope::kDirect : CarbonScope::kLifecycle;
}

Result<std::shared_ptr<const StepSeries<CarbonIntensity>>> CarbonOf(const Scenario& scenario, InputCache& cache) {
  const std::string path = scenario.PathOf("carbon.series");
  if (path.rfind("builtin:", 0) == 0 && path != kBuiltinCarbon) {
    return Fail(fmt::format("{}: expected {} or a CSV file.", scenario.Cite("carbon.series"), kBuiltinCarbon),
                scenario.BlameFor("carbon.series"));
  }
  return OfKey(scenario, "carbon.series", cache.ReadCarbon(path, ScopeOf(scenario)));
}

Horizon HorizonOf(const NodeInputs& inputs) { return {inputs.start, inputs.slot, inputs.slots}; }

std::optional<Power> LimitOf(const Scenario& scenario, std::string_view key) {
  const auto number = scenario.OptionalNumber(key);
  return number ? std::optional(Watts(*number)) : std::nullopt;
}

Result<Battery> BatteryOf(const Scenario& scenario) {
  Battery battery;
  battery.capacity = WattHours(scenario.NumberOf("battery.capacity_wh"));
  battery.charge_efficiency = scenario.NumberOf("battery.charge_efficiency");
  battery.discharge_efficiency = scenario.NumberOf("battery.discharge_efficiency");
  battery.self_discharge_per_hour = scenario.NumberOf("battery.self_discharge_per_hour");
  battery.max_charge = LimitOf(scenario, "battery.max_charge_w");
  battery.max_discharge = LimitOf(scenario, "battery.max_discharge_w");
  battery.initial = WattHours(scenario.NumberOf("battery.initial_wh"));
  battery.final_min = WattHours(scenario.NumberOf("battery.final_wh"));
  battery.terminal_value = EurosPerKilowattHour(scenario.NumberOf("battery.terminal_value_eur_per_kwh"));
  battery.wear_cost = EurosPerKilowattHour(scenario.NumberOf("battery.wear_cost_eur_per_kwh"));
  for (const auto& [key, energy] :
       {std::pair{"battery.initial_wh", battery.initial}, {"battery.final_wh", battery.final_min}}) {
    if (energy > battery.capacity && !scenario.IsRefused("battery.capacity_wh")) {
      return Fail(fmt::format("{}: expected no more than battery.capacity_wh, {:g}.", scenario.Cite(key),
                              InWattHours(battery.capacity)),
                  scenario.BlameFor(key));
    }
  }
  return battery;
}

/// "power limits left out: 290, 300 W (280 W draws less and is no slower); ..." in one note.
std::string DominatedNote(const std::vector<DominatedLevel>& dominated) {
  std::vector<std::string> groups;
  for (size_t first = 0, last = 0; first < dominated.size(); first = last) {
    std::vector<std::string> limits;
    while (last < dominated.size() && dominated[last].by.limit == dominated[first].by.limit) {
      limits.push_back(fmt::format("{:g}", InWatts(dominated[last++].level.limit)));
    }
    groups.push_back(fmt::format("{} W ({:g} W draws less and is no slower)", fmt::join(limits, ", "),
                                 InWatts(dominated[first].by.limit)));
  }
  return fmt::format("power limits left out: {}", fmt::join(groups, "; "));
}

/// Said in the headline and among the notes; an empty one is none.
void AddRemark(const std::string& remark, NodeInputs& inputs) {
  if (remark.empty()) return;
  inputs.remarks.push_back(remark);
  inputs.notes.push_back(remark);
}

/// A GPU keeps its limit to a few percent. Draws far above it are a mistake of units or of counting; empty where all
/// are sensible.
std::string StrangeDrawNote(const std::vector<Level>& levels, const std::string& curve) {
  constexpr double kFar = 1.5;
  const auto strange =
      std::find_if(levels.begin(), levels.end(), [](const Level& level) { return level.draw > kFar * level.limit; });
  if (strange == levels.end()) return "";
  return fmt::format(
      "{}: {:.0f} W drawn at a limit of {:g} W is more than a GPU can: are energy_j_per_unit and "
      "seconds_per_unit of the same unit of work, and of one GPU?",
      curve, InWatts(strange->draw), InWatts(strange->limit));
}

/// Levels of the curve for the whole job, split by the limits that the scenario allows.
Result<void> ReadLevels(const Scenario& scenario, NodeInputs& inputs) {
  if (!scenario.Has("gpu.curve")) return MissingKey("gpu.curve", "curve = \"builtin:paper\"", scenario);
  const auto curve = OfKey(scenario, "gpu.curve", ReadCurve(scenario.PathOf("gpu.curve")));
  if (!curve) return Fail(curve.error());
  const bool units_given = scenario.IsGiven("job.units");
  const double units = !units_given && curve->job_units ? *curve->job_units : scenario.NumberOf("job.units");
  if (units_given && curve->job_units && *curve->job_units != units) {
    AddRemark(
        fmt::format("{}, though the curve is of a job of {:g} units", scenario.Cite("job.units"), *curve->job_units),
        inputs);
  }
  if (!units_given && !curve->job_units && !scenario.PathOf("gpu.curve").starts_with("builtin:")) {
    inputs.remarks.push_back("job.units is not given: the job is one unit of the curve");
  }
  const auto least = LimitOf(scenario, "gpu.min_limit_w"), most = LimitOf(scenario, "gpu.max_limit_w");
  for (Level level : curve->levels) {
    level.job_time *= units;
    const bool allowed = (!least || level.limit >= *least) && (!most || level.limit <= *most);
    (allowed ? inputs.all_levels : inputs.forbidden_levels).push_back(level);
  }
  if (inputs.all_levels.empty()) {
    const char* key = most ? "gpu.max_limit_w" : "gpu.min_limit_w";
    const std::string cited = least && most
                                  ? fmt::format("{} and {}", scenario.Cite("gpu.min_limit_w"), scenario.Cite(key))
                                  : scenario.Cite(key);
    return Fail(fmt::format("{}: no level of the curve is left; it has {:g} to {:g} W.", cited,
                            InWatts(curve->levels.front().limit), InWatts(curve->levels.back().limit)),
                scenario.BlameFor(key));
  }
  PrunedLevels pruned = DropDominated(inputs.all_levels);
  inputs.gpu.levels = pruned.kept;
  inputs.dominated = pruned.dominated;
  inputs.gpu.idle = Watts(scenario.NumberOf("gpu.idle_w"));
  inputs.gpu.host = Watts(scenario.NumberOf("gpu.host_w"));
  if (!inputs.dominated.empty()) inputs.notes.push_back(DominatedNote(inputs.dominated));
  inputs.labels.level_draw = curve->draw_is_assumed ? Origin::kAssumed
                             : curve->modelled      ? Origin::kModelled
                                                    : Origin::kMeasured;
  inputs.labels.curve_gpu = curve->gpu;
  AddRemark(StrangeDrawNote(inputs.all_levels, curve->name), inputs);
  if (curve->draw_is_assumed)
    inputs.notes.push_back("power drawn is assumed equal to the power limit (" + curve->name + ")");
  return {};
}

/// A time of a key. A note is added when the clock shows it twice.
/// `reference` is what "+14h" and "tomorrow" are seen from.
Result<Stamp> StampOf(const Scenario& scenario, std::string_view key, const TimeZone& zone, Stamp reference,
                      std::vector<std::string>& notes) {
  const std::string text = scenario.TextOf(key);
  auto stamp = ParseMoment(text, zone, reference);
  if (!stamp) {
    return Fail(fmt::format("{}: {}", scenario.Cite(key), stamp.error().Message()), scenario.BlameFor(key));
  }
  const auto civil = ParseCivil(text);  // a stamp with an offset of its own is none
  if (const auto stamps = civil ? zone.ToStamps(*civil) : std::vector<Stamp>(); stamps.size() > 1) {
    const std::string second = FormatLocal(stamps[1], zone);
    notes.push_back(fmt::format(
        "{}: {} occurs twice in {}, when the clock is put back: the first is taken ({}); for the second write \"{}{}\"",
        key, text, zone.name(), FormatLocal(stamps[0], zone), text, second.substr(second.rfind(' ') + 1)));
  }
  return stamp;
}

Result<Stamp> StartOf(const Scenario& scenario, const TimeZone& zone, std::vector<std::string>& notes) {
  if (!scenario.Has("job.start")) return MissingKey("job.start", "start = \"2025-01-01 20:00\"", scenario);
  return StampOf(scenario, "job.start", zone, SystemClock().Now(), notes);
}

Result<double> WorkOf(const Scenario& scenario) {
  const double work = scenario.NumberOf("job.work");
  if (work > 0) return work;
  return Fail(
      fmt::format("{}: there is no work left to plan: expected more than 0 and at most 1.", scenario.Cite("job.work")),
      scenario.BlameFor("job.work"));
}

Result<void> CheckSlotMinutes(int slot_minutes) {
  if (slot_minutes >= 1 && 60 % slot_minutes == 0) return {};
  return Fail(
      fmt::format("--slot-minutes is {}: expected a number that divides 60, such as 60, 30, 15 or 5.", slot_minutes),
      ErrorKind::kUsage);
}

/// Time from start to deadline in seconds, from whichever key says it.
Result<double> HorizonSeconds(const Scenario& scenario, const std::optional<Stamp>& start, NodeInputs& inputs) {
  if (scenario.Has("job.deadline")) {
    const auto deadline =
        StampOf(scenario, "job.deadline", inputs.zone, start.value_or(SystemClock().Now()), inputs.remarks);
    if (!deadline) return Fail(deadline.error());
    if (!start) return Fail(std::vector<std::string>());
    const double seconds = InSeconds(Between(*start, *deadline));
    if (seconds >= 0) return seconds;
    return Fail(
        fmt::format("{}: the deadline is {:g} h before the start ({}): give a later deadline or an earlier start.",
                    scenario.Cite("job.deadline"), -seconds / 3600, scenario.TextOf("job.start")),
        scenario.BlameFor("job.deadline"));
  }
  if (scenario.Has("job.hours")) return scenario.NumberOf("job.hours") * 3600;
  if (scenario.IsRefused("job.hours") || scenario.IsRefused("job.deadline")) return Fail(std::vector<std::string>());
  return Fail(
      fmt::format("{}: neither job.hours nor job.deadline is given: say when the job must be done (--hours N or "
                  "--deadline STAMP).",
                  scenario.source()));
}

/// A year of 5-minute slots. What a plan keeps per slot, above all the worth of stored energy, takes gigabytes then.
constexpr int kMostSlots = 110'000;

/// Start, slot and number of slots.
Result<void> ReadHorizon(const Scenario& scenario, int slot_minutes, NodeInputs& inputs) {
  Problems problems;
  const auto start = problems.Take(StartOf(scenario, inputs.zone, inputs.remarks));
  const auto seconds = problems.Take(HorizonSeconds(scenario, start, inputs));
  const std::string key = scenario.Has("job.deadline") ? "job.deadline" : "job.hours";
  if (seconds && *seconds > 366.0 * 86400) {
    problems.Add(fmt::format("{}: the horizon is longer than a year: expected at most 8784 h.", scenario.Cite(key)),
                 scenario.BlameFor(key));
  }
  const int slots = static_cast<int>(std::min(seconds.value_or(0), 1e9) / (60.0 * slot_minutes) + 1e-9);
  if (seconds && slots == 0) {
    problems.Add(fmt::format("{}: the horizon is empty: from start to deadline there is no whole slot of {} minutes. "
                             "Give a later deadline or shorter slots (--slot-minutes).",
                             scenario.Cite(key), slot_minutes),
                 scenario.BlameFor(key));
  }
  if (slots > kMostSlots && *seconds <= 366.0 * 86400) {
    problems.Add(
        fmt::format("{}: {} slots of {} min: expected at most {}, because a plan's memory grows with them. Take "
                    "longer slots (--slot-minutes) or an earlier deadline.",
                    scenario.Cite(key), slots, slot_minutes, kMostSlots),
        scenario.BlameFor(key));
  }
  if (!problems.empty()) return problems.Fail();
  inputs.start = *start;
  inputs.slot = std::chrono::minutes(slot_minutes);
  inputs.slots = slots;
  const double left_over = *seconds - slots * 60.0 * slot_minutes;
  if (left_over > 1) {
    inputs.remarks.push_back(
        fmt::format("the last {:.0f} minutes {} and are not used", left_over / 60, kUnusedMinutes));
  }
  return {};
}

/// Great-circle distance of two places, kilometres (haversine formula on a sphere of 6371 km).
double DistanceKm(double latitude_a, double longitude_a, double latitude_b, double longitude_b) {
  constexpr double kDegree = std::numbers::pi / 180;
  const double across = std::sin((latitude_b - latitude_a) * kDegree / 2);
  const double along = std::sin((longitude_b - longitude_a) * kDegree / 2);
  const double haversine =
      across * across + std::cos(latitude_a * kDegree) * std::cos(latitude_b * kDegree) * along * along;
  return 2 * 6371 * std::asin(std::sqrt(std::min(haversine, 1.0)));
}

/// A note when the weather was observed far from where the scenario puts the site; empty when it was not.
Result<std::string> FarWeatherNoteOf(const Scenario& scenario, InputCache& cache) {
  if (!scenario.Has("site.latitude") && !scenario.Has("site.longitude")) return std::string();
  const WeatherOverrides zone_only{scenario.OptionalNumber("weather.utc_offset_hours"), {}, {}, {}};
  const auto file = OfKey(scenario, "weather.file", cache.ReadWeather(scenario.PathOf("weather.file"), zone_only));
  if (!file) return Fail(file.error());
  const WeatherYear& own = (*file)->weather;
  return FarWeatherNote(own, scenario.OptionalNumber("site.latitude").value_or(own.latitude_deg),
                        scenario.OptionalNumber("site.longitude").value_or(own.longitude_deg), "set weather.file to");
}

/// Prices and carbon over the horizon: an error names the first stretch that a series does not cover.
void CheckCover(const Scenario& scenario, NodeInputs& inputs, Problems& problems) {
  const Horizon horizon = HorizonOf(inputs);
  const auto check = [&](std::string_view key, auto per_slot) {
    if (scenario.Has(key)) problems.Take(OfKey(scenario, key, std::move(per_slot)));
  };
  check("tariff.import", PricesPerSlot(inputs.import_tariff, horizon, inputs.zone));
  check("tariff.export", PricesPerSlot(inputs.export_tariff, horizon, inputs.zone));
}

/// All that a year of PV depends on. Files of the cache stay where they are, so an address tells them apart.
std::string KeyOf(const WeatherFile& file, const PvSystem& system) {
  return fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", static_cast<const void*>(&file), InWatts(system.dc_capacity),
                     system.tilt_deg, system.azimuth_deg, static_cast<int>(system.mounting),
                     static_cast<int>(system.module), static_cast<int>(system.model), system.losses_percent,
                     system.dc_ac_ratio, system.inverter_efficiency);
}

}  // namespace

PvSystem PvSystemOf(const Scenario& scenario) {
  PvSystem system;
  system.dc_capacity = Watts(scenario.NumberOf("pv.dc_capacity_w"));
  system.tilt_deg = scenario.NumberOf("pv.tilt_deg");
  system.azimuth_deg = scenario.NumberOf("pv.azimuth_deg");
  system.mounting = scenario.TextOf("pv.mounting") == "rack" ? PvMounting::kRack : PvMounting::kRoof;
  const std::string module = scenario.TextOf("pv.module");
  system.module = module == "premium"     ? PvModule::kPremium
                  : module == "thin-film" ? PvModule::kThinFilm
                                          : PvModule::kStandard;
  system.model = scenario.TextOf("pv.model") == "pvwatts-v5" ? PvModel::kPvwattsV5 : PvModel::kPvwattsV8;
  system.losses_percent = scenario.NumberOf("pv.losses_percent");
  system.dc_ac_ratio = scenario.NumberOf("pv.dc_ac_ratio");
  system.inverter_efficiency = scenario.NumberOf("pv.inverter_efficiency");
  return system;
}

std::string FarWeatherNote(const WeatherYear& own, double latitude, double longitude, std::string_view advice) {
  constexpr double kFarKm = 50;  // beyond the cells of weather archives and the reach of a station
  const double distance_km = DistanceKm(latitude, longitude, own.latitude_deg, own.longitude_deg);
  if (distance_km <= kFarKm) return std::string();
  return fmt::format(
      "the weather ({}) is of {:.2f}, {:.2f}, {:.0f} km from the site at {:.2f}, {:.2f}: {} a typical year of the "
      "site, such as PVGIS gives for any place",
      own.source, own.latitude_deg, own.longitude_deg, distance_km, latitude, longitude, advice);
}

WeatherOverrides WeatherOverridesOf(const Scenario& scenario) {
  return {scenario.OptionalNumber("weather.utc_offset_hours"), scenario.OptionalNumber("site.latitude"),
          scenario.OptionalNumber("site.longitude"), scenario.OptionalNumber("site.elevation_m")};
}

Result<std::shared_ptr<const PvYearSeries>> PvYearOf(const Scenario& scenario, InputCache& cache) {
  using Answer = Result<std::shared_ptr<const PvYearSeries>>;
  if (scenario.Has("pv.series")) {
    const std::string path = scenario.PathOf("pv.series");
    const auto hourly = OfKey(scenario, "pv.series", cache.ReadPvHours(path));
    if (!hourly) return Fail(hourly.error());
    const auto zone = SiteZone(scenario, cache);
    if (!zone) return Fail(zone.error());
    // The series is on the site's standard clock; without daylight saving one instant tells it for the whole year.
    const Stamp any_day = StampFromUtc({2025, 1, 15});
    const std::chrono::seconds offset = zone->StandardOffsetAt(any_day);
    return Answer(cache.PvYear(fmt::format("{}|{}", static_cast<const void*>(hourly->get()), offset.count()), [&] {
      return PvYearSeries{**hourly, offset};
    }));
  }
  if (scenario.NumberOf("pv.dc_capacity_w") == 0) return Answer(nullptr);
  const auto file = WeatherOf(scenario, cache);
  if (!file) return Fail(file.error());
  const PvSystem system = PvSystemOf(scenario);
  return Answer(cache.PvYear(KeyOf(**file, system), [&] {
    return PvYearSeries{SimulatePvYear((*file)->weather, system).ac, (*file)->weather.utc_offset};
  }));
}

/// A series that covers the plan's own dates is read there; one of another year stands for a typical year.
Result<void> MatchCarbon(const Scenario& scenario, InputCache& cache, const Horizon& horizon, NodeInputs& inputs) {
  if (!inputs.carbon_series || inputs.carbon_year || CarbonPerSlot(*inputs.carbon_series, horizon)) return {};
  auto year = cache.ReadCarbonYear(scenario.PathOf("carbon.series"), ScopeOf(scenario));
  if (!year) return Fail(year.error());
  inputs.carbon_year = *std::move(year);
  inputs.notes.push_back(inputs.carbon_year->note);
  return {};
}

Result<TimeZone> TariffZone(const Scenario& scenario, const TimeZone& site) {
  if (!scenario.Has("tariff.timezone")) return site;
  return FindZone(scenario, "tariff.timezone");
}

Result<std::shared_ptr<const PvYearSeries>> ClearSkyPvYearOf(const Scenario& scenario, InputCache& cache) {
  using Answer = Result<std::shared_ptr<const PvYearSeries>>;
  if (scenario.Has("pv.series")) {
    return Fail(scenario.Cite("pv.series") +
                    ": a series does not tell what a clear sky gives; that needs the array "
                    "(pv.dc_capacity_w, pv.tilt_deg, pv.azimuth_deg).",
                ErrorKind::kUsage);
  }
  if (scenario.NumberOf("pv.dc_capacity_w") == 0) return Answer(nullptr);
  const auto file = WeatherOf(scenario, cache);
  if (!file) return Fail(file.error());
  const PvSystem system = PvSystemOf(scenario);
  return Answer(cache.PvYear("clear sky|" + KeyOf(**file, system), [&] {
    return PvYearSeries{SimulatePvYear(UnderClearSky((*file)->weather), system).ac, (*file)->weather.utc_offset};
  }));
}

/// A series that never reaches a hundredth of the panel's size; empty where it does.
std::string FaintSeriesNote(const Scenario& scenario, const PvYearSeries* pv) {
  if (pv == nullptr || pv->hourly.empty() || !scenario.Has("pv.series")) return "";
  const double size_w = scenario.NumberOf("pv.dc_capacity_w");
  const Power highest = *std::max_element(pv->hourly.begin(), pv->hourly.end());
  if (highest <= Power() || InWatts(highest) >= size_w / 100) return "";
  return fmt::format(
      "{}: its highest value is {:.3g} W, and the panel has {:g} W (pv.dc_capacity_w): is the series in "
      "kW? W are expected",
      scenario.PathOf("pv.series"), InWatts(highest), size_w);
}

Result<NodeInputs> ReadInputs(const Scenario& scenario, int slot_minutes, InputCache& cache) {
  NodeInputs inputs;
  Problems problems;
  if (auto sound = CheckSlotMinutes(slot_minutes); !sound) return Fail(sound.error());
  const auto zone = problems.Take(SiteZone(scenario, cache));
  inputs.zone = zone.value_or(TimeZone());
  const bool has_horizon = problems.Note(ReadHorizon(scenario, slot_minutes, inputs));
  inputs.notes = inputs.remarks;
  const auto tariff_zone =
      zone || scenario.Has("tariff.timezone") ? problems.Take(TariffZone(scenario, inputs.zone)) : zone;
  // Without its clock a price file cannot be read; bands can be checked all the same.
  if (tariff_zone || scenario.OptionalText("tariff.import") == "bands") {
    if (auto tariff = problems.Take(ImportTariff(scenario, tariff_zone.value_or(TimeZone()), cache)))
      inputs.import_tariff = std::move(*tariff);
  }
  if (tariff_zone) {
    if (auto tariff = problems.Take(ExportTariff(scenario, *tariff_zone, cache)))
      inputs.export_tariff = std::move(*tariff);
  }
  problems.Note(ReadLevels(scenario, inputs));
  if (auto battery = problems.Take(BatteryOf(scenario))) inputs.battery = *battery;
  if (auto pv = problems.Take(PvYearOf(scenario, cache))) inputs.pv = std::move(*pv);
  if (inputs.pv && !scenario.Has("pv.series")) {
    const auto far = problems.Take(FarWeatherNoteOf(scenario, cache));
    if (far && !far->empty()) inputs.notes.push_back(*far);
  }
  AddRemark(FaintSeriesNote(scenario, inputs.pv.get()), inputs);
  if (scenario.Has("pv.series")) inputs.labels.pv = Origin::kAssumed;  // the file does not say how it was made
  if (scenario.Has("carbon.series")) {
    if (auto series = problems.Take(CarbonOf(scenario, cache))) inputs.carbon_series = std::move(*series);
  }
  if (const auto work = problems.Take(WorkOf(scenario))) inputs.work = *work;
  if (has_horizon && zone && tariff_zone) CheckCover(scenario, inputs, problems);
  if (has_horizon && inputs.carbon_series)
    problems.Note(OfKey(scenario, "carbon.series", MatchCarbon(scenario, cache, HorizonOf(inputs), inputs)));
  inputs.site_name = scenario.OptionalText("site.name").value_or("");
  inputs.import_fee = EurosPerKilowattHour(scenario.NumberOf("tariff.import_fee_eur_per_kwh"));
  inputs.carbon_constant = GramsPerKilowattHour(scenario.OptionalNumber("carbon.intensity_g_per_kwh").value_or(0));
  inputs.carbon_price = EurosPerKilogram(scenario.NumberOf("carbon.price_eur_per_kg"));
  inputs.objective = scenario.TextOf("job.objective") == "carbon" ? Objective::kCarbon : Objective::kCost;
  inputs.grid = {LimitOf(scenario, "grid.import_limit_w"), LimitOf(scenario, "grid.export_limit_w")};
  const bool has_carbon = scenario.Has("carbon.series") || scenario.IsRefused("carbon.series") ||
                          scenario.Has("carbon.intensity_g_per_kwh") ||
                          scenario.IsRefused("carbon.intensity_g_per_kwh");
  if (!has_carbon && (inputs.objective == Objective::kCarbon || inputs.carbon_price > CarbonPrice())) {
    problems.Add(fmt::format("{}: carbon is to be priced or minimised, but its intensity is not given: set "
                             "carbon.series or carbon.intensity_g_per_kwh.",
                             scenario.source()),
                 ErrorKind::kFailure);
  }
  if (!problems.empty()) return problems.Fail();
  if (!has_carbon) inputs.notes.push_back("no carbon intensity is given: carbon is not counted");
  if (inputs.battery.initial > Energy() && inputs.battery.terminal_value == EnergyPrice() &&
      inputs.battery.final_min == Energy()) {
    inputs.notes.push_back(
        "stored energy is worth nothing at the end, so the plan empties the battery: set "
        "battery.terminal_value_eur_per_kwh or battery.final_wh to keep it");
  }
  return inputs;
}

Result<OffgridInputs> ReadOffgridInputs(const Scenario& scenario, int slot_minutes, InputCache& cache) {
  if (auto sound = CheckSlotMinutes(slot_minutes); !sound) return Fail(sound.error());
  Problems problems;
  const auto pv = problems.Take(PvYearOf(scenario, cache));
  const auto zone = problems.Take(SiteZone(scenario, cache));
  OffgridInputs inputs;
  const auto start = zone ? problems.Take(StartOf(scenario, *zone, inputs.notes)) : std::nullopt;
  const auto work = problems.Take(WorkOf(scenario));
  NodeInputs levels;
  if (auto done = ReadLevels(scenario, levels); !done) problems.Add(done.error());
  if (pv && !*pv)
    problems.Add(fmt::format("{}: an off-grid run needs PV.", scenario.Cite("pv.dc_capacity_w")),
                 scenario.BlameFor("pv.dc_capacity_w"));
  if (!problems.empty()) return problems.Fail();

  const auto slots_per_hour = static_cast<size_t>(60 / slot_minutes);
  for (const Power power : (*pv)->hourly) inputs.pv.insert(inputs.pv.end(), slots_per_hour, power);
  inputs.slot = Minutes(slot_minutes);
  CivilTime standard = CivilInUtc(*start + (*pv)->utc_offset);
  // "now" and "+2h" are in the slot that holds them; a time that was written out is meant as it stands.
  if (!ParseStamp(scenario.TextOf("job.start"), *zone)) {
    standard.second = 0;
    standard.minute -= standard.minute % slot_minutes;
  }
  if (standard.second != 0 || standard.minute % slot_minutes != 0) {
    return Fail(
        fmt::format("{}: expected the start of a slot of {} minutes.", scenario.Cite("job.start"), slot_minutes),
        scenario.BlameFor("job.start"));
  }
  inputs.first_slot = static_cast<size_t>(HourOfTypicalYear(standard)) * slots_per_hour +
                      static_cast<size_t>(standard.minute / slot_minutes);
  inputs.levels = levels.all_levels;
  for (Level& level : inputs.levels) level.draw += levels.gpu.host;
  std::stable_sort(inputs.levels.begin(), inputs.levels.end(),
                   [](const Level& a, const Level& b) { return a.draw < b.draw; });
  inputs.work = *work;
  return inputs;
}

Result<DispatchProblem> ProblemOver(const NodeInputs& inputs, int slots) {
  DispatchProblem problem;
  problem.horizon = {inputs.start, inputs.slot, slots};
  const auto count = static_cast<size_t>(slots);
  problem.pv = inputs.pv ? PvEnergyPerSlot(*inputs.pv, problem.horizon) : std::vector<Energy>(count);
  auto import_price = PricesPerSlot(inputs.import_tariff, problem.horizon, inputs.zone);
  if (!import_price) return Fail(import_price.error());
  auto export_price = PricesPerSlot(inputs.export_tariff, problem.horizon, inputs.zone);
  if (!export_price) return Fail(export_price.error());
  problem.import_price = std::move(*import_price);
  problem.export_price = std::move(*export_price);
  for (EnergyPrice& price : problem.import_price) price += inputs.import_fee;
  problem.carbon.assign(count, inputs.carbon_constant);
  if (inputs.carbon_series) {
    auto carbon = inputs.carbon_year
                      ? Result<std::vector<CarbonIntensity>>(CarbonPerSlot(*inputs.carbon_year, problem.horizon))
                      : CarbonPerSlot(*inputs.carbon_series, problem.horizon, inputs.zone);
    if (!carbon) return Fail(carbon.error());
    problem.carbon = std::move(*carbon);
  }
  problem.carbon_price = inputs.carbon_price;
  problem.objective = inputs.objective;
  problem.battery = inputs.battery;
  problem.grid = inputs.grid;
  problem.gpu = inputs.gpu;
  problem.work = inputs.work;
  return problem;
}

}  // namespace heliograd
