#include "heliograd/app/profile_steps.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>

#include "heliograd/base/clock.h"
#include "heliograd/base/file.h"
#include "heliograd/base/time.h"
#include "heliograd/model/phase_energy.h"
#include "heliograd/model/simulated_load.h"
#include "heliograd/model/tick_times.h"
#include "heliograd/model/truth_trials.h"

namespace heliograd {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr double kIdleW = 15;       // what the simulated GPU draws without a load
constexpr double kGainHalf = 0.05;  // of an uncalibrated sensor

/// What the estimator says of a load without rests that runs in step with a sensor that looks a quarter of the time.
std::string RefusalOfLoadInStep() {
  DrawnSensor drawn;
  drawn.sensor.period_s = 0.1;
  drawn.sensor.window_s = drawn.calibrated_window_s = 0.025;
  drawn.sensor.tick_jitter_s = 0.0002;
  drawn.sensor.counter = CounterKind::kAbsent;
  std::mt19937_64 random(1);
  const TrainingLoad load{.iteration_s = 0.1, .duration_jitter = 0, .stall_probability = 0, .sleep_share = 0};
  const SimulatedTraining truth = SimulateTraining(load, 60, random);
  const auto fit = FitTickTimes(PollSensor(truth.power, drawn.sensor, {}, random).power, 0.002);
  PhaseRun run;
  run.marks = truth.marks;
  run.phase_count = truth.phase_count;
  run.iterations = truth.iterations;
  run.ticks = fit->ticks;
  run.timing = drawn.Timing(fit->period_s);
  return EstimatePhaseEnergies(run).value().refusal;
}

TEST(WordedForRestsTest, RestsThatAreThereAreNotAdvised) {
  const std::string refusal = RefusalOfLoadInStep();
  ASSERT_THAT(refusal, HasSubstr("add sleep"));
  const std::string worded = WordedForRests(refusal, 0.05, 100);
  EXPECT_THAT(worded, testing::StartsWith("aliased: the sensor looks"));
  EXPECT_THAT(worded, HasSubstr("rests of 5 % (--dither 5) need more iterations: about 1200 (--iterations)"));
  EXPECT_THAT(worded, testing::Not(HasSubstr("sleep")));
  EXPECT_THAT(WordedForRests(refusal, 0.05, 5000), HasSubstr("about 10000 (--iterations)"));
  EXPECT_EQ(WordedForRests("", 0.05, 100), "");
  EXPECT_EQ(
      WordedForRests("phases do not close; run longer or add random sleep between iterations", 0.1, 10),
      "phases do not close; run longer: rests of 10 % (--dither 10) need more iterations: about 300 (--iterations)");
}

/// The meter of measured steps on the simulated driver. The library that is loaded here answers to the driver's name.
class MeasuredStepsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("profile_steps_" + std::to_string(getpid()));
    fs::create_directories(folder_ / "heliograd" / "calibrations");
    ASSERT_TRUE(WriteFile((folder_ / "gpu.toml").string(), "[[gpu]]\nsensor_noise_w = 0.3\n"));
    setenv("HELIOGRAD_SIM_GPU", (folder_ / "gpu.toml").c_str(), 1);
    setenv("XDG_STATE_HOME", folder_.c_str(), 1);
    driver_ = dlopen(HELIOGRAD_SIMULATED_DRIVER, RTLD_NOW);
    ASSERT_NE(driver_, nullptr) << dlerror();
  }
  void TearDown() override {
    unsetenv("HELIOGRAD_SIM_GPU");
    unsetenv("XDG_STATE_HOME");
    if (driver_ != nullptr) dlclose(driver_);
    fs::remove_all(folder_);
  }

  /// A calibration of the simulated GPU, made today.
  void Calibrate() {
    Result<std::string> text = ReadFile(std::string(HELIOGRAD_SOURCE_DIR) + "/tests/python/calibration.json");
    ASSERT_TRUE(text);
    const size_t at = text->find("\"made\": \"") + 9;
    text->replace(at, text->find('"', at) - at, FormatStamp(SystemClock().Now()));
    ASSERT_TRUE(WriteFile((folder_ / "heliograd" / "calibrations" / "gpu.json").string(), *text));
  }

  /// Iterations of about 170 ms that do nothing, so that every step draws the idle power.
  static void Iterate(StepMeter& meter, int iterations) {
    constexpr std::array<int, 5> kStepMs = {10, 60, 3, 90, 10};
    std::mt19937_64 random(1);
    for (int i = 0; i < iterations; ++i) {
      for (size_t step = 0; step < kStepMs.size(); ++step) {
        const int64_t begin_ns = meter.NowNs();
        std::this_thread::sleep_for(std::chrono::milliseconds(kStepMs[step]));
        meter.Add({static_cast<int>(step), begin_ns, meter.NowNs()});
      }
      const int64_t begin_ns = meter.NowNs();
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 17'000));
      meter.Add({kRestStep, begin_ns, meter.NowNs()});
    }
  }

  fs::path folder_;
  void* driver_ = nullptr;
};

