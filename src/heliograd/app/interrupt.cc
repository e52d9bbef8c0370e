#include "heliograd/app/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string_view>

#include "heliograd/base/result.h"

namespace heliograd {
namespace {

constexpr int kCode = static_cast<int>(ErrorKind::kInterrupted);

std::atomic<int> interrupts{0};
std::atomic<bool> every_one{false};  // is caught, not the first alone

void OnSignal(int signal) {
  ++interrupts;
  if (!every_one) std::signal(signal, SIG_DFL);
}

std::atomic<bool> on_terminal{false};

/// Nothing but what a signal handler may call.
void EndOnSignal(int) {
  constexpr std::string_view kClear = "\r\033[K", kMessage = "interrupted: nothing was written.\n";
  // A progress line is cleared first. There is nobody to tell where standard error is closed.
  if (on_terminal && write(STDERR_FILENO, kClear.data(), kClear.size()) < 0) _exit(kCode);
  if (write(STDERR_FILENO, kMessage.data(), kMessage.size()) < 0) _exit(kCode);
  _exit(kCode);
}

void SayThatNobodyGetsIt(int signal) {
  const std::string_view text = signal == SIGUSR1 ? "SIGUSR1 came while no command runs: it is ignored\n"
                                                  : "SIGUSR2 came while no command runs: it is ignored\n";
  static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
}

}  // namespace

void CatchInterrupts() {
  std::signal(SIGINT, OnSignal);
  std::signal(SIGTERM, OnSignal);
}

void CatchEveryInterrupt() {
  every_one = true;
  CatchInterrupts();
}

void CatchHangUps() {
  std::signal(SIGHUP, OnSignal);
  std::signal(SIGQUIT, OnSignal);
}

void KeepUserSignals() {
  for (const int signal : {SIGUSR1, SIGUSR2}) {
    // One that was ignored before us stays so, for the command as well.
    if (std::signal(signal, SayThatNobodyGetsIt) == SIG_IGN) std::signal(signal, SIG_IGN);
  }
}

int Interrupts() { return interrupts; }

bool Interrupted() { return interrupts > 0; }

EndAtInterrupt::EndAtInterrupt() {
  on_terminal = isatty(STDERR_FILENO) != 0;
  std::signal(SIGINT, EndOnSignal);
  std::signal(SIGTERM, EndOnSignal);
}

EndAtInterrupt::~EndAtInterrupt() { CatchInterrupts(); }

}  // namespace heliograd
