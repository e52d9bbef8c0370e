#include "heliograd/meter/replay_meter.h"

#include <algorithm>

namespace heliograd {
namespace {

int64_t Nanoseconds(Stamp stamp) { return stamp.time_since_epoch().count(); }

class ReplayMeter : public PowerMeter {
 public:
  ReplayMeter(DeviceRecord device, const Clock& clock, int64_t recorded_start_ns)
      : device_(std::move(device)), clock_(clock), shift_ns_(Nanoseconds(clock.Now()) - recorded_start_ns) {}

  void AddChannel(ChannelKind kind, std::vector<Sample> samples) {
    kinds_.push_back(kind);
    samples_.push_back(std::move(samples));
  }

  const DeviceRecord& Device() const override { return device_; }
  const std::vector<ChannelKind>& Channels() const override { return kinds_; }
  std::string CodeName(int) const override { return "not in the recording"; }
  bool Reopen() override { return true; }

  void Read(std::span<ChannelReading> readings) override {
    const int64_t now_ns = Nanoseconds(clock_.Now()) - shift_ns_;
    for (size_t i = 0; i < samples_.size(); ++i) readings[i] = At(samples_[i], now_ns);
  }

 private:
  /// The value that was on show at that time. Between the last poll of one value and the first of the next there is
  /// only the time between two polls, and there the earlier value stands.
  ChannelReading At(const std::vector<Sample>& samples, int64_t now_ns) const {
    const auto after = std::upper_bound(samples.begin(), samples.end(), now_ns,
                                        [](int64_t time, const Sample& sample) { return time < sample.first_ns; });
    if (after == samples.begin()) return {};
    const Sample& sample = *std::prev(after);
    const bool goes_on = now_ns <= sample.last_ns || (after != samples.end() && after->changed);
    if (!goes_on) return {};
    const int64_t driver_us = sample.driver_us == 0 ? 0 : sample.driver_us + shift_ns_ / 1000;
    return {ReadingState::kValue, sample.value, driver_us, 0};
  }

  DeviceRecord device_;
  const Clock& clock_;
  int64_t shift_ns_;
  std::vector<ChannelKind> kinds_;
  std::vector<std::vector<Sample>> samples_;
};

}  // namespace

Result<std::unique_ptr<PowerMeter>> OpenReplayMeter(const RunReader& run, int device, const Clock& clock) {
  const Result<std::vector<DeviceRecord>> devices = run.Devices();
  const auto extent = run.Extent();
  const Result<std::vector<ChannelRecord>> channels = run.Channels();
  if (!devices) return Fail(devices.error());
  if (!extent) return Fail(extent.error());
  if (!channels) return Fail(channels.error());
  if (device < 0 || device >= static_cast<int>(devices->size())) {
    return Fail("the run has " + std::to_string(devices->size()) + " devices, counted from 0: there is no device " +
                    std::to_string(device),
                ErrorKind::kUsage);
  }
  if (!*extent) return Fail("the run has no samples yet");
  auto meter = std::make_unique<ReplayMeter>((*devices)[static_cast<size_t>(device)], clock, (*extent)->first);
  for (size_t i = 0; i < channels->size(); ++i) {
    if ((*channels)[i].device != device) continue;
    Result<std::vector<Sample>> samples = run.Samples(static_cast<int>(i), (*extent)->first, (*extent)->second);
    if (!samples) return Fail(samples.error());
    if (!samples->empty()) meter->AddChannel((*channels)[i].kind, std::move(*samples));
  }
  return std::unique_ptr<PowerMeter>(std::move(meter));
}

}  // namespace heliograd
