// `heliograd estimate`: energy and time of a job that has not run yet, from a power curve and its work.
#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/command_line.h"
#include "heliograd/app/curve_file.h"
#include "heliograd/report/number_text.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

struct EstimateFlags {
  std::string curve = "builtin:paper";
  double units = 1;
  double limit_w = 0;
  bool json = false;
};

/// The job at one level. Half-widths are relative, of 95 % intervals.
struct Estimate {
  Level level;
  Duration time;
  Energy energy;
  double time_half_width = 0;
  double energy_half_width = 0;  // the sensor's gain included
};

std::vector<Estimate> EstimateLevels(const PowerCurve& curve, double units) {
  std::vector<Estimate> estimates;
  for (size_t i = 0; i < curve.levels.size(); ++i) {
    const Level& level = curve.levels[i];
    const Duration time = level.job_time * units;
    estimates.push_back({level, time, level.draw * time, curve.spreads[i].time,
                         std::hypot(curve.spreads[i].energy, curve.gain_half_width)});
  }
  return estimates;
}

std::string AsJson(const std::vector<Estimate>& estimates, const PowerCurve& curve, double units) {
  Json json = {{"curve", curve.name}, {"units", units}};
  json["obtained"] = curve.draw_is_assumed ? "assumed" : "modelled";
  json["points"] = Json::array();
  for (const Estimate& estimate : estimates) {
    const double seconds = InSeconds(estimate.time), joules = InJoules(estimate.energy);
    json["points"].push_back({{"limit_w", InWatts(estimate.level.limit)},
                              {"duration_s", seconds},
                              {"duration_low_s", seconds * (1 - estimate.time_half_width)},
                              {"duration_high_s", seconds * (1 + estimate.time_half_width)},
                              {"energy_j", joules},
                              {"energy_low_j", joules * (1 - estimate.energy_half_width)},
                              {"energy_high_j", joules * (1 + estimate.energy_half_width)},
                              {"mean_power_w", InWatts(estimate.level.draw)}});
  }
  return json.dump(2) + "\n";
}

std::string AsText(const std::vector<Estimate>& estimates, const PowerCurve& curve, double units) {
  std::string text = fmt::format("{:g} unit{} of {}\n\n  limit         time             energy           mean power\n",
                                 units, units == 1 ? "" : "s", curve.name);
  const auto spread = [](double half_width) {
    return half_width > 0 ? fmt::format("+-{:>4.1f} %", 100 * half_width) : std::string("        ");
  };
  for (const Estimate& estimate : estimates) {
    text += fmt::format("  {:>4.0f} W  {:>10} {}  {:>10} {}  {:>6.1f} W\n", InWatts(estimate.level.limit),
                        DurationText(estimate.time), spread(estimate.time_half_width), EnergyText(estimate.energy),
                        spread(estimate.energy_half_width), InWatts(estimate.level.draw));
  }
  text += curve.draw_is_assumed
              ? "\nThe power drawn is assumed equal to the limit; times are as the curve gives them.\n"
              : "\nModelled from the curve: energy and time per unit times the units. Intervals of "
                "energies hold the sensor's gain.\n";
  return text;
}

Result<int> RunEstimate(const EstimateFlags& flags) {
  const Result<PowerCurve> curve = ReadCurve(flags.curve);
  if (!curve) return Fail(curve.error());
  std::vector<Estimate> estimates = EstimateLevels(*curve, flags.units);
  if (flags.limit_w > 0) {
    std::erase_if(estimates,
                  [&](const Estimate& e) { return std::abs(InWatts(e.level.limit) - flags.limit_w) > 1e-6; });
    if (estimates.empty()) {
      std::string known;
      for (const Level& level : curve->levels)
        known += fmt::format("{}{:g}", known.empty() ? "" : ", ", InWatts(level.limit));
      return Fail(fmt::format("--limit-w {:g}: the curve has no such limit: it has {}", flags.limit_w, known),
                  ErrorKind::kUsage);
    }
  }
  const std::string text = flags.json ? AsJson(estimates, *curve, flags.units) : AsText(estimates, *curve, flags.units);
  if (Result<void> done = Print(text); !done) return Fail(done.error());
  return kExitOk;
}

}  // namespace

void AddEstimateCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(
      program, "estimate", "Energy and time of a job from a power curve and its work",
      {"heliograd estimate curve.toml --units 469000", "heliograd estimate builtin:paper --limit-w 170 --json"});
  auto flags = std::make_shared<EstimateFlags>();
  app->add_option("curve", flags->curve, "a curve file as `heliograd curve` writes, or builtin:paper")->required();
  app->add_option("--units", flags->units, "units of work of the job, as the curve counts them (default 1)")
      ->check(CLI::Range(1e-9, 1e15));
  app->add_option("--limit-w", flags->limit_w, "this power limit only")->check(CLI::Range(0.1, 1e6));
  app->add_flag("--json", flags->json, "machine-readable output");
  commands.push_back({app, [flags] { return RunEstimate(*flags); }});
}

}  // namespace heliograd
