#include "heliograd/app/law_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "heliograd/app/toml_text.h"
#include "heliograd/profile/networks.h"
#include "heliograd/report/number_text.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kLeverage = "vgg";  // the family whose leverage makes any R2 look good
constexpr const char* kWithoutName = "without VGG";

const char* TermsName(LawTerms terms) { return terms == LawTerms::kMacs ? "MACs" : "MACs + traffic"; }
const char* TermsKey(LawTerms terms) { return terms == LawTerms::kMacs ? "macs" : "macs+traffic"; }
const char* ScatterName(Scatter scatter) { return scatter == Scatter::kConstant ? "constant" : "proportional"; }

/// Adds a law to the comparison where the points allow it; else a note why not.
void Compare(FittedLaws& laws, const std::string& which, std::span<const LawPoint> points, LawTerms terms,
             Scatter scatter) {
  Result<EnergyLaw> law = FitEnergyLaw(points, terms, scatter);
  if (law) {
    std::vector<FamilyLeftOut> families = LeaveFamiliesOut(*law);
    laws.compared.push_back({which, std::move(*law), std::move(families)});
  } else {
    laws.notes.push_back(fmt::format("no law of {}, {}: {}", TermsName(terms), which, law.error().Message()));
  }
}

void AddTime(FittedLaws& laws, const LawChoice& choice) {
  const auto& points = laws.file.points;
  const auto timed =
      std::count_if(points.begin(), points.end(), [](const auto& point) { return point.time.has_value(); });
  if (timed == 0) return;
  Result<EnergyLaw> time = FitEnergyLaw(points, choice.terms, choice.scatter, LawQuantity::kTime);
  if (time) {
    laws.time = std::move(*time);
  } else {
    laws.notes.push_back("no law of time: " + time.error().Message());
  }
}

/// Which scatter the points speak for, where it is clearly not the one chosen.
void AddScatterNote(FittedLaws& laws, const LawChoice& choice) {
  constexpr double kClearly = 3;  // in log likelihood: twenty to one
  const Scatter other = choice.scatter == Scatter::kConstant ? Scatter::kProportional : Scatter::kConstant;
  const Result<EnergyLaw> fit = FitEnergyLaw(laws.file.points, choice.terms, other);
  if (!fit || fit->regression.log_likelihood < laws.energy.regression.log_likelihood + kClearly) return;
  laws.notes.push_back(fmt::format("the points speak for {} scatter about the law rather than {}: --scatter {}",
                                   ScatterName(other), ScatterName(choice.scatter), ScatterName(other)));
}

/// Which law tells networks left out clearly better than the one chosen, of the same points.
void AddTermsNote(FittedLaws& laws, const LawChoice& choice) {
  constexpr double kClearly = 0.9;
  const auto off = [](const EnergyLaw& law) { return law.regression.left_out_relative_rms; };
  for (const ComparedLaw& compared : laws.compared) {
    const bool other = compared.law.terms != choice.terms && compared.law.points.size() == laws.energy.points.size();
    if (!other || !off(compared.law) || !off(laws.energy)) continue;
    if (*off(compared.law) > kClearly * *off(laws.energy)) continue;
    laws.notes.push_back(
        fmt::format("a law of {} is {:.1f} % off for networks left out, that of {} {:.1f} %: --terms {}",
                    TermsName(compared.law.terms), 100 * *off(compared.law), TermsName(choice.terms),
                    100 * *off(laws.energy), TermsKey(compared.law.terms)));
  }
}

/// Of two points, one of fewer MACs and one of more, that do most to make the law fall; empty where none do, as memory
/// traffic may have taken the MACs' part.
std::string FallingPointsText(const EnergyLaw& law) {
  const bool is_energy = law.quantity == LawQuantity::kEnergy;
  const auto value = [&](const LawPoint& point) { return is_energy ? InJoules(point.energy) : InSeconds(*point.time); };
  double macs = 0, mean = 0;
  for (const LawPoint& point : law.points) macs += point.macs, mean += value(point);
  macs /= static_cast<double>(law.points.size());
  mean /= static_cast<double>(law.points.size());
  const LawPoint *few = nullptr, *many = nullptr;
  const auto part = [&](const LawPoint& point) { return (point.macs - macs) * (value(point) - mean); };
  for (const LawPoint& point : law.points) {
    const LawPoint*& most = point.macs < macs ? few : many;
    if (part(point) < 0 && (most == nullptr || part(point) < part(*most))) most = &point;
  }
  if (few == nullptr || many == nullptr) return "";
  const char* unit = is_energy ? "J" : "s";
  return fmt::format(
      "{} ({:.3g} G MACs) took {:.3g} {} an image, {} ({:.3g} G MACs) {:.3g} {}: measure them again, or "
      "take the wrong one out",
      few->name, few->macs / 1e9, value(*few), unit, many->name, many->macs / 1e9, value(*many), unit);
}

