// The study's node (battery, tariff, power curve; Yin, Chen, Vallero, Meo, MSWiM 2025, section VI) fed by the reference
// PV series of Turin, so that costs can be compared to the last digit with optima proven for that series; and the
// family of its instances. The working folder is the repository's root, as for all benchmarks.
#pragma once

#include <chrono>
#include <utility>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/plan/problem.h"

namespace heliograd::bench {

/// One row of data/plans/family_pvgis_v8.csv. Starts are local standard time of 2025.
struct FamilyInstance {
  CivilTime start;
  int hours = 0;
  double pv_dc_w = 0;
  Formulation formulation = Formulation::kBlend;
  double reference_cost_eur = 0;  // proven by another solver to 1e-6 EUR
};

/// The 288 rows, in the order of the file.
Result<std::vector<FamilyInstance>> ReadFamily();

/// Mean AC power of each hour of the typical year for 1 kW of panel.
Result<std::vector<Power>> ReadReferencePvYear();

/// The levels of the study, dominated ones included.
std::vector<Level> StudyLevels();

/// The study's problem over equal slots from `start`, local standard time.
class StudyNode {
 public:
  static Result<StudyNode> Load();

  /// Dominated levels are dropped. The prices are known for any horizon, so errors are failures of the program.
  Result<DispatchProblem> Problem(const CivilTime& start, int slots, std::chrono::seconds slot, double pv_dc_w) const;

 private:
  explicit StudyNode(std::vector<Power> pv_of_one_kilowatt) : pv_of_one_kilowatt_(std::move(pv_of_one_kilowatt)) {}

  std::vector<Power> pv_of_one_kilowatt_;
};

}  // namespace heliograd::bench
