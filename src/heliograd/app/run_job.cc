#include "heliograd/app/run_job.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <utility>

#include "heliograd/app/interrupt.h"
#include "heliograd/base/clock.h"
#include "heliograd/base/file.h"

namespace heliograd {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kTimeToDie{1000};  // after signal 9

bool Exists(const std::string& path) {
  std::error_code failed;
  return std::filesystem::exists(path, failed);
}

}  // namespace

RunJob::RunJob(RunJobOptions options, const WaitedSignalsBlocked& signals)
    : options_(std::move(options)), signals_(signals) {}

RunJob::~RunJob() {
  KillCheckpoint();
  pump_.reset();
  if (pipe_reading_ >= 0) close(pipe_reading_);
}

Result<void> RunJob::Start() {
  if (!Order("run")) return Fail(options_.control_file + ": cannot be written: the command could not be told to pause");
  for (const char* ending : {".listening", ".paused"}) unlink((options_.control_file + ending).c_str());
  ChildOptions child;
  child.own_group = true;
  child.foreground = true;
  child.ends_with_us = true;
  child.output_to_stderr = options_.output_to_stderr;
  child.pipe_output = options_.progress.has_value();
  child.environment = {fmt::format("{}={}", kControlVariable, options_.control_file)};
  if (options_.units > 0) {
    child.environment.push_back(fmt::format("{}={:.0f}", kUnitsDoneVariable, options_.units_done));
    child.environment.push_back(
        fmt::format("{}={:.0f}", kUnitsLeftVariable, std::max(options_.units - options_.units_done, 0.0)));
  }
  int ends[2] = {-1, -1};
  if (!options_.progress) {
    if (pipe2(ends, O_CLOEXEC) != 0) return Fail("no pipe for the command's progress can be made");
    child.inherited = ends[1];
    child.environment.push_back(fmt::format("{}={}", kProgressVariable, ends[1]));
    pipe_reading_ = ends[0];
  }
  Result<ChildProcess> process = ChildProcess::Start(options_.command, child, signals_);
  if (ends[1] >= 0) close(ends[1]);
  if (!process) return Fail(process.error());
  child_.emplace(std::move(*process));
  CatchInterrupts();  // Ctrl-C while the command is stopped comes to us
  started_ = true;
  pump_ = options_.progress
              ? std::make_unique<ProgressPump>(
                    child_->output(), options_.output_to_stderr ? STDERR_FILENO : STDOUT_FILENO, *options_.progress)
              : std::make_unique<ProgressPump>(pipe_reading_);
  return {};
}

std::optional<ExitStatus> RunJob::Wait(nanoseconds at_most) {
  const auto rounded = std::chrono::ceil<milliseconds>(at_most);
  if (child_) {
    PassInterruptsOn();
    LookAtCheckpoint();
    const std::optional<ExitStatus> exit = child_->Wait(rounded);
    if (exit) KillCheckpoint();  // of a job that is no more
    if (exit && pump_) {
      last_ = Progress();
      pump_.reset();  // what it still printed is passed on
    }
    return exit;
  }
  const auto ignored = [&](int signal) {
    options_.tell(fmt::format("SIG{} came while no command runs: it is ignored", sigabbrev_np(signal)));
  };
  if (const std::optional<int> signal = WaitForEndingSignal(rounded, ignored)) early_signal_ = signal;
  return std::nullopt;
}

/// The control file is replaced whole, so that no half a word is read.
bool RunJob::Order(std::string_view word) {
  return WriteFile(options_.control_file, std::string(word) + "\n").has_value();
}

/// Whether it is asked to pause at a step, as far as it is of the kind that does.
bool RunJob::IsAskedAtAStep() {
  if (options_.pause == PauseWay::kSignal) return false;
  if (!pausing_->step_until) {
    if (options_.pause == PauseWay::kAuto && !Exists(options_.control_file + ".listening")) return false;
    pausing_->step_until = SteadyClock().Now() + options_.patience;
  }
  if (!pausing_->ordered) pausing_->ordered = Order("pause");
  return pausing_->ordered || options_.pause == PauseWay::kCooperative;  // a full disk may have room later
}

