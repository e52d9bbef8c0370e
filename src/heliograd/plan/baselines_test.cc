#include "heliograd/plan/baselines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heliograd/plan/checker.h"
#include "heliograd/plan/test_problems.h"

namespace heliograd {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Costs of the study are worked out by hand from its tariff; double arithmetic leaves ~1e-16 of them.
constexpr double kRounding = 1e-12;

double Cost(const Baseline& baseline) { return InEuros(baseline.totals.value().cost); }

DispatchProblem WithLevel(DispatchProblem problem, double limit_w) {
  std::erase_if(problem.gpu.levels, [&](const Level& level) { return level.limit != Watts(limit_w); });
  return problem;
}

TEST(Baselines, StudysFullLoadCosts0966WhenBegunAt20) {
  // 230 W for 14 whole hours: 3 at 0.35, 9 at 0.25, 2 at 0.45.
  const auto ladder = MakeBaselines(WithLevel(StudyProblem(20, 19), 230), Formulation::kLevels);
  EXPECT_NEAR(Cost(ladder[0]), 0.966, kRounding);
  EXPECT_NEAR(InWattHours(ladder[0].totals->grid_import), 3220, 1e-9);
}

TEST(Baselines, StudysFullLoadCosts1334WhenBegunAt10) {
  const auto ladder = MakeBaselines(WithLevel(StudyProblem(10, 19), 230), Formulation::kPaper);
  EXPECT_NEAR(Cost(ladder[0]), 1.334, kRounding);
}

TEST(Baselines, TheStudys150WattsCost0741AsItRoundsIt) {
  // 15.65 h at 150 W, the level of least energy: 3 at 0.35, 9 at 0.25, 3.65 at 0.45.
  const auto ladder = MakeBaselines(WithLevel(StudyProblem(20, 19), 150), Formulation::kBlend);
  EXPECT_NEAR(Cost(ladder[1]), 0.15 * (3 * 0.35 + 9 * 0.25 + 3.65 * 0.45), kRounding);
  EXPECT_NEAR(Cost(ladder[1]), 0.741, 0.0005);
}

TEST(Baselines, TheCheapestFixedLevelIs160WattsBecauseItRunsLessAt045) {
  const auto blend = MakeBaselines(StudyProblem(20, 19), Formulation::kBlend);
  EXPECT_EQ(blend[1].limit, Watts(160));
  EXPECT_NEAR(Cost(blend[1]), 0.16 * (3 * 0.35 + 9 * 0.25 + 2.77 * 0.45), kRounding);
  const auto levels = MakeBaselines(StudyProblem(20, 19), Formulation::kLevels);
  EXPECT_EQ(levels[1].limit, Watts(160));
  EXPECT_NEAR(Cost(levels[1]), 0.16 * (3 * 0.35 + 9 * 0.25 + 3 * 0.45), kRounding);
}

TEST(Baselines, FullPowerIsTheFastestKeptLevel) {
  const auto ladder = MakeBaselines(StudyProblem(20, 19), Formulation::kBlend);
  EXPECT_EQ(ladder[0].name, "full power from the grid");
  EXPECT_EQ(ladder[0].limit, Watts(280));
}

TEST(Baselines, EachRungCostsNoMoreThanTheOneBefore) {
  // True where PV and battery can only help: prices positive, export below import.
  DispatchProblem problem = StudyProblem(6, 24);
  for (EnergyPrice& price : problem.export_price) price = EurosPerKilowattHour(0.1);
  for (const Formulation formulation : {Formulation::kBlend, Formulation::kLevels, Formulation::kPaper}) {
    const auto ladder = MakeBaselines(problem, formulation);
    for (size_t i = 1; i < ladder.size(); ++i) EXPECT_LE(Cost(ladder[i]), Cost(ladder[i - 1])) << ladder[i].name;
  }
}

TEST(Baselines, SparePvIsSoldUpToTheExportLimitAndOnlyAtAPositivePrice) {
  DispatchProblem problem = WithLevel(StudyProblem(9, 16, 400), 230);
  const auto sold = [&] {
    return InWattHours(MakeBaselines(problem, Formulation::kLevels)[2].totals.value().grid_export);
  };
  EXPECT_NEAR(sold(), 7 * 170, 1e-9);
  problem.grid.export_limit = Watts(100);
  EXPECT_NEAR(sold(), 7 * 100, 1e-9);
  for (EnergyPrice& price : problem.export_price) price = EurosPerKilowattHour(-0.01);
  EXPECT_EQ(sold(), 0);
}

TEST(Baselines, GreedyBatteryFillsFromSparePvAndServesBeforeTheGrid) {
  DispatchProblem problem = WithLevel(StudyProblem(15, 14, 330), 230);  // one hour with 100 Wh to spare, then dark
  const Totals totals = MakeBaselines(problem, Formulation::kLevels)[3].totals.value();
  EXPECT_EQ(totals.grid_export, Energy());
  // 100 Wh in, 0.9 charged, one hour's loss, 0.9 discharged.
  EXPECT_NEAR(InWattHours(totals.grid_import), 13 * 230 - 100 * 0.9 * 0.995 * 0.9, 1e-9);
}

TEST(Baselines, AGreedyBatteryThatKeepsWhatCouldBeSoldCostsMore) {
  // The job ends in the last bright hours: what the battery takes from PV is never used.
  const auto ladder = MakeBaselines(StudyProblem(20, 19, 500), Formulation::kBlend);
  EXPECT_GT(Cost(ladder[3]), Cost(ladder[2]));
  EXPECT_LT(SplitSaving(ladder, Euros(0))[2].saving, Money());
}

TEST(Baselines, ARungOfBlendAndLevelsIsASoundPlan) {
  // The battery rung, run again as a plan: the optimiser may do what the rule does.
  DispatchProblem problem = WithLevel(StudyProblem(6, 24, 400), 150);
  std::vector<SlotDecision> decisions(24);
  double stored_wh = 0, left_h = 16;
  for (size_t t = 0; t < 24; ++t) {
    SlotDecision& d = decisions[t];
    const double load_wh = left_h-- > 0 ? 150 : 0;
    if (load_wh > 0) d.levels = {{0, 1.0}};
    const double pv_wh = InWattHours(problem.pv[t]);
    const double spare_wh = std::max(pv_wh - load_wh, 0.0), lack_wh = std::max(load_wh - pv_wh, 0.0);
    const double charge_wh = std::min(spare_wh, (250 / 0.995 - stored_wh) / 0.9);
    const double discharge_wh = std::min(lack_wh / 0.9, stored_wh);
    d.battery_charge = WattHours(charge_wh);
    d.battery_discharge = WattHours(discharge_wh);
    d.grid_export = WattHours(spare_wh - charge_wh);
    d.grid_import = WattHours(lack_wh - 0.9 * discharge_wh);
    d.pv_used = WattHours(pv_wh);
    stored_wh = 0.995 * (stored_wh - discharge_wh + 0.9 * charge_wh);
  }
  Plan plan = MakePlan(problem, Formulation::kLevels, decisions);
  plan.status = PlanStatus::kFeasible;
  plan.bound = plan.objective;
  EXPECT_THAT(CheckPlan(problem, plan), IsEmpty());
  EXPECT_NEAR(Cost(MakeBaselines(problem, Formulation::kLevels)[3]), InEuros(plan.totals.cost), kRounding);
}

TEST(Baselines, TooShortAHorizonIsANote) {
  const auto ladder = MakeBaselines(StudyProblem(20, 13), Formulation::kBlend);
  for (const Baseline& rung : ladder) {
    EXPECT_FALSE(rung.totals);
    EXPECT_THAT(rung.note, HasSubstr("280 W needs 13.66 h, the horizon has 13.00 h"));
  }
  EXPECT_THAT(SplitSaving(ladder, Euros(1)), IsEmpty());
}

TEST(Baselines, ImportLimitStopsTheRungsThatNeedMore) {
  DispatchProblem problem = StudyProblem(20, 19);
  problem.grid.import_limit = Watts(155);
  const auto ladder = MakeBaselines(problem, Formulation::kBlend);
  EXPECT_THAT(ladder[0].note,
              HasSubstr("takes 280 W from the grid at 2025-01-01T19:00:00Z, the import limit is 155 W"));
  EXPECT_EQ(ladder[1].limit, Watts(150));
}

TEST(Baselines, BatteryRungIsHeldToTheFinalEnergy) {
  DispatchProblem problem = StudyProblem(20, 15, 0);
  problem.battery.final_min = WattHours(100);
  const auto ladder = MakeBaselines(problem, Formulation::kBlend);
  EXPECT_TRUE(ladder[2].totals);
  EXPECT_EQ(ladder[2].note, "leaves 0.0 of the 100.0 Wh asked for in the battery");
  EXPECT_THAT(ladder[3].note, HasSubstr("leaves 0.0 Wh in the battery, 100.0 Wh are asked for"));
}

TEST(Baselines, AJobOfExactlyTheHorizonFits) {
  DispatchProblem problem = StudyProblem(20, 14);
  problem.gpu.levels = {{Watts(100), Watts(100), Hours(14)}};
  for (const Formulation formulation : {Formulation::kBlend, Formulation::kLevels}) {
    EXPECT_NEAR(InWattHours(MakeBaselines(problem, formulation)[0].totals.value().load), 1400, 1e-9);
  }
}

TEST(Baselines, LeversSumToTheWholeSaving) {
  const auto ladder = MakeBaselines(StudyProblem(20, 19), Formulation::kBlend);
  const auto levers = SplitSaving(ladder, Euros(0.6));
  ASSERT_EQ(levers.size(), 4u);
  EXPECT_EQ(levers[0].name, "levels");
  EXPECT_EQ(levers[1].name, "PV");
  EXPECT_EQ(levers[2].name, "battery");
  EXPECT_EQ(levers[3].name, "timing");
  Money sum;
  for (const Lever& lever : levers) sum += lever.saving;
  EXPECT_NEAR(InEuros(sum), Cost(ladder[0]) - 0.6, kRounding);
}

TEST(Baselines, AStepOverARungThatCannotRunIsJoinedToTheNext) {
  auto ladder = MakeBaselines(StudyProblem(20, 19), Formulation::kBlend);
  ladder[0].totals.reset();
  ladder[2].totals.reset();
  const auto levers = SplitSaving(ladder, Euros(0.6));
  ASSERT_EQ(levers.size(), 2u);
  EXPECT_EQ(levers[0].name, "PV + battery");
  EXPECT_EQ(levers[1].name, "timing");
  EXPECT_NEAR(InEuros(levers[0].saving + levers[1].saving), Cost(ladder[1]) - 0.6, kRounding);
}

}  // namespace
}  // namespace heliograd
