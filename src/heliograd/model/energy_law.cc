#include "heliograd/model/energy_law.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/base/text.h"
#include "heliograd/model/statistics.h"

namespace heliograd {
namespace {

using Eigen::Index;

std::optional<std::string> Unusable(const LawPoint& point, LawTerms terms, LawQuantity quantity) {
  const auto positive = [](double value) { return std::isfinite(value) && value > 0; };
  const auto wrong = [&](const char* what, double value) {
    return fmt::format("{}: {} is {:g}: expected a number above 0.", point.name, what, value);
  };
  if (!positive(point.macs)) return wrong("the number of MACs", point.macs);
  if (!positive(InJoules(point.energy))) return wrong("the energy per image in J", InJoules(point.energy));
  if (terms == LawTerms::kMacsAndTraffic) {
    if (!point.traffic_bytes) return point.name + ": no memory traffic is given, but the law is to hold it.";
    if (!positive(*point.traffic_bytes)) return wrong("the memory traffic in bytes", *point.traffic_bytes);
  }
  if (quantity == LawQuantity::kTime) {
    if (!point.time) return point.name + ": no time per image is given, but the law is to be of time.";
    if (!positive(InSeconds(*point.time))) return wrong("the time per image in s", InSeconds(*point.time));
  }
  if (point.low && point.high && !(*point.low <= point.energy && point.energy <= *point.high)) {
    return fmt::format("{}: the interval from {:g} to {:g} J does not hold the energy, {:g} J.", point.name,
                       InJoules(*point.low), InJoules(*point.high), InJoules(point.energy));
  }
  return std::nullopt;
}

bool AllHaveIntervals(std::span<const LawPoint> points) {
  return std::all_of(points.begin(), points.end(), [](const LawPoint& point) {
    return point.low && point.high && IsFinite(*point.low) && IsFinite(*point.high);
  });
}

LawCoefficient CoefficientOf(const Regression& regression, Index which) {
  const double value = regression.coefficients[which], half_width = regression.half_widths[which];
  return {value, value - half_width, value + half_width};
}

RegressionInput InputOf(const EnergyLaw& law) {
  const auto count = static_cast<Index>(law.points.size());
  RegressionInput input;
  input.x.resize(count, law.terms == LawTerms::kMacs ? 1 : 2);
  input.y.resize(count);
  if (law.weighted) input.sd.resize(count);
  for (Index i = 0; i < count; ++i) {
    const LawPoint& point = law.points[static_cast<size_t>(i)];
    input.x(i, 0) = point.macs;
    if (law.terms == LawTerms::kMacsAndTraffic) input.x(i, 1) = *point.traffic_bytes;
    input.y[i] = law.quantity == LawQuantity::kEnergy ? InJoules(point.energy) : InSeconds(*point.time);
    if (law.weighted) input.sd[i] = InJoules(*point.high - *point.low) / 2 / kNormal975;
  }
  return input;
}

std::string BeyondText(double value, double least, double most, double scale, const char* unit) {
  if (value >= least && value <= most) return "";
  return fmt::format("{:.3g} {} are {} the {:.3g} {} of the points", value / scale, unit,
                     value > most ? "above" : "below", (value > most ? most : least) / scale, unit);
}

}  // namespace

Result<EnergyLaw> FitEnergyLaw(std::span<const LawPoint> points, LawTerms terms, Scatter scatter,
                               LawQuantity quantity) {
  for (const LawPoint& point : points) {
    if (const auto problem = Unusable(point, terms, quantity)) return Fail(*problem);
  }
  EnergyLaw law;
  law.quantity = quantity;
  law.terms = terms;
  law.points.assign(points.begin(), points.end());
  law.weighted = quantity == LawQuantity::kEnergy && !points.empty() && AllHaveIntervals(points);
  Result<Regression> regression = FitRegression(InputOf(law), scatter);
  if (!regression) return Fail(regression.error());
  law.regression = std::move(*regression);
  law.per_image = CoefficientOf(law.regression, 0);
  law.per_mac = CoefficientOf(law.regression, 1);
  if (terms == LawTerms::kMacsAndTraffic) law.per_byte = CoefficientOf(law.regression, 2);
  const auto [least, most] =
      std::minmax_element(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.macs < b.macs; });
  law.least_macs = least->macs;
  law.most_macs = most->macs;
  if (terms == LawTerms::kMacsAndTraffic) {
    const auto [light, heavy] = std::minmax_element(
        points.begin(), points.end(), [](const auto& a, const auto& b) { return *a.traffic_bytes < *b.traffic_bytes; });
    law.least_traffic = *light->traffic_bytes;
    law.most_traffic = *heavy->traffic_bytes;
  }
  return law;
}

