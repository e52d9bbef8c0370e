// Savings against the ladder when prices, sun, pace, draw or battery were not as planned: each is a known answer, found
// by hand or from a ladder of a problem that was so from the start.
#include "heliograd/report/run_savings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "heliograd/plan/baselines.h"
#include "heliograd/plan/settlement.h"
#include "heliograd/plan/test_problems.h"

namespace heliograd {
namespace {

// Sums of a few numbers below 10 EUR in doubles; levels are kept apart by a millionth of their draw and time, and work
// is compared through quotients of like size.
constexpr double kEur = 1e-5;

/// Four hours of the study's node at 0.35 and 0.25 EUR/kWh, no sun, an empty battery. The run is at 170 W until its
/// work is done, to the curve; the tests change what came.
class SavingsTest : public testing::Test {
 protected:
  static constexpr size_t kLevel = 7;
  static constexpr int kSlots = 4;

  SavingsTest() {
    world_ = StudyProblem(20, kSlots, 0);
    for (Energy& pv : world_.pv) pv = Energy();
    world_.gpu.idle = Watts(15);
    world_.work = 0.2;
    flows_.resize(kSlots);
    RunFor(0.2 * InSeconds(world_.gpu.levels[kLevel].job_time));
  }

  /// The run is at one level for so long from the start on, at that part of the curve's draw.
  void RunFor(double seconds, double draw = 1) {
    SlotActual none;
    none.level_s.resize(world_.gpu.levels.size());
    none.level_energy.resize(world_.gpu.levels.size());
    books_.assign(kSlots + 1, none);
    for (int t = 0; t < kSlots; ++t) {
      SlotActual& books = books_[static_cast<size_t>(t)];
      books.level_s[kLevel] = std::clamp(seconds - 3600 * t, 0.0, 3600.0);
      books.off_s = 3600 - books.level_s[kLevel];
      books.energy_off = world_.gpu.idle * Seconds(books.off_s);
      books.level_energy[kLevel] = world_.gpu.levels[kLevel].draw * Seconds(books.level_s[kLevel]) * draw;
      books.energy = books.level_energy[kLevel] + books.energy_off;
    }
  }

  RunSavings Savings() {
    Money cost;
    std::vector<Energy> loads;
    for (int t = 0; t < kSlots; ++t) {
      const auto i = static_cast<size_t>(t);
      loads.push_back(books_[i].energy);
      cost += SettleSlot(world_, t, flows_[i], loads[i]).cost;
    }
    cost_ = cost - terminal_value_;
    return CompareWithLadder({.world = world_,
                              .books = books_,
                              .flows = flows_,
                              .loads = loads,
                              .job_times = job_times_,
                              .work_is_told = work_is_told_,
                              .work_done = work_done_,
                              .work_assumed = work_assumed_,
                              .missed_deadline = false,
                              .end = world_.horizon.end(),
                              .cost = cost_,
                              .idle_cost = Money(),
                              .terminal_value = terminal_value_});
  }

  /// The ladder of a problem that was so from the start.
  void ExpectLadderOf(const DispatchProblem& problem, const RunSavings& savings) {
    const std::vector<Baseline> ladder = MakeBaselines(problem, Formulation::kBlend);
    ASSERT_EQ(savings.unknown, "");
    ASSERT_EQ(savings.rungs.size(), ladder.size());
    for (size_t i = 0; i < ladder.size(); ++i) {
      EXPECT_EQ(savings.rungs[i].name, ladder[i].name);
      ASSERT_EQ(savings.rungs[i].cost.has_value(), ladder[i].totals.has_value()) << ladder[i].name;
      if (!ladder[i].totals) continue;
      EXPECT_NEAR(InEuros(*savings.rungs[i].cost), InEuros(ladder[i].totals->cost), kEur) << ladder[i].name;
      EXPECT_NEAR(InEuros(*savings.rungs[i].saved), InEuros(ladder[i].totals->cost - cost_), kEur) << ladder[i].name;
    }
  }

  bool Remarks(const RunSavings& savings, const std::string& words) {
    return std::any_of(savings.remarks.begin(), savings.remarks.end(),
                       [&](const std::string& remark) { return remark.find(words) != std::string::npos; });
  }