/// Why nothing is estimated from a law that says that more MACs take less; nothing where it does not.
std::optional<std::string> FallText(const EnergyLaw& law) {
  if (law.per_mac.value > 0) return std::nullopt;
  const bool is_energy = law.quantity == LawQuantity::kEnergy;
  const std::string points = FallingPointsText(law);
  return fmt::format("{} per MAC is below zero, {:.3g} {}, so no network is estimated: {}",
                     is_energy ? "energy" : "time", 1e12 * law.per_mac.value, is_energy ? "pJ" : "ps",
                     !points.empty() ? points
                     : law.terms == LawTerms::kMacsAndTraffic
                         ? "MACs and traffic of these points cannot be told apart; "
                           "take --terms macs"
                         : "the points do not rise with their MACs");
}

/// The point of the network that a job has, whichever way either is written.
std::optional<LawPoint> PointOf(const EnergyLawFile& file, const std::string& network) {
  const auto name_of = [](const std::string& written) { return NetworkNamed(written).value_or(written); };
  for (const LawPoint& point : file.points) {
    if (name_of(point.name) == name_of(network)) return point;
  }
  return std::nullopt;
}

Spread Scaled(const LawPrediction& prediction, double factor, double gain_half_width) {
  const double gain = gain_half_width * prediction.value;
  const double low = prediction.value - std::hypot(prediction.value - prediction.low, gain);
  const double high = prediction.value + std::hypot(prediction.high - prediction.value, gain);
  return {factor * prediction.value, factor * std::max(0.0, low), factor * high};
}

/// "245 +- 12": as many decimals as the value has with three digits.
std::string CoefficientText(const LawCoefficient& coefficient, double scale) {
  const double value = coefficient.value * scale, half_width = (coefficient.high - coefficient.low) / 2 * scale;
  const int digits = std::abs(value) > 0 ? static_cast<int>(std::floor(std::log10(std::abs(value)))) : 0;
  const int decimals = std::clamp(2 - digits, 0, 6);
  return fmt::format("{:.{}f} +- {:.{}f}", value, decimals, half_width, decimals);
}

std::string OrDash(const std::optional<double>& value, const char* format, double scale = 1) {
  return value ? fmt::format(fmt::runtime(format), *value * scale) : "-";
}

std::string ComparedTable(const FittedLaws& laws) {
  constexpr const char* kRow = "{:<17}{:<12}{:>3}  {:>18}{:>18}{:>18}{:>8}{:>8}{:>9}{:>10}\n";
  std::string text = fmt::format(fmt::runtime(kRow), "  law of", "points", "", "mJ per image", "pJ per MAC",
                                 "pJ per byte", "R2", "R2 out", "out", "family");
  for (size_t i = 0; i < laws.compared.size(); ++i) {
    const auto& [which, law, families] = laws.compared[i];
    text += fmt::format(fmt::runtime(kRow), (i == laws.chosen ? "* " : "  ") + std::string(TermsName(law.terms)), which,
                        law.points.size(), CoefficientText(law.per_image, 1e3), CoefficientText(law.per_mac, 1e12),
                        law.per_byte ? CoefficientText(*law.per_byte, 1e12) : "-",
                        fmt::format("{:.4f}", law.regression.r_squared),
                        OrDash(law.regression.predicted_r_squared, "{:.4f}"),
                        OrDash(law.regression.left_out_relative_rms, "{:.1f} %", 100),
                        OrDash(laws.compared[i].FamiliesRms(), "{:.1f} %", 100));
  }
  return text;
}

std::string NetworkTable(const EnergyLaw& law) {
  std::string text = fmt::format("  {:<18}{:>8}{:>12}{:>12}{:>10}{:>10}{:>10}\n", "network", "G MACs", "J/image",
                                 "law says", "off", "left out", "leverage");
  for (size_t i = 0; i < law.points.size(); ++i) {
    const RegressionPoint& found = law.regression.points[i];
    const double joules = InJoules(law.points[i].energy);
    text += fmt::format("  {:<18}{:>8.3f}{:>12.4g}{:>12.4g}{:>+8.1f} %{:>10}{:>10.2f}\n", law.points[i].name,
                        law.points[i].macs / 1e9, joules, found.fitted, 100 * found.residual / joules,
                        OrDash(found.left_out_error, "{:+.1f} %", 100 / joules), found.leverage);
  }
  return text;
}

