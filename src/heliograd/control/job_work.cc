#include "heliograd/control/job_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace heliograd {
namespace {

constexpr double kMarkSdRealS = 0.02;  // by which a word of progress may be read late
constexpr double kPieceS = 60;         // least length of a stretch that is learnt from
constexpr double kSilenceRealS = 120;
constexpr double kUntoldS = 120;    // of the job's running time without one word
constexpr double kUntoldRealS = 3;  // on top of it, where time passes faster and starting takes its own

}  // namespace

JobWork::JobWork(const JobWorkOptions& options, Tell tell)
    : options_(options), tell_(std::move(tell)), estimate_(options.paces) {}

void JobWork::GoOn(double done, double units_done) {
  done_ = mark_work_ = done;
  told_ = units_done > 0;
  if (told_) mark_units_ = units_done;
}

double JobWork::left() const { return std::max(options_.work - done_, 0.0); }

double JobWork::units_done() const { return std::max(mark_units_, 0.0); }

double JobWork::Take(double elapsed_s, double speed, size_t level, bool is_of_level,
                     const std::optional<JobProgress>& word) {
  run_s_ += elapsed_s;
  const double before = done_;
  if (word && !std::exchange(has_spoken_, true)) TakeFirstWord(word->units);
  if (word && word->units != mark_units_) {
    const double work = options_.work * std::max(word->units - options_.units_before, 0.0) / options_.units;
    largest_step_ = mark_units_ < 0 ? 0 : std::max(largest_step_, work - mark_work_);
    const double age_s = std::chrono::duration<double>(word->age).count() * speed;
    mark_units_ = word->units;
    mark_work_ = work;
    // It came after the last look.
    mark_run_s_ = std::max({run_s_ - age_s, run_s_ - elapsed_s, stretch_begin_s_});
    silence_told_ = false;
    if (is_of_level) Learn(level, speed);
  }
  // Marks on the two sides of a time that is of no level span no stretch to learn from.
  if (!is_of_level) BeginStretch();
  double since = estimate_.RateOf(level).rate * (run_s_ - mark_run_s_);
  // A job that says nothing any more is not assumed to go on.
  if (largest_step_ > 0) since = std::min(since, 3 * largest_step_);
  done_ = std::min(mark_work_ + since, std::max(options_.work, mark_work_));
  LookAtSilence(speed);
  return done_ - before;
}

/// A job that was started again may go on from where it was, from a checkpoint before that, or begin anew.
void JobWork::TakeFirstWord(double units) {
  told_ = true;
  if (mark_units_ < 0 || units >= mark_units_) return;
  tell_("began_anew",
        fmt::format("the job {} {:.0f} of {:.0f} ({:.0f} before); HELIOGRAD_UNITS_DONE tells it where to go on",
                    units < 0.5 * mark_units_ ? "began anew at" : "goes on at", units,
                    options_.units + options_.units_before, mark_units_));
}

void JobWork::LookAtSilence(double speed) {
  if (options_.units <= 0 || silence_told_) return;
  const bool is_untold = !has_spoken_ && run_s_ > kUntoldS + kUntoldRealS * speed;
  const bool is_silent = (run_s_ - mark_run_s_) / speed > kSilenceRealS;
  if (!is_untold && !is_silent) return;
  silence_told_ = true;
  tell_("silence",
        has_spoken_ ? "the job has told no progress for two minutes: its work is reckoned by time, and no further than "
                      "a few steps beyond its last word"
                    : fmt::format("the job has run for {:.0f} min and told no progress{}: its work is reckoned by time",
                                  run_s_ / 60, options_.told_how.empty() ? "" : " (" + options_.told_how + ")"));
}

void JobWork::Learn(size_t level, double speed) {
  const double sd_s = kMarkSdRealS * speed;
  if (piece_run_s_ < stretch_begin_s_ || mark_work_ < piece_work_) {
    piece_run_s_ = mark_run_s_;
    piece_work_ = mark_work_;
    return;
  }
  const double length_s = mark_run_s_ - piece_run_s_;
  if (length_s < std::max(kPieceS, 30 * sd_s)) return;
  estimate_.Add(level, Seconds(length_s), mark_work_ - piece_work_, Seconds(sd_s), options_.work / options_.units);
  piece_run_s_ = mark_run_s_;
  piece_work_ = mark_work_;
}

}  // namespace heliograd