PauseAnswer RunJob::Pause(bool checkpoint) {
  if (!pausing_) pausing_.emplace();
  if (checkpoint && !options_.checkpoint_command.empty() && !std::exchange(pausing_->checkpoint, true)) {
    StartCheckpoint();
  }
  LookAtCheckpoint();
  if (checkpoint_) return PauseAnswer::kNotYet;
  if (IsAskedAtAStep()) {
    if (pausing_->ordered && Exists(options_.control_file + ".paused")) return PauseAnswer::kAtStep;
    if (SteadyClock().Now() < *pausing_->step_until) return PauseAnswer::kNotYet;
    if (options_.pause == PauseWay::kCooperative) return PauseAnswer::kNoAnswer;
  }
  child_->Stop();
  return PauseAnswer::kStopped;
}

/// A disk that takes no file lets one go: without it nobody is paused.
void RunJob::OrderToRun() {
  if (!Order("run")) unlink(options_.control_file.c_str());
}

void RunJob::Resume() {
  pausing_.reset();
  OrderToRun();
  child_->Continue();
}

void RunJob::End(int signal) {
  KillCheckpoint();
  pausing_.reset();
  ending_ = true;
  if (signal == SIGINT) ++interrupts_passed_;
  OrderToRun();
  child_->Signal(signal);
}

std::optional<JobProgress> RunJob::Progress() {
  if (!pump_) return last_;
  const std::optional<ProgressMark> mark = pump_->Last();
  if (!mark) return std::nullopt;
  const int64_t now_ns = SteadyClock().Now().time_since_epoch().count();
  return JobProgress{mark->units, nanoseconds(std::max<int64_t>(now_ns - mark->at_ns, 0))};
}

/// One that is still being written, for a pause that was taken back, is this pause's. A failure is said and nothing
/// else, for the pause must come.
void RunJob::StartCheckpoint() {
  if (checkpoint_) return;
  ChildOptions options;
  options.own_group = true;
  options.ends_with_us = true;
  options.output_to_stderr = true;
  options.takes_no_signals = true;
  options.environment = {fmt::format("HELIOGRAD_JOB_PID={}", child_->pid())};
  Result<ChildProcess> process = ChildProcess::Start({"/bin/sh", "-c", options_.checkpoint_command}, options, signals_);
  if (!process) return options_.tell("--checkpoint-cmd: " + process.error().Message());
  checkpoint_.emplace(std::move(*process));
  checkpoint_until_ = SteadyClock().Now() + options_.checkpoint_time;
}

void RunJob::LookAtCheckpoint() {
  if (!checkpoint_) return;
  if (const std::optional<ExitStatus> exit = checkpoint_->Wait(milliseconds(0))) {
    checkpoint_.reset();
    if (exit->AsShell() != 0) options_.tell(fmt::format("--checkpoint-cmd: ended with {}", exit->AsShell()));
  } else if (SteadyClock().Now() >= checkpoint_until_) {
    KillCheckpoint();
    options_.tell(fmt::format(
        "--checkpoint-cmd: was not done after {:g} s and was killed: the run goes on without this checkpoint; give it "
        "more time with --checkpoint-timeout-s",
        std::chrono::duration<double>(options_.checkpoint_time).count()));
  }
}

void RunJob::KillCheckpoint() {
  if (!checkpoint_) return;
  checkpoint_->Signal(SIGKILL);
  static_cast<void>(checkpoint_->Wait(kTimeToDie));
  checkpoint_.reset();
}

/// Whoever presses Ctrl-C again while the command is ending means the command.
void RunJob::PassInterruptsOn() {
  for (; ending_ && interrupts_passed_ < Interrupts(); ++interrupts_passed_) child_->Signal(SIGINT);
}

}  // namespace heliograd