Json CoefficientJson(const std::string& name, const LawCoefficient& coefficient) {
  return {{name, coefficient.value}, {name + "_low", coefficient.low}, {name + "_high", coefficient.high}};
}

Json OrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json LawAsJson(const ComparedLaw& compared) {
  const EnergyLaw& law = compared.law;
  const Regression& fit = law.regression;
  Json json = {{"terms", TermsKey(law.terms)},
               {"points", compared.points},
               {"scatter", ScatterName(fit.scatter)},
               {"weighted_by_intervals", law.weighted}};
  json.update(CoefficientJson("j_per_image", law.per_image));
  json.update(CoefficientJson("j_per_mac", law.per_mac));
  if (law.per_byte) json.update(CoefficientJson("j_per_byte", *law.per_byte));
  json["r_squared"] = fit.r_squared;
  json["left_out_r_squared"] = OrNull(fit.predicted_r_squared);
  json["left_out_rms_j_per_image"] = OrNull(fit.left_out_rms);
  json["left_out_rms_percent"] = fit.left_out_relative_rms ? Json(100 * *fit.left_out_relative_rms) : Json();
  const auto families = compared.FamiliesRms();
  json["family_left_out_rms_percent"] = families ? Json(100 * *families) : Json();
  json["families"] = Json::array();
  for (const FamilyLeftOut& left_out : compared.families) {
    json["families"].push_back({{"name", left_out.family},
                                {"networks", left_out.points.size()},
                                {"left_out_rms_percent", 100 * left_out.relative_rms}});
  }
  json[fit.scatter == Scatter::kConstant ? "scatter_j_per_image" : "scatter_percent"] =
      fit.scatter_sd * (fit.scatter == Scatter::kConstant ? 1 : 100);
  json["networks"] = Json::array();
  for (size_t i = 0; i < law.points.size(); ++i) {
    const LawPoint& point = law.points[i];
    const RegressionPoint& found = fit.points[i];
    json["networks"].push_back({{"name", point.name},
                                {"macs", point.macs},
                                {"traffic_bytes", OrNull(point.traffic_bytes)},
                                {"energy_j_per_image", InJoules(point.energy)},
                                {"law_j_per_image", found.fitted},
                                {"residual_j_per_image", found.residual},
                                {"studentised_residual", found.studentised},
                                {"leverage", found.leverage},
                                {"left_out_error_j_per_image", OrNull(found.left_out_error)}});
  }
  return json;
}

void AddSpread(Json& json, const std::string& stem, const std::string& unit, const std::optional<Spread>& spread) {
  json[stem + unit] = spread ? Json(spread->value) : Json();
  json[stem + "_low" + unit] = spread ? Json(spread->low) : Json();
  json[stem + "_high" + unit] = spread ? Json(spread->high) : Json();
}

Json JobAsJson(const JobEstimate& estimate) {
  const LawJob& job = estimate.job;
  Json json = {{"network", job.network},         {"macs", job.macs},     {"traffic_bytes", OrNull(job.traffic_bytes)},
               {"images_per_epoch", job.images}, {"epochs", job.epochs}, {"obtained", "modelled"}};
  AddSpread(json, "energy", "_j", estimate.energy_j);
  AddSpread(json, "duration", "_s", estimate.seconds);
  AddSpread(json, "cost", "_eur", estimate.cost_eur);
  const double images = job.images * job.epochs;
  const std::optional<LawPoint>& point = estimate.measured;
  json["point_energy_j"] = point ? Json(InJoules(point->energy * images)) : Json();
  json["point_duration_s"] = point && point->time ? Json(InSeconds(*point->time * images)) : Json();
  json["price_eur_per_kwh"] = job.price ? Json(InEurosPerKilowattHour(*job.price)) : Json();
  json["extrapolates"] = estimate.extrapolates.empty() ? Json() : Json(estimate.extrapolates);
  return json;
}

std::string Head(const FittedLaws& laws) {
  const EnergyLawFile& file = laws.file;
  return fmt::format("Energy of training on {}{}, {}, batch {}: {} networks, power {}.\n", file.hardware,
                     file.driver.empty() ? "" : " (driver " + file.driver + ")", file.dataset, file.batch,
                     file.points.size(), file.simulated ? "simulated" : "measured");
}

}  // namespace

