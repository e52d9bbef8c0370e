// The study's node (builtin:paper) with the reference PV series of Turin in place of the computed one, so that costs
// can be compared to the last digit with optima that were published for that series; and the family of its instances.
#pragma once

#include <string>
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

/// The 288 rows, in the order of the file. The working folder is the repository's root, as for all benchmarks.
Result<std::vector<FamilyInstance>> ReadFamily();

/// Mean AC power of each hour of the typical year for 1 kW of panel.
Result<std::vector<Power>> ReadReferencePvYear();

/// builtin:paper at another start, with the reference PV series scaled to `pv_dc_w`. Change what differs in `inputs`.
class StudyNode {
 public:
  static Result<StudyNode> Load();

  Result<DispatchProblem> Problem(const CivilTime& start, int slots, double pv_dc_w) const;

 private:
  std::vector<Power> pv_of_one_kilowatt_;
};

}  // namespace heliograd::bench
