#include "heliograd/app/curve_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "heliograd/app/toml_text.h"
#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/model/power_curve.h"

namespace heliograd {
namespace {

constexpr size_t kMostPoints = 10000;

/// Half the distance between the ends of a number's interval, relative to it; 0 without both.
double RelativeSpread(const toml::table& point, const std::string& key, double value) {
  const auto low = point[key + "_low"].value<double>(), high = point[key + "_high"].value<double>();
  const bool sound = low && high && *low > 0 && *low <= value && value <= *high && *high < 1e15;
  return sound ? (*high - *low) / 2 / value : 0;
}

struct CurvePoint {
  Level level;
  LevelSpread spread;
};

/// A number of the point that must be greater than zero; a problem when it is not there or not one.
std::optional<double> Positive(const toml::table& point, const char* key, bool required, const std::string& where,
                               std::vector<std::string>& problems) {
  const toml::node* node = point.get(key);
  if (!node && !required) return std::nullopt;
  const auto number = node ? node->value<double>() : std::nullopt;
  if (number && *number > 0 && *number < 1e15) return number;
  problems.push_back(fmt::format("{}: points.{} is {}: expected a number greater than zero.", where, key,
                                 number ? fmt::format("{}", *number)
                                 : node ? "not a number"
                                        : "missing"));
  return std::nullopt;
}

}  // namespace

Result<PowerCurve> ParseCurve(std::string_view content, const std::string& name) {
  const TomlText text = ReadTomlText(content, name);
  if (!text.problems.empty()) return Fail(text.problems);
  const toml::table& root = text.root;
  std::vector<std::string> problems;
  static const std::vector<std::string> kKnown = {
      "limit_w",           "limit_w_low",           "limit_w_high",
      "seconds_per_unit",  "seconds_per_unit_low",  "seconds_per_unit_high",
      "energy_j_per_unit", "energy_j_per_unit_low", "energy_j_per_unit_high",
      "sm_clock_mhz"};
  const toml::array* points = root["points"].as_array();
  if (root["law"].is_table() && !root["curve"].is_table()) {
    return Fail(
        fmt::format("{0}: this is an energy law, not a power curve: add --law (heliograd estimate --law {0}).", name));
  }
  if (!points || points->empty() || points->size() > kMostPoints) {
    return Fail(
        fmt::format("{}: no usable [[points]]: expected 1 to {} of them, each with limit_w, seconds_per_unit and, "
                    "where measured, energy_j_per_unit.",
                    name, kMostPoints));
  }
  PowerCurve curve;
  curve.name = root.at_path("curve.name").value_or(name);
  const std::string obtained = root.at_path("curve.obtained").value_or("measured");
  curve.modelled = obtained == "modelled";
  if (!curve.modelled && obtained != "measured") {
    problems.push_back(
        fmt::format("{}: curve.obtained is {}: expected \"measured\" or \"modelled\".", name, Quoted(obtained)));
  }
  curve.unit = root.at_path("curve.unit").value_or(std::string());
  if (!curve.unit.empty() && curve.unit != "run" && curve.unit != "progress") {
    problems.push_back(
        fmt::format("{}: curve.unit is {}: expected \"run\" or \"progress\".", name, Quoted(curve.unit)));
  }
  for (const auto& [key, value] : {std::pair{"gpu", &curve.gpu.name}, {"gpu_uuid", &curve.gpu.uuid}}) {
    const auto given = root.at_path(std::string("curve.") + key);
    if (given && !given.is_string())
      problems.push_back(fmt::format("{}: curve.{} is no text: expected the card's.", name, key));
    *value = given.value_or(std::string());
  }
  curve.measured_at = root.at_path("curve.measured_at").value_or(std::string());
  if (const toml::node* node = root.at_path("curve.job_units").node()) {
    curve.job_units = node->is_number() ? node->value<double>() : std::nullopt;
    if (!curve.job_units || !(*curve.job_units > 0 && *curve.job_units <= 1e15)) {
      problems.push_back(fmt::format("{}:{}: curve.job_units: expected a number above 0, at most 1e15.", name,
                                     node->source().begin.line));
    }
  }
  if (const auto coarse = root.at_path("curve.coarse"); coarse && !coarse.is_boolean()) {
    problems.push_back(fmt::format("{}: curve.coarse is no true or false: expected one of these.", name));
  }
  curve.coarse = root.at_path("curve.coarse").value_or(false);
  const double gain_percent = root.at_path("curve.gain_half_width_percent").value_or(0.0);
  if (gain_percent > 0 && gain_percent < 100) curve.gain_half_width = gain_percent / 100;
  std::vector<CurvePoint> read;
  for (const toml::node& node : *points) {
    const std::string where = fmt::format("{}:{}", name, node.source().begin.line);
    const toml::table* point = node.as_table();
    if (!point) {
      problems.push_back(
          fmt::format("{}: points holds something that is no table: write each under [[points]].", where));
      continue;
    }
    for (const auto& [key, value] : *point) {
      if (std::find(kKnown.begin(), kKnown.end(), key.str()) != kKnown.end()) continue;
      problems.push_back(fmt::format("{}: there is no key {} in [[points]].{}", where, Quoted(key.str()),
                                     DidYouMean(key.str(), kKnown)));
    }
    const auto limit = Positive(*point, "limit_w", true, where, problems);
    const auto seconds = Positive(*point, "seconds_per_unit", true, where, problems);
    const auto energy = Positive(*point, "energy_j_per_unit", false, where, problems);
    Positive(*point, "sm_clock_mhz", false, where, problems);  // for people and figures; no plan depends on it
    if (!limit || !seconds) continue;
    if (!energy) curve.draw_is_assumed = true;
    read.push_back({{Watts(*limit), energy ? Joules(*energy) / Seconds(*seconds) : Watts(*limit), Seconds(*seconds)},
                    {RelativeSpread(*point, "seconds_per_unit", *seconds),
                     energy ? RelativeSpread(*point, "energy_j_per_unit", *energy) : 0}});
  }
  std::sort(read.begin(), read.end(),
            [](const CurvePoint& a, const CurvePoint& b) { return a.level.limit < b.level.limit; });
  for (const CurvePoint& point : read) {
    curve.levels.push_back(point.level);
    curve.spreads.push_back(point.spread);
  }
  for (size_t k = 1; k < curve.levels.size(); ++k) {
    if (curve.levels[k].limit == curve.levels[k - 1].limit) {
      problems.push_back(fmt::format("{}: limit_w = {} stands twice: give each power limit once.", name,
                                     InWatts(curve.levels[k].limit)));
    }
  }
  if (!problems.empty()) return Fail(std::move(problems));
  return curve;
}

Result<PowerCurve> ReadCurve(const std::string& source) {
  if (source == "builtin:paper") {
    PowerCurve curve;
    curve.name = "study, Table IV: ResNet18 on Fashion-MNIST, 1000 epochs, RTX 4070";
    curve.draw_is_assumed = true;
    curve.gpu.name = kStudyGpu;
    for (const PowerCurvePoint& point : StudyPowerCurve()) {
      curve.levels.push_back({point.limit, point.draw, point.job_time});
      curve.spreads.emplace_back();
    }
    return curve;
  }
  if (source.rfind("builtin:", 0) == 0) {
    return Fail(fmt::format("{}: there is no such built-in curve: expected builtin:paper or a file.", source));
  }
  return ReadFile(source).and_then([&](const std::string& content) { return ParseCurve(content, source); });
}

}  // namespace heliograd
