// The command that a run drives: a process group, its progress, and the ways to pause it.
//
// Pausing at a step needs the command's help. It finds the name of a file in HELIOGRAD_CONTROL_FILE whose content is
// "run" or "pause". A command that looks at it between steps says so by making FILE.listening; asked to pause, it makes
// FILE.paused, waits until the content is "run" again, and removes FILE.paused. heliograd.torch.Steps does all that.
// Any other command is stopped by SIGSTOP, its whole group at once, and continued by SIGCONT. A pause waits for
// nothing: it is asked for at each look until the command stands still, also while a checkpoint is written before it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/app/progress_pump.h"
#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/control/child_process.h"
#include "heliograd/control/job.h"

namespace heliograd {

/// The environment variable that names the control file.
inline constexpr const char* kControlVariable = "HELIOGRAD_CONTROL_FILE";
/// Steps done before and steps left, for commands that are started again.
inline constexpr const char* kUnitsDoneVariable = "HELIOGRAD_UNITS_DONE";
inline constexpr const char* kUnitsLeftVariable = "HELIOGRAD_UNITS_LEFT";

enum class PauseWay {
  kAuto,         // at a step where the command listens within a while, else by a signal
  kCooperative,  // at a step only: the command runs on until it gets there
  kSignal
};

struct RunJobOptions {
  std::vector<std::string> command;
  std::optional<std::regex> progress;  // without it the command may tell by HELIOGRAD_PROGRESS_FD
  double units = 0;                    // in all; 0 = unknown
  double units_done = 0;               // by an earlier part of the run
  bool output_to_stderr = false;
  std::string control_file;
  PauseWay pause = PauseWay::kAuto;
  std::chrono::milliseconds patience{30'000};  // for a step to end, real time
  std::string checkpoint_command;
  std::chrono::milliseconds checkpoint_time{60'000};  // after which it is killed with its group, real time
  std::function<void(std::string_view)> tell;
};

class RunJob : public Job {
 public:
  RunJob(RunJobOptions options, const WaitedSignalsBlocked& signals);
  ~RunJob() override;

  Result<void> Start() override;
  bool started() const override { return started_; }
  std::optional<ExitStatus> Wait(std::chrono::nanoseconds at_most) override;
  PauseAnswer Pause(bool checkpoint) override;
  void Resume() override;
  void End(int signal) override;
  std::optional<JobProgress> Progress() override;

  /// A signal that asked us to end before there was a command to pass it on to.
  std::optional<int> ended_before_start() const { return early_signal_; }
  /// Its words so far; null before its start and after its end. Not kept by the caller.
  const ProgressPump* progress() const { return pump_.get(); }
  std::optional<pid_t> pid() const { return child_ ? std::optional(child_->pid()) : std::nullopt; }

 private:
  struct Pausing {
    bool checkpoint = false;          // was begun for this pause
    std::optional<Stamp> step_until;  // asked to pause at a step, it has so long
    bool ordered = false;             // the control file says so
  };

  bool Order(std::string_view word);
  void OrderToRun();
  bool IsAskedAtAStep();
  void StartCheckpoint();
  void LookAtCheckpoint();
  void KillCheckpoint();
  void PassInterruptsOn();

  RunJobOptions options_;
  const WaitedSignalsBlocked& signals_;
  std::optional<ChildProcess> child_;
  std::optional<ChildProcess> checkpoint_;  // while it is being written
  Stamp checkpoint_until_;
  std::optional<Pausing> pausing_;  // while it is asked for
  bool ending_ = false;
  int interrupts_passed_ = 0;  // of those that came here, to a command that is ending
  std::unique_ptr<ProgressPump> pump_;
  int pipe_reading_ = -1;
  bool started_ = false;
  std::optional<int> early_signal_;
  std::optional<JobProgress> last_;  // of a job that has ended
};

}  // namespace heliograd
