#include "heliograd/report/window_summary.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <random>

#include "heliograd/model/power_sensor.h"
#include "heliograd/model/simulated_load.h"

namespace heliograd {
namespace {

constexpr int64_t kStart = 1'764'000'000'000'000'000;
const std::vector<std::string> kNames = {"to device", "forward", "loss", "backward", "optimizer"};

int64_t At(double time_s) { return kStart + std::llround(time_s * 1e9); }

/// A training run as a program would have recorded it: one GPU with a power sensor of 25 of 100 ms and a true counter.
class WindowSummaryTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = (std::filesystem::temp_directory_path() / ("windows_" + std::to_string(getpid()))).string();
    TearDown();
    std::mt19937_64 random(7);
    truth_ = SimulateTraining({}, 120, random);
    sensor_.window_s = 0.025;
    sensor_.lag_s = 0.003;
    sensor_.low_pass_s = 0.001;
    sensor_.period_s = 0.102;
    sensor_.tick_jitter_s = 0.0002;
    seen_ = PollSensor(truth_.power, sensor_, {}, random);
  }
  void TearDown() override {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
  }

  std::vector<WindowMark> Marks() const {
    std::vector<WindowMark> windows;
    for (const PhaseMark& mark : truth_.marks) {
      const std::string name = mark.phase == kSleepMark ? kRestName : kNames[static_cast<size_t>(mark.phase)];
      windows.push_back({name, At(mark.begin_s), At(mark.end_s), 1, 0});
    }
    return windows;
  }

  Result<RunReader> Record(const std::vector<WindowMark>& windows) const {
    Result<RunWriter> writer =
        RunWriter::Create(path_, {{"GPU-1", "Card", "NVIDIA 580", "nvml"}},
                          {{0, ChannelKind::kPowerInstant}, {0, ChannelKind::kEnergy}}, {{"sampling_period_ms", "2"}});
    RunBatch batch;
    batch.samples.emplace_back(0, Samples(seen_.power, 1e3));
    batch.samples.emplace_back(1, Samples(seen_.counter, 1e6));
    batch.windows = windows;
    EXPECT_TRUE(writer->Append(batch));
    EXPECT_TRUE(writer->Close());
    return RunReader::Open(path_);
  }

  static std::vector<Sample> Samples(const std::vector<PolledValue>& values, double scale) {
    std::vector<Sample> samples;
    for (const PolledValue& value : values) {
      AppendReading(samples, At(value.time_s), 0, std::llround(value.value * scale), samples.empty());
    }
    return samples;
  }

  std::vector<DeviceCalibration> Calibrated(CounterSight sight) const {
    DeviceCalibration calibration;
    calibration.device = {"GPU-1", "Card", "NVIDIA 580", "nvml"};
    calibration.made = Stamp(std::chrono::nanoseconds(kStart));
    calibration.power.timing.contiguous = false;
    calibration.power.timing.window_s = sensor_.window_s;
    calibration.power.timing.lag_s = sensor_.lag_s;
    calibration.power.timing.low_pass_s = sensor_.low_pass_s;
    calibration.counter_sight = sight;
    calibration.counter = calibration.power.timing;
    calibration.counter->contiguous = true;
    return {calibration};
  }

  std::string path_;
  SimulatedTraining truth_;
  PowerSensor sensor_;
  PolledSensor seen_;
};

TEST_F(WindowSummaryTest, RepeatedPhasesHoldTheTrueJoules) {
  const Result<RunReader> run = Record(Marks());
  const Result<WindowSummary> summary = SummariseWindows(*run, Calibrated(CounterSight::kBlind));
  ASSERT_TRUE(summary);
  ASSERT_EQ(summary->names.size(), 5u);
  int identifiable = 0;
  for (size_t phase = 0; phase < kNames.size(); ++phase) {
    const NameSummary& name = summary->names[phase];
    ASSERT_EQ(name.name, kNames[phase]);
    ASSERT_EQ(name.devices.size(), 1u);
    const NameEnergy& energy = name.devices[0];
    EXPECT_EQ(energy.method, "repeated phases");
    if (!energy.identifiable) {
      EXPECT_FALSE(energy.why.empty()) << name.name;
      continue;
    }
    ++identifiable;
    const double truth_j = truth_.energy_j[phase] * static_cast<double>(name.count);
    EXPECT_LE(InJoules(energy.low), truth_j) << name.name;
    EXPECT_GE(InJoules(energy.high), truth_j) << name.name;
    EXPECT_LE(*energy.share_low, truth_.Share(phase)) << name.name;
    EXPECT_GE(*energy.share_high, truth_.Share(phase)) << name.name;
  }
  EXPECT_GE(identifiable, 3) << "forward, backward and optimizer last many milliseconds";
  ASSERT_EQ(summary->levels.size(), 1u);
  EXPECT_TRUE(summary->levels[0].refusal.empty());
}

