#include "heliograd/control/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
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
  for (int signal : {SIGCHLD, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT}) sigaddset(&set, signal);
  return set;
}

sigset_t EndOfChild() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  return set;
}

bool AsksToEnd(int signal) { return signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT; }

/// The terminal sends to its whole foreground group; everyone else, to us alone.
bool IsOfTerminal(const siginfo_t& signal) { return signal.si_code == SI_KERNEL; }

timespec AsTimespec(std::chrono::nanoseconds time) {
  return {time.count() / 1'000'000'000, time.count() % 1'000'000'000};
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

/// True when our group has the terminal of standard input, and so may give it away.
bool HasTerminal() { return isatty(STDIN_FILENO) != 0 && tcgetpgrp(STDIN_FILENO) == getpgrp(); }

/// The terminal goes to a group; also from the background, where the terminal would stop us for asking.
void GiveTerminal(pid_t group) {
  sigset_t stop, before;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &stop, &before);
  tcsetpgrp(STDIN_FILENO, group);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

/// Runs between fork and exec: only what is safe after a fork of a program with threads.
[[noreturn]] void BecomeCommand(char* const* command, char* const* environment, int output, const ChildOptions& options,
                                const struct sigaction& interrupt, const struct sigaction& quit, const sigset_t& mask,
                                int failure_pipe) {
  if (options.ends_with_us) prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (options.own_group) setpgid(0, 0);
  if (options.foreground) GiveTerminal(getpid());
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

std::optional<int> WaitForEndingSignal(std::chrono::nanoseconds at_most, const std::function<void(int)>& ignored) {
  const sigset_t waited = WaitedSignals();
  const timespec time = AsTimespec(std::max(at_most, std::chrono::nanoseconds(0)));
  const int signal = sigtimedwait(&waited, nullptr, &time);
  if (signal > 0 && AsksToEnd(signal)) return signal;
  if (signal == SIGUSR1 || signal == SIGUSR2) ignored(signal);
  return std::nullopt;
}

std::optional<CommandFault> FaultOfCommand(const std::string& command) {
  std::vector<std::string> places = {command};
  if (command.find('/') == std::string::npos) {
    places.clear();
    const char* path = getenv("PATH");
    std::string_view rest = path != nullptr ? path : "/bin:/usr/bin";
    while (true) {
      const size_t end = rest.find(':');
      const std::string folder(rest.substr(0, end));
      places.push_back((folder.empty() ? "." : folder) + "/" + command);
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
  }
  std::optional<int> reason;
  for (const std::string& place : places) {
    struct stat found {};
    if (command.empty() || stat(place.c_str(), &found) != 0) continue;
    if (S_ISREG(found.st_mode) && access(place.c_str(), X_OK) == 0) return std::nullopt;
    reason = S_ISDIR(found.st_mode) ? EISDIR : EACCES;
  }
  return CommandFault{"the command " + Quoted(command) + " cannot be run: " + std::strerror(reason.value_or(ENOENT)) +
                          (reason ? ": expected a program that may be executed"
                                  : ": expected the path of a program, or the name of one in a folder of PATH"),
                      reason ? 126 : 127};
}

ChildProcess::ChildProcess(pid_t pid, int output, const ChildOptions& options, Dispositions* before)
    : pid_(pid),
      output_(output),
      own_group_(options.own_group),
      takes_signals_(!options.takes_no_signals),
      has_terminal_(options.foreground),
      before_(before) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(other.pid_),
      output_(other.output_),
      own_group_(other.own_group_),
      takes_signals_(other.takes_signals_),
      has_terminal_(other.has_terminal_),
      stopped_(other.stopped_),
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

Result<ChildProcess> ChildProcess::Start(const std::vector<std::string>& command, const ChildOptions& asked,
                                         const WaitedSignalsBlocked& signals) {
  ChildOptions options = asked;
  options.foreground = asked.foreground && asked.own_group && HasTerminal();
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
  const struct sigaction* const meanwhile = options.takes_no_signals ? nullptr : &ignore;
  sigaction(SIGINT, meanwhile, &before->interrupt);
  sigaction(SIGQUIT, meanwhile, &before->quit);

  const int child_output = options.pipe_output ? output[1] : options.output_to_stderr ? STDERR_FILENO : -1;
  const pid_t pid = fork();
  if (pid == 0) {
    BecomeCommand(arguments.data(), variables.data(), child_output, options, before->interrupt, before->quit,
                  signals.before(), failure[1]);
  }
  const int fork_error = errno;
  if (pid > 0 && options.own_group) setpgid(pid, pid);  // both sides do, so that neither has to wait
  close(failure[1]);
  if (output[1] >= 0) close(output[1]);
  ChildProcess child(pid, output[0], options, before.release());
  int reason = 0;
  const bool failed = pid > 0 && read(failure[0], &reason, sizeof reason) == sizeof reason;
  close(failure[0]);
  if (pid < 0) return Fail(std::string("the command cannot be started: ") + std::strerror(fork_error));
  if (!failed) return child;
  waitpid(pid, nullptr, 0);
  if (options.foreground) GiveTerminal(getpgrp());
  return Fail("the command " + Quoted(command[0]) + " cannot be run: " + std::strerror(reason), ErrorKind::kUsage);
}

std::optional<ExitStatus> ChildProcess::Wait(std::chrono::milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  const sigset_t waited = takes_signals_ ? WaitedSignals() : EndOfChild();
  while (!ended_) {
    int status = 0;
    const pid_t done = waitpid(pid_, &status, WNOHANG | (has_terminal_ ? WUNTRACED : 0));
    if (done == pid_ && Reap(status)) break;
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    const timespec time = AsTimespec(left);
    siginfo_t sent{};
    const int signal = sigtimedwait(&waited, &sent, &time);
    if (signal <= 0 || signal == SIGCHLD) continue;
    const bool reached_it = IsOfTerminal(sent) && (has_terminal_ || !own_group_);
    if (!reached_it || signal == SIGTERM || signal == SIGHUP) PassOn(signal);
  }
  return ended_;
}

/// True when the child has ended.
bool ChildProcess::Reap(int status) {
  if (WIFEXITED(status)) ended_ = ExitStatus{WEXITSTATUS(status), std::nullopt};
  if (WIFSIGNALED(status)) ended_ = ExitStatus{0, WTERMSIG(status)};
  if (WIFSTOPPED(status) && !stopped_) StopWithTerminal();
  if (ended_ && has_terminal_) GiveTerminal(getpgrp());
  return ended_.has_value();
}

/// Ctrl-Z stopped the child: we stop too, so that the shell shows its prompt, and go on when it lets us.
void ChildProcess::StopWithTerminal() {
  GiveTerminal(getpgrp());
  kill(getpid(), SIGSTOP);
  GiveTerminal(pid_);
  kill(-pid_, SIGCONT);
}

void ChildProcess::Signal(int signal) {
  if (ended_) return;
  kill(own_group_ ? -pid_ : pid_, signal);
  if (stopped_) Continue();
}

void ChildProcess::PassOn(int signal) {
  if (AsksToEnd(signal)) return Signal(signal);
  if (signal == SIGCONT && stopped_) return;  // it is stopped for a reason that still holds
  if (!ended_) kill(own_group_ ? -pid_ : pid_, signal);
}

void ChildProcess::Stop() {
  if (ended_ || stopped_) return;
  stopped_ = true;
  kill(own_group_ ? -pid_ : pid_, SIGSTOP);
  if (has_terminal_) GiveTerminal(getpgrp());
}

void ChildProcess::Continue() {
  if (ended_ || !stopped_) return;
  stopped_ = false;
  if (has_terminal_) GiveTerminal(pid_);
  kill(own_group_ ? -pid_ : pid_, SIGCONT);
}

}  // namespace heliograd
