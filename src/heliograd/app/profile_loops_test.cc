#include "heliograd/app/profile_loops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <memory>
#include <random>

namespace heliograd {
namespace {

using testing::Contains;
using testing::HasSubstr;

/// Seconds of the steps in every iteration of this test's training.
constexpr std::array<double, 5> kStepS = {0.004, 0.06, 0.0005, 0.11, 0.009};

/// Loops that take no time here: their runs are told as if they had been.
class ToldLoops : public StepLoops {
 public:
  explicit ToldLoops(double pace = 1) : pace_(pace) {}

  Result<void> Loop(LoopedSteps steps, const LoopOptions& options) override {
    std::mt19937_64 random(options.seed + static_cast<uint64_t>(steps));
    const int64_t begin_ns = options.now_ns();
    for (double now_s = 0; now_s < options.seconds;) {
      const double once_s = pace_ * SecondsOf(steps) * std::lognormal_distribution<double>(0, 0.02)(random);
      const auto count = static_cast<int64_t>(std::ceil(0.15 / once_s));
      const double end_s = now_s + once_s * static_cast<double>(count);
      options.on_run({begin_ns + Nanoseconds(now_s), begin_ns + Nanoseconds(end_s), count});
      now_s = end_s + std::uniform_real_distribution<double>(0, 0.01)(random);
    }
    return {};
  }

 private:
  static int64_t Nanoseconds(double seconds) { return static_cast<int64_t>(1e9 * seconds); }
  static double SecondsOf(LoopedSteps steps) {
    switch (steps) {
      case LoopedSteps::kToDevice:
        return kStepS[0];
      case LoopedSteps::kForward:
        return kStepS[1];
      case LoopedSteps::kForwardLoss:
        return kStepS[1] + kStepS[2];
      case LoopedSteps::kForwardLossBackward:
        return kStepS[1] + kStepS[2] + kStepS[3];
      case LoopedSteps::kOptimizer:
        return kStepS[4];
    }
    return 0;
  }

  double pace_;
};

/// The steps' times, and what their power is told to be in place, of a training on a sensor that averages over 1 s.
TrainingProfile Trained(StepMeter& meter, int iterations) {
  int64_t now_ns = 0;
  for (int i = 0; i < iterations; ++i) {
    for (size_t step = 0; step < kStepS.size(); ++step) {
      const auto length_ns = static_cast<int64_t>(1e9 * kStepS[step]);
      meter.Add({static_cast<int>(step), now_ns, now_ns + length_ns});
      now_ns += length_ns + 20'000;
    }
  }
  TrainingProfile profile;
  EXPECT_TRUE(meter.Finish(profile));
  return profile;
}

const ProfiledStep& StepNamed(const TrainingProfile& profile, const std::string& name) {
  for (const ProfiledStep& step : profile.steps) {
    if (step.name == name) return step;
  }
  ADD_FAILURE() << name;
  return profile.steps.front();
}

void ExpectSharesHoldTheTruth(const TrainingProfile& profile, int& held, int& asked) {
  double true_j = 0;
  for (const char* name : kTrainingSteps) true_j += InJoules(*StepNamed(profile, name).truth);
  for (const char* name : kTrainingSteps) {
    const ProfiledStep& step = StepNamed(profile, name);
    ASSERT_TRUE(step.share) << name;
    held += std::abs(*step.share - InJoules(*step.truth) / true_j) <= *step.share_half_width;
    ++asked;
  }
}

TEST(StepLoops, IntervalsHoldTheTruthOnASensorThatAveragesOverASecond) {
  for (const std::optional<Power> limit : {std::optional<Power>(), std::optional(Watts(150))}) {
    int held = 0, asked = 0;
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      const auto meter = SimulatedSteps(limit, SimulatedSensor::kAverageOfOneS);
      ASSERT_TRUE(meter->LongAverage());
      TrainingProfile profile = Trained(*meter, 300);
      ToldLoops loops;
      const Result<void> done = ProfileStepLoops(loops, *meter, {.loop_s = 5, .rounds = 3, .seed = seed}, profile);
      ASSERT_TRUE(done) << done.error().Message();
      for (const char* name : kTrainingSteps) {
        const ProfiledStep& step = StepNamed(profile, name);
        ASSERT_TRUE(step.energy) << name;
        EXPECT_LE(InJoules(step.energy->low), InJoules(*step.truth)) << name;
        EXPECT_GE(InJoules(step.energy->high), InJoules(*step.truth)) << name;
      }
      ExpectSharesHoldTheTruth(profile, held, asked);
      EXPECT_FALSE(StepNamed(profile, "other").energy);
      ASSERT_TRUE(profile.closure);
      EXPECT_TRUE(profile.closure_tells);
      // Both sides have 0.4 % and 1 % of their own (docs/attribution.md); what lies between the steps is 0.1 % of time.
      EXPECT_NEAR(*profile.closure, 0, 0.03);
    }
    // 95 % of 50 are 47.5; fewer than 42 come once in 10^3 where they are independent.
    EXPECT_GE(held, 42) << "of " << asked;
  }
}

TEST(StepLoops, DirectStepsAreKnownAndALossBesideItsForwardIsToldWithTheBackward) {
  const auto meter = SimulatedSteps(std::nullopt, SimulatedSensor::kAverageOfOneS);
  TrainingProfile profile = Trained(*meter, 300);
  ToldLoops loops;
  ASSERT_TRUE(ProfileStepLoops(loops, *meter, {.loop_s = 5, .rounds = 3, .seed = 1}, profile));
  for (const char* name : {"To Device", "Forward", "Backward", "Optimizer"}) {
    EXPECT_TRUE(StepNamed(profile, name).identifiable) << name;
  }
  // 1 % of a forward pass is more than the whole loss.
  EXPECT_FALSE(StepNamed(profile, "Loss").identifiable);
  EXPECT_THAT(profile.pooled, Contains(HasSubstr("Loss + Backward: ")));
  double shares = 0;
  for (const char* name : kTrainingSteps) shares += *StepNamed(profile, name).share;
  EXPECT_NEAR(shares, 1, 1e-9);
}

TEST(StepLoops, AnotherPaceThanTheTrainingsIsSaid) {
  for (const double pace : {1.0, 1.2}) {
    const auto meter = SimulatedSteps(std::nullopt, SimulatedSensor::kAverageOfOneS);
    TrainingProfile profile = Trained(*meter, 100);
    ToldLoops loops(pace);
    ASSERT_TRUE(ProfileStepLoops(loops, *meter, {.loop_s = 5, .rounds = 3, .seed = 1}, profile));
    const bool said = std::any_of(profile.notes.begin(), profile.notes.end(), [](const std::string& note) {
      return note.find("more than 5 % apart") != std::string::npos;
    });
    EXPECT_EQ(said, pace > 1) << pace;
  }
}

TEST(StepLoops, LoopsTooShortForTheSensorAreRefusedAndTheProfileStays) {
  const auto meter = SimulatedSteps(std::nullopt, SimulatedSensor::kAverageOfOneS);
  TrainingProfile profile = Trained(*meter, 100);
  const Energy before = profile.iteration_energy->energy;
  ToldLoops loops;
  const Result<void> done = ProfileStepLoops(loops, *meter, {.loop_s = 1, .rounds = 2, .seed = 1}, profile);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().Message(), HasSubstr("loop longer than"));
  EXPECT_EQ(profile.iteration_energy->energy, before);
}

TEST(StepLoops, AFastSensorAsksForNoLoops) { EXPECT_FALSE(SimulatedSteps()->LongAverage()); }

}  // namespace
}  // namespace heliograd
