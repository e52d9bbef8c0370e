// sim-train: a program that "trains" on a simulated GPU, follows its limits, and reports its progress.
//
// Two processes: the one the user sees waits, prints and takes signals; a keeper, its child in a process group of its
// own, tells the driver every few milliseconds that the load lives. Thus a stop or a kill of the first one never
// strikes while the driver's lock is held, and the load stops with it.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
#include <string>

#include "heliograd/base/file.h"
#include "heliograd/model/gpu_physics.h"
#include "sim/driver.h"
#include "sim/load.h"

namespace heliograd::sim {
namespace {

constexpr double kAliveSeconds = 0.25;  // real; many beats, so that a busy machine does not stop the load
constexpr long kBeatNs = 5'000'000;
constexpr int kStepLineMs = 100;
constexpr int kUsage = 2;
constexpr int kDeviceFailure = 5;
constexpr int kSignalBase = 128;

struct Outcome {
  uint64_t id = 0;  // first message: the load has begun (0: the GPU is full); the rest in the second one
  int64_t iterations = 0;
  double seconds = 0;
};

struct Arguments {
  size_t gpu = 0;
  LoadRequest request;
};

bool IsStopped(pid_t pid) {
  const auto status = ReadFile(fmt::format("/proc/{}/stat", pid));
  const size_t name_end = status ? status->rfind(')') : std::string::npos;
  if (name_end == std::string::npos || name_end + 2 >= status->size()) return false;
  const char state = (*status)[name_end + 2];
  return state == 'T' || state == 't';
}

/// Waits for the next beat; true when the load shall end.
bool EndIsAskedFor(const sigset_t& signals) {
  const timespec beat{0, kBeatNs};
  return sigtimedwait(&signals, nullptr, &beat) == SIGTERM;
}

bool Send(int pipe, const Outcome& outcome) { return write(pipe, &outcome, sizeof outcome) == sizeof outcome; }

/// The keeper's life. Never returns.
[[noreturn]] void KeepLoad(Driver& driver, const Arguments& arguments, pid_t owner, int pipe, const sigset_t& signals) {
  const double alive_s = kAliveSeconds * driver.config().speed;
  Outcome outcome;
  int64_t started_ns = 0;
  driver.Change(arguments.gpu, [&](GpuView& gpu) {
    outcome.id = StartLoad(arguments.request, alive_s, gpu.state).value_or(0);
    started_ns = gpu.state.now_ns;
  });
  if (!Send(pipe, outcome) || outcome.id == 0) _exit(0);
  bool finished = false;
  while (!finished) {
    const bool end = EndIsAskedFor(signals) || getppid() != owner;
    const bool paused = IsStopped(owner);
    driver.Change(arguments.gpu, [&](GpuView& gpu) {
      Load& load = *FindLoad(gpu.state, outcome.id);
      if (end) EndLoad(load, gpu.state.now_ns);
      finished = !IsRunning(load);
      if (!finished) return KeepAlive(load, alive_s, paused, gpu.state.now_ns);
      outcome.iterations = load.iterations;
      outcome.seconds = static_cast<double>(load.finished_ns - started_ns) / kNanosecondsPerSecond;
      load = Load{};
    });
  }
  Send(pipe, outcome);
  _exit(0);
}

volatile pid_t g_keeper = 0;
volatile sig_atomic_t g_signal = 0;

void EndTheLoad(int signal) {
  g_signal = signal;
  kill(g_keeper, SIGTERM);
}

/// Starts the keeper and gives the end of the pipe on which it reports.
int StartKeeper(Driver& driver, const Arguments& arguments) {
  int ends[2];
  if (pipe(ends) != 0) return -1;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigset_t before;
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, &before);
  const pid_t owner = getpid();
  g_keeper = fork();
  if (g_keeper == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    close(ends[0]);
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) close(standard);
    KeepLoad(driver, arguments, owner, ends[1], signals);
  }
  struct sigaction action {};
  action.sa_handler = EndTheLoad;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  close(ends[1]);
  return g_keeper > 0 ? ends[0] : -1;
}