std::optional<double> ComparedLaw::FamiliesRms() const {
  double squares = 0, networks = 0;
  for (const FamilyLeftOut& left_out : families) {
    const auto count = static_cast<double>(left_out.points.size());
    squares += count * left_out.relative_rms * left_out.relative_rms;
    networks += count;
  }
  if (networks < static_cast<double>(law.points.size())) return std::nullopt;
  return std::sqrt(squares / networks);
}

Result<FittedLaws> FitLaws(EnergyLawFile file, const LawChoice& choice) {
  Result<EnergyLaw> energy = FitEnergyLaw(file.points, choice.terms, choice.scatter);
  if (!energy) return Fail(energy.error());
  FittedLaws laws;
  laws.file = std::move(file);
  laws.energy = std::move(*energy);
  const auto& points = laws.file.points;
  const std::vector<LawPoint> rest = PointsWithout(points, kLeverage);
  const bool has_traffic =
      std::all_of(points.begin(), points.end(), [](const LawPoint& point) { return point.traffic_bytes.has_value(); });
  for (const LawTerms terms : {LawTerms::kMacs, LawTerms::kMacsAndTraffic}) {
    if (terms == LawTerms::kMacsAndTraffic && !has_traffic) continue;
    if (terms == choice.terms) laws.chosen = laws.compared.size();
    Compare(laws, "all", points, terms, choice.scatter);
    if (rest.size() < points.size()) Compare(laws, kWithoutName, rest, terms, choice.scatter);
  }
  AddTime(laws, choice);
  if (const auto fall = FallText(laws.energy)) laws.notes.push_back(*fall);
  AddTermsNote(laws, choice);
  AddScatterNote(laws, choice);
  return laws;
}

Result<JobEstimate> EstimateJob(const FittedLaws& laws, const LawJob& job) {
  if (const auto fall = FallText(laws.energy)) return Fail(*fall + ".");
  if (const auto fall = laws.time ? FallText(*laws.time) : std::nullopt) return Fail(*fall + ".");
  const Result<LawPrediction> energy = PredictLaw(laws.energy, job.macs, job.traffic_bytes);
  if (!energy) return Fail(energy.error());
  JobEstimate estimate;
  estimate.job = job;
  estimate.measured = PointOf(laws.file, job.network);
  const double images = job.images * job.epochs;
  estimate.energy_j = Scaled(*energy, images, laws.file.gain_half_width);
  estimate.extrapolates = energy->extrapolates;
  if (laws.time) {
    const Result<LawPrediction> time = PredictLaw(*laws.time, job.macs, job.traffic_bytes);
    if (!time) return Fail(time.error());
    estimate.seconds = Scaled(*time, images, 0);
  }
  if (job.price) {
    const double per_joule = InEuros(*job.price * Joules(1));
    const Spread& energy_j = estimate.energy_j;
    estimate.cost_eur = Spread{energy_j.value * per_joule, energy_j.low * per_joule, energy_j.high * per_joule};
  }
  return estimate;
}

std::string LawText(const FittedLaws& laws) {
  std::string text = Head(laws) + "\n" + ComparedTable(laws);
  text += fmt::format(
      "+- are half-widths of 95 % intervals. R2 out and out: how well, and how far off in the mean square, the law "
      "tells\n"
      "a network left out of the fit; family: the same with all of its family (vgg, resnet, ...) left out with it.\n"
      "Scatter of networks about the law: {}{}. * is the law used here.\n\n",
      ScatterName(laws.energy.regression.scatter),
      laws.energy.weighted ? ", each weighed by it and by its own interval"
                           : "; their own intervals do not count, for not every one has one");
  text += NetworkTable(laws.energy);
  for (const std::string& note : laws.notes) text += "Note: " + note + "\n";
  return text;
}

