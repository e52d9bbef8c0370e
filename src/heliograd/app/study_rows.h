// Rows of a study: the answer of each point, small enough that millions fit into memory, written as CSV or JSON, and
// kept on disk while the study runs.
//
// Enters: results as numbers. Leaves: text in the order of the points, and the rows of an interrupted run. It knows
// neither scenario nor solver.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/app/vary.h"
#include "heliograd/base/result.h"

namespace heliograd {

enum class RowStatus : uint8_t { kMissing, kOptimal, kFeasible, kInfeasible, kFinished, kNotFinished, kError };

/// Columns of numbers, by kind of study; as many as StudyRow::numbers at most. The bound is of what is minimised: cost
/// or carbon.
inline constexpr std::array<std::string_view, 8> kPlanNumbers = {"cost_eur",       "bound_eur",      "grid_import_wh",
                                                                 "grid_export_wh", "pv_wh",          "gpu_energy_wh",
                                                                 "carbon_kg",      "bound_carbon_kg"};
inline constexpr std::array<std::string_view, 5> kOffgridNumbers = {"hours_to_finish", "running_hours",
                                                                    "mean_gpu_power_w", "pv_used_wh", "pv_lost_wh"};

struct StudyRow {
  RowStatus status = RowStatus::kMissing;
  std::array<double, 8> numbers;               // NaN: there is none
  const std::string* solver = nullptr;         // of SolverNames; null: none answered
  std::unique_ptr<const std::string> message;  // why it is infeasible, or the error

  StudyRow() { numbers.fill(std::numeric_limits<double>::quiet_NaN()); }
};

/// Names that many rows share. Thread-safe.
class SolverNames {
 public:
  const std::string* Of(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return &*names_.insert(name).first;
  }

 private:
  std::mutex mutex_;
  std::set<std::string> names_;
};

/// Writes rows as text.
class RowWriter {
 public:
  RowWriter(const std::vector<Variation>& variations, bool off_grid);

  /// Appends one line of CSV, or one JSON object with the varied values.
  void AppendCsv(size_t point, const StudyRow& row, std::string& text) const;
  void AppendJson(size_t point, const StudyRow& row, std::string& text) const;
  std::string CsvHead() const;
  /// Names of StudyRow::numbers.
  std::span<const std::string_view> NumberNames() const;
  /// One JSON object without the varied values.
  void AppendResult(const StudyRow& row, std::string& text) const;

 private:
  struct Values {
    std::vector<std::string> csv, json;
  };

  void AppendFields(const StudyRow& row, std::string& text) const;

  std::vector<std::string> keys_;
  std::vector<Values> values_;
  bool off_grid_;
};

/// Finished points on disk while a study runs, so that Ctrl-C or a crash loses none but those of the last 0.2 seconds.
class StudyJournal {
 public:
  /// Takes over the rows of an earlier run of the same study when `resume`. `writer` must outlive it.
  static Result<std::unique_ptr<StudyJournal>> Open(const std::string& path, const std::string& definition, bool resume,
                                                    const RowWriter& writer, SolverNames& solvers,
                                                    std::vector<StudyRow>& rows);
  /// Thread-safe.
  void Add(size_t point, const StudyRow& row);
  /// Writes what is still in memory. False once a point could not be written (disk full).
  bool Flush();

 private:
  explicit StudyJournal(const RowWriter& writer) : writer_(writer) {}

  const RowWriter& writer_;
  std::mutex mutex_;
  std::string waiting_;
  std::chrono::steady_clock::time_point flushed_;
  std::ofstream file_;
};

}  // namespace heliograd
