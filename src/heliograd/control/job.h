// A job that a plan drives: started, paused at a step, let go on, asked how far it is. An interface, so that the runner
// is tested without processes.
#pragma once

#include <chrono>
#include <optional>

#include "heliograd/base/result.h"
#include "heliograd/control/child_process.h"

namespace heliograd {

/// How far the job says it is.
struct JobProgress {
  double units = 0;                 // done in all, since its start
  std::chrono::nanoseconds age{0};  // real time since it said so
};

/// One thread.
class Job {
 public:
  virtual ~Job() = default;
  /// Errors (kUsage): the command cannot be run.
  virtual Result<void> Start() = 0;
  virtual bool started() const = 0;
  /// Waits at most so long (real time), also before the start; its end, or nothing while it runs. Signals that came for
  /// it are passed on.
  virtual std::optional<ExitStatus> Wait(std::chrono::nanoseconds at_most) = 0;
  /// Pauses it. `checkpoint`: it is asked to write one first. True when it paused at a step by itself, false when it
  /// was stopped where it was.
  virtual bool Pause(bool checkpoint) = 0;
  virtual void Resume() = 0;
  /// Asks it to end; a paused one too.
  virtual void End(int signal) = 0;
  /// Nothing before its first word, and where it tells nothing.
  virtual std::optional<JobProgress> Progress() = 0;
};

/// Asks a started job to end with this signal, then with SIGTERM, then ends it, each after ten seconds; its end, or
/// nothing where it was never started or cannot be ended.
std::optional<ExitStatus> EndJob(Job& job, int signal);

}  // namespace heliograd
