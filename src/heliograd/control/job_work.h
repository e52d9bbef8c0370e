// How much of a job's work is done: by its own word and, between its words, by the pace of the level that runs. From
// its words it learns the pace of each level.
//
// Enters: time at a level, and the job's words. Leaves: work in parts of the whole job, paces with intervals, and what
// is worth telling. It knows no clock, no process and no plan. One thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/control/job.h"
#include "heliograd/model/progress_estimate.h"

namespace heliograd {

struct JobWorkOptions {
  double work = 1;            // parts of the whole job that are to be done
  double units = 0;           // of that work; 0 = the job does not tell, its work is reckoned by time
  double units_before = 0;    // that the job had done before: it tells them too
  std::string told_how;       // how the job should tell them: one clause
  std::vector<double> paces;  // that the curve promises, parts of the whole job per second, by level
};

class JobWork {
 public:
  /// `tell`: a kind of event and a sentence for the user.
  using Tell = std::function<void(const std::string& kind, const std::string& text)>;
  JobWork(const JobWorkOptions& options, Tell tell);

  /// What an earlier part of the run had done, and the job's last word in it (0 = none).
  void GoOn(double done, double units_done);
  /// The work of the last `elapsed_s`, in which the job ran. `is_of_level`: at the limit of that level throughout, so
  /// that it says something about its pace. `speed`: seconds of that time to a real one.
  double Take(double elapsed_s, double speed, size_t level, bool is_of_level, const std::optional<JobProgress>& word);
  /// The level changes.
  void BeginStretch() { stretch_begin_s_ = run_s_; }
  /// The books know better than the words.
  void Set(double done) { done_ = done; }

  double done() const { return done_; }
  double left() const;
  /// Of its last word; 0 where it told none.
  double units_done() const;
  /// The job told its progress, at some time.
  bool is_told() const { return told_; }
  const ProgressEstimate& estimate() const { return estimate_; }

 private:
  void TakeFirstWord(double units);
  void LookAtSilence(double speed);
  void Learn(size_t level, double speed);

  const JobWorkOptions options_;
  const Tell tell_;
  ProgressEstimate estimate_;
  double done_ = 0;
  bool told_ = false;
  bool has_spoken_ = false;  // since this part of the run began
  bool silence_told_ = false;
  double run_s_ = 0;                       // running time so far
  double stretch_begin_s_ = 0;             // of it, when the present level began
  double mark_work_ = 0, mark_run_s_ = 0;  // at the job's last word
  double mark_units_ = -1, largest_step_ = 0;
  double piece_work_ = 0, piece_run_s_ = -1;  // where the stretch begins that the estimate learns from next
};

}  // namespace heliograd
