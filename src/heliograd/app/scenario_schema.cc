#include "heliograd/app/scenario_schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "heliograd/app/moment_text.h"
#include "heliograd/base/text.h"
#include "heliograd/base/time.h"

namespace heliograd {
namespace {

constexpr std::string_view kVariablePrefix = "HELIOGRAD_";

KeySpec Number(std::string section, std::string key, double least, double most, std::string default_text,
               std::string meaning) {
  KeySpec spec{std::move(section), std::move(key)};
  spec.least = least, spec.most = most;
  spec.default_text = std::move(default_text), spec.meaning = std::move(meaning);
  return spec;
}

/// A number that must be greater than `least`.
KeySpec Above(std::string section, std::string key, double least, double most, std::string default_text,
              std::string meaning) {
  KeySpec spec = Number(std::move(section), std::move(key), least, most, std::move(default_text), std::move(meaning));
  spec.open_least = true;
  return spec;
}

/// A number from `least` to less than `most`.
KeySpec Below(std::string section, std::string key, double least, double most, std::string default_text,
              std::string meaning) {
  KeySpec spec = Number(std::move(section), std::move(key), least, most, std::move(default_text), std::move(meaning));
  spec.open_most = true;
  return spec;
}

KeySpec Other(std::string section, std::string key, KeyKind kind, std::string default_text, std::string meaning,
              std::vector<std::string> choices = {}) {
  KeySpec spec{std::move(section), std::move(key)};
  spec.kind = kind, spec.choices = std::move(choices);
  spec.default_text = std::move(default_text), spec.meaning = std::move(meaning);
  return spec;
}

std::vector<KeySpec> MakeKeys() {
  using enum KeyKind;
  constexpr double kMuch = 1e9;  // no bound that a real system would meet, but no infinity either
  return {
      Other("site", "name", kText, "", "name shown in results"),
      Number("site", "latitude", -90, 90, "", "degrees, north positive; default: the weather file's"),
      Number("site", "longitude", -180, 180, "", "degrees, east positive; default: the weather file's"),
      Number("site", "elevation_m", -500, 9000, "", "metres above sea level; default: the weather file's"),
      Other("site", "timezone", kText, "",
            "IANA name (Europe/Rome) or fixed offset (+01:00); default: the weather's offset"),

      Other("weather", "file", kPath, "builtin:turin", "builtin:turin, or a PVGIS, EPW, NSRDB/SAM or PVWatts file"),
      Number("weather", "utc_offset_hours", -14, 14, "", "local standard time of a file that does not carry it"),

      Number("pv", "dc_capacity_w", 0, kMuch, "0", "size of the array at standard test conditions; 0 = no PV"),
      Number("pv", "tilt_deg", 0, 90, "20", "0 = flat, 90 = upright"),
      Number("pv", "azimuth_deg", 0, 360, "180", "direction the array faces: 0 north, 90 east, 180 south"),
      Other("pv", "mounting", kChoice, "roof", "close to a roof, or on an open rack", {"roof", "rack"}),
      Other("pv", "module", kChoice, "standard", "PVWatts module type", {"standard", "premium", "thin-film"}),
      Other("pv", "model", kChoice, "pvwatts-v8", "equations used", {"pvwatts-v8", "pvwatts-v5"}),
      Below("pv", "losses_percent", 0, 100, "14.0757", "system losses (PVWatts's default)"),
      Above("pv", "dc_ac_ratio", 0, 100, "1.2", "array size over inverter size"),
      Above("pv", "inverter_efficiency", 0, 1, "0.96", "nominal, 0..1"),
      Other("pv", "series", kPath, "", "CSV hour,ac_w with 8760 rows, used instead of weather and array"),

      Number("battery", "capacity_wh", 0, kMuch, "0", "usable capacity; 0 = no battery"),
      Above("battery", "charge_efficiency", 0, 1, "0.95", "stored over arriving at the charger"),
      Above("battery", "discharge_efficiency", 0, 1, "0.95", "delivered over leaving the cells"),
      Below("battery", "self_discharge_per_hour", 0, 1, "0", "share of the stored energy lost in an hour"),
      Number("battery", "max_charge_w", 0, kMuch, "", "limit at the charger; default: none"),
      Number("battery", "max_discharge_w", 0, kMuch, "", "limit at the cells; default: none"),
      Number("battery", "initial_wh", 0, kMuch, "0", "stored when the plan starts"),
      Number("battery", "final_wh", 0, kMuch, "0", "must be stored at the end"),
      Number("battery", "terminal_value_eur_per_kwh", 0, 1000, "0",
             "worth of what is stored at the end; 0 lets the plan empty the battery"),
      Number("battery", "wear_cost_eur_per_kwh", 0, 1000, "0", "per kWh that leaves the cells"),

      Number("grid", "import_limit_w", 0, kMuch, "", "default: none"),
      Number("grid", "export_limit_w", 0, kMuch, "", "default: none"),

      Other("tariff", "import", kPath, "",
            "builtin:paper, builtin:arera, bands ([[tariff.bands]]), fixed, or a CSV file of prices"),
      Number("tariff", "import_price_eur_per_kwh", -20, 20, "", "price when import = \"fixed\""),
      Number("tariff", "f1_eur_per_kwh", -20, 20, "0.45", "band F1 of builtin:paper and builtin:arera"),
      Number("tariff", "f2_eur_per_kwh", -20, 20, "0.35", "band F2"),
      Number("tariff", "f3_eur_per_kwh", -20, 20, "0.25", "band F3"),
      Number("tariff", "import_fee_eur_per_kwh", -20, 20, "0", "network fees and taxes added to every import price"),
      Other("tariff", "export", kPath, "", "CSV file of selling prices; default: export_price_eur_per_kwh"),
      Number("tariff", "export_price_eur_per_kwh", -20, 20, "0", "price of what is sold"),
      Other("tariff", "timezone", kText, "", "clock of bands and of local stamps in price files; default: the site's"),
      Other("tariff", "holidays", kChoice, "none", "calendar of [[tariff.bands]]", {"none", "italy"}),

      Other("carbon", "series", kPath, "", "builtin:italy-2024, or a CSV file of hourly intensity"),
      Number("carbon", "intensity_g_per_kwh", 0, 5000, "", "a constant intensity instead of a series"),
      Other("carbon", "scope", kChoice, "lifecycle", "column of the series that counts", {"lifecycle", "direct"}),
      Number("carbon", "price_eur_per_kg", 0, 1000, "0", "added to the cost of what is imported"),

      Other("gpu", "curve", kPath, "", "builtin:paper, or a file of your GPU's points (README, \"Your own GPU\")"),
      Number("gpu", "idle_w", 0, kMuch, "0", "draw of the node while the job is paused or done"),
      Number("gpu", "host_w", 0, kMuch, "0", "draw of the rest of the machine while the job runs"),
      Number("gpu", "min_limit_w", 0, kMuch, "", "use no power limit below this; default: the curve's lowest"),
      Number("gpu", "max_limit_w", 0, kMuch, "", "use no power limit above this; default: the curve's highest"),

      Other("job", "start", kTime, "", "when the job may start, on the site's clock"),
      Other("job", "deadline", kTime, "", "when it must be done; or give hours"),
      Above("job", "hours", 0, 24 * 366, "", "time from start to deadline"),
      Number("job", "work", 0, 1, "1", "part of the job still to do, 1 = all of it"),
      Above("job", "units", 0, 1e15, "1", "units of the curve in the whole job (steps, epochs)"),
      Other("job", "objective", kChoice, "cost", "what the plan minimises", {"cost", "carbon"}),
  };
}

}  // namespace

const std::vector<KeySpec>& ScenarioKeys() {
  static const std::vector<KeySpec> keys = MakeKeys();
  return keys;
}

const KeySpec* FindKey(std::string_view name) {
  const auto& keys = ScenarioKeys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const KeySpec& key) { return key.name() == name; });
  return found == keys.end() ? nullptr : &*found;
}

