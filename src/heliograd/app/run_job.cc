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

constexpr milliseconds kLookEvery{20};
constexpr milliseconds kCheckpointTime{600'000};

bool Exists(const std::string& path) {
  std::error_code failed;
  return std::filesystem::exists(path, failed);
}

}  // namespace

RunJob::RunJob(RunJobOptions options, const WaitedSignalsBlocked& signals)
    : options_(std::move(options)), signals_(signals) {}

RunJob::~RunJob() {
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
    const std::optional<ExitStatus> exit = child_->Wait(rounded);
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

bool RunJob::PausesAtAStep() {
  const std::string& file = options_.control_file;
  if (options_.pause == PauseWay::kSignal) return false;
  if (options_.pause == PauseWay::kAuto && !Exists(file + ".listening")) return false;
  if (!Order("pause")) return false;
  const Stamp give_up = SteadyClock().Now() + options_.patience;
  while (SteadyClock().Now() < give_up && !Interrupted()) {
    if (Exists(file + ".paused")) return true;
    if (child_->Wait(kLookEvery)) return true;  // ended meanwhile: there is nothing left to pause
  }
  return Exists(file + ".paused");
}

bool RunJob::Pause(bool checkpoint) {
  if (checkpoint && !options_.checkpoint_command.empty()) Checkpoint();
  if (PausesAtAStep()) return true;
  if (options_.pause == PauseWay::kCooperative) {
    options_.tell("the command has not paused at a step yet: it runs on until it does (--pause cooperative)");
    return true;
  }
  child_->Stop();
  return false;
}

/// A disk that takes no file lets one go: without it nobody is paused.
void RunJob::OrderToRun() {
  if (!Order("run")) unlink(options_.control_file.c_str());
}

void RunJob::Resume() {
  OrderToRun();
  child_->Continue();
}

void RunJob::End(int signal) {
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

/// Runs to its end, or ten minutes; a failure is said and nothing else, for the pause must come.
void RunJob::Checkpoint() {
  ChildOptions options;
  options.output_to_stderr = true;
  options.takes_no_signals = true;
  options.environment = {fmt::format("HELIOGRAD_JOB_PID={}", child_->pid())};
  Result<ChildProcess> process = ChildProcess::Start({"/bin/sh", "-c", options_.checkpoint_command}, options, signals_);
  if (!process) return options_.tell("--checkpoint-cmd: " + process.error().Message());
  const std::optional<ExitStatus> exit = process->Wait(kCheckpointTime);
  if (!exit) {
    process->Signal(SIGKILL);
    static_cast<void>(process->Wait(milliseconds(5000)));
    return options_.tell(
        "--checkpoint-cmd: was not done after ten minutes and was ended; the job is paused without it");
  }
  if (exit->AsShell() != 0) options_.tell(fmt::format("--checkpoint-cmd: ended with {}", exit->AsShell()));
}

}  // namespace heliograd