/// The keeper's next message, printing the steps done until it comes. Nothing when the keeper has died.
std::optional<Outcome> WaitFor(int pipe, uint64_t id, const Driver& driver, size_t gpu, int64_t& printed) {
  pollfd wait{pipe, POLLIN, 0};
  while (poll(&wait, 1, kStepLineMs) <= 0) {
    if (id == 0) continue;
    int64_t done = printed;
    driver.Look(gpu, [&](const GpuView& view) {
      const Load* load = FindLoad(view.state, id);
      done = load ? load->iterations : printed;
    });
    if (done > printed) fmt::print("step {}\n", done);
    printed = std::max(printed, done);
    std::fflush(stdout);
  }
  Outcome outcome;
  if (read(pipe, &outcome, sizeof outcome) != sizeof outcome) return std::nullopt;
  return outcome;
}

int Train(Driver& driver, const Arguments& arguments) {
  const int pipe = StartKeeper(driver, arguments);
  if (pipe < 0) {
    std::perror("sim-train: no process for the load");
    return 1;
  }
  int64_t printed = 0;
  const auto begun = WaitFor(pipe, 0, driver, arguments.gpu, printed);
  if (begun && begun->id == 0) {
    fmt::print(stderr, "sim-train: GPU {} already runs {} loads, which is as many as it can hold.\n", arguments.gpu,
               kMostLoads);
    return kDeviceFailure;
  }
  const auto outcome = begun ? WaitFor(pipe, begun->id, driver, arguments.gpu, printed) : std::nullopt;
  if (!outcome) {
    fmt::print(stderr, "sim-train: the process that kept the load alive was killed.\n");
    return kDeviceFailure;
  }
  waitpid(g_keeper, nullptr, 0);
  if (outcome->iterations > printed) fmt::print("step {}\n", outcome->iterations);
  fmt::print("{{\"iterations\":{},\"seconds\":{:.9f}}}\n", outcome->iterations, outcome->seconds);
  return g_signal != 0 ? kSignalBase + g_signal : 0;
}

int Complain(const Error& error) {
  fmt::print(stderr, "sim-train: {}\n", error.Message());
  return static_cast<int>(error.kind);
}

int Main(int argc, char** argv) {
  CLI::App app(
      "A training run on a simulated GPU (HELIOGRAD_SIM_GPU=FILE).\n\nExamples:\n"
      "  sim-train                        the study's whole job: 469000 iterations\n"
      "  sim-train --seconds 30           30 simulated seconds of it\n"
      "  sim-train --iterations 1000 --phases to_device:2:0.2,forward:30:0.9,backward:60:0.95,optimizer:5:120W\n");
  Arguments arguments;
  int64_t iterations = 0;
  double seconds = 0;
  std::string phases;
  app.add_option("--gpu", arguments.gpu, "index of the GPU");
  auto* count = app.add_option("--iterations", iterations, "iterations to do")->check(CLI::PositiveNumber);
  app.add_option("--seconds", seconds, "simulated seconds to run")->check(CLI::PositiveNumber)->excludes(count);
  app.add_option("--phases", phases,
                 "NAME:MILLISECONDS:UTILISATION,... of an iteration at full clock; a power as 120W in place of the "
                 "utilisation. Default: the study's job");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  const auto parsed = phases.empty() ? Result<std::vector<LoadPhase>>(StudyPhases()) : ParsePhases(phases);
  if (!parsed) return Complain(parsed.error());
  arguments.request = {static_cast<uint32_t>(getpid()), *parsed, INT64_MAX, seconds};
  if (seconds == 0) arguments.request.iterations = iterations > 0 ? iterations : kStudyIterations;
  const auto driver = ReadConfig().and_then([](const SimConfig& config) { return Driver::Open(config); });
  if (!driver) return Complain(driver.error());
  const size_t gpus = (*driver)->config().gpus.size();
  if (arguments.gpu >= gpus) {
    fmt::print(stderr, "sim-train: --gpu {}: there are GPUs 0 to {}.\n", arguments.gpu, gpus - 1);
    return kUsage;
  }
  return Train(**driver, arguments);
}

}  // namespace
}  // namespace heliograd::sim

int main(int argc, char** argv) { return heliograd::sim::Main(argc, argv); }