std::vector<std::string> ScenarioSections() {
  std::vector<std::string> sections;
  for (const KeySpec& key : ScenarioKeys()) {
    if (sections.empty() || sections.back() != key.section) sections.push_back(key.section);
  }
  return sections;
}

std::string UnknownKey(std::string_view name) {
  const std::string section(name.substr(0, name.find('.')));
  const std::vector<std::string> sections = ScenarioSections();
  if (std::find(sections.begin(), sections.end(), section) == sections.end()) {
    std::vector<std::string> everything = sections;
    for (const KeySpec& key : ScenarioKeys()) everything.push_back(key.name());
    return fmt::format("there is no section [{}].{} The sections are {}.", section, DidYouMean(name, everything),
                       fmt::join(sections, ", "));
  }
  std::vector<std::string> names, short_names;
  for (const KeySpec& key : ScenarioKeys()) {
    if (key.section == section) names.push_back(key.name()), short_names.push_back(key.key);
  }
  return fmt::format("there is no key {}.{} [{}] has {}.", Quoted(name), DidYouMean(name, names), section,
                     fmt::join(short_names, ", "));
}

std::optional<std::string> NearestKey(std::string_view name) {
  const std::vector<std::string> sections = ScenarioSections();
  const std::string_view section = name.substr(0, name.find('.'));
  const bool known_section = std::find(sections.begin(), sections.end(), section) != sections.end();
  std::vector<std::string> candidates = known_section ? std::vector<std::string>() : sections;
  for (const KeySpec& key : ScenarioKeys()) {
    if (!known_section || key.section == section) candidates.push_back(key.name());
  }
  return NearestName(name, candidates);
}

std::string EnvironmentName(const KeySpec& spec) {
  std::string name = std::string(kVariablePrefix) + spec.section + "_" + spec.key;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  return name;
}

