#include "heliograd/optimize/rolling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "heliograd/optimize/random_problems.h"
#include "heliograd/optimize/test_problems.h"
#include "heliograd/plan/checker.h"

namespace heliograd {
namespace {

template <typename T>
std::vector<T> From(const std::vector<T>& all, int now) {
  return {all.begin() + now, all.end()};
}

/// Knows what comes, but for the sun, which `sun` changes.
template <typename Sun>
Forecaster Believing(const DispatchProblem& real, Sun sun) {
  return [&real, sun](int now) {
    Outlook outlook{From(real.pv, now), From(real.import_price, now), From(real.export_price, now)};
    for (size_t i = 0; i < outlook.pv.size(); ++i) outlook.pv[i] = sun(outlook.pv[i], static_cast<size_t>(now) + i);
    return outlook;
  };
}
Forecaster Perfect(const DispatchProblem& real) {
  return Believing(real, [](Energy pv, size_t) { return pv; });
}

/// The study's winter job with a sunny second half.
DispatchProblem SunnyProblem() {
  DispatchProblem problem = StudyProblem({2025, 1, 1, 20}, 19);
  for (size_t t = 12; t < 19; ++t) problem.pv[t] = WattHours(400.0 - 80 * std::abs(15.0 - static_cast<double>(t)));
  return problem;
}

RollingRun Follow(const DispatchProblem& real, const Forecaster& forecast, RollingOptions options = {}) {
  auto run = FollowRolling(real, forecast, options, *MakeKernelSolver());
  EXPECT_TRUE(run) << run.error().Message();
  return run ? *run : RollingRun();
}

TEST(Rolling, APerfectForecastCostsWhatThePlanCosts) {
  const DispatchProblem real = SunnyProblem();
  for (const Formulation formulation : {Formulation::kBlend, Formulation::kLevels}) {
    RollingOptions options;
    options.formulation = formulation;
    options.forecast_is_certain = true;
    const auto plan = MakeKernelSolver()->Solve(real, formulation, options.solve);
    ASSERT_TRUE(plan);
    for (const int every : {1, 4, 19}) {
      options.replan_every = every;
      const RollingRun run = Follow(real, Perfect(real), options);
      // Each of the re-plans may be the tolerance from the best; what they add up to is far less.
      EXPECT_NEAR(InEuros(run.plan.objective), InEuros(plan->objective), InEuros(options.solve.tolerance));
      EXPECT_TRUE(run.deadline_kept);
      EXPECT_EQ(run.forced_slots, 0);
    }
  }
}

TEST(Rolling, NoForecastBeatsPerfectForesightAndAllKeepTheBooks) {
  std::mt19937 random(7);
  RandomProblems problems(2025);
  int compared = 0;
  for (int i = 0; i < 300; ++i) {
    const DispatchProblem real = problems.Next(i % 3 == 0, 24);
    const auto plan = MakeKernelSolver()->Solve(real, Formulation::kBlend, {});
    ASSERT_TRUE(plan) << plan.error().Message();
    if (plan->status != SolveStatus::kOptimal) continue;
    std::vector<double> factors;
    for (size_t t = 0; t < real.pv.size(); ++t) factors.push_back(std::uniform_real_distribution<double>(0, 2)(random));
    for (const Forecaster& forecast :
         {Believing(real, [](Energy, size_t) { return Energy(); }),
          Believing(real, [&](Energy pv, size_t t) { return pv * factors[t]; }), Perfect(real)}) {
      const RollingRun run = Follow(real, forecast);          // an error would be books that do not balance
      if (!run.deadline_kept || !run.battery_kept) continue;  // less was done than the plan does
      ++compared;
      EXPECT_GE(InEuros(run.plan.objective), InEuros(plan->bound) - 1e-6) << i;
    }
  }
  EXPECT_GT(compared, 300);
}

TEST(Rolling, TheDeadlineIsKeptWhereFullPowerCan) {
  RandomProblems problems(77);
  int kept = 0;
  for (int i = 0; i < 300; ++i) {
    DispatchProblem real = problems.Next(false, 24);
    real.grid.import_limit.reset();
    const double slots = real.work * (real.gpu.levels.back().job_time / real.horizon.SlotDuration());
    if (slots > real.horizon.slots) continue;
    const auto much = Believing(real, [](Energy, size_t) { return WattHours(1000); });
    EXPECT_TRUE(Follow(real, much).deadline_kept) << i;
    ++kept;
  }
  EXPECT_GT(kept, 100);
}

TEST(Rolling, PromisedSunThatDoesNotComeIsMadeGoodInTime) {
  // 300 W need the sun: the line carries 150 W. The forecast promises it at the end, where it never comes.
  DispatchProblem real = PlainProblem(std::vector<double>(12, 0.3), 1);
  real.gpu.levels = {{Watts(150), Watts(150), Hours(10)}, {Watts(300), Watts(300), Hours(5)}};
  real.grid.import_limit = Watts(150);
  for (size_t t = 0; t < 4; ++t) real.import_price[t] = EurosPerKilowattHour(0.5);
  const auto sun_at_the_end = Believing(real, [](Energy, size_t t) { return t >= 6 ? WattHours(300) : Energy(); });
  const RollingRun run = Follow(real, sun_at_the_end);
  EXPECT_TRUE(run.deadline_kept);
  EXPECT_GT(run.forced_slots, 0);
}

TEST(Rolling, WithoutTheSunNeededTheDeadlineIsMissedAndSaid) {
  DispatchProblem real = PlainProblem(std::vector<double>(4, 0.3), 4);
  real.gpu.levels = {{Watts(300), Watts(300), Hours(4)}};
  real.grid.import_limit = Watts(150);
  const auto promised = Believing(real, [](Energy, size_t) { return WattHours(300); });
  const RollingRun run = Follow(real, promised);
  EXPECT_FALSE(run.deadline_kept);
  EXPECT_EQ(run.cut_slots, 4);
  EXPECT_NEAR(run.plan.totals.progress, 0.5, 1e-9);  // half of the power, half of the work
  for (const PlanSlot& slot : run.plan.slots) EXPECT_LE(InWattHours(slot.decision.grid_import), 150 + 1e-6);
}

TEST(Rolling, ABatteryThatFollowsTheSunDoesNotBuyForIt) {
  // 200 Wh are promised for the first hour: half to run on, half to store for the second. 50 Wh come.
  DispatchProblem real = PlainProblem({0.5, 0.4}, 2);
  real.battery = PlainBattery(100);
  real.pv = {WattHours(50), Energy()};
  const auto sunny = Believing(real, [](Energy, size_t t) { return t == 0 ? WattHours(200) : Energy(); });
  RollingOptions options;
  // Planned flows buy 50 Wh for the GPU and 100 Wh for the cells at 0.5; following buys 50 at 0.5, then 100 at 0.4.
  EXPECT_NEAR(InEuros(Follow(real, sunny, options).plan.totals.cost), 0.075, 1e-9);
  options.battery = BatteryIntent::kFollowsSun;
  EXPECT_NEAR(InEuros(Follow(real, sunny, options).plan.totals.cost), 0.065, 1e-9);
}

TEST(Rolling, ABatteryThatFollowsTheSunTakesWhatNobodyPaysFor) {
  // No sun is promised, 150 Wh come and cannot be sold: half of what is stored serves the second hour.
  DispatchProblem real = PlainProblem({0.4, 0.4}, 2);
  real.battery = PlainBattery(50);
  real.pv = {WattHours(150), Energy()};
  const auto dark = Believing(real, [](Energy, size_t) { return Energy(); });
  RollingOptions options;
  EXPECT_NEAR(InEuros(Follow(real, dark, options).plan.totals.cost), 0.04, 1e-9);
  options.battery = BatteryIntent::kFollowsSun;
  EXPECT_NEAR(InEuros(Follow(real, dark, options).plan.totals.cost), 0.02, 1e-9);
}

TEST(Rolling, ADearSurpriseIsBought) {
  // The plan runs in the second hour for its sun; it stays dark, and the second hour's price is paid.
  DispatchProblem real = PlainProblem({0.2, 0.4}, 1);
  const auto sunny = Believing(real, [](Energy, size_t t) { return t == 1 ? WattHours(100) : Energy(); });
  const RollingRun run = Follow(real, sunny);
  EXPECT_NEAR(InEuros(run.plan.totals.cost), 0.04, 1e-9);
  EXPECT_TRUE(run.deadline_kept);
}

}  // namespace
}  // namespace heliograd