std::string JobText(const FittedLaws& laws, const JobEstimate& estimate) {
  const LawJob& job = estimate.job;
  const auto range = [](const Spread& spread, const auto& text) {
    return fmt::format("{} ({} to {})", text(spread.value), text(spread.low), text(spread.high));
  };
  std::string text = fmt::format(
      "{}, {:g} epoch{} of {:g} images (modelled; 95 % intervals for a network not measured{}):\n", job.network,
      job.epochs, job.epochs == 1 ? "" : "s", job.images, estimate.measured ? ", though this one was" : "");
  text += "  energy  " + range(estimate.energy_j, [](double joules) { return EnergyText(Joules(joules)); }) + "\n";
  if (estimate.seconds) {
    text +=
        "  time    " + range(*estimate.seconds, [](double seconds) { return DurationText(Seconds(seconds)); }) + "\n";
  } else {
    text += "  time    not known: not every network of the file has seconds_per_image\n";
  }
  if (estimate.cost_eur) {
    text += "  cost    " + range(*estimate.cost_eur, [](double euros) { return MoneyText(Euros(euros)); }) + "\n";
  }
  if (estimate.measured) {
    const double images = job.images * job.epochs;
    const auto& time = estimate.measured->time;
    text += fmt::format("It is a point of the law: as {}, the job takes {}{}.\n",
                        laws.file.simulated ? "simulated" : "measured", EnergyText(estimate.measured->energy * images),
                        time ? " and " + DurationText(*time * images) : "");
  }
  if (laws.file.gain_half_width > 0) {
    text +=
        fmt::format("The sensor's gain, +-{:g} %, is in the interval of energy.\n", 100 * laws.file.gain_half_width);
  }
  if (!estimate.extrapolates.empty()) {
    text += fmt::format("Beyond what was measured: {}. The interval does not know whether the law holds there.\n",
                        estimate.extrapolates);
  }
  return text;
}

std::string LawJson(const FittedLaws& laws, const std::optional<JobEstimate>& estimate) {
  const EnergyLawFile& file = laws.file;
  Json json = {{"hardware", file.hardware},
               {"driver", file.driver.empty() ? Json() : Json(file.driver)},
               {"dataset", file.dataset},
               {"batch", file.batch},
               {"power_source", file.simulated ? "simulated" : "measured"},
               {"gain_half_width_percent", 100 * file.gain_half_width},
               {"chosen", laws.chosen},
               {"laws", Json::array()}};
  for (const ComparedLaw& compared : laws.compared) json["laws"].push_back(LawAsJson(compared));
  json["notes"] = laws.notes;
  json["job"] = estimate ? JobAsJson(*estimate) : Json();
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<LawChart> LawChartOf(const FittedLaws& laws, Scatter scatter) {
  Result<EnergyLaw> law = FitEnergyLaw(laws.file.points, LawTerms::kMacs, scatter);
  if (!law) return Fail(law.error());
  LawChart chart;
  chart.title = fmt::format("{}, {}, batch {}, power {}", laws.file.hardware, laws.file.dataset, laws.file.batch,
                            laws.file.simulated ? "simulated" : "measured");
  chart.law = std::move(*law);
  const auto without = std::find_if(laws.compared.begin(), laws.compared.end(), [](const ComparedLaw& compared) {
    return compared.points == kWithoutName && compared.law.terms == LawTerms::kMacs;
  });
  if (without != laws.compared.end()) {
    chart.without = without->law;
    chart.without_name = kWithoutName;
  }
  return chart;
}

std::string JobCurveToml(const FittedLaws& laws, const JobEstimate& estimate) {
  const double epochs = estimate.job.epochs;
  const auto per_epoch = [&](const char* key, const Spread& spread) {
    return fmt::format("{0} = {1:.9g}\n{0}_low = {2:.9g}\n{0}_high = {3:.9g}\n", key, spread.value / epochs,
                       spread.low / epochs, spread.high / epochs);
  };
  const double mean_w = estimate.energy_j.value / estimate.seconds->value;
  return fmt::format(
             "{}, not measured: {} by the energy law of {}.\n"
             "# One level: the law tells nothing of other power limits. A unit is one epoch of {:g} images.\n"
             "[curve]\nname = {}\nobtained = \"modelled\"\njob_units = {:.9g}  # the whole job: as many "
             "epochs\n\n[[points]]\nlimit_w = {:.6g}{}\n",
             kJobCurveBegins, estimate.job.network, laws.file.hardware, estimate.job.images,
             TomlString(fmt::format("{} on {}, modelled", estimate.job.network, laws.file.hardware)), epochs,
             laws.file.power_limit ? InWatts(*laws.file.power_limit) : mean_w,
             laws.file.power_limit ? "" : "  # assumed: the mean draw") +
         per_epoch("seconds_per_unit", *estimate.seconds) + per_epoch("energy_j_per_unit", estimate.energy_j);
}

}  // namespace heliograd
