// How much space a recorded run takes: a synthetic GPU with the channels of the simulated one is polled every 2 ms by
// the recording's own poller, on a clock that is moved by hand, and written by the recording's own writer.
//
//     store_bench SECONDS
//
// Writes one JSON object: bytes of the file and of each channel's blocks.
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "heliograd/base/clock.h"
#include "heliograd/meter/poller.h"
#include "heliograd/trace/run_store.h"
#include "heliograd/trace/sample_codec.h"

namespace heliograd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPollPeriod{2};
constexpr milliseconds kFlushPeriod{500};

/// A GPU under a limit: a job of two phases, a sensor with noise of 0.3 W and steps of 1 mW.
class SyntheticGpu : public PowerMeter {
 public:
  SyntheticGpu(const Clock& clock, milliseconds sensor_period, std::vector<ChannelKind> kinds)
      : clock_(clock), sensor_period_(sensor_period), kinds_(std::move(kinds)) {}

  const DeviceRecord& Device() const override { return device_; }
  const std::vector<ChannelKind>& Channels() const override { return kinds_; }
  std::string CodeName(int) const override { return ""; }
  bool Reopen() override { return true; }

  void Read(std::span<ChannelReading> readings) override {
    const std::chrono::nanoseconds now = clock_.Now().time_since_epoch();
    if (now - last_tick_ >= sensor_period_) Tick(now);
    for (size_t i = 0; i < kinds_.size(); ++i) {
      readings[i] = {ReadingState::kValue, ValueOf(kinds_[i], now), now.count() / 1000, 0};
    }
  }

 private:
  void Tick(std::chrono::nanoseconds now) {
    last_tick_ = now;
    const double watts = 153 + 25 * std::sin(static_cast<double>(now.count()) * 1e-9 * 7) + noise_(random_);
    instant_mw_ = std::llround(watts * 1000);
    average_mw_ += (instant_mw_ - average_mw_) / 10;
    energy_mj_ += instant_mw_ * sensor_period_.count() / 1000;
  }

  int64_t ValueOf(ChannelKind kind, std::chrono::nanoseconds now) const {
    switch (kind) {
      case ChannelKind::kPowerInstant:
        return instant_mw_;
      case ChannelKind::kPowerAverage:
        return average_mw_;
      case ChannelKind::kEnergy:
        return energy_mj_ * 1000;
      case ChannelKind::kPowerLimit:
        return 170'000;
      case ChannelKind::kCappedTime:
        return now.count();  // the limit binds all the time: the counter moves at every poll
      case ChannelKind::kSmClock:
        return now / milliseconds(54) % 2 == 0 ? 2580 : 2790;
      case ChannelKind::kTemperature:
        return 60 + std::llround(3 * std::sin(static_cast<double>(now.count()) * 1e-9 / 20));
    }
    return 0;
  }

  const Clock& clock_;
  milliseconds sensor_period_;
  std::vector<ChannelKind> kinds_;
  DeviceRecord device_{"GPU-synthetic", "synthetic", "none", "bench"};
  std::mt19937 random_{1};
  std::normal_distribution<double> noise_{0, 0.3};
  std::chrono::nanoseconds last_tick_{0};
  int64_t instant_mw_ = 153'000, average_mw_ = 153'000, energy_mj_ = 0;
};

nlohmann::ordered_json Measure(int64_t seconds, milliseconds sensor_period, bool with_clocks) {
  ManualClock clock{SystemClock().Now()};
  std::vector<ChannelKind> kinds = {ChannelKind::kEnergy, ChannelKind::kPowerInstant, ChannelKind::kPowerAverage,
                                    ChannelKind::kPowerLimit, ChannelKind::kCappedTime};
  if (with_clocks) kinds.insert(kinds.end(), {ChannelKind::kSmClock, ChannelKind::kTemperature});
  std::vector<std::unique_ptr<PowerMeter>> meters;
  meters.push_back(std::make_unique<SyntheticGpu>(clock, sensor_period, kinds));
  Poller poller(std::move(meters), clock);
  const std::string path = std::filesystem::temp_directory_path() / fmt::format("heliograd-store-bench-{}", getpid());
  Result<RunWriter> writer = RunWriter::Create(path, poller.Devices(), poller.Channels(), {});
  if (!writer) throw std::runtime_error(writer.error().Message());
  std::vector<size_t> bytes(kinds.size(), 0), samples(kinds.size(), 0);
  const Stamp end = clock.Now() + std::chrono::seconds(seconds);
  for (Stamp flush = clock.Now() + kFlushPeriod; clock.Now() < end; clock.SleepUntil(clock.Now() + kPollPeriod)) {
    poller.Poll();
    if (clock.Now() < flush) continue;
    flush += kFlushPeriod;
    const RunBatch batch = poller.Take(false);
    for (const auto& [channel, block] : batch.samples) {
      bytes[static_cast<size_t>(channel)] += EncodeSamples(block).size();
      samples[static_cast<size_t>(channel)] += block.size();
    }
    if (Result<void> written = writer->Append(batch); !written) throw std::runtime_error(written.error().Message());
  }
  if (Result<void> closed = writer->Close(); !closed) throw std::runtime_error(closed.error().Message());
  nlohmann::ordered_json json = {{"seconds", seconds},
                                 {"sensor_period_ms", sensor_period.count()},
                                 {"with_clocks", with_clocks},
                                 {"file_bytes", std::filesystem::file_size(path)}};
  for (size_t i = 0; i < kinds.size(); ++i) {
    json["channels"][std::string(ChannelName(kinds[i]))] = {{"bytes", bytes[i]}, {"samples", samples[i]}};
  }
  std::filesystem::remove(path);
  return json;
}

}  // namespace
}  // namespace heliograd

int main(int count, char** arguments) {
  if (count != 2) {
    fmt::print(stderr, "store_bench takes the seconds to record, as in `store_bench 7200`\n");
    return 2;
  }
  const int64_t seconds = std::atoll(arguments[1]);
  auto runs = nlohmann::ordered_json::array();
  for (const auto period : {std::chrono::milliseconds(100), std::chrono::milliseconds(20)}) {
    for (const bool with_clocks : {false, true}) runs.push_back(heliograd::Measure(seconds, period, with_clocks));
  }
  fmt::print("{}\n", nlohmann::ordered_json{{"runs", runs}}.dump());
}