std::vector<LawPoint> PointsWithout(std::span<const LawPoint> points, const std::string& prefix) {
  std::vector<LawPoint> kept;
  std::copy_if(points.begin(), points.end(), std::back_inserter(kept),
               [&](const LawPoint& point) { return !StartsWithIgnoringCase(point.name, prefix); });
  return kept;
}

std::string FamilyOf(const std::string& name) {
  const std::string lower = ToLower(name);
  return lower.substr(0, std::max<size_t>(1, lower.find_first_of("0123456789_- ")));
}

std::vector<FamilyLeftOut> LeaveFamiliesOut(const EnergyLaw& law) {
  std::vector<FamilyLeftOut> families;
  for (size_t i = 0; i < law.points.size(); ++i) {
    const std::string name = FamilyOf(law.points[i].name);
    const auto known = std::find_if(families.begin(), families.end(), [&](const auto& f) { return f.family == name; });
    (known == families.end() ? families.emplace_back(FamilyLeftOut{name, {}, 0}) : *known).points.push_back(i);
  }
  std::erase_if(families, [&](FamilyLeftOut& left_out) {
    std::vector<LawPoint> rest;
    std::copy_if(law.points.begin(), law.points.end(), std::back_inserter(rest),
                 [&](const LawPoint& point) { return FamilyOf(point.name) != left_out.family; });
    const Result<EnergyLaw> others = FitEnergyLaw(rest, law.terms, law.regression.scatter, law.quantity);
    if (!others) return true;
    const RegressionInput input = InputOf(law);
    double squares = 0;
    for (const size_t i : left_out.points) {
      const auto row = static_cast<Index>(i);
      const double told = PredictAt(others->regression, input.x.row(row).transpose()).value;
      squares += std::pow((input.y[row] - told) / input.y[row], 2);
    }
    left_out.relative_rms = std::sqrt(squares / static_cast<double>(left_out.points.size()));
    return false;
  });
  return families;
}

Result<LawPrediction> PredictLaw(const EnergyLaw& law, double macs, std::optional<double> traffic_bytes) {
  const bool with_traffic = law.terms == LawTerms::kMacsAndTraffic;
  if (!(macs > 0) || !std::isfinite(macs)) return Fail(fmt::format("{:g} MACs: expected a number above 0.", macs));
  if (with_traffic && !traffic_bytes) return Fail("the law holds memory traffic: the network's bytes are needed too.");
  if (with_traffic && (!(*traffic_bytes > 0) || !std::isfinite(*traffic_bytes))) {
    return Fail(fmt::format("{:g} bytes of traffic: expected a number above 0.", *traffic_bytes));
  }
  Eigen::VectorXd at(with_traffic ? 2 : 1);
  at[0] = macs;
  if (with_traffic) at[1] = *traffic_bytes;
  const RegressionPrediction found = PredictAt(law.regression, at);
  const char* unit = law.quantity == LawQuantity::kEnergy ? "J" : "s";
  if (!(found.value > 0)) {
    return Fail(
        fmt::format("the law gives {:.3g} {} per image for {:.4g} G MACs: it does not hold so far below its "
                    "points; measure the network itself.",
                    found.value, unit, macs / 1e9));
  }
  LawPrediction prediction{found.value, std::max(0.0, found.low), found.high, ""};
  prediction.extrapolates = BeyondText(macs, law.least_macs, law.most_macs, 1e9, "G MACs");
  if (with_traffic && prediction.extrapolates.empty()) {
    prediction.extrapolates = BeyondText(*traffic_bytes, law.least_traffic, law.most_traffic, 1e9, "GB of traffic");
  }
  if (with_traffic && prediction.extrapolates.empty() && !found.within) {
    prediction.extrapolates = "no point combines MACs and traffic like this";
  }
  return prediction;
}

}  // namespace heliograd
