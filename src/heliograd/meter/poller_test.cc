#include "heliograd/meter/poller.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "heliograd/meter/replay_meter.h"
#include "heliograd/meter/sampler.h"

namespace heliograd {
namespace {

using std::chrono::milliseconds;

constexpr Stamp kStart{std::chrono::seconds(1'764'000'000)};

/// What the scripted device answers next.
struct Script {
  ReadingState state = ReadingState::kValue;
  int64_t power_mw = 150'000;
  int64_t energy_uj = 1'000'000;
  int code = 0;
  bool comes_back = true;
  std::chrono::nanoseconds call_time{0};
};

class ScriptedMeter : public PowerMeter {
 public:
  ScriptedMeter(const Script& script, Clock& clock) : script_(script), clock_(clock) {}
  const DeviceRecord& Device() const override { return device_; }
  const std::vector<ChannelKind>& Channels() const override { return kinds_; }
  std::string CodeName(int code) const override { return "CODE_" + std::to_string(code); }
  bool Reopen() override { return script_.comes_back; }
  void Read(std::span<ChannelReading> readings) override {
    if (script_.call_time.count() > 0) clock_.SleepUntil(clock_.Now() + script_.call_time);
    readings[0] = {script_.state, script_.power_mw, 0, script_.code};
    readings[1] = {script_.state, script_.energy_uj, 0, script_.code};
  }

 private:
  const Script& script_;
  Clock& clock_;
  DeviceRecord device_ = {"GPU-script", "Scripted", "1", "script"};
  std::vector<ChannelKind> kinds_ = {ChannelKind::kPowerInstant, ChannelKind::kEnergy};
};

class PollerTest : public testing::Test {
 protected:
  void Poll(int polls) {
    for (int i = 0; i < polls; ++i) {
      clock_.SleepUntil(clock_.Now() + milliseconds(2));
      poller_.Poll();
    }
  }
  static std::vector<std::unique_ptr<PowerMeter>> One(std::unique_ptr<PowerMeter> meter) {
    std::vector<std::unique_ptr<PowerMeter>> meters;
    meters.push_back(std::move(meter));
    return meters;
  }

  Script script_;
  ManualClock clock_{kStart};
  Poller poller_{One(std::make_unique<ScriptedMeter>(script_, clock_)), clock_};
};

TEST_F(PollerTest, AValueThatStaysIsOneSample) {
  Poll(50);
  script_.power_mw = 160'000;
  Poll(50);
  const RunBatch batch = poller_.Take(true);
  ASSERT_EQ(batch.samples.size(), 2u);
  const std::vector<Sample>& power = batch.samples[0].second;
  ASSERT_EQ(power.size(), 2u);
  EXPECT_FALSE(power[0].changed);  // it may have been on show long before the first poll
  EXPECT_TRUE(power[1].changed);
  EXPECT_EQ(power[0].last_ns - power[0].first_ns, 98'000'000);
  EXPECT_EQ(power[1].first_ns - power[0].last_ns, 2'000'000);
}

TEST_F(PollerTest, WhatMerelyGoesOnIsHandedOverEveryTenSecondsAndAtTheEnd) {
  Poll(10);
  EXPECT_EQ(poller_.Take(false).samples.size(), 2u);
  Poll(500);  // one second
  EXPECT_TRUE(poller_.Take(false).samples.empty());
  Poll(5000);
  EXPECT_EQ(poller_.Take(false).samples.size(), 2u);
  Poll(10);
  EXPECT_EQ(poller_.Take(true).samples.size(), 2u);
}

TEST_F(PollerTest, AShortSilenceIsDebouncedAndALongOneIsAGapWithItsReason) {
  Poll(10);
  script_.state = ReadingState::kNotSupported;
  script_.code = 3;
  Poll(20);  // 40 ms
  script_.state = ReadingState::kValue;
  Poll(10);
  EXPECT_TRUE(poller_.Take(true).gaps.empty());
  script_.state = ReadingState::kNothingYet;
  Poll(200);  // 400 ms
  script_.state = ReadingState::kValue;
  Poll(10);
  const RunBatch batch = poller_.Take(true);
  ASSERT_EQ(batch.gaps.size(), 2u);
  EXPECT_EQ(batch.gaps[0].reason, "CODE_3 for 0.4 s");
  EXPECT_EQ(batch.gaps[0].end_ns - batch.gaps[0].begin_ns, 402'000'000);
  EXPECT_FALSE(batch.samples[0].second.back().changed);
}

TEST_F(PollerTest, ACounterThatGoesBackIsAGapAndNeverNegativeEnergy) {
  Poll(10);
  script_.energy_uj = 5;
  Poll(10);
  const RunBatch batch = poller_.Take(true);
  ASSERT_EQ(batch.gaps.size(), 1u);
  EXPECT_NE(batch.gaps[0].reason.find("driver was loaded again"), std::string::npos);
  EXPECT_EQ(batch.gaps[0].channel, 1);
  EXPECT_FALSE(batch.samples[1].second.back().changed);
}

TEST_F(PollerTest, ALostDeviceIsAskedForOnceASecondUntilItIsBack) {
  Poll(10);
  script_.state = ReadingState::kLost;
  script_.code = 15;
  script_.comes_back = false;
  Poll(1000);
  script_.comes_back = true;
  script_.state = ReadingState::kValue;
  Poll(600);
  const RunBatch batch = poller_.Take(true);
  ASSERT_EQ(batch.gaps.size(), 2u);
  EXPECT_EQ(batch.gaps[0].reason.substr(0, 11), "CODE_15 for");
  const double lost_s = static_cast<double>(batch.gaps[0].end_ns - batch.gaps[0].begin_ns) / 1e9;
  EXPECT_GE(lost_s, 2.0);
  EXPECT_LE(lost_s, 3.0 + 0.01);  // found at the next question, at most a second later
}

TEST_F(PollerTest, ACallThatHangsIsAGapThatSaysSo) {
  Poll(10);
  script_.call_time = std::chrono::seconds(3);
  Poll(1);
  script_.call_time = {};
  Poll(10);
  const RunBatch batch = poller_.Take(true);
  ASSERT_GE(batch.gaps.size(), 2u);
  EXPECT_NE(batch.gaps[0].reason.find("the driver's call blocked"), std::string::npos) << batch.gaps[0].reason;
}

TEST(ReplayMeter, GivesBackARecordingAtItsOwnPace) {
  const std::string path = (std::filesystem::temp_directory_path() / ("replay_" + std::to_string(getpid()))).string();
  const int64_t start_ns = kStart.time_since_epoch().count();
  const auto at = [&](int64_t first_ms, int64_t last_ms, int64_t value, bool changed) {
    return Sample{start_ns + first_ms * 1'000'000, start_ns + last_ms * 1'000'000, 0, value, changed};
  };
  Result<RunWriter> writer =
      RunWriter::Create(path, {{"GPU-1", "Card", "1", "nvml"}}, {{0, ChannelKind::kPowerInstant}}, {});
  ASSERT_TRUE(writer) << writer.error().Message();
  const std::vector<Sample> recorded = {at(0, 98, 100'000, false), at(100, 198, 120'000, true),
                                        at(900, 998, 130'000, false), at(1000, 1002, 140'000, true)};
  ASSERT_TRUE(writer->Append({{{0, recorded}}, {}, {}, {}}));
  ASSERT_TRUE(writer->Close());

  const Result<RunReader> run = RunReader::Open(path);
  ManualClock clock(kStart + std::chrono::hours(24));
  EXPECT_FALSE(OpenReplayMeter(*run, 1, clock));
  auto meter = OpenReplayMeter(*run, 0, clock);
  ASSERT_TRUE(meter) << meter.error().Message();
  std::vector<std::unique_ptr<PowerMeter>> meters;
  meters.push_back(std::move(*meter));
  Poller poller(std::move(meters), clock);
  for (int i = 0; i <= 501; ++i) {
    poller.Poll();
    clock.SleepUntil(clock.Now() + milliseconds(2));
  }
  RunBatch again = poller.Take(true);
  ASSERT_EQ(again.samples.size(), 1u);
  for (Sample& sample : again.samples[0].second) {
    sample.first_ns -= 24 * 3600 * int64_t{1'000'000'000};
    sample.last_ns -= 24 * 3600 * int64_t{1'000'000'000};
  }
  EXPECT_EQ(again.samples[0].second, recorded);
  ASSERT_EQ(again.gaps.size(), 1u);
  std::filesystem::remove(path);
}

TEST(Sampler, KeepsItsPaceAndSaysWhenACallTakesTooLong) {
  Script script;
  script.call_time = milliseconds(5);  // with a period of 2 ms every second and third deadline has passed
  std::vector<std::unique_ptr<PowerMeter>> meters;
  meters.push_back(std::make_unique<ScriptedMeter>(script, SteadyClock()));
  Sampler sampler(std::move(meters), SteadyClock(), {});
  ASSERT_TRUE(sampler.Start());
  SteadyClock().SleepUntil(SteadyClock().Now() + milliseconds(60));
  sampler.Stop();
  const SamplerFigures figures = sampler.Figures();
  EXPECT_GT(figures.polls, 0);
  EXPECT_EQ(figures.slow_polls, figures.polls);
  EXPECT_GE(figures.skipped, 2 * figures.polls);
  EXPECT_GE(figures.longest_poll, milliseconds(5));
  EXPECT_EQ(sampler.Take(true).samples.size(), 2u);
}

TEST(Sampler, AProcessorThatDoesNotExistIsRefused) {
  Script script;
  std::vector<std::unique_ptr<PowerMeter>> meters;
  meters.push_back(std::make_unique<ScriptedMeter>(script, SteadyClock()));
  Sampler sampler(std::move(meters), SteadyClock(), {.cpu = 100'000});
  const Result<void> started = sampler.Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::kUsage);
}

/// The counter of capped time, which moves at every poll while the limit binds.
class CappedMeter : public PowerMeter {
 public:
  explicit CappedMeter(Clock& clock) : clock_(clock) {}
  const DeviceRecord& Device() const override { return device_; }
  const std::vector<ChannelKind>& Channels() const override { return kinds_; }
  std::string CodeName(int) const override { return ""; }
  bool Reopen() override { return true; }
  void Read(std::span<ChannelReading> readings) override {
    readings[0] = {ReadingState::kValue, (clock_.Now() - kStart).count(), 0, 0};
  }

 private:
  Clock& clock_;
  DeviceRecord device_ = {"GPU-capped", "Capped", "1", "script"};
  std::vector<ChannelKind> kinds_ = {ChannelKind::kCappedTime};
};

TEST(PollerThinning, CappedTimeIsKeptTenTimesASecondAndStaysExact) {
  ManualClock clock{kStart};
  std::vector<std::unique_ptr<PowerMeter>> meters;
  meters.push_back(std::make_unique<CappedMeter>(clock));
  Poller poller(std::move(meters), clock);
  for (int i = 0; i < 500; ++i) {  // one second
    clock.SleepUntil(clock.Now() + milliseconds(2));
    poller.Poll();
  }
  const RunBatch batch = poller.Take(true);
  EXPECT_TRUE(batch.gaps.empty());
  ASSERT_EQ(batch.samples.size(), 1u);
  const std::vector<Sample>& samples = batch.samples[0].second;
  EXPECT_EQ(samples.size(), 10u);
  for (const Sample& sample : samples) EXPECT_EQ(sample.value, sample.first_ns - kStart.time_since_epoch().count());
}

/// A device whose power and counter change together, `period` apart from `start` on.
class RhythmicMeter : public PowerMeter {
 public:
  explicit RhythmicMeter(Clock& clock) : clock_(clock) {}
  const DeviceRecord& Device() const override { return device_; }
  const std::vector<ChannelKind>& Channels() const override { return kinds_; }
  std::string CodeName(int) const override { return ""; }
  bool Reopen() override { return true; }
  void Read(std::span<ChannelReading> readings) override {
    ++reads;
    const int64_t update = Update(clock_.Now());
    const int64_t power = power_stays ? 0 : power_pauses ? update / 5 * 5 + std::max<int64_t>(update % 5, 2) : update;
    readings[0] = {ReadingState::kValue, 100'000 + power, 0, 0};
    readings[1] = {ReadingState::kValue, update * 1000, 0, 0};
  }

  int64_t Update(Stamp at) const { return base + (at - start) / period; }
  void ChangeRhythm(std::chrono::nanoseconds to) {
    base = Update(clock_.Now());
    start = clock_.Now();
    period = to;
  }

  std::chrono::nanoseconds period = milliseconds(100);
  Stamp start = kStart;
  int64_t base = 0;
  bool power_stays = false;
  bool power_pauses = false;  // every fifth and the next two updates bring the same value
  int reads = 0;

 private:
  Clock& clock_;
  DeviceRecord device_ = {"GPU-rhythm", "Rhythmic", "1", "script"};
  std::vector<ChannelKind> kinds_ = {ChannelKind::kPowerInstant, ChannelKind::kEnergy};
};

class PollRestTest : public testing::Test {
 protected:
  PollRestTest() {
    std::vector<std::unique_ptr<PowerMeter>> meters;
    meters.push_back(std::make_unique<RhythmicMeter>(clock_));
    meter_ = static_cast<RhythmicMeter*>(meters.front().get());
    poller_ = std::make_unique<Poller>(std::move(meters), clock_, PollRest::kBetweenValues);
  }
  /// The samples of the counter and how often the device was asked while `time` passed.
  std::vector<Sample> PollFor(std::chrono::nanoseconds time) {
    meter_->reads = 0;
    for (const Stamp end = clock_.Now() + time; clock_.Now() < end;) {
      clock_.SleepUntil(clock_.Now() + milliseconds(2));
      poller_->Poll();
    }
    return poller_->Take(true).samples.back().second;
  }

  ManualClock clock_{kStart};
  RhythmicMeter* meter_ = nullptr;
  std::unique_ptr<Poller> poller_;
};

TEST_F(PollRestTest, AKnownRhythmIsAskedForAroundItsValuesAloneAndNoStampGetsWorse) {
  PollFor(milliseconds(2000));
  const std::vector<Sample> samples = PollFor(milliseconds(2000));
  // The longest rest, 75 ms, and then 12: some seven polls of 50 remain, and some for the edges of the grid.
  EXPECT_LE(meter_->reads, 200);
  ASSERT_EQ(samples.size(), 21u);  // the value that goes on, then 20 changes
  for (size_t i = 1; i < samples.size(); ++i) {
    EXPECT_TRUE(samples[i].changed);
    EXPECT_EQ(samples[i].value, samples[i - 1].value + 1000);
    EXPECT_EQ((samples[i].first_ns - kStart.time_since_epoch().count()) % 100'000'000, 0);  // the very poll
    EXPECT_LE(samples[i].first_ns - samples[i - 1].last_ns, 2'000'000);
  }
}

TEST_F(PollRestTest, ASensorThatGetsFasterIsFollowed) {
  PollFor(milliseconds(2000));
  meter_->ChangeRhythm(milliseconds(20));
  PollFor(milliseconds(1000));
  // Dense again: every change is seen at its own poll.
  const std::vector<Sample> samples = PollFor(milliseconds(1000));
  EXPECT_EQ(samples.size(), 51u);
  for (size_t i = 1; i < samples.size(); ++i) EXPECT_TRUE(samples[i].changed);
}

TEST_F(PollRestTest, UpdatesThatChangeNoValueDoNotEndTheRest) {
  meter_->power_pauses = true;
  PollFor(milliseconds(5000));
  const std::vector<Sample> samples = PollFor(milliseconds(5000));
  EXPECT_LE(meter_->reads, 2500 / 4);  // a quarter of each period is looked at where no value changes
  for (size_t i = 1; i < samples.size(); ++i) EXPECT_TRUE(samples[i].changed);
}

TEST_F(PollRestTest, OnABusyMachineEveryChangeStaysOneAndAPromptPollLetsItRestAgain) {
  PollFor(milliseconds(2000));
  for (int i = 0; i < 10; ++i) {
    clock_.SleepUntil(clock_.Now() + milliseconds(30 + 7 * i));  // the sampler's thread gets no processor
    const std::vector<Sample> samples = PollFor(milliseconds(300));
    for (size_t s = 1; s < samples.size(); ++s) EXPECT_TRUE(samples[s].changed);
  }
  PollFor(milliseconds(1000));
  PollFor(milliseconds(2000));
  EXPECT_LE(meter_->reads, 300);
}

TEST_F(PollRestTest, WithoutARhythmNobodyRests) {
  meter_->power_stays = true;  // when the next power comes is not known
  PollFor(milliseconds(2000));
  PollFor(milliseconds(2000));
  EXPECT_EQ(meter_->reads, 1000);
  meter_->power_stays = false;
  meter_->ChangeRhythm(milliseconds(1));  // as processors' counters
  PollFor(milliseconds(2000));
  PollFor(milliseconds(2000));
  EXPECT_EQ(meter_->reads, 1000);
}

TEST_F(PollRestTest, ASlowSensorIsAskedOftenEnoughThatNoGapIsSeen) {
  meter_->period = milliseconds(1000);
  PollFor(std::chrono::seconds(20));
  PollFor(std::chrono::seconds(10));
  EXPECT_LE(meter_->reads, 800);  // an eighth of 5000, and one poll each 75 ms
  EXPECT_TRUE(poller_->Take(true).gaps.empty());
}

}  // namespace
}  // namespace heliograd
