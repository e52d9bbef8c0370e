// One HiGHS object: a LinearModel loaded into it, bounds changed, runs made, values read. Wraps the C interface
// (HiGHS 1.15, interfaces/highs_c_api.h), whose every return code becomes an outcome or an error here.
//
// One session belongs to one thread at a time; sessions of different threads do not share anything.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/optimize/linear_model.h"

namespace heliograd {

enum class HighsOutcome { kOptimal, kInfeasible, kTimeLimit };

struct HighsRun {
  HighsOutcome outcome = HighsOutcome::kInfeasible;
  bool has_values = false;  // `columns` hold a feasible point
  double objective = 0;     // of that point
  double bound = -kUnbounded;
  std::vector<double> columns;
  std::vector<double> column_duals, row_duals;  // change of the objective per unit of bound; empty with integer columns
};

class HighsSession {
 public:
  HighsSession();
  ~HighsSession();
  HighsSession(const HighsSession&) = delete;
  HighsSession& operator=(const HighsSession&) = delete;

  static std::string Version();

  /// Loads the model; its exclusive pairs are the caller's business. `gap` is the absolute gap at which integer search
  /// stops.
  Result<void> Load(const LinearModel& model, double gap);
  Result<void> SetColumnBounds(int column, double lower, double upper);
  /// Offers values for some columns as a start of the integer search.
  Result<void> SetStart(const std::vector<int>& columns, const std::vector<double>& values);
  /// Forgets which columns are integer, and whatever basis there is.
  Result<void> DropIntegrality();
  /// Solves what is loaded, from the last basis where there is one.
  Result<HighsRun> Run(std::optional<Duration> time_limit);

 private:
  Result<HighsRun> ReadRun();

  void* highs_;
  bool integer_ = false;
};

}  // namespace heliograd
