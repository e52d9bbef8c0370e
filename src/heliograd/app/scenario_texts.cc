// Scenarios as text: the study's, and the template for a user's own.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "heliograd/app/scenario.h"

namespace heliograd {

std::string_view PaperScenarioToml() {
  return R"(# The study's scenario: Yin, Chen, Vallero, Meo, "Energy Sustainability Analysis of Deep Neural Network", MSWiM 2025,
# section VI. The study knows no daylight saving: a fixed offset.
[site]
name = "Turin"
timezone = "+01:00"

[weather]
file = "builtin:turin"

[pv]
dc_capacity_w = 1000
tilt_deg = 20
azimuth_deg = 180
mounting = "roof"

[battery]
capacity_wh = 250
charge_efficiency = 0.9
discharge_efficiency = 0.9
self_discharge_per_hour = 0.005

[tariff]
import = "builtin:paper"
f1_eur_per_kwh = 0.45
f2_eur_per_kwh = 0.35
f3_eur_per_kwh = 0.25
export_price_eur_per_kwh = 0.30

[carbon]
series = "builtin:italy-2024"

[gpu]
curve = "builtin:paper"

[job]
start = "2025-01-01 20:00"
hours = 19
)";
}

std::string ScenarioTemplate() {
  std::string text =
      "# A heliograd scenario. Lines that begin with # are values that heliograd assumes when they are left out, or\n"
      "# examples of keys without a default. Check it with: heliograd scenario check THIS_FILE\n"
      "# Plan it with: heliograd plan THIS_FILE\n";
  static const std::map<std::string, std::string> kExamples = {{"site.name", "\"my node\""},
                                                               {"site.latitude", "45.07"},
                                                               {"site.longitude", "7.69"},
                                                               {"site.elevation_m", "240"},
                                                               {"site.timezone", "\"Europe/Rome\""},
                                                               {"weather.file", "\"builtin:turin\""},
                                                               {"weather.utc_offset_hours", "1"},
                                                               {"pv.dc_capacity_w", "1000"},
                                                               {"pv.series", "\"pv.csv\""},
                                                               {"battery.capacity_wh", "2500"},
                                                               {"battery.max_charge_w", "1200"},
                                                               {"battery.max_discharge_w", "1200"},
                                                               {"grid.import_limit_w", "3000"},
                                                               {"grid.export_limit_w", "3000"},
                                                               {"tariff.import", "\"builtin:arera\""},
                                                               {"tariff.import_price_eur_per_kwh", "0.30"},
                                                               {"tariff.export", "\"selling.csv\""},
                                                               {"tariff.export_price_eur_per_kwh", "0.10"},
                                                               {"tariff.timezone", "\"Europe/Rome\""},
                                                               {"carbon.series", "\"builtin:italy-2024\""},
                                                               {"carbon.intensity_g_per_kwh", "270"},
                                                               {"gpu.curve", "\"builtin:paper\""},
                                                               {"gpu.min_limit_w", "100"},
                                                               {"gpu.max_limit_w", "320"},
                                                               {"job.start", "\"2026-06-01 20:00\""},
                                                               {"job.deadline", "\"2026-06-02 16:00\""},
                                                               {"job.hours", "20"}};
  static const std::vector<std::string> kActive = {"site.name",
                                                   "site.timezone",
                                                   "weather.file",
                                                   "pv.dc_capacity_w",
                                                   "battery.capacity_wh",
                                                   "tariff.import",
                                                   "tariff.export_price_eur_per_kwh",
                                                   "gpu.curve",
                                                   "job.start",
                                                   "job.hours"};
  std::string section;
  for (const KeySpec& spec : ScenarioKeys()) {
    if (spec.section != section) {
      section = spec.section;
      text += fmt::format("\n[{}]\n", section);
    }
    const auto example = kExamples.find(spec.name());
    std::string value = example != kExamples.end() ? example->second : spec.default_text;
    if (spec.kind != KeyKind::kNumber && !value.empty() && value.front() != '"') value = "\"" + value + "\"";
    const bool active = std::find(kActive.begin(), kActive.end(), spec.name()) != kActive.end();
    std::string line = fmt::format("{}{} = {}", active ? "" : "# ", spec.key, value);
    std::string range = spec.kind == KeyKind::kChoice ? fmt::format(" ({})", fmt::join(spec.choices, " | ")) : "";
    text += fmt::format("{:<44} # {}{}\n", line, spec.meaning, range);
  }
  text +=
      "\n# Your own bands, with tariff.import = \"bands\": every hour of every kind of day, once.\n"
      "# [[tariff.bands]]\n"
      "# days = \"all\"           # or \"mon-fri\", \"sat,sun,holiday\"\n"
      "# from_hour = 0\n"
      "# to_hour = 24\n"
      "# price_eur_per_kwh = 0.30\n";
  return text;
}

}  // namespace heliograd