  DispatchProblem world_;
  std::vector<SlotActual> books_;
  std::vector<SlotDecision> flows_;
  std::vector<Duration> job_times_;
  bool work_is_told_ = true;
  double work_done_ = 0.2, work_assumed_ = 0;
  Money terminal_value_, cost_;
};

TEST_F(SavingsTest, RunByThePlansWorldHasThePlansLadder) { ExpectLadderOf(world_, Savings()); }

TEST_F(SavingsTest, PricesThatDoubledAreTheRulesPrices) {
  for (EnergyPrice& price : world_.import_price) price = price * 2.0;
  const RunSavings savings = Savings();
  ExpectLadderOf(world_, savings);
  // 0.2 of the job at the fastest level's draw, at 0.70 EUR/kWh, and 15 W for what is left of the three dear hours and
  // the cheap one.
  const Level& full = world_.gpu.levels.back();
  const double hours = 0.2 * InHours(full.job_time);
  const double eur = (InWatts(full.draw) * hours + 15 * (3 - hours)) * 0.70e-3 + 15 * 0.50e-3;
  EXPECT_NEAR(InEuros(*savings.rungs[0].cost), eur, kEur);
}

TEST_F(SavingsTest, SunThatCameFeedsTheRules) {
  for (Energy& pv : world_.pv) pv = WattHours(500);
  const RunSavings savings = Savings();
  ExpectLadderOf(world_, savings);
  // All is fed by the sun and the rest sold at one price: what is left of the saving is the energy of the level.
  EXPECT_LT(InEuros(*savings.rungs[2].cost), 0);
  EXPECT_LT(std::abs(InEuros(*savings.rungs[2].saved)), 0.02);
}

TEST_F(SavingsTest, SlowJobIsSlowUnderTheRulesToo) {
  work_done_ = 0.15;
  RunFor(0.2 * InSeconds(world_.gpu.levels[kLevel].job_time));
  DispatchProblem slow = world_;
  slow.work = 0.15;
  for (Level& level : slow.gpu.levels) level.job_time = level.job_time / 0.75;
  RunSavings savings = Savings();
  EXPECT_NEAR(savings.pace, 0.75, 1e-9);
  ExpectLadderOf(slow, savings);
  // The same as told by the estimate of the run.
  for (const Level& level : slow.gpu.levels) job_times_.push_back(level.job_time);
  savings = Savings();
  EXPECT_NEAR(savings.pace, 0.75, 1e-9);
  ExpectLadderOf(slow, savings);
}

TEST_F(SavingsTest, JobThatDrawsLessDrawsLessUnderTheRulesToo) {
  RunFor(0.2 * InSeconds(world_.gpu.levels[kLevel].job_time), 0.8);
  DispatchProblem light = world_;
  for (Level& level : light.gpu.levels) level.draw *= 0.8;
  const RunSavings savings = Savings();
  EXPECT_NEAR(savings.draw, 0.8, 1e-9);
  ExpectLadderOf(light, savings);
  // At its own level no rule can cost more or less than the run did.
  DispatchProblem only = light;
  only.gpu.levels = {light.gpu.levels[kLevel]};
  world_.gpu.levels = {world_.gpu.levels[kLevel]};
  for (SlotActual& books : books_) {
    books.level_s = {books.level_s[kLevel]};
    books.level_energy = {books.level_energy[kLevel]};
  }
  EXPECT_NEAR(InEuros(*Savings().rungs[0].saved), 0, kEur);
}

TEST_F(SavingsTest, TimeAtALimitThatNobodyCouldTellLeavesNoSavings) {
  books_[2].unknown_s = 20;  // under a hundredth of the time that it ran
  EXPECT_EQ(Savings().unknown, "");
  books_[2].unknown_s = 600;
  EXPECT_EQ(Savings().unknown, "the job ran for 600 s at a limit that nobody could tell");
}

// It runs into a ceiling of its own: at the fastest level it draws 0.8 of what the curve says, at the slow one all of
// it.
TEST_F(SavingsTest, LevelThatRanHasItsOwnDrawAndNoneBelowItDrawsMore) {
  EXPECT_TRUE(Remarks(Savings(), "full power hardly ran"));
  const Level full = world_.gpu.levels.back();
  books_[3].level_s.back() = 1200;
  books_[3].level_energy.back() = full.draw * Seconds(1200) * 0.8;
  books_[3].energy += books_[3].level_energy.back();
  world_.import_price.assign(kSlots, EurosPerKilowattHour(0.30));
  const RunSavings savings = Savings();
  EXPECT_FALSE(Remarks(savings, "full power hardly ran"));
  const double hours = 0.2 * InHours(full.job_time) / savings.pace;
  EXPECT_NEAR(InEuros(*savings.rungs[0].cost), (0.8 * InWatts(full.draw) * hours + 15 * (4 - hours)) * 0.30e-3, kEur);
}

TEST_F(SavingsTest, PartOfTheWorkIsARunOfItsOwnAndNotAPartOfTheIdleTime) {
  RunFor(0.05 * InSeconds(world_.gpu.levels[kLevel].job_time));
  work_done_ = 0.05;
  DispatchProblem part = world_;
  part.work = 0.05;
  ExpectLadderOf(part, Savings());
}

// 100 Wh that nobody had planned with are given to the node in the first slot.
TEST_F(SavingsTest, EnergyThatTheBatteryHeldBeforeIsNoSaving) {
  const RunSavings without = Savings();
  const Money cost = cost_;
  flows_[0].battery_discharge = WattHours(100);
  const RunSavings with = Savings();
  EXPECT_NEAR(InEuros(cost - cost_), 100 * 0.9 * 0.35e-3, kEur);
  EXPECT_NEAR(InWattHours(with.battery_surplus), 100, 1e-9);
  EXPECT_NEAR(InEuros(with.battery_worth), 100 * 0.9 * 0.35e-3, kEur);
  EXPECT_TRUE(Remarks(with, "the battery gave 100 Wh more"));
  for (size_t i = 0; i < with.rungs.size(); ++i) {
    EXPECT_NEAR(InEuros(*with.rungs[i].saved), InEuros(*without.rungs[i].saved), kEur) << with.rungs[i].name;
  }
  // What the plan began with, or put into the cells itself, is as much the run's as the plan's.
  world_.battery.initial = WattHours(100);
  EXPECT_EQ(Savings().battery_surplus, Energy());
  world_.battery.initial = Energy();
  flows_[0].battery_discharge = Energy();
  flows_[0].battery_charge = WattHours(120);
  flows_[1].battery_discharge = WattHours(100);
  EXPECT_EQ(Savings().battery_surplus, Energy());
}

// The plan leaves 100 Wh, worth 0.1 EUR/kWh, in the cells; the run took them.
TEST_F(SavingsTest, EnergyThatTheRunDidNotLeaveInTheBatteryIsNotCounted) {
  world_.battery.initial = WattHours(100);
  world_.battery.terminal_value = EurosPerKilowattHour(0.1);
  const double left = std::pow(RetentionPerSlot(world_), kSlots);
  terminal_value_ = world_.battery.terminal_value * (WattHours(100) * left);
  EXPECT_NEAR(InEuros(Savings().battery_worth), 0, kEur);
  flows_[0].battery_discharge = WattHours(100);
  EXPECT_NEAR(InEuros(Savings().battery_worth), 0.01 * left, kEur);
}

TEST_F(SavingsTest, WorkThatNobodyKnowsIsNoSaving) {
  work_assumed_ = 0.19;
  work_is_told_ = false;
  EXPECT_NE(Savings().unknown.find("told nothing"), std::string::npos);
  work_is_told_ = true;
  EXPECT_NE(Savings().unknown.find("5 % of its work was told"), std::string::npos);
  for (const RungSaving& rung : Savings().rungs) EXPECT_FALSE(rung.cost || rung.saved) << rung.name;
  work_assumed_ = -0.08;
  EXPECT_NE(Savings().unknown.find("140 % of its work was told"), std::string::npos);
  work_assumed_ = 0.002;
  EXPECT_EQ(Savings().unknown, "");
  books_[0].unmeasured_s = 600;
  EXPECT_NE(Savings().unknown.find("600 s of the run were not measured"), std::string::npos);
  work_done_ = 0;
  EXPECT_NE(Savings().unknown.find("no work"), std::string::npos);
}

TEST_F(SavingsTest, RuleThatCannotKeepTheDeadlineAtTheMeasuredPaceSaysSo) {
  for (const Level& level : world_.gpu.levels) job_times_.push_back(level.job_time * 2.0);
  const RunSavings savings = Savings();
  EXPECT_FALSE(savings.rungs[0].saved);
  EXPECT_TRUE(Remarks(savings, "full power from the grid: "));
}

}  // namespace
}  // namespace heliograd
