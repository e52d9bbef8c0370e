// A command that runs under heliograd: started untouched, waited for, signalled.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd {

/// How a command ended.
struct ExitStatus {
  int code = 0;               // when it ended by itself
  std::optional<int> signal;  // when a signal ended it

  /// As shells give it: the code, or 128 + the signal.
  int AsShell() const { return signal ? 128 + *signal : code; }
};

struct ChildOptions {
  /// Its standard output goes to standard error, so that standard output is ours alone.
  bool output_to_stderr = false;
  /// Its standard output comes through a pipe, to be read by us: see ChildProcess::output.
  bool pipe_output = false;
  /// It leads a process group of its own, so that all of it can be stopped at once.
  bool own_group = false;
  /// With `own_group`: where our standard input is the terminal that we have, the group has it while it is not stopped,
  /// as under a shell: Ctrl-C, Ctrl-Z and what is typed reach the command.
  bool foreground = false;
  /// SIGTERM reaches it when we end in any way, signal 9 included.
  bool ends_with_us = false;
  /// Added to its environment, "NAME=value".
  std::vector<std::string> environment = {};
  /// Signals sent here are not for it (a helper beside the job): they stay pending for whoever waits next, and Ctrl-C
  /// is not ignored for it.
  bool takes_no_signals = false;
  /// A file of ours that its standard error goes to; -1 = ours.
  int errors = -1;
  /// A file of ours that is open in it too, under its number; -1 = none.
  int inherited = -1;
};

/// SIGCHLD and the signals that are a command's (SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT) are
/// waited for instead of delivered while this lives. Construct it before other threads
/// start: it holds for every thread that is started later.
class WaitedSignalsBlocked {
 public:
  WaitedSignalsBlocked();
  ~WaitedSignalsBlocked();
  WaitedSignalsBlocked(const WaitedSignalsBlocked&) = delete;
  WaitedSignalsBlocked& operator=(const WaitedSignalsBlocked&) = delete;

  /// What was blocked before, for a child to start with.
  const sigset_t& before() const { return before_; }

 private:
  sigset_t before_;
};

/// Waits at most so long while there is no command to pass signals on to; one that asks a program to end (SIGTERM,
/// SIGHUP, SIGQUIT) ends the waiting and is returned. SIGUSR1 and SIGUSR2 do nothing: `ignored` is told of them.
std::optional<int> WaitForEndingSignal(std::chrono::nanoseconds at_most, const std::function<void(int)>& ignored);

/// Why a command cannot be started, and the exit code that shells give for it.
struct CommandFault {
  std::string sentence;
  int exit_code = 127;  // 127: there is no such command; 126: it may not be executed
};
/// Looks a command up as execvp does: a name without a slash along PATH. Nothing where it can be started.
std::optional<CommandFault> FaultOfCommand(const std::string& command);

/// One child. Standard input, terminal, working directory and environment are passed on. While it runs, Ctrl-C and
/// Ctrl-\ from the terminal reach it and are ignored here; the signals of WaitedSignalsBlocked that are sent here are
/// passed on to it, those of the terminal only where they do not reach it by themselves. One at a time.
class ChildProcess {
 public:
  /// Errors (kUsage): the command does not exist or may not be executed.
  static Result<ChildProcess> Start(const std::vector<std::string>& command, const ChildOptions& options,
                                    const WaitedSignalsBlocked& signals);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  /// Restores the dispositions of the signals. A child that still runs goes on.
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  /// The reading end of its standard output with `pipe_output`, else -1.
  int output() const { return output_; }
  /// Waits at most so long; its end, or nothing while it runs. Signals are passed on while waiting.
  std::optional<ExitStatus> Wait(std::chrono::milliseconds at_most);
  /// To the child, or to its whole group when it leads one. A stopped one is continued, so that it gets the signal.
  void Signal(int signal);
  /// One that was sent to us: as Signal where it asks to end; else a stopped child gets it when it is continued.
  void PassOn(int signal);
  /// Stops the group, and takes the terminal back.
  void Stop();
  void Continue();
  bool stopped() const { return stopped_; }

 private:
  struct Dispositions;
  ChildProcess(pid_t pid, int output, const ChildOptions& options, Dispositions* before);
  bool Reap(int status);
  void StopWithTerminal();

  pid_t pid_;
  int output_;
  bool own_group_;
  bool takes_signals_;
  bool has_terminal_;  // it has the terminal whenever it is not stopped
  bool stopped_ = false;
  Dispositions* before_;
  std::optional<ExitStatus> ended_;
};

}  // namespace heliograd