TEST_F(MeasuredStepsTest, StepsAreToldFromTheSensorAndAddUpToTheIteration) {
  Calibrate();
  const auto meter = MeasuredSteps("0", "");
  ASSERT_TRUE(meter) << meter.error().Message();
  EXPECT_EQ((*meter)->Source(), PowerSource::kMeasured);
  EXPECT_THAT((*meter)->Name(), HasSubstr("GPU-"));
  Iterate(**meter, 60);
  TrainingProfile profile;
  const Result<void> done = (*meter)->Finish(profile);
  ASSERT_TRUE(done) << done.error().Message();
  EXPECT_EQ(profile.refusal, "");
  ASSERT_EQ(profile.steps.size(), kTrainingSteps.size() + 1);
  ASSERT_TRUE(profile.iteration_energy);
  double sum_j = 0, sum_s = 0;
  for (const ProfiledStep& step : profile.steps) {
    ASSERT_TRUE(step.energy) << step.name;
    EXPECT_LT(InJoules(step.energy->low), InJoules(step.energy->high)) << step.name;
    sum_j += InJoules(step.energy->energy);
    sum_s += InSeconds(step.duration);
  }
  // The iteration is the sum of its parts, by construction of the estimate.
  EXPECT_NEAR(sum_j, InJoules(profile.iteration_energy->energy), 1e-6 * sum_j);
  // The true power is constant: the iteration's energy is that power times its time, within the gain that is assumed.
  EXPECT_NEAR(sum_j, kIdleW * sum_s, 1.5 * kGainHalf * kIdleW * sum_s);
  EXPECT_LE(InJoules(profile.iteration_energy->low), kIdleW * sum_s);
  EXPECT_GE(InJoules(profile.iteration_energy->high), kIdleW * sum_s);
  EXPECT_GT(profile.samples, 60);  // a sensor of 100 ms over ten seconds
  EXPECT_FALSE(profile.trace.empty());

  const Result<IdlePower> idle = (*meter)->PowerAtIdle();
  ASSERT_TRUE(idle) << idle.error().Message();
  EXPECT_NEAR(InWatts(idle->mean), kIdleW, 3 * 0.3);  // the sensor's noise, of few readings

  std::vector<LoopRun> runs;
  for (int i = 0; i < 20; ++i) {
    const int64_t begin_ns = (*meter)->NowNs();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    runs.push_back({begin_ns, (*meter)->NowNs(), 10});
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const Result<LoopPower> power = (*meter)->PowerOfLoop(runs, {{1, 1}});
  ASSERT_TRUE(power) << power.error().Message();
  EXPECT_NEAR(InWatts(power->running), kIdleW, 3 * 0.3);
}

TEST_F(MeasuredStepsTest, WithoutACalibrationNoShortStepHasAnEnergyAndTheCommandIsNamed) {
  const auto meter = MeasuredSteps("0", "");
  ASSERT_TRUE(meter) << meter.error().Message();
  Iterate(**meter, 5);
  TrainingProfile profile;
  ASSERT_TRUE((*meter)->Finish(profile));
  ASSERT_EQ(profile.steps.size(), kTrainingSteps.size());
  for (const ProfiledStep& step : profile.steps) {
    EXPECT_FALSE(step.identifiable) << step.name;
    EXPECT_THAT(step.why, HasSubstr("heliograd calibrate")) << step.name;
    EXPECT_GT(InSeconds(step.duration), 0) << step.name;
  }
  EXPECT_FALSE(profile.iteration_energy);
  EXPECT_FALSE((*meter)->PowerAtIdle());
}

}  // namespace
}  // namespace heliograd
