// Energy of training against what a network computes: the study's claim that it is linear in multiply-accumulates
// (MACs).
//
//   energy per image = a + b MACs            or            a + b MACs + c bytes of memory traffic
//
// Enters: networks measured on one machine with one data set. Leaves: coefficients with intervals, how much each
// network decides of them (VGG19 has five times the MACs of ResNet50: its leverage makes any R2 look good), how far off
// the law is for a network that it has not seen, and predictions. The regression itself: regression.h. Pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/model/regression.h"

namespace heliograd {

/// One network measured, per image of training (forward, backward and update).
struct LawPoint {
  std::string name;
  double macs = 0;                      // of one forward pass of one image, the convention of the data
  std::optional<double> traffic_bytes;  // read and written, per image
  Energy energy;
  /// 95 % interval of the energy, without what is common to all networks, such as the sensor's gain.
  std::optional<Energy> low, high;
  std::optional<Duration> time;
};

enum class LawTerms { kMacs, kMacsAndTraffic };
enum class LawQuantity { kEnergy, kTime };

/// A coefficient with its 95 % interval, in J (or s) per image, per MAC, per byte.
struct LawCoefficient {
  double value = 0, low = 0, high = 0;
};

struct EnergyLaw {
  LawQuantity quantity = LawQuantity::kEnergy;
  LawTerms terms = LawTerms::kMacs;
  bool weighted = false;  // by the points' own intervals; only where every point has one
  LawCoefficient per_image, per_mac;
  std::optional<LawCoefficient> per_byte;
  std::vector<LawPoint> points;  // as given
  Regression regression;         // its points are those, in order
  double least_macs = 0, most_macs = 0, least_traffic = 0, most_traffic = 0;
};

/// Fits the law. `weighted` intervals become standard deviations, (high - low) / 2 / 1.96. Fails in one sentence: fewer
/// points than coefficients + 1, a value that is not above 0 or not finite, an interval that does not hold its energy,
/// no traffic (or time) where it is needed, points that decide no line.
Result<EnergyLaw> FitEnergyLaw(std::span<const LawPoint> points, LawTerms terms, Scatter scatter,
                               LawQuantity quantity = LawQuantity::kEnergy);

/// The points whose name does not begin with `prefix`, in any case.
std::vector<LawPoint> PointsWithout(std::span<const LawPoint> points, const std::string& prefix);

/// What the names of a family of networks share, in lower case: "vgg" of "VGG19", "googlenet" of "googlenet_mod3".
std::string FamilyOf(const std::string& name);

/// How far off the law is for networks of which it has seen no relative.
struct FamilyLeftOut {
  std::string family;
  std::vector<size_t> points;  // which of the law's
  double relative_rms = 0;     // of (measured - law without the family) / measured
};

/// For each family, in order of their first points, the law fitted again without it. A family without which no law is
/// left is not among them.
std::vector<FamilyLeftOut> LeaveFamiliesOut(const EnergyLaw& law);

struct LawPrediction {
  double value = 0, low = 0, high = 0;  // J or s per image; 95 % for a network when it is measured; low never below 0
  /// Why this goes beyond what was fitted: "23.0 G MACs are above the 19.6 G of the points"; empty where it does not.
  std::string extrapolates;
};

/// For a network of so many MACs and bytes. Fails where the law needs traffic and none is given, where a value is not
/// above 0, and where the law gives nothing above 0 (a negative constant with few MACs).
Result<LawPrediction> PredictLaw(const EnergyLaw& law, double macs, std::optional<double> traffic_bytes);

}  // namespace heliograd
