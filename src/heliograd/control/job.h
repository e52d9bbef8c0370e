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

/// What becomes of a job that is asked to pause.
enum class PauseAnswer {
  kNotYet,    // it runs on: its checkpoint is being written, or its step is not over
  kAtStep,    // it stands still between two steps
  kStopped,   // it was stopped where it was
  kNoAnswer,  // it runs on, and has not answered for so long that it may never do
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
  /// Asks it to pause; never waits. Asked again at each look until it stands still. `checkpoint`: one is written first,
  /// one a pause.
  virtual PauseAnswer Pause(bool checkpoint) = 0;
  /// Lets it go on, or takes the asking back.
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