TEST_F(WindowSummaryTest, NamesOtherAndRestsAddUpToTheCounter) {
  const Result<RunReader> run = Record(Marks());
  const Result<WindowSummary> summary = SummariseWindows(*run, Calibrated(CounterSight::kSeesAll));
  ASSERT_TRUE(summary);
  double names_j = 0, truth_j = 0;
  const LevelSummary& level = summary->levels.at(0);
  for (const NameSummary& name : summary->names) {
    names_j += InJoules(name.devices.at(0).energy) / static_cast<double>(name.count);
  }
  for (const double phase_j : truth_.energy_j) truth_j += phase_j;
  EXPECT_NEAR(names_j + InJoules(level.other.energy), InJoules(level.iteration), 1e-6 * names_j);
  // The bins carry all of the time, so their sum is the counter's up to the ticks at both ends (0.1 s of 120).
  EXPECT_NEAR((InJoules(level.iteration) + InJoules(level.rest)) / truth_j, 1, 0.004);
}

TEST_F(WindowSummaryTest, WithoutACalibrationShortWindowsAreRefusedAndLongOnesAreNot) {
  std::vector<WindowMark> windows = Marks();
  for (WindowMark& window : windows) window.depth = 1;
  windows.push_back({"epoch", At(10), At(60), 1, 0});
  windows.push_back({"epoch", At(61), At(110), 1, 0});
  const Result<RunReader> run = Record(windows);
  const Result<WindowSummary> summary = SummariseWindows(*run, {});
  ASSERT_TRUE(summary);
  ASSERT_EQ(summary->names[0].name, "epoch");
  const NameEnergy& epoch = summary->names[0].devices.at(0);
  EXPECT_EQ(epoch.method, "each window");
  EXPECT_TRUE(epoch.identifiable);
  const FilteredPower power(truth_.power, 0);
  const double truth_j = power.EnergyUntil(60) - power.EnergyUntil(10) + power.EnergyUntil(110) - power.EnergyUntil(61);
  EXPECT_LE(InJoules(epoch.low), truth_j);
  EXPECT_GE(InJoules(epoch.high), truth_j);
  const NameEnergy& forward = summary->names[2].devices.at(0);
  EXPECT_FALSE(forward.identifiable);
  EXPECT_TRUE(forward.method.empty());
  EXPECT_NE(forward.why.find("heliograd calibrate"), std::string::npos) << forward.why;
}

TEST_F(WindowSummaryTest, WindowsOfOneLevelOnTwoThreadsAreNotToldApart) {
  std::vector<WindowMark> windows = Marks();
  for (size_t i = 0; i < windows.size(); i += 7) windows[i].thread = 2;
  const Result<RunReader> run = Record(windows);
  const Result<WindowSummary> summary = SummariseWindows(*run, Calibrated(CounterSight::kBlind));
  ASSERT_TRUE(summary);
  for (const NameSummary& name : summary->names) {
    ASSERT_EQ(name.devices.size(), 1u);
    EXPECT_NE(name.devices[0].why.find("several threads"), std::string::npos);
  }
}

TEST_F(WindowSummaryTest, ARunWithoutWindowsHasNoNames) {
  const Result<RunReader> run = Record({});
  const Result<WindowSummary> summary = SummariseWindows(*run, {});
  ASSERT_TRUE(summary);
  EXPECT_TRUE(summary->names.empty());
  EXPECT_TRUE(summary->levels.empty());
}

}  // namespace
}  // namespace heliograd
