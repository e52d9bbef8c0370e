#include "heliograd/meter/replay_meter.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "heliograd/meter/meter_contract_test.h"

namespace heliograd {
namespace {

constexpr int64_t kMomentNs = 1'000'000'000;
constexpr int64_t kRecordedNs = 1'700'000'000'000'000'000;
const Stamp kReplayed = Stamp(std::chrono::nanoseconds(1'764'000'000'000'000'000));

/// A recording in which each moment lasts a second, played on a clock that stands still.
class Recorded : public MeterWorld {
 public:
  explicit Recorded(std::vector<Moment> moments) : moments_(std::move(moments)) {
    static int number = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("replay_" + std::to_string(getpid()) + "_" + std::to_string(number++) + ".helio");
  }
  ~Recorded() override {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
  }
  Recorded(const Recorded&) = delete;
  Recorded& operator=(const Recorded&) = delete;

  void GoTo(size_t moment) override {
    clock_.SleepUntil(kReplayed + std::chrono::nanoseconds(static_cast<int64_t>(moment) * kMomentNs + kMomentNs / 2));
  }
  void Withhold(ChannelKind kind) override { absent_ = kind; }

  Result<std::unique_ptr<PowerMeter>> Open() override {
    const std::vector<ChannelRecord> channels = {{0, ChannelKind::kPowerInstant}, {0, ChannelKind::kEnergy}};
    Result<RunWriter> writer = RunWriter::Create(path_, {{"GPU-1", "Card", "NVIDIA 580.00", "nvml"}}, channels, {});
    if (!writer) return Fail(writer.error());
    RunBatch batch;
    for (int i = 0; i < 2; ++i) {
      if (channels[static_cast<size_t>(i)].kind == absent_) continue;
      batch.samples.emplace_back(i, SamplesOf(channels[static_cast<size_t>(i)].kind));
    }
    if (Result<void> written = writer->Append(batch); !written) return Fail(written.error());
    if (Result<void> closed = writer->Close(); !closed) return Fail(closed.error());
    const Result<RunReader> run = RunReader::Open(path_);
    if (!run) return Fail(run.error());
    // The replay starts when it is opened.
    ManualClock start(kReplayed);
    clock_ = start;
    auto meter = OpenReplayMeter(*run, 0, clock_);
    GoTo(0);
    return meter;
  }

 private:
  std::vector<Sample> SamplesOf(ChannelKind kind) const {
    std::vector<Sample> samples;
    bool after_gap = true;
    for (size_t i = 0; i < moments_.size(); ++i) {
      if (moments_[i].state != Moment::State::kShows) {
        after_gap = true;
        continue;
      }
      const int64_t begin_ns = kRecordedNs + static_cast<int64_t>(i) * kMomentNs;
      const int64_t value = kind == ChannelKind::kEnergy ? moments_[i].energy_uj : moments_[i].power_mw;
      // The last poll of a moment comes shortly before the first of the next.
      samples.push_back({begin_ns, begin_ns + kMomentNs - 2'000'000, begin_ns / 1000, value, !after_gap});
      after_gap = false;
    }
    return samples;
  }

  std::vector<Moment> moments_;
  std::string path_;
  ManualClock clock_{kReplayed};
  std::optional<ChannelKind> absent_;
};

INSTANTIATE_TEST_SUITE_P(Replay, MeterContract,
                         testing::Values(MeterUnderTest{
                             .name = "replay",
                             .make =
                                 [](const std::vector<Moment>& moments) { return std::make_unique<Recorded>(moments); },
                             .channels = {ChannelKind::kPowerInstant, ChannelKind::kEnergy},
                             .source = "nvml",
                             .can_be_lost = false,
                             .has_stamps = true,
                             .codes = {0}}),
                         MeterName);

TEST(ReplayMeter, GivesNothingAfterTheEndOfTheRecording) {
  Recorded world({{Moment::State::kShows, 100'000, 1000}, {Moment::State::kShows, 110'000, 2000}});
  const auto meter = world.Open();
  ASSERT_TRUE(meter) << meter.error().Message();
  std::vector<ChannelReading> readings(2);
  world.GoTo(2);
  (*meter)->Read(readings);
  for (const ChannelReading& reading : readings) EXPECT_EQ(reading.state, ReadingState::kNothingYet);
}

}  // namespace
}  // namespace heliograd
