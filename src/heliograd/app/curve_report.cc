#include "heliograd/app/curve_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "heliograd/app/toml_text.h"
#include "heliograd/base/clock.h"
#include "heliograd/base/time.h"
#include "heliograd/model/limit_refinement.h"
#include "heliograd/report/number_text.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

std::string LimitText(const SweepLimit& found) {
  return fmt::format("{:.0f} W ({:.0f} to {:.0f} W)", InWatts(found.limit), InWatts(found.low), InWatts(found.high));
}

const LevelState* StateAt(const MeasuredCurve& curve, Power limit) {
  const auto found = std::find_if(curve.states.begin(), curve.states.end(),
                                  [&](const LevelState& state) { return state.limit == limit; });
  return found == curve.states.end() ? nullptr : &*found;
}

std::optional<double> ClockAt(const MeasuredCurve& curve, Power limit) {
  const LevelState* state = StateAt(curve, limit);
  return state == nullptr ? std::nullopt : state->sm_clock_mhz;
}

Json OrNull(std::optional<double> value) { return value ? Json(*value) : Json(); }

/// "knee_w", "knee_low_w" and "knee_high_w" for the name "knee"; null where it is not known.
void AddLimit(Json& json, const std::string& name, const std::optional<SweepLimit>& found) {
  json[name + "_w"] = found ? Json(InWatts(found->limit)) : Json();
  json[name + "_low_w"] = found ? Json(InWatts(found->low)) : Json();
  json[name + "_high_w"] = found ? Json(InWatts(found->high)) : Json();
}

Json LevelJson(const SweepLevel& level, const LevelState* state) {
  const double seconds = InSeconds(level.time), joules = InJoules(level.energy);
  return {{"limit_w", InWatts(level.limit)},
          {"seconds_per_unit", seconds},
          {"seconds_per_unit_low", seconds * (1 - level.time_half_width)},
          {"seconds_per_unit_high", seconds * (1 + level.time_half_width)},
          {"energy_j_per_unit", joules},
          {"energy_j_per_unit_low", joules * (1 - level.energy_half_width)},
          {"energy_j_per_unit_high", joules * (1 + level.energy_half_width)},
          {"dominated", level.dominated},
          {"windows", state == nullptr ? 0 : state->windows},
          {"sm_clock_mhz", OrNull(state == nullptr ? std::nullopt : state->sm_clock_mhz)},
          {"temperature_c", OrNull(state == nullptr ? std::nullopt : state->temperature_c)}};
}

std::string FoundComment(const SweepResult& result) {
  return fmt::format(
      "# Least energy (the knee) at {}.\n# Least energy x time at {}.\n# {}\n", LimitText(result.least_energy),
      LimitText(result.least_energy_time),
      result.stops_binding
          ? "The limit no longer binds from " + LimitText(*result.stops_binding) + "."
          : "Where the limit stops binding is not known: the power drawn changes over all of these limits, or none.");
}

}  // namespace

MeasuredCurve CurveOf(const SweepOutcome& outcome, const EvaluatedSweep& evaluated, const SweepResult& result,
                      const std::vector<Power>& limits) {
  MeasuredCurve curve;
  curve.result = result;
  curve.result.least_energy = Framed(limits, result, result.least_energy);
  curve.result.least_energy_time = Framed(limits, result, result.least_energy_time);
  curve.states = evaluated.states;
  curve.gain_half_width = evaluated.gain_half_width;
  curve.rounds = outcome.whole_rounds;
  curve.repeats = outcome.repeats;
  curve.windows = static_cast<int>(evaluated.windows.size());
  curve.elapsed = outcome.elapsed;
  return curve;
}

std::string CurveToml(const MeasuredCurve& curve) {
  std::string text = fmt::format(
      "# Measured by heliograd {} on {}: {} ({}, {}).\n{}"
      "# Intervals hold the truth in 95 of 100 sweeps; the sensor's gain, +-{:.1f} % on every energy alike, is not in "
      "them.\n# A unit is {}.\n"
      "[curve]\nname = {}\nunit = \"{}\"\ngpu = {}\ngpu_uuid = {}\nmeasured_at = \"{}\"\n{}gain_half_width_percent = "
      "{:.3g}\n",
      curve.coarse ? "run in the first minutes of a job" : "curve", FormatStamp(SystemClock().Now()), curve.device.name,
      curve.device.uuid, curve.device.driver, FoundComment(curve.result), 100 * curve.gain_half_width,
      curve.unit_is_run ? "one run of the command" : "one unit of the progress that the command tells",
      TomlString(curve.command + " on " + curve.device.name), curve.unit_is_run ? "run" : "progress",
      TomlString(curve.device.name), TomlString(curve.device.uuid), FormatStamp(SystemClock().Now()),
      curve.coarse ? "coarse = true\n" : "", 100 * curve.gain_half_width);
  for (const SweepLevel& level : curve.result.levels) {
    const double seconds = InSeconds(level.time), joules = InJoules(level.energy);
    text += fmt::format(
        "\n[[points]]{}\nlimit_w = {:g}\nseconds_per_unit = {:.9g}\nseconds_per_unit_low = {:.9g}\n"
        "seconds_per_unit_high = {:.9g}\nenergy_j_per_unit = {:.9g}\nenergy_j_per_unit_low = {:.9g}\n"
        "energy_j_per_unit_high = {:.9g}\n",
        level.dominated ? "  # dominated: another is as fast and needs less" : "", InWatts(level.limit), seconds,
        seconds * (1 - level.time_half_width), seconds * (1 + level.time_half_width), joules,
        joules * (1 - level.energy_half_width), joules * (1 + level.energy_half_width));
    if (const auto clock = ClockAt(curve, level.limit)) text += fmt::format("sm_clock_mhz = {:.6g}\n", *clock);
  }
  return text;
}

