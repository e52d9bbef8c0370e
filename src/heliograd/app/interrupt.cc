#include "heliograd/app/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string_view>

namespace heliograd {
namespace {

std::atomic<bool> interrupted{false};

void OnSignal(int signal) {
  interrupted = true;
  std::signal(signal, SIG_DFL);
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

bool Interrupted() { return interrupted; }

}  // namespace heliograd
