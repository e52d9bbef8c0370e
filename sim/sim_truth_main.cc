// sim-truth: prints the energy that a simulated GPU truly drew in an interval of real time.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>

#include "sim/driver.h"

namespace heliograd::sim {
namespace {

constexpr int kUsage = 2;

struct Interval {
  size_t gpu = 0;
  int64_t from_unix_ns = 0;
  int64_t to_unix_ns = 0;
};

int Complain(const Error& error) {
  fmt::print(stderr, "sim-truth: {}\n", error.Message());
  return static_cast<int>(error.kind);
}

/// Prints the answer, or why there is none.
int Answer(const Driver& driver, const Interval& interval) {
  std::optional<KnownEnergy> before;
  std::optional<KnownEnergy> after;
  int64_t now_ns = 0;
  const int64_t from_ns = driver.SimTimeOf(interval.from_unix_ns);
  const int64_t to_ns = driver.SimTimeOf(interval.to_unix_ns);
  driver.Look(interval.gpu, [&](const GpuView& gpu) {
    now_ns = gpu.state.now_ns;
    before = gpu.timeline.JoulesAt(from_ns);
    after = gpu.timeline.JoulesAt(to_ns);
  });
  if (to_ns < from_ns || to_ns > now_ns) {
    return Complain({ErrorKind::kUsage,
                     {fmt::format("--from {} --to {}: expected an interval that is over; it is {} now.",
                                  interval.from_unix_ns, interval.to_unix_ns, driver.RealUnixTimeOf(now_ns))}});
  }
  if (!before || !after) {
    return Complain(
        {ErrorKind::kFailure,
         {fmt::format("--from {}: so far back the power is forgotten: the last {} changes of power are kept, "
                      "and before them {} points at least a second apart.",
                      interval.from_unix_ns, kRememberedSegments, kRememberedPoints)}});
  }
  if (!before->exact || !after->exact) {
    fmt::print(stderr,
               "sim-truth: an edge of the interval lies where only one point a second is kept: its place in "
               "that second is taken at the second's mean power.\n");
  }
  fmt::print("{:.9f}\n", after->joules - before->joules);
  return 0;
}

int Main(int argc, char** argv) {
  CLI::App app(
      "The energy in joules that a simulated GPU (HELIOGRAD_SIM_GPU=FILE) truly drew.\n\nExample:\n"
      "  sim-truth --gpu 0 --from 1767225600000000000 --to 1767225610000000000\n");
  Interval interval;
  app.add_option("--gpu", interval.gpu, "index of the GPU");
  app.add_option("--from", interval.from_unix_ns, "begin, real UNIX time in nanoseconds")->required();
  app.add_option("--to", interval.to_unix_ns, "end, real UNIX time in nanoseconds")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  const auto driver = ReadConfig().and_then([](const SimConfig& config) { return Driver::Open(config); });
  if (!driver) return Complain(driver.error());
  const size_t gpus = (*driver)->config().gpus.size();
  if (interval.gpu >= gpus) {
    return Complain({ErrorKind::kUsage, {fmt::format("--gpu {}: there are GPUs 0 to {}.", interval.gpu, gpus - 1)}});
  }
  return Answer(**driver, interval);
}

}  // namespace
}  // namespace heliograd::sim

int main(int argc, char** argv) { return heliograd::sim::Main(argc, argv); }
