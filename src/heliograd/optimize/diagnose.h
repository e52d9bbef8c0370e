// Why no plan exists, and what would mend it, in numbers.
//
// Enters: an infeasible problem, the solver that found it so, and a way to make the same problem with a later deadline.
// Leaves: the constraint that binds and mends, each of which was solved before it is named. Where several constraints
// bind, the first of this order that mends it alone: deadline, whole levels, import limit, final energy, export limit.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/optimize/resize.h"
#include "heliograd/optimize/solver.h"

namespace heliograd {

enum class InfeasibleCause {
  kDeadline,     // the job is not done even at the fastest allowed level throughout
  kWholeLevels,  // `blend` has a plan: only the whole levels of whole slots stand in the way
  kImportLimit,  // without the import limit there is a plan
  kFinalEnergy,  // without the least final energy in the battery there is a plan
  kExportLimit,  // without the export limit there is a plan (`paper` cannot curtail)
  kSeveral       // no one of these alone
};

struct Diagnosis {
  InfeasibleCause cause = InfeasibleCause::kSeveral;
  Duration gpu_time_short;             // kDeadline: at the fastest allowed level
  std::optional<int> slots;            // least number of slots with which a plan exists
  std::optional<Power> level_limit;    // lowest power limit to allow (of those not allowed now) with which one exists
  std::optional<Power> import_limit;   // least import limit, in whole watts
  std::optional<Power> export_limit;   // least export limit, in whole watts
  std::optional<Energy> final_energy;  // the most, in whole watt hours, that the battery can hold at the end
  std::string sentence;                // all of it for people
};

struct DiagnosisContext {
  const DispatchSolver& solver;
  ProblemForSlots problem_for_slots;
  std::function<std::string(Stamp)> print_stamp;  // local time, for the sentence
  std::vector<Level> all_levels;                  // every level of the GPU, when the problem allows only some
  Duration longest_horizon = Hours(24 * 14);      // how far a later deadline is looked for
  Duration time_limit = Seconds(10);              // per solve; what is not solved in it is not offered as a mend
};

/// Precondition: the solver found the problem infeasible in that formulation. Errors are the solver's.
Result<Diagnosis> Diagnose(const DispatchProblem& problem, Formulation formulation, const DiagnosisContext& context);

}  // namespace heliograd
