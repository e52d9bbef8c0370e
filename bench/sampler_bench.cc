// How well the sampler keeps its pace, and what it costs, on the simulated GPU: start it with
// LD_LIBRARY_PATH=build/sim.
//
//     sampler_bench SECONDS
//
// Three runs at 2 ms: a meter that answers at once, which is the sampler alone; the simulated GPU with what its calls
// cost; the same on one processor. The cost of the simulated calls is measured apart, in a loop of its own, so that it
// can be subtracted. Writes one JSON object.
#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "heliograd/base/clock.h"
#include "heliograd/meter/nvml_meter.h"
#include "heliograd/meter/sampler.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kReads = 2000;

double ThreadProcessorSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

template <typename T>
T Expect(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().Message());
  return *std::move(result);
}

/// The channels of the simulated GPU without its calls.
class InstantMeter : public PowerMeter {
 public:
  const DeviceRecord& Device() const override { return device_; }
  const std::vector<ChannelKind>& Channels() const override { return kinds_; }
  std::string CodeName(int) const override { return ""; }
  bool Reopen() override { return true; }
  void Read(std::span<ChannelReading> readings) override {
    ++value_;
    for (ChannelReading& reading : readings) reading = {ReadingState::kValue, value_ / 50, 0, 0};
  }

 private:
  DeviceRecord device_{"instant", "instant", "none", "bench"};
  std::vector<ChannelKind> kinds_{ChannelKind::kEnergy, ChannelKind::kPowerInstant, ChannelKind::kPowerAverage,
                                  ChannelKind::kPowerLimit, ChannelKind::kCappedTime};
  int64_t value_ = 0;
};

std::unique_ptr<PowerMeter> OpenSimulated() {
  const auto library = Expect(NvmlLibrary::Load());
  const auto devices = Expect(library->Devices());
  if (devices.empty()) throw std::runtime_error("there is no GPU: start this with LD_LIBRARY_PATH=build/sim");
  return Expect(OpenNvmlMeter(library, devices.front()));
}

/// Processor time of one read of all channels, outside the sampler.
double SecondsPerRead() {
  const std::unique_ptr<PowerMeter> meter = OpenSimulated();
  std::vector<ChannelReading> readings(meter->Channels().size());
  const double begin = ThreadProcessorSeconds();
  for (int i = 0; i < kReads; ++i) meter->Read(readings);
  return (ThreadProcessorSeconds() - begin) / kReads;
}

Json Run(const std::string& name, std::unique_ptr<PowerMeter> meter, double seconds, double seconds_per_read,
         std::optional<int> cpu) {
  std::vector<std::unique_ptr<PowerMeter>> meters;
  meters.push_back(std::move(meter));
  Sampler sampler(std::move(meters), SteadyClock(), {.cpu = cpu});
  if (Result<void> started = sampler.Start(); !started) throw std::runtime_error(started.error().Message());
  for (double left = seconds; left > 0; left -= 0.5) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    static_cast<void>(sampler.Take(false));
  }
  sampler.Stop();
  const SamplerFigures figures = sampler.Figures();
  const auto micro = [](std::chrono::nanoseconds time) { return static_cast<double>(time.count()) * 1e-3; };
  const double elapsed = micro(figures.elapsed) * 1e-6, processor = micro(figures.processor_time) * 1e-6;
  const double calls = seconds_per_read * static_cast<double>(figures.polls);
  return {{"name", name},
          {"elapsed_s", elapsed},
          {"polls", figures.polls},
          {"skipped", figures.skipped},
          {"rested", figures.rested},
          {"slow_polls", figures.slow_polls},
          {"late_p50_us", micro(figures.median_late)},
          {"late_p99_us", micro(figures.p99_late)},
          {"late_most_us", micro(figures.most_late)},
          {"processor_share", processor / elapsed},
          {"calls_share", calls / elapsed},
          {"own_share", (processor - calls) / elapsed}};
}

/// The share of a core that waking up every 2 ms costs by itself, whatever is done then.
double BareSleepShare(double seconds) {
  const SamplerOptions defaults;
  const Stamp begin = SteadyClock().Now();
  const double used = ThreadProcessorSeconds();
  for (Stamp next = begin; next - begin < std::chrono::duration<double>(seconds);) {
    next += defaults.period;
    SteadyClock().SleepUntil(next);
  }
  return (ThreadProcessorSeconds() - used) / seconds;
}

Json RunAll(double seconds) {
  const double per_read = SecondsPerRead();
  Json json = {
      {"seconds_per_read", per_read}, {"bare_sleep_share", BareSleepShare(seconds / 4)}, {"runs", Json::array()}};
  json["runs"].push_back(Run("a meter that answers at once", std::make_unique<InstantMeter>(), seconds, 0, {}));
  json["runs"].push_back(Run("the simulated GPU", OpenSimulated(), seconds, per_read, {}));
  json["runs"].push_back(Run("the simulated GPU, kept on processor 0", OpenSimulated(), seconds, per_read, 0));
  return json;
}

}  // namespace
}  // namespace heliograd

int main(int count, char** arguments) {
  if (count != 2) {
    fmt::print(stderr, "sampler_bench takes the seconds of each run, as in `sampler_bench 20`\n");
    return 2;
  }
  try {
    fmt::print("{}\n", heliograd::RunAll(std::atof(arguments[1])).dump());
  } catch (const std::exception& error) {
    fmt::print(stderr, "sampler_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
