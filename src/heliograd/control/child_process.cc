#include "heliograd/control/child_process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>

#include "heliograd/base/text.h"

extern char** environ;

namespace heliograd {

struct ChildProcess::Dispositions {
  struct sigaction interrupt, quit;
};

namespace {

/// The signals that are waited for instead of delivered.
sigset_t WaitedSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGCHLD, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// The inherited environment with `added` in front: the first of two equal names counts.
std::vector<std::string> Environment(const std::vector<std::string>& added) {
  std::vector<std::string> all = added;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view name(*entry, std::strcspn(*entry, "=") + 1);
    const auto is_replaced = [&](const std::string& text) { return text.compare(0, name.size(), name) == 0; };
    if (std::none_of(added.begin(), added.end(), is_replaced)) all.emplace_back(*entry);
  }
  return all;
}

/// Runs between fork and exec: only what is safe after a fork of a program with threads.
[[noreturn]] void BecomeCommand(char* const* command, char* const* environment, int output, const ChildOptions& options,
                                const struct sigaction& interrupt, const struct sigaction& quit, const sigset_t& mask,
                                int failure_pipe) {
  if (options.own_group) setpgid(0, 0);
  if (options.inherited >= 0) fcntl(options.inherited, F_SETFD, 0);
  if (output >= 0) dup2(output, STDOUT_FILENO);
  if (options.errors >= 0) dup2(options.errors, STDERR_FILENO);
  sigaction(SIGINT, &interrupt, nullptr);
  sigaction(SIGQUIT, &quit, nullptr);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  execvpe(command[0], command, environment);
  const int reason = errno;
  if (write(failure_pipe, &reason, sizeof reason) != sizeof reason) _exit(126);
  _exit(127);
}

}  // namespace

WaitedSignalsBlocked::WaitedSignalsBlocked() {
  const sigset_t waited = WaitedSignals();
  pthread_sigmask(SIG_BLOCK, &waited, &before_);
}

WaitedSignalsBlocked::~WaitedSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

ChildProcess::ChildProcess(pid_t pid, int output, bool own_group, Dispositions* before)
    : pid_(pid), output_(output), own_group_(own_group), before_(before) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(other.pid_),
      output_(other.output_),
      own_group_(other.own_group_),
      before_(other.before_),
      ended_(other.ended_) {
  other.output_ = -1;
  other.before_ = nullptr;
}

ChildProcess::~ChildProcess() {
  if (output_ >= 0) close(output_);
  if (before_ == nullptr) return;
  sigaction(SIGINT, &before_->interrupt, nullptr);
  sigaction(SIGQUIT, &before_->quit, nullptr);
  delete before_;
}

Result<ChildProcess> ChildProcess::Start(const std::vector<std::string>& command, const ChildOptions& options,
                                         const WaitedSignalsBlocked& signals) {
  if (command.empty())
    return Fail("no command given: write it after --, as in `-- python train.py`", ErrorKind::kUsage);
  std::vector<std::string> words = command, environment = Environment(options.environment);
  const std::vector<char*> arguments = Pointers(words), variables = Pointers(environment);

  int failure[2], output[2] = {-1, -1};
  if (pipe2(failure, O_CLOEXEC) != 0 || (options.pipe_output && pipe2(output, O_CLOEXEC) != 0)) {
    return Fail(std::string("no pipe to the command: ") + std::strerror(errno));
  }
  auto before = std::make_unique<Dispositions>();
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGINT, &ignore, &before->interrupt);
  sigaction(SIGQUIT, &ignore, &before->quit);

  const int child_output = options.pipe_output ? output[1] : options.output_to_stderr ? STDERR_FILENO : -1;
  const pid_t pid = fork();
  if (pid == 0) {
    BecomeCommand(arguments.data(), variables.data(), child_output, options, before->interrupt, before->quit,
                  signals.before(), failure[1]);
  }
  const int fork_error = errno;
  close(failure[1]);
  if (output[1] >= 0) close(output[1]);
  ChildProcess child(pid, output[0], options.own_group, before.release());
  int reason = 0;
  const bool failed = pid > 0 && read(failure[0], &reason, sizeof reason) == sizeof reason;
  close(failure[0]);
  if (pid < 0) return Fail(std::string("the command cannot be started: ") + std::strerror(fork_error));
  if (!failed) return child;
  waitpid(pid, nullptr, 0);
  return Fail("the command " + Quoted(command[0]) + " cannot be run: " + std::strerror(reason), ErrorKind::kUsage);
}

std::optional<ExitStatus> ChildProcess::Wait(std::chrono::milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  const sigset_t waited = WaitedSignals();
  while (!ended_) {
    int status = 0;
    const pid_t done = waitpid(pid_, &status, WNOHANG);
    if (done == pid_ && WIFEXITED(status)) ended_ = ExitStatus{WEXITSTATUS(status), std::nullopt};
    if (done == pid_ && WIFSIGNALED(status)) ended_ = ExitStatus{0, WTERMSIG(status)};
    if (ended_) break;
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    const timespec time = {left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    const int signal = sigtimedwait(&waited, nullptr, &time);
    if (signal == SIGTERM || signal == SIGHUP) Signal(signal);
  }
  return ended_;
}

void ChildProcess::Signal(int signal) const {
  if (!ended_) kill(own_group_ ? -pid_ : pid_, signal);
}

}  // namespace heliograd
