#include "heliograd/plan/settlement.h"

#include <gtest/gtest.h>

#include "heliograd/plan/test_problems.h"

namespace heliograd {
namespace {

SlotDecision At(std::vector<LevelShare> levels) {
  SlotDecision decision;
  decision.levels = std::move(levels);
  return decision;
}

TEST(Settlement, PlannedLoadGivesThePlannedCost) {
  const DispatchProblem problem = RichProblem();
  std::vector<SlotDecision> decisions;
  for (size_t t = 0; t < problem.pv.size(); ++t) {  // a plan that sells what it can, as the best ones do
    SlotDecision decision = RichPlan(problem).slots[t].decision;
    const Energy more = std::min(problem.pv[t] - decision.pv_used, WattHours(400) - decision.grid_export);
    if (decision.grid_import <= Energy()) decision.pv_used += more, decision.grid_export += more;
    decisions.push_back(decision);
  }
  const Plan plan = MakePlan(problem, Formulation::kBlend, decisions);
  Money cost;
  for (size_t t = 0; t < plan.slots.size(); ++t) {
    const Settlement settled = SettleSlot(problem, static_cast<int>(t), plan.slots[t].decision, plan.slots[t].load);
    EXPECT_NEAR(InWattHours(settled.grid_import), InWattHours(plan.slots[t].decision.grid_import), 1e-9);
    EXPECT_NEAR(InWattHours(settled.grid_export), InWattHours(plan.slots[t].decision.grid_export), 1e-9);
    cost += settled.cost;
  }
  EXPECT_NEAR(InEuros(cost), InEuros(plan.totals.cost + plan.totals.terminal_value), 1e-12);
}

TEST(Settlement, MoreLoadIsBoughtAtTheSlotsPrice) {
  DispatchProblem problem = StudyProblem(20, 1);
  SlotDecision decision = At({{0, 1}});
  decision.grid_import = WattHours(100);
  const Settlement settled = SettleSlot(problem, 0, decision, WattHours(150));
  EXPECT_NEAR(InWattHours(settled.grid_import), 150, 1e-9);
  EXPECT_NEAR(InEuros(settled.cost), 0.150 * 0.35, 1e-12);  // F2 from 20 to 23
}

TEST(Settlement, LessLoadLeavesMoreToSell) {
  DispatchProblem problem = StudyProblem(10, 1, 500);
  SlotDecision decision = At({{0, 1}});
  decision.pv_used = WattHours(500);
  decision.grid_export = WattHours(400);
  EXPECT_NEAR(InWattHours(SettleSlot(problem, 0, decision, WattHours(60)).grid_export), 440, 1e-9);
  problem.grid.export_limit = Watts(420);
  EXPECT_NEAR(InWattHours(SettleSlot(problem, 0, decision, WattHours(60)).grid_export), 420, 1e-9);
  problem.grid.export_limit.reset();
  problem.export_price[0] = EnergyPrice();
  SlotDecision curtails = At({{0, 1}});
  curtails.pv_used = WattHours(100);
  EXPECT_EQ(SettleSlot(problem, 0, curtails, WattHours(60)).grid_export, Energy());
}

// A slot whose load came as planned was once settled with the planned import and export, whatever the sun did.
TEST(Settlement, PlannedLoadUnderAnotherSunIsSettledWithThatSun) {
  DispatchProblem problem = StudyProblem(10, 1, 0);
  SlotDecision buys;
  buys.grid_import = WattHours(15);
  problem.pv[0] = WattHours(200);
  const Settlement sunny = SettleSlot(problem, 0, buys, WattHours(15));
  EXPECT_NEAR(InWattHours(sunny.grid_import), 0, 1e-9);
  EXPECT_NEAR(InWattHours(sunny.grid_export), 185, 1e-9);
  SlotDecision sells;
  sells.pv_used = WattHours(200);
  sells.grid_export = WattHours(185);
  EXPECT_NEAR(InWattHours(SettleSlot(problem, 0, sells, WattHours(15)).grid_export), 185, 1e-9);
  problem.pv[0] = Energy();
  const Settlement dark = SettleSlot(problem, 0, sells, WattHours(15));
  EXPECT_NEAR(InWattHours(dark.grid_import), 15, 1e-9);
  EXPECT_NEAR(InWattHours(dark.grid_export), 0, 1e-9);
}

TEST(Settlement, PlanOfLeastCarbonKeepsItsSunAlsoWhereBuyingIsPaid) {
  DispatchProblem problem = StudyProblem(10, 1, 200);
  problem.objective = Objective::kCarbon;
  problem.carbon[0] = GramsPerKilowattHour(300);
  problem.import_price[0] = EurosPerKilowattHour(-0.05);
  problem.export_price[0] = EurosPerKilowattHour(0);
  SlotDecision decision = At({{0, 1}});
  decision.pv_used = WattHours(100);
  EXPECT_EQ(SettleSlot(problem, 0, decision, WattHours(100)).grid_import, Energy());
  problem.objective = Objective::kCost;
  EXPECT_NEAR(InWattHours(SettleSlot(problem, 0, decision, WattHours(100)).grid_import), 100, 1e-9);
}

TEST(BalanceAtGrid, TakesTheSunFirstAndSellsOrCurtailsTheRest) {
  DispatchProblem problem = StudyProblem(10, 1, 500);
  const auto expect = [&](double need_wh, bool sells, double pv_wh, double import_wh, double export_wh) {
    const GridFlows flows = BalanceAtGrid(problem, 0, WattHours(need_wh), sells);
    EXPECT_NEAR(InWattHours(flows.pv_used), pv_wh, 1e-9);
    EXPECT_NEAR(InWattHours(flows.grid_import), import_wh, 1e-9);
    EXPECT_NEAR(InWattHours(flows.grid_export), export_wh, 1e-9);
  };
  expect(700, true, 500, 200, 0);
  expect(100, true, 500, 0, 400);
  expect(100, false, 100, 0, 0);
  expect(-50, true, 500, 0, 550);  // the battery sells too
  problem.grid.export_limit = Watts(120);
  expect(100, true, 220, 0, 120);
  // Whoever is paid to buy leaves the sun alone, unless the sun earns more.
  problem.import_price[0] = EurosPerKilowattHour(-0.1);
  expect(700, true, 0, 700, 0);
  expect(100, false, 0, 100, 0);
  expect(100, true, 220, 0, 120);  // 120 Wh sold at 0.30 against 100 Wh bought at -0.10
}

}  // namespace
}  // namespace heliograd
