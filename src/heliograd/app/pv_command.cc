// `heliograd pv`: PV power for a year, hourly, monthly, annual.
#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "heliograd/app/command_line.h"
#include "heliograd/app/output_check.h"
#include "heliograd/base/file.h"
#include "heliograd/model/pvwatts.h"
#include "heliograd/report/terminal_style.h"
#include "heliograd/report/year_map.h"

namespace heliograd {
namespace {

struct PvFlags {
  std::string weather = "builtin:turin";
  WeatherOverrides overrides;
  std::optional<double> dc_capacity_w, tilt_deg, azimuth_deg, losses_percent, dc_ac_ratio, inverter_efficiency;
  std::optional<std::string> mounting, module, model;
  std::string csv;
  bool json = false;
};

PvModule ModuleFromName(const std::string& name) {
  return name == "premium" ? PvModule::kPremium : name == "thin-film" ? PvModule::kThinFilm : PvModule::kStandard;
}

/// The system that a PVWatts file carries.
PvSystem SystemOf(const PvwattsRecord& record) {
  PvSystem system;
  system.dc_capacity = Watts(record.dc_capacity_w);
  system.tilt_deg = record.tilt_deg, system.azimuth_deg = record.azimuth_deg;
  system.mounting = record.roof_mounted ? PvMounting::kRoof : PvMounting::kRack;
  system.module = record.module_type == "Premium"     ? PvModule::kPremium
                  : record.module_type == "Thin film" ? PvModule::kThinFilm
                                                      : PvModule::kStandard;
  system.model = record.version == 5 ? PvModel::kPvwattsV5 : PvModel::kPvwattsV8;
  system.losses_percent = record.losses_percent;
  system.dc_ac_ratio = record.dc_ac_ratio;
  system.inverter_efficiency = record.inverter_efficiency;
  return system;
}

/// The file's own system where it has one, then what the flags say.
PvSystem SystemFor(const PvFlags& flags, const WeatherFile& file) {
  PvSystem system = file.pvwatts ? SystemOf(*file.pvwatts) : PvSystem();
  if (flags.dc_capacity_w) system.dc_capacity = Watts(*flags.dc_capacity_w);
  if (flags.tilt_deg) system.tilt_deg = *flags.tilt_deg;
  if (flags.azimuth_deg) system.azimuth_deg = *flags.azimuth_deg;
  if (flags.mounting) system.mounting = *flags.mounting == "rack" ? PvMounting::kRack : PvMounting::kRoof;
  if (flags.module) system.module = ModuleFromName(*flags.module);
  if (flags.model) system.model = *flags.model == "pvwatts-v5" ? PvModel::kPvwattsV5 : PvModel::kPvwattsV8;
  if (flags.losses_percent) system.losses_percent = *flags.losses_percent;
  if (flags.dc_ac_ratio) system.dc_ac_ratio = *flags.dc_ac_ratio;
  if (flags.inverter_efficiency) system.inverter_efficiency = *flags.inverter_efficiency;
  return system;
}

/// The value, or 0 where it prints as zero: no minus sign before zeros.
double Plain(double value, double last_digit) { return std::abs(value) < last_digit / 2 ? 0.0 : value; }

std::string HoursAsCsv(const WeatherYear& weather, const PvYear& year) {
  std::string text = "hour,ac_w,dc_w,poa_w_m2,cell_temperature_c,month,day,hour_of_day\n";
  for (size_t h = 0; h < year.ac.size(); ++h) {
    const WeatherHour& row = weather.hours[h];
    text += fmt::format("{},{:.4f},{:.4f},{:.3f},{:.3f},{},{},{}\n", h, Plain(InWatts(year.ac[h]), 1e-4),
                        Plain(InWatts(year.dc[h]), 1e-4), Plain(InWattsPerSquareMetre(year.poa[h]), 1e-3),
                        Plain(year.cell_c[h], 1e-3), row.month, row.day, row.hour);
  }
  return text;
}

std::string ModelName(const PvSystem& system) {
  return system.model == PvModel::kPvwattsV5 ? "pvwatts-v5" : "pvwatts-v8";
}

/// Annual AC energy that the PVWatts file itself carries, in kWh.
std::optional<double> FileAnnualKwh(const WeatherFile& file) {
  if (!file.pvwatts) return std::nullopt;
  return std::accumulate(file.pvwatts->ac_w.begin(), file.pvwatts->ac_w.end(), 0.0) / 1000.0;
}

/// A note when the flags move the site away from its weather; empty when they do not.
Result<std::string> MovedSiteNote(const PvFlags& flags) {
  const WeatherOverrides& moved = flags.overrides;
  if (!moved.latitude_deg && !moved.longitude_deg) return std::string();
  return ReadWeather(flags.weather, {moved.utc_offset_hours, {}, {}, {}}).map([&](const WeatherFile& file) {
    const WeatherYear& own = file.weather;
    return FarWeatherNote(own, moved.latitude_deg.value_or(own.latitude_deg),
                          moved.longitude_deg.value_or(own.longitude_deg), "give --weather");
  });
}

std::string AsJson(const WeatherFile& file, const PvSystem& system, const PvYear& year, const std::string& note) {
  nlohmann::ordered_json json;
  json["ac_annual_kwh"] = InKilowattHours(year.AnnualAc());
  for (const Energy month : year.MonthlyAc()) json["ac_monthly_kwh"].push_back(InKilowattHours(month));
  json["poa_annual_kwh_m2"] = InKilowattHoursPerSquareMetre(year.AnnualPoa());
  json["dc_annual_kwh"] = InKilowattHours(year.AnnualDc());
  json["model"] = ModelName(system);
  json["weather"] = file.weather.source;
  json["latitude"] = file.weather.latitude_deg;
  json["longitude"] = file.weather.longitude_deg;
  json["elevation_m"] = file.weather.elevation_m;
  json["utc_offset_hours"] = static_cast<double>(file.weather.utc_offset.count()) / 3600;
  json["system"] = {{"dc_capacity_w", InWatts(system.dc_capacity)},
                    {"tilt_deg", system.tilt_deg},
                    {"azimuth_deg", system.azimuth_deg},
                    {"mounting", system.mounting == PvMounting::kRack ? "rack" : "roof"},
                    {"losses_percent", system.losses_percent},
                    {"dc_ac_ratio", system.dc_ac_ratio},
                    {"inverter_efficiency", system.inverter_efficiency}};
  if (const auto of_file = FileAnnualKwh(file)) {
    json["file_ac_annual_kwh"] = *of_file;
    json["file_error_percent"] = *of_file > 0
                                     ? nlohmann::ordered_json((InKilowattHours(year.AnnualAc()) / *of_file - 1) * 100)
                                     : nlohmann::ordered_json(nullptr);
  }
  json["label"] = "modelled";
  json["notes"] = note.empty() ? nlohmann::ordered_json::array() : nlohmann::ordered_json::array({note});
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string AsText(const WeatherFile& file, const PvSystem& system, const PvYear& year, const TerminalStyle& style) {
  const WeatherYear& weather = file.weather;
  std::string text =
      fmt::format("{:g} W of PV, tilt {:g}, azimuth {:g}, {}, {}\n", InWatts(system.dc_capacity), system.tilt_deg,
                  system.azimuth_deg, system.mounting == PvMounting::kRack ? "rack" : "roof", ModelName(system));
  text +=
      fmt::format("weather: {} at {:.3f} {:.3f}, {:g} m, UTC{:+g} h\n\n", weather.source, weather.latitude_deg,
                  weather.longitude_deg, weather.elevation_m, static_cast<double>(weather.utc_offset.count()) / 3600);
  const PvYearSeries series{year.ac, weather.utc_offset};
  text += DrawYear(series, style) + "\n" + DrawMonths(series, style);
  text += fmt::format("\nAC in a year        {:10.1f} kWh (modelled)\n", InKilowattHours(year.AnnualAc()));
  text += fmt::format("DC in a year        {:10.1f} kWh\n", InKilowattHours(year.AnnualDc()));
  text += fmt::format("plane of array      {:10.1f} kWh/m2\n", InKilowattHoursPerSquareMetre(year.AnnualPoa()));
  if (const auto of_file = FileAnnualKwh(file)) {
    text += fmt::format("AC in the file      {:10.1f} kWh", *of_file);
    if (*of_file > 0)
      text += fmt::format(" (ours is {:+.4f} % off)", (InKilowattHours(year.AnnualAc()) / *of_file - 1) * 100);
    text += "\n";
  }
  return text;
}

Result<int> RunPv(const PvFlags& flags) {
  if (auto sound = CheckOutput(flags.csv, "hour,ac_w,dc_w,", "table of `heliograd pv`", "--csv"); !sound)
    return Fail(sound.error());
  const auto file = ReadWeather(flags.weather, flags.overrides);
  if (!file) return Fail(file.error());
  const auto note = MovedSiteNote(flags);
  if (!note) return Fail(note.error());
  const PvSystem system = SystemFor(flags, *file);
  if (auto defects = Defects(system); !defects.empty()) return Fail(std::move(defects), ErrorKind::kUsage);
  const PvYear year = SimulatePvYear(file->weather, system);
  if (!flags.csv.empty()) {
    if (auto done = WriteFile(flags.csv, HoursAsCsv(file->weather, year)); !done) return Fail(done.error());
    PrintMessage(fmt::format("{} written. Next: heliograd plan builtin:paper --pv-series {}", flags.csv, flags.csv));
  }
  if (!note->empty()) PrintMessage("note: " + *note);
  const std::string text =
      flags.json ? AsJson(*file, system, year, *note) : AsText(*file, system, year, DetectTerminal(1));
  return Print(text).map([] { return kExitOk; });
}

}  // namespace

void AddPvCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(
      program, "pv", "Gives the PV power of a typical year",
      {"heliograd pv", "heliograd pv --weather tmy_45.070_7.690.csv --dc-capacity-w 3000 --tilt-deg 35 --json",
       "heliograd pv --weather pvwatts_hourly.csv       (its own system, and how far we are from its result)"});
  auto flags = std::make_shared<PvFlags>();
  app->add_option("--weather", flags->weather,
                  "builtin:turin, or a PVGIS, EPW, NSRDB/SAM or PVWatts file (default builtin:turin)");
  app->add_option("--dc-capacity-w", flags->dc_capacity_w, "size of the array (default 1000)");
  app->add_option("--tilt-deg", flags->tilt_deg, "0 = flat (default 20)");
  app->add_option("--azimuth-deg", flags->azimuth_deg, "0 north, 90 east, 180 south (default 180)");
  app->add_option("--mounting", flags->mounting, "roof | rack (default roof)")->check(CLI::IsMember({"roof", "rack"}));
  app->add_option("--module", flags->module, "standard | premium | thin-film (default standard)")
      ->check(CLI::IsMember({"standard", "premium", "thin-film"}));
  app->add_option("--model", flags->model, "pvwatts-v8 | pvwatts-v5 (default pvwatts-v8)")
      ->check(CLI::IsMember({"pvwatts-v8", "pvwatts-v5"}));
  app->add_option("--losses-percent", flags->losses_percent, "system losses (default 14.0757)");
  app->add_option("--dc-ac-ratio", flags->dc_ac_ratio, "array over inverter size (default 1.2)");
  app->add_option("--inverter-efficiency", flags->inverter_efficiency, "0..1 (default 0.96)");
  app->add_option("--latitude", flags->overrides.latitude_deg, "instead of the file's")->check(CLI::Range(-90.0, 90.0));
  app->add_option("--longitude", flags->overrides.longitude_deg, "east positive, instead of the file's")
      ->check(CLI::Range(-180.0, 180.0));
  app->add_option("--elevation-m", flags->overrides.elevation_m, "instead of the file's")
      ->check(CLI::Range(-500.0, 9000.0));
  app->add_option("--utc-offset-hours", flags->overrides.utc_offset_hours,
                  "local standard time of a file that does not carry it")
      ->check(CLI::Range(-14.0, 14.0));
  app->add_option("--csv", flags->csv, "writes the 8760 hours to this file");
  app->add_flag("--json", flags->json, "machine-readable output");
  commands.push_back({app, [flags] { return RunPv(*flags); }});
}

}  // namespace heliograd
