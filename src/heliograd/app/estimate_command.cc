// `heliograd estimate`: energy and time of a job that has not run yet, from a power curve and its work, or from the
// energy law of other networks and its MACs.
#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/command_line.h"
#include "heliograd/app/curve_file.h"
#include "heliograd/app/law_report.h"
#include "heliograd/app/output_check.h"
#include "heliograd/base/file.h"
#include "heliograd/profile/mac_count.h"
#include "heliograd/profile/networks.h"
#include "heliograd/report/number_text.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

struct LawFlags {
  std::string law, model, terms = "macs", scatter = "constant", output, figure;
  double macs = 0, traffic_bytes = 0, epochs = 1, images = 0, price_eur_per_kwh = 0;
  int channels = 3, classes = 100;
};

struct EstimateFlags {
  std::string curve;
  LawFlags of_law;
  double units = 0;  // 0: those of the curve's job, else 1
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

Result<int> EstimateByCurve(const EstimateFlags& flags) {
  const Result<PowerCurve> curve = ReadCurve(flags.curve);
  if (!curve) return Fail(curve.error());
  const double units = flags.units > 0 ? flags.units : curve->job_units.value_or(1);
  std::vector<Estimate> estimates = EstimateLevels(*curve, units);
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
  const std::string text = flags.json ? AsJson(estimates, *curve, units) : AsText(estimates, *curve, units);
  if (Result<void> done = Print(text); !done) return Fail(done.error());
  return kExitOk;
}

/// Counted for one image; traffic for a batch of the law's size, as an estimate without caches.
Result<LawJob> JobOfNetwork(const LawFlags& flags, int batch) {
  const Result<Architecture> network = MakeNetwork(flags.model, {flags.channels, flags.classes});
  if (!network) return Fail(network.error());
  const NetworkCount count = CountNetwork(*network);
  LawJob job;
  job.network = network->name;
  job.macs = static_cast<double>(count.macs.Macs());
  job.traffic_bytes = EstimateForwardBytesPerImage(*network, batch);
  return job;
}

/// The job that the flags describe; nothing where they describe none.
Result<std::optional<LawJob>> JobOf(const LawFlags& flags, int batch) {
  if (flags.model.empty() && flags.macs == 0) {
    if (flags.images == 0 && flags.output.empty()) return std::nullopt;
    return Fail("which network? Give --model NAME or --macs N.", ErrorKind::kUsage);
  }
  if (flags.images == 0) {
    return Fail("how many images has an epoch? Give --images N (Fashion-MNIST 60000, CIFAR-100 50000).",
                ErrorKind::kUsage);
  }
  if (flags.model.empty() && flags.terms != "macs" && flags.traffic_bytes == 0) {
    return Fail("a law of macs+traffic needs the network's --traffic-bytes too.", ErrorKind::kUsage);
  }
  LawJob job;
  if (!flags.model.empty()) {
    const Result<LawJob> counted = JobOfNetwork(flags, batch);
    if (!counted) return Fail(counted.error());
    job = *counted;
  } else {
    job.network = fmt::format("{:.4g} G MACs", flags.macs / 1e9);
    job.macs = flags.macs;
    if (flags.traffic_bytes > 0) job.traffic_bytes = flags.traffic_bytes;
  }
  job.images = flags.images;
  job.epochs = flags.epochs;
  if (flags.price_eur_per_kwh > 0) job.price = EurosPerKilowattHour(flags.price_eur_per_kwh);
  return job;
}

/// The job as a curve that `plan` reads.
Result<void> WriteJob(const FittedLaws& laws, const JobEstimate& estimate, const std::string& path) {
  if (!estimate.seconds) {
    return Fail(
        fmt::format("{}: not written: a plan needs the job's time, and not every network of the law has "
                    "seconds_per_image.",
                    path));
  }
  return WriteFile(path, JobCurveToml(laws, estimate));
}

Result<int> EstimateByLaw(const LawFlags& flags, bool json) {
  if (auto sound = CheckOutput(flags.output, kJobCurveBegins, "curve of an estimate"); !sound)
    return Fail(sound.error());
  if (auto sound = CheckFigureOutput(flags.figure, "--figure"); !sound) return Fail(sound.error());
  Result<EnergyLawFile> file = ReadEnergyLaw(flags.law);
  if (!file) return Fail(file.error());
  const Result<std::optional<LawJob>> job = JobOf(flags, file->batch);
  if (!job) return Fail(job.error());
  const LawChoice choice{flags.terms == "macs" ? LawTerms::kMacs : LawTerms::kMacsAndTraffic,
                         flags.scatter == "constant" ? Scatter::kConstant : Scatter::kProportional};
  const auto of_file = [&](const Error& error) { return Fail(flags.law + ": " + error.Message(), error.kind); };
  const Result<FittedLaws> laws = FitLaws(std::move(*file), choice);
  if (!laws) return of_file(laws.error());
  std::optional<JobEstimate> estimate;
  if (*job) {
    Result<JobEstimate> found = EstimateJob(*laws, **job);
    if (!found) return of_file(found.error());
    estimate = std::move(*found);
  }
  if (!flags.output.empty()) {
    if (Result<void> done = WriteJob(*laws, *estimate, flags.output); !done) return Fail(done.error());
  }
  if (!flags.figure.empty()) {
    const Result<LawChart> chart = LawChartOf(*laws, choice.scatter);
    if (!chart) return of_file(chart.error());
    if (Result<void> done = WriteFigure(LawFigure(*chart), flags.figure); !done) return Fail(done.error());
  }
  std::string text = json ? LawJson(*laws, estimate) : LawText(*laws);
  if (estimate && !json) text += "\n" + JobText(*laws, *estimate);
  if (Result<void> done = Print(text); !done) return Fail(done.error());
  if (!flags.output.empty()) {
    PrintMessage(fmt::format("{0} written. Next: heliograd plan SCENARIO --set gpu.curve={0}", flags.output));
  }
  if (!flags.figure.empty()) PrintMessage(flags.figure + " written");
  return kExitOk;
}

Result<int> RunEstimate(const EstimateFlags& flags) {
  if (flags.curve.empty() == flags.of_law.law.empty()) {
    return Fail("from what? Give a curve (a file of `heliograd curve`, or builtin:paper) or --law FILE, one of them.",
                ErrorKind::kUsage);
  }
  return flags.curve.empty() ? EstimateByLaw(flags.of_law, flags.json) : EstimateByCurve(flags);
}

void AddLawFlags(CLI::App& app, LawFlags& flags, CLI::Option* curve) {
  auto* law =
      app.add_option("--law", flags.law, "networks measured on this hardware: FILE.toml with [law] and [[points]]")
          ->excludes(curve);
  auto* model = app.add_option("--model", flags.model, "the job's network, by name: resnet50, vgg11, ...")->needs(law);
  auto* macs = app.add_option("--macs", flags.macs, "its MACs instead: of one image's forward pass")
                   ->check(CLI::Range(1.0, 1e18))
                   ->needs(law)
                   ->excludes(model);
  app.add_option("--traffic-bytes", flags.traffic_bytes, "its memory traffic, as the file counts it")
      ->check(CLI::Range(1.0, 1e18))
      ->needs(macs);
  app.add_option("--channels", flags.channels, "of the network's images: 1 or 3")->needs(model)->capture_default_str();
  app.add_option("--classes", flags.classes, "that it tells apart")->needs(model)->capture_default_str();
  app.add_option("--images", flags.images, "images of an epoch")->check(CLI::Range(1.0, 1e12))->needs(law);
  app.add_option("--epochs", flags.epochs, "epochs of the job")
      ->check(CLI::Range(1e-6, 1e9))
      ->needs(law)
      ->capture_default_str();
  app.add_option("--price", flags.price_eur_per_kwh, "EUR per kWh bought")->check(CLI::Range(1e-6, 1e3))->needs(law);
  app.add_option("--terms", flags.terms, "what the law holds: macs or macs+traffic")
      ->check(CLI::IsMember({"macs", "macs+traffic"}))
      ->needs(law)
      ->capture_default_str();
  app.add_option("--scatter", flags.scatter, "of networks about the law: constant, or proportional to the energy")
      ->check(CLI::IsMember({"constant", "proportional"}))
      ->needs(law)
      ->capture_default_str();
  app.add_option("--figure", flags.figure, "energy against MACs: FILE.svg, .png or .pdf")->needs(law);
  app.add_option("-o,--output", flags.output, "the job as a curve of one level for `plan`: FILE.toml")->needs(law);
}

}  // namespace

void AddEstimateCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(
      program, "estimate", "Energy and time of a job from a power curve, or from other networks and its MACs",
      {"heliograd estimate curve.toml --units 469000", "heliograd estimate builtin:paper --limit-w 170 --json",
       "heliograd estimate --law energy_law.toml --figure law.svg",
       "heliograd estimate --law energy_law.toml --model resnet50 --epochs 90 --images 50000 --price 0.30 -o "
       "resnet50.toml"});
  auto flags = std::make_shared<EstimateFlags>();
  auto* curve = app->add_option("curve", flags->curve, "a curve file as `heliograd curve` writes, or builtin:paper");
  app->add_option("--units", flags->units,
                  "units of work of the job, as the curve counts them (default: of its job, where it says so, else 1)")
      ->check(CLI::Range(1e-9, 1e15))
      ->needs(curve);
  app->add_option("--limit-w", flags->limit_w, "this power limit only")->check(CLI::Range(0.1, 1e6))->needs(curve);
  AddLawFlags(*app, flags->of_law, curve);
  app->add_flag("--json", flags->json, "machine-readable output");
  commands.push_back({app, [flags] { return RunEstimate(*flags); }});
}

}  // namespace heliograd