std::string CurveJson(const MeasuredCurve& curve, const std::string& path, const std::string& figure) {
  const SweepResult& result = curve.result;
  Json json;
  json["device"] = {{"uuid", curve.device.uuid}, {"name", curve.device.name}, {"driver", curve.device.driver}};
  json["obtained"] = "measured";
  json["unit"] = curve.unit_is_run ? "run" : "progress";
  json["points"] = Json::array();
  for (const SweepLevel& level : result.levels) {
    json["points"].push_back(LevelJson(level, StateAt(curve, level.limit)));
  }
  AddLimit(json, "knee", result.least_energy);
  AddLimit(json, "least_energy_time", result.least_energy_time);
  AddLimit(json, "binding_until", result.stops_binding);
  json["energy_scatter_percent"] = 100 * result.energy_scatter;
  json["time_scatter_percent"] = 100 * result.time_scatter;
  json["gain_half_width_percent"] = 100 * curve.gain_half_width;
  json["rounds"] = curve.rounds;
  json["windows"] = curve.windows;
  json["repeated_windows"] = curve.repeats;
  json["elapsed_s"] = InSeconds(curve.elapsed);
  json["file"] = path;
  json["figure"] = figure.empty() ? Json() : Json(figure);
  json["notes"] = curve.notes;
  return json.dump() + "\n";
}

std::string CurveText(const MeasuredCurve& curve, const std::string& path, const std::string& figure) {
  const SweepResult& result = curve.result;
  double least = InJoules(result.levels.front().energy);
  for (const SweepLevel& level : result.levels) least = std::min(least, InJoules(level.energy));
  const bool has_clocks = std::any_of(curve.states.begin(), curve.states.end(),
                                      [](const LevelState& state) { return state.sm_clock_mhz.has_value(); });
  std::string text = fmt::format("  limit      J/unit              s/unit          {}  energy against the least\n",
                                 has_clocks ? "  SM clock" : "");
  for (const SweepLevel& level : result.levels) {
    const auto clock = ClockAt(curve, level.limit);
    text += fmt::format("  {:>4.0f} W  {:>10.4g} +-{:>4.1f} %  {:>10.4g} +-{:>4.1f} %{}  {:>+6.1f} %{}\n",
                        InWatts(level.limit), InJoules(level.energy), 100 * level.energy_half_width,
                        InSeconds(level.time), 100 * level.time_half_width,
                        clock        ? fmt::format("  {:>4.0f} MHz", *clock)
                        : has_clocks ? "          "
                                     : "",
                        100 * (InJoules(level.energy) / least - 1), level.dominated ? "  dominated" : "");
  }
  text += "Least energy (the knee) at " + LimitText(result.least_energy) + ", least energy x time at " +
          LimitText(result.least_energy_time) + ".\n";
  if (result.stops_binding) text += "The limit no longer binds from " + LimitText(*result.stops_binding) + ".\n";
  text += fmt::format(
      "{} windows in {} rounds, {}. All measured; intervals hold the truth in 95 of 100 sweeps, without the\n"
      "sensor's gain, which all energies share.\n"
      "Written to {}{}. Next: set gpu.curve = \"{}\" in a scenario, and job.units to the units of your job.\n",
      curve.windows, curve.rounds, DurationText(curve.elapsed), path, figure.empty() ? "" : ", drawn in " + figure,
      path);
  return text;
}

CurveChart CurveChartOf(const MeasuredCurve& curve) {
  CurveChart chart;
  chart.title = curve.command + " on " + curve.device.name;
  chart.unit = curve.unit_is_run ? "run" : "unit";
  chart.found = curve.result;
  for (const SweepLevel& level : curve.result.levels) chart.sm_clock_mhz.push_back(ClockAt(curve, level.limit));
  return chart;
}

}  // namespace heliograd