std::optional<std::string> UnknownVariable(std::string_view name) {
  // Variables with other uses: tests and their data, the simulated GPU, the library for PyTorch, what `run` tells its
  // job, the socket of heliograd-limitd.
  static const std::vector<std::string_view> kOtherUses = {
      "REFERENCE_DATA",   "SIM_GPU",     "PROGRAM",       "SOURCE_DIR",   "TORCH_BACKEND",
      "RANDOM_INSTANCES", "RANDOM_SEED", "PROGRESS_FD",   "CONTROL_FILE", "UNITS_DONE",
      "UNITS_LEFT",       "JOB_PID",     "LIMITD_SOCKET", "MESSAGES",     "KILLS"};
  if (name.substr(0, kVariablePrefix.size()) != kVariablePrefix) return std::nullopt;
  const std::string_view word = name.substr(kVariablePrefix.size());
  std::vector<std::string> words;
  for (const KeySpec& key : ScenarioKeys()) {
    words.push_back(EnvironmentName(key).substr(kVariablePrefix.size()));
    if (words.back() == word) return std::nullopt;
  }
  const auto is_word = [word](std::string_view other) { return other == word; };
  if (std::any_of(kOtherUses.begin(), kOtherUses.end(), is_word)) return std::nullopt;
  const std::vector<std::string> sections = ScenarioSections();
  const bool of_section = std::any_of(sections.begin(), sections.end(), [word](const std::string& section) {
    return StartsWithIgnoringCase(word, section + "_");
  });
  const auto nearest = NearestName(word, words);
  if (!nearest && !of_section) return std::nullopt;
  return fmt::format("environment {}: there is no key of that name.{}", name,
                     nearest ? fmt::format(" Did you mean {}{}?", kVariablePrefix, *nearest)
                             : " heliograd scenario show builtin:paper lists the keys.");
}

std::string ExpectedText(const KeySpec& spec) {
  switch (spec.kind) {
    case KeyKind::kNumber: {
      const std::string from = fmt::format("{}{:g}", spec.open_least ? "more than " : "from ", spec.least);
      const std::string to = fmt::format("{}{:g}",
                                         spec.open_most    ? "less than "
                                         : spec.open_least ? "at most "
                                                           : "to ",
                                         spec.most);
      return fmt::format("a number {}{}{}", from, spec.open_least || spec.open_most ? " and " : " ", to);
    }
    case KeyKind::kChoice:
      return fmt::format("one of '{}'", fmt::join(spec.choices, "', '"));
    case KeyKind::kTime:
      return fmt::format("a date and time on the site's clock, for example {}", kMomentExamples);
    case KeyKind::kText:
    case KeyKind::kPath:
      return "a text in quotes";
  }
  return "";
}

std::string Expected(const KeySpec& spec, const KeyValue& value) {
  bool fine = true;
  if (spec.kind == KeyKind::kNumber) {
    const double* number = std::get_if<double>(&value);
    fine = number && (spec.open_least ? *number > spec.least : *number >= spec.least) &&
           (spec.open_most ? *number < spec.most : *number <= spec.most);  // false for NaN
  } else {
    const std::string* text = std::get_if<std::string>(&value);
    fine = text && !text->empty();
    if (fine && spec.kind == KeyKind::kChoice) {
      fine = std::find(spec.choices.begin(), spec.choices.end(), *text) != spec.choices.end();
    }
    if (fine && spec.kind == KeyKind::kTime) {
      if (const std::string why = WhyImpossible(*text); !why.empty()) {
        return fmt::format("a date and time that exists ({})", why);
      }
      // Which instant it is depends on the site's clock and on when it is read; that it can be one does not, but for
      // the times that a clock skips.
      fine = ParseMoment(*text, TimeZone(), Stamp()).has_value();
    }
  }
  return fine ? std::string() : ExpectedText(spec);
}

Result<KeyValue> ParseValue(const KeySpec& spec, std::string_view text) {
  KeyValue value;
  if (spec.kind == KeyKind::kNumber) {
    const auto number = ParseNumber(text);
    if (!number) return Fail(fmt::format("{} is {}: expected {}.", spec.name(), Quoted(text), ExpectedText(spec)));
    value = *number;
  } else {
    std::string_view bare = Trim(text);
    if (bare.size() >= 2 && bare.front() == '"' && bare.back() == '"') bare = bare.substr(1, bare.size() - 2);
    value = std::string(bare);
  }
  if (const std::string expected = Expected(spec, value); !expected.empty()) {
    return Fail(fmt::format("{} is {}: expected {}.", spec.name(), Quoted(text), expected));
  }
  return value;
}

std::string FormatValue(const KeyValue& value) {
  if (const double* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  std::string escaped;
  for (const char c : std::get<std::string>(value)) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return "\"" + escaped + "\"";
}

}  // namespace heliograd
