#include "heliograd/control/job.h"

#include <csignal>

#include "heliograd/base/clock.h"

namespace heliograd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTimeToEnd{10'000};

}  // namespace

std::optional<ExitStatus> EndJob(Job& job, int signal) {
  if (!job.started()) return std::nullopt;
  job.End(signal);
  for (const int next : {SIGTERM, SIGKILL, 0}) {
    const Stamp give_up = SteadyClock().Now() + kTimeToEnd;
    while (SteadyClock().Now() < give_up) {
      if (const std::optional<ExitStatus> exit = job.Wait(milliseconds(50))) return exit;
    }
    if (next != 0) job.End(next);
  }
  return std::nullopt;
}

}  // namespace heliograd
