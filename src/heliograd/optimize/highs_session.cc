#include "heliograd/optimize/highs_session.h"

#include <fmt/format.h>
#include <interfaces/highs_c_api.h>

#include <algorithm>

namespace heliograd {
namespace {

/// How far rows may slip in a linear program, in the model's units: a millionth of a Wh.
constexpr double kFeasibility = 1e-9;

/// The same with integer columns, where HiGHS is half as fast at 1e-9 as at its own 1e-6: a thousandth of the gap, so
/// that what slips cannot be taken for money, and the caller solves once more with the integers held.
double IntegerFeasibility(double gap) { return std::clamp(gap / 500, kFeasibility, 1e-6); }

Result<void> Check(HighsInt status, const char* what) {
  if (status == kHighsStatusError)
    return Fail(fmt::format("HiGHS failed to {}; this is a defect, please report it.", what));
  return {};
}

/// The option calls answer with a status that only a wrong name or value can turn bad.
struct Options {
  void* highs;
  bool sound = true;

  void Set(const char* name, bool value) { sound &= Highs_setBoolOptionValue(highs, name, value) == kHighsStatusOk; }
  void Set(const char* name, HighsInt value) { sound &= Highs_setIntOptionValue(highs, name, value) == kHighsStatusOk; }
  void Set(const char* name, double value) {
    sound &= Highs_setDoubleOptionValue(highs, name, value) == kHighsStatusOk;
  }
};

std::string_view ModelStatusName(HighsInt status) {
  switch (status) {
    case kHighsModelStatusLoadError:
      return "load error";
    case kHighsModelStatusModelError:
      return "model error";
    case kHighsModelStatusPresolveError:
      return "presolve error";
    case kHighsModelStatusSolveError:
      return "solve error";
    case kHighsModelStatusPostsolveError:
      return "postsolve error";
    case kHighsModelStatusUnbounded:
      return "unbounded";
    default:
      return "no conclusion";
  }
}

}  // namespace

HighsSession::HighsSession() : highs_(Highs_create()) {}
HighsSession::~HighsSession() { Highs_destroy(highs_); }

std::string HighsSession::Version() { return Highs_version(); }

Result<void> HighsSession::Load(const LinearModel& model, double gap) {
  Options options{highs_};
  options.Set("output_flag", false);
  options.Set("threads", HighsInt{1});
  options.Set("mip_rel_gap", 0.0);
  options.Set("mip_abs_gap", gap);
  // A restart throws the tree away; on whole levels that doubles the slowest searches.
  options.Set("mip_allow_restart", false);
  integer_ = model.HasIntegers();
  options.Set("primal_feasibility_tolerance", integer_ ? std::min(IntegerFeasibility(gap), 1e-7) : kFeasibility);
  options.Set("mip_feasibility_tolerance", IntegerFeasibility(gap));
  if (!options.sound) return Fail(fmt::format("HiGHS {} does not take the options that heliograd sets.", Version()));

  std::vector<HighsInt> index;
  std::vector<double> value;
  for (const LinearTerm& term : model.terms) index.push_back(term.column), value.push_back(term.coefficient);
  std::vector<HighsInt> integrality;
  for (const bool integer : model.integer)
    integrality.push_back(integer ? kHighsVarTypeInteger : kHighsVarTypeContinuous);
  const auto entries = static_cast<HighsInt>(model.terms.size());
  const HighsInt status =
      integer_ ? Highs_passMip(highs_, model.columns(), model.rows(), entries, kHighsMatrixFormatRowwise,
                               kHighsObjSenseMinimize, model.offset, model.cost.data(), model.column_lower.data(),
                               model.column_upper.data(), model.row_lower.data(), model.row_upper.data(),
                               model.row_start.data(), index.data(), value.data(), integrality.data())
               : Highs_passLp(highs_, model.columns(), model.rows(), entries, kHighsMatrixFormatRowwise,
                              kHighsObjSenseMinimize, model.offset, model.cost.data(), model.column_lower.data(),
                              model.column_upper.data(), model.row_lower.data(), model.row_upper.data(),
                              model.row_start.data(), index.data(), value.data());
  return Check(status, "take the model");
}

Result<void> HighsSession::SetColumnBounds(int column, double lower, double upper) {
  return Check(Highs_changeColBounds(highs_, column, lower, upper), "change a bound");
}

Result<void> HighsSession::SetStart(const std::vector<int>& columns, const std::vector<double>& values) {
  return Check(Highs_setSparseSolution(highs_, static_cast<HighsInt>(columns.size()), columns.data(), values.data()),
               "take a start");
}

Result<void> HighsSession::DropIntegrality() {
  integer_ = false;
  if (auto cleared = Check(Highs_clearSolver(highs_), "clear its solution"); !cleared) return cleared;
  if (auto set =
          Check(Highs_setDoubleOptionValue(highs_, "primal_feasibility_tolerance", kFeasibility), "take a tolerance");
      !set) {
    return set;
  }
  return Check(Highs_clearIntegrality(highs_), "drop integrality");
}

Result<HighsRun> HighsSession::Run(std::optional<Duration> time_limit) {
  // HiGHS counts its clock over all runs of an object.
  Highs_zeroAllClocks(highs_);
  const double limit_s = time_limit ? std::max(InSeconds(*time_limit), 0.0) : Highs_getInfinity(highs_);
  if (auto set = Check(Highs_setDoubleOptionValue(highs_, "time_limit", limit_s), "take a time limit"); !set) {
    return Fail(set.error());
  }
  if (auto ran = Check(Highs_run(highs_), "solve the model"); !ran) return Fail(ran.error());
  return ReadRun();
}

Result<HighsRun> HighsSession::ReadRun() {
  HighsRun run;
  const HighsInt status = Highs_getModelStatus(highs_);
  switch (status) {
    case kHighsModelStatusOptimal:
    case kHighsModelStatusModelEmpty:
      run.outcome = HighsOutcome::kOptimal;
      break;
    case kHighsModelStatusInfeasible:
    case kHighsModelStatusUnboundedOrInfeasible:  // every column that costs has finite bounds
      run.outcome = HighsOutcome::kInfeasible;
      return run;
    case kHighsModelStatusTimeLimit:
    case kHighsModelStatusInterrupt:
    case kHighsModelStatusIterationLimit:
    case kHighsModelStatusSolutionLimit:
      run.outcome = HighsOutcome::kTimeLimit;
      break;
    default:
      return Fail(fmt::format("HiGHS ended with '{}' (model status {}); this is a defect, please report it.",
                              ModelStatusName(status), status));
  }
  HighsInt primal = kHighsSolutionStatusNone;
  if (auto read = Check(Highs_getIntInfoValue(highs_, "primal_solution_status", &primal), "say what it found"); !read) {
    return Fail(read.error());
  }
  run.has_values = primal == kHighsSolutionStatusFeasible && (integer_ || run.outcome == HighsOutcome::kOptimal);
  if (integer_) {
    double bound = -kUnbounded;
    if (auto read = Check(Highs_getDoubleInfoValue(highs_, "mip_dual_bound", &bound), "give its bound"); !read) {
      return Fail(read.error());
    }
    run.bound = bound;
  }
  if (!run.has_values) return run;

  run.objective = Highs_getObjectiveValue(highs_);
  if (!integer_) run.bound = run.objective;
  const auto columns = static_cast<size_t>(Highs_getNumCol(highs_)),
             rows = static_cast<size_t>(Highs_getNumRow(highs_));
  std::vector<double> row_values(rows);
  run.columns.resize(columns);
  run.column_duals.resize(columns);
  run.row_duals.resize(rows);
  if (auto read = Check(Highs_getSolution(highs_, run.columns.data(), run.column_duals.data(), row_values.data(),
                                          run.row_duals.data()),
                        "give its values");
      !read) {
    return Fail(read.error());
  }
  if (integer_) run.column_duals.clear(), run.row_duals.clear();
  return run;
}

}  // namespace heliograd
