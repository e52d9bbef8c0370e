// The sweep of one job over power limits: which limit when, how long, and what makes a window count.
//
// Enters: a GPU's limit, a recording of it, a command. Leaves: windows of the job, each under one limit.
// What they mean in joules is worked out by `curve_windows.h` from the recording.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "heliograd/app/curve_windows.h"
#include "heliograd/app/progress_pump.h"
#include "heliograd/app/recording.h"
#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/control/child_process.h"
#include "heliograd/control/power_limits.h"
#include "heliograd/meter/meter.h"

namespace heliograd {

/// A running command that tells its progress: started by the sweep itself, or by a run that goes on with it.
class SweptCommand {
 public:
  virtual ~SweptCommand() = default;
  /// The first word at or after the stamp, the last one; nothing while there is none.
  virtual std::optional<ProgressMark> FirstFrom(int64_t at_ns) const = 0;
  virtual std::optional<ProgressMark> Last() const = 0;
  /// What it said last that should have been a number and was none; empty without.
  virtual std::string Unreadable() const = 0;
  /// Waits at most so long; its end, or nothing while it runs.
  virtual std::optional<ExitStatus> Wait(std::chrono::milliseconds at_most) = 0;
};

struct SweepOptions {
  std::vector<std::string> command;
  /// How the running command tells its progress; with neither, it is run once for each window.
  std::optional<std::regex> progress;
  bool progress_hook = false;
  bool output_to_stderr = false;
  std::vector<Power> limits;  // ascending
  bool adaptive = false;      // coarse rounds first, then only the limits around the knee
  int rounds = 3, most_rounds = 5;
  Power knee_width;  // done when the knee's interval is no wider
  Duration settle, window, warm_up, cooldown;
  double most_drift_k = 5;  // within one window of a running job
  int most_repeats = 2;     // of a window that does not count
  unsigned seed = 1;
  bool tells_time_left = false;
  /// Real time after which the later rounds end as soon as their windows tell the scatter.
  std::optional<Duration> enough = std::nullopt;
};

/// What a sweep came to. It has windows also when something stopped it early.
struct SweepOutcome {
  std::vector<MeasuredWindow> windows;
  std::optional<Error> stopped;  // why it ended before the knee was known or the rounds were done
  int whole_rounds = 0;
  int repeats = 0;                 // windows measured again
  std::vector<std::string> notes;  // one sentence each
  Duration elapsed;
  std::optional<ExitStatus> exit;  // of a running command that ended meanwhile
};

/// Runs one sweep. One thread.
class LimitSweep {
 public:
  struct Parts {
    Recording& recording;
    PowerLimits& limits;
    PowerCapper& capper;
    const WaitedSignalsBlocked& signals;
    /// Why the GPU is slower than its limit asks for, in words; nothing while it is not.
    std::function<std::optional<std::string>()> slowdown;
    /// The energies so far, for whether the knee is known.
    std::function<Result<SweepResult>(const std::vector<MeasuredWindow>&)> analyse;
    std::function<void(std::string_view)> tell;
    /// A command that runs already and goes on after the sweep; null: `options.command` is started, and ended.
    SweptCommand* running = nullptr;
    /// Told of each window that counts. May be null.
    std::function<void(const MeasuredWindow&)> on_window = nullptr;
  };

  LimitSweep(const SweepOptions& options, const Parts& parts) : options_(options), parts_(parts) {}

  /// Errors: nothing could be measured at all (the command cannot be started).
  Result<SweepOutcome> Run();

 private:
  struct Window {
    int64_t begin_ns = 0, end_ns = 0;
    double units = 0;
    std::string fault;  // why it does not count, one sentence; empty when it does
  };
  /// What is seen of the GPU while a window lasts.
  struct Watch {
    std::optional<int64_t> coldest_c, hottest_c;
    std::string slowdown;
  };

  Result<SweepOutcome> Sweep();
  Result<void> WarmUp();
  Result<void> RunRounds();
  Result<void> RunRound(int round, std::vector<Power> limits);
  Result<void> MeasureAt(int round, Power limit);
  Result<Window> RunOnce();
  Result<Window> WindowOfJob();
  Result<ProgressMark> WaitForMark(int64_t from_ns, Watch& watch);
  Result<void> Rest(Duration duration);
  std::string FaultOf(const Watch& watch) const;
  std::string LimitFault(Power limit);
  void Look(Watch& watch) const;
  std::optional<int64_t> Temperature() const;
  std::optional<SweepResult> Known();
  bool KneeIsNarrow(const SweepResult& found) const;
  bool IsEnough(int round) const;
  void Tell(int round, Power limit);

  const SweepOptions& options_;
  Parts parts_;
  SweepOutcome outcome_;
  SweptCommand* job_ = nullptr;  // that runs; null where each window is a run of its own
  int64_t started_ns_ = 0, first_window_ns_ = 0;
  size_t left_in_round_ = 0;
  size_t left_in_later_rounds_ = 0;
};

/// The energies of windows so far, from what is recorded.
Result<EvaluatedSweep> EvaluateRecorded(Recording& recording, const std::vector<MeasuredWindow>& windows,
                                        const std::vector<DeviceCalibration>& calibrations);

}  // namespace heliograd
