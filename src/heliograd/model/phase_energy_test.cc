#include "heliograd/model/phase_energy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include "heliograd/model/tick_times.h"
#include "heliograd/model/truth_trials.h"

namespace heliograd {
namespace {

/// A run with everything at hand, so that a test can spoil one thing.
struct Simulated {
  DrawnSensor drawn;
  SimulatedTraining truth;
  std::vector<SensorTick> ticks;
  double period_s = 0;

  PhaseRun Run() const {
    PhaseRun run;
    run.marks = truth.marks;
    run.phase_count = truth.phase_count;
    run.iterations = truth.iterations;
    run.ticks = ticks;
    run.timing = drawn.Timing(period_s);
    return run;
  }
};

Simulated Simulate(const PowerSensor& sensor, const TrainingLoad& load, double length_s, uint64_t seed) {
  std::mt19937_64 random(seed);
  Simulated simulated;
  simulated.drawn.sensor = sensor;
  simulated.drawn.calibrated_lag_s = sensor.lag_s;
  simulated.drawn.calibrated_low_pass_s = sensor.low_pass_s;
  simulated.drawn.calibrated_window_s = sensor.window_s;
  simulated.truth = SimulateTraining(load, length_s, random);
  const auto fit = FitTickTimes(PollSensor(simulated.truth.power, sensor, {}, random).power, 0.002);
  simulated.ticks = fit->ticks;
  simulated.period_s = fit->period_s;
  return simulated;
}

PowerSensor Sensor(double period_s, double window_s) {
  PowerSensor sensor;
  sensor.period_s = period_s;
  sensor.window_s = window_s;
  sensor.lag_s = 0.002;
  sensor.low_pass_s = 0.001;
  sensor.tick_jitter_s = 0.0002;
  sensor.noise_w = 0.3;
  sensor.counter = CounterKind::kAbsent;
  return sensor;
}

TEST(PhaseEnergy, ALoadInStepWithAShortWindowIsRefused) {
  TrainingLoad load{.iteration_s = 0.1, .duration_jitter = 0, .stall_probability = 0, .sleep_share = 0};
  const Simulated locked = Simulate(Sensor(0.1, 0.025), load, 60, 1);
  const auto found = EstimatePhaseEnergies(locked.Run());
  ASSERT_TRUE(found) << found.error().Message();
  EXPECT_EQ(found->refusal.rfind("aliased, add sleep", 0), 0u) << found->refusal;
}

TEST(PhaseEnergy, ATotalThatDoesNotCloseIsRefused) {
  const Simulated simulated = Simulate(Sensor(0.1017, 0.025), {}, 60, 1);
  PhaseRun run = simulated.Run();
  const auto sound = EstimatePhaseEnergies(run);
  ASSERT_TRUE(sound) << sound.error().Message();
  run.counter_power = sound->mean_power * 1.05;
  const auto found = EstimatePhaseEnergies(run);
  ASSERT_TRUE(found);
  EXPECT_NE(found->refusal.find("do not close"), std::string::npos) << found->refusal;
  EXPECT_NEAR(found->closure, 1 / 1.05 - 1, 1e-9);
}

/// Three iterations of seconds with steps of milliseconds in them, on a sensor of 100 ms.
Simulated FewLongIterations(uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> unit(0, 1);
  const double length = 0.3 + unit(random);  // of the long steps
  const std::vector<std::pair<double, double>> steps = {
      {0.006, 83}, {1.28 * length, 211}, {0.008, 92}, {1.65 * length, 236}, {0.2 * length, 117}};
  Simulated simulated;
  SimulatedTraining& truth = simulated.truth;
  truth.iterations = 3;
  truth.energy_j.assign(7, 0);
  double now_s = 0.2 * unit(random);
  truth.power.push_back({now_s, 15});
  const auto run = [&](double seconds, double watts, size_t part) {
    truth.power.push_back({now_s += seconds, watts});
    truth.energy_j[part] += watts * seconds / truth.iterations;
  };
  for (int i = 0; i < 3; ++i) {
    for (size_t phase = 0; phase < steps.size(); ++phase) {
      truth.marks.push_back({static_cast<int>(phase), now_s, 0});
      run(steps[phase].first * (0.9 + 0.2 * unit(random)), steps[phase].second, phase);
      truth.marks.back().end_s = now_s;
    }
    run(0.00025, 66, 5);
    truth.marks.push_back({kSleepMark, now_s, 0});
    run(0.3 * length * unit(random), 60, 6);
    truth.marks.back().end_s = now_s;
  }
  truth.power.push_back({now_s + 0.5, 15});
  const PowerSensor sensor = Sensor(0.1, 0);
  simulated.drawn.sensor = sensor;
  simulated.drawn.calibrated_lag_s = sensor.lag_s;
  simulated.drawn.calibrated_low_pass_s = sensor.low_pass_s;
  simulated.drawn.calibrated_window_s = sensor.window_s;
  const auto fit = FitTickTimes(PollSensor(truth.power, sensor, {}, random).power, 0.002);
  simulated.ticks = fit->ticks;
  simulated.period_s = fit->period_s;
  return simulated;
}

// A training of three iterations once took -29,734 J for each, with a narrow interval and without a word.
TEST(PhaseEnergy, FewIterationsAreRefusedOrNearTheTruth) {
  int given = 0, held = 0, refused = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const Simulated simulated = FewLongIterations(seed);
    const auto found = EstimatePhaseEnergies(simulated.Run());
    if (!found || !found->refusal.empty()) {
      ++refused;
      continue;
    }
    ++given;
    double truth_j = 0;
    for (size_t part = 0; part < 6; ++part) truth_j += simulated.truth.energy_j[part];
    const double error_j = std::abs(InJoules(found->iteration.energy) - truth_j);
    held += error_j <= InJoules(found->iteration.half_width);
    // Not given at all where it is known to no better than a quarter.
    EXPECT_LT(error_j, 0.25 * truth_j) << "seed " << seed;
  }
  std::cout << "given " << given << ", refused " << refused << ", intervals that hold the truth " << held << "\n";
  EXPECT_GT(given, 10);
  EXPECT_GT(refused, 5);
  EXPECT_GE(held, 0.9 * given);
}

TEST(PhaseEnergy, PhasesTooShortToTellArePooledWithANeighbour) {
  const Simulated simulated = Simulate(Sensor(0.1017, 0), {.iteration_s = 0.02}, 60, 2);
  const auto found = EstimatePhaseEnergies(simulated.Run());
  ASSERT_TRUE(found) << found.error().Message();
  // The loss takes less than half a millisecond, a few times the uncertainty of a power step.
  EXPECT_FALSE(found->phases[2].identifiable);
  size_t phases = 0;
  for (const PhaseEstimate& group : found->groups) {
    EXPECT_TRUE(group.identifiable);
    phases += group.phases.size();
    const bool holds_loss = std::find(group.phases.begin(), group.phases.end(), 2) != group.phases.end();
    EXPECT_TRUE(!holds_loss || group.phases.size() >= 2);
  }
  EXPECT_EQ(phases, 6u) << "five phases and other, each in one group";
}

TEST(PhaseEnergy, SharesAddUpAndDoNotKnowTheGain) {
  PowerSensor sensor = Sensor(0.0203, 0.01);
  const Simulated plain = Simulate(sensor, {}, 60, 3);
  sensor.gain = 1.1;
  const Simulated scaled = Simulate(sensor, {}, 60, 3);
  const auto a = EstimatePhaseEnergies(plain.Run()), b = EstimatePhaseEnergies(scaled.Run());
  ASSERT_TRUE(a && b);
  double sum = 0;
  for (size_t phase = 0; phase < a->phases.size(); ++phase) {
    sum += a->phases[phase].share;
    // The noise is not scaled along, which leaves a hundredth of the interval.
    EXPECT_NEAR(b->phases[phase].share, a->phases[phase].share, 0.01 * a->phases[phase].share_half_width + 1e-5);
    if (!a->phases[phase].identifiable) continue;
    EXPECT_NEAR(b->phases[phase].energy / a->phases[phase].energy, 1.1, 2e-3);
  }
  EXPECT_NEAR(sum, 1, 1e-9);
  EXPECT_NEAR(a->gain_half_width, 1.96 * 0.025, 1e-5);
  EXPECT_GT(a->HalfWidthWithGain(a->phases[1]), a->phases[1].half_width);
}

TEST(PhaseEnergy, AStallWithinAPhaseStaysThere) {
  // One iteration in fifty waits 100 ms within its forward phase; nothing else may move by it.
  std::vector<PhaseMark> marks;
  std::vector<PowerPiece> power;
  double now_s = 0;
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> sleep_s(0, 0.01);
  int iterations = 0;
  for (; now_s < 60; ++iterations) {
    marks.push_back({0, now_s, 0});
    power.push_back({now_s += 0.02, 250});
    if (iterations % 50 == 0) power.push_back({now_s += 0.1, 60});
    power.push_back({now_s += 0.02, 250});
    marks.back().end_s = now_s;
    marks.push_back({1, now_s, now_s + 0.04});
    power.push_back({now_s += 0.04, 150});
    marks.push_back({kSleepMark, now_s, 0});
    power.push_back({now_s += sleep_s(random), 60});
    marks.back().end_s = now_s;
  }
  Simulated simulated;
  const PowerSensor sensor = Sensor(0.0203, 0.01);
  simulated.drawn = {sensor, sensor.lag_s, sensor.low_pass_s, sensor.window_s, {}};
  simulated.truth.marks = marks;
  simulated.truth.phase_count = 2;
  simulated.truth.iterations = iterations;
  const auto fit = FitTickTimes(PollSensor(power, sensor, {}, random).power, 0.002);
  simulated.ticks = fit->ticks;
  simulated.period_s = fit->period_s;
  const auto found = EstimatePhaseEnergies(simulated.Run());
  ASSERT_TRUE(found) << found.error().Message();
  const double stalled_j = 0.1 * 60 * std::ceil(iterations / 50.0) / iterations;
  EXPECT_NEAR(InJoules(found->phases[0].energy), 0.04 * 250 + stalled_j, InJoules(found->phases[0].half_width));
  EXPECT_NEAR(InJoules(found->phases[1].energy), 0.04 * 150, InJoules(found->phases[1].half_width));
  EXPECT_EQ(InSeconds(found->phases[2].duration), 0) << "nothing lies between the marks";
}

TEST(PhaseEnergy, UnusableTimingIsNamed) {
  const Simulated simulated = Simulate(Sensor(0.1017, 0.025), {}, 20, 1);
  PhaseRun run = simulated.Run();
  for (double window_s : {0.0, -0.004, std::nan("")}) {
    run.timing.window_s = window_s;
    const auto found = EstimatePhaseEnergies(run);
    ASSERT_FALSE(found);
    EXPECT_NE(found.error().Message().find("a window above 0"), std::string::npos) << found.error().Message();
  }
}

TEST(PhaseEnergy, UnusableMarksAreNamed) {
  const Simulated simulated = Simulate(Sensor(0.1017, 0), {}, 20, 1);
  const auto message = [](const PhaseRun& run) {
    const auto found = EstimatePhaseEnergies(run);
    return found ? std::string() : found.error().Message();
  };
  PhaseRun run = simulated.Run();
  run.phase_count = 6;
  EXPECT_NE(message(run).find("phase 5 was never marked"), std::string::npos);
  run.phase_count = 4;
  EXPECT_NE(message(run).find("names phase 4"), std::string::npos);
  run = simulated.Run();
  run.iterations = 1;
  EXPECT_NE(message(run).find("at least 2 iterations"), std::string::npos);
  run = simulated.Run();
  run.ticks = run.ticks.first(20);
  EXPECT_NE(message(run).find("readings of the sensor lie within"), std::string::npos);
  std::vector<PhaseMark> marks = simulated.truth.marks;
  marks[3].begin_s -= 0.001;
  run = simulated.Run();
  run.marks = marks;
  EXPECT_NE(message(run).find("overlaps the one before"), std::string::npos);
  run.marks = {};
  EXPECT_NE(message(run).find("at least two marks"), std::string::npos);
}

}  // namespace
}  // namespace heliograd
