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
};

/// What a sweep came to. It has windows also when something stopped it early.
struct SweepOutcome {
  std::vector<MeasuredWindow> windows;
  std::optional<Error> stopped;  // why it ended before the knee was known or the rounds were done
  int whole_rounds = 0;
  int repeats = 0;                 // windows measured again
  std::vector<std::string> notes;  // one sentence each
  Duration elapsed;
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
  void Tell(int round, Power limit);
  void EndJob();

  const SweepOptions& options_;
  Parts parts_;
  SweepOutcome outcome_;
  std::optional<ChildProcess> job_;  // of a running job
  std::unique_ptr<ProgressPump> pump_;
  int64_t started_ns_ = 0, first_window_ns_ = 0;
  size_t left_in_round_ = 0;
  size_t left_in_later_rounds_ = 0;
};

}  // namespace heliograd
