// What `heliograd estimate --law` says: the law, how well it holds, and a job that has not run yet.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/app/energy_law_file.h"
#include "heliograd/model/energy_law.h"
#include "heliograd/report/law_figure.h"

namespace heliograd {

struct LawChoice {
  LawTerms terms = LawTerms::kMacs;
  Scatter scatter = Scatter::kConstant;
};

/// One law of the comparison.
struct ComparedLaw {
  std::string points;  // "all", "without VGG"
  EnergyLaw law;
  std::vector<FamilyLeftOut> families;
  /// Root mean square over their networks; nothing where a family cannot be left out.
  std::optional<double> FamiliesRms() const;
};

/// Everything that is fitted to one file.
struct FittedLaws {
  EnergyLawFile file;
  EnergyLaw energy;                   // the one that predicts
  std::optional<EnergyLaw> time;      // of the same terms, where every point has a time
  std::vector<ComparedLaw> compared;  // of energy; `energy` among them, its place in `chosen`
  size_t chosen = 0;
  std::vector<std::string> notes;
};

/// Fits the law of the choice, and those it is compared with: without the VGGs, and with memory traffic, each where the
/// points allow it. Fails where the law of the choice does.
Result<FittedLaws> FitLaws(EnergyLawFile file, const LawChoice& choice);

struct LawJob {
  std::string network;  // its name, or "1.82 G MACs"
  double macs = 0;
  std::optional<double> traffic_bytes;
  double images = 0;  // per epoch
  double epochs = 0;
  std::optional<EnergyPrice> price;
};

/// A value with its 95 % interval.
struct Spread {
  double value = 0, low = 0, high = 0;
};

/// The job as the law has it. Modelled.
struct JobEstimate {
  LawJob job;
  Spread energy_j;
  std::optional<Spread> seconds, cost_eur;
  std::optional<LawPoint> measured;  // where the network is one of the law's points
  std::string extrapolates;          // why it goes beyond the points; empty where it does not
};

/// The gain's half-width, one factor common to all points, is added to the law's interval of energy. Fails where the
/// law's energy (or time) falls with MACs, naming two points that make it fall.
Result<JobEstimate> EstimateJob(const FittedLaws& laws, const LawJob& job);

std::string LawText(const FittedLaws& laws);
std::string JobText(const FittedLaws& laws, const JobEstimate& estimate);
std::string LawJson(const FittedLaws& laws, const std::optional<JobEstimate>& estimate);
/// The law of MACs alone, drawn with and without the VGGs. Fails where the points decide none.
Result<LawChart> LawChartOf(const FittedLaws& laws, Scatter scatter);

/// The job as a curve of one level, an epoch as its unit, that `plan` reads with the epochs in it. Precondition: its
/// time is known.
std::string JobCurveToml(const FittedLaws& laws, const JobEstimate& estimate);
inline constexpr std::string_view kJobCurveBegins = "# Modelled by heliograd estimate";

}  // namespace heliograd
