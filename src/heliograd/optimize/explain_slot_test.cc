#include "heliograd/optimize/explain_slot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "heliograd/optimize/random_problems.h"
#include "heliograd/optimize/solver.h"

namespace heliograd {
namespace {

using testing::HasSubstr;

/// Rounding of some 24 slots of products near 1, in EUR or kWh.
constexpr double kRounding = 1e-9;

Plan PlanWith(const DispatchProblem& problem, const DispatchSolver& solver) {
  const Solution solution = *solver.Solve(problem, Formulation::kBlend, {Euros(1e-7), std::nullopt});
  Plan plan = MakePlan(problem, Formulation::kBlend, solution.decisions);
  plan.status = solution.decisions.empty() ? PlanStatus::kInfeasible : PlanStatus::kOptimal;
  for (size_t t = 0; t < solution.stored_value.size(); ++t) plan.slots[t].stored_value = solution.stored_value[t];
  return plan;
}

Plan PlanOf(const DispatchProblem& problem) { return PlanWith(problem, *MakeKernelSolver()); }

double CostAt(const std::vector<CostPoint>& curve, Energy energy) {
  const double x =
      std::clamp(InKilowattHours(energy), InKilowattHours(curve.front().energy), InKilowattHours(curve.back().energy));
  for (size_t i = 1; i < curve.size(); ++i) {
    const double a = InKilowattHours(curve[i - 1].energy), b = InKilowattHours(curve[i].energy);
    const double y_a = InEuros(curve[i - 1].cost), y_b = InEuros(curve[i].cost);
    if (x <= b) return y_a + (y_b - y_a) * (x - a) / (b - a);
  }
  return InEuros(curve.back().cost);
}

void ExpectConvex(const std::vector<CostPoint>& curve) {
  double slope = -1e18;
  for (size_t i = 1; i < curve.size(); ++i) {
    const double length = InKilowattHours(curve[i].energy - curve[i - 1].energy);
    EXPECT_GE(length, 0);
    if (length < kRounding) continue;  // too short for a slope
    const double next = InEuros(curve[i].cost - curve[i - 1].cost) / length;
    EXPECT_GE(next, slope - kRounding / length);
    slope = next;
  }
}

/// A price lies between the slopes on both sides of a point, where they exist.
void ExpectBetween(const Slopes& slopes, double price, double tolerance) {
  const double none = std::numeric_limits<double>::infinity();
  EXPECT_LE(price, (slopes.less ? InEurosPerKilowattHour(*slopes.less) : none) + tolerance);
  EXPECT_GE(price, (slopes.more ? InEurosPerKilowattHour(*slopes.more) : -none) - tolerance);
}

TEST(ExplainSlot, ThePointsLieOnTheirCurves) {
  const DispatchProblem problem = StudyProblem({2025, 1, 1, 20}, 19);
  const Plan plan = PlanOf(problem);
  for (size_t t = 0; t < plan.slots.size(); ++t) {
    SCOPED_TRACE(t);
    const auto slot = ExplainSlot(problem, plan, t);
    ASSERT_TRUE(slot) << slot.error().Message();
    const SlotDecision& decision = plan.slots[t].decision;
    const Money paid = decision.grid_import * problem.import_price[t] - decision.grid_export * problem.export_price[t];
    EXPECT_NEAR(InEuros(slot->bus.cost), InEuros(paid), kRounding);
    EXPECT_NEAR(CostAt(slot->bus_curve, slot->bus.energy), InEuros(paid), kRounding);
    EXPECT_EQ(slot->gpu.energy, plan.slots[t].load);
    // On the hull: no point of it does more work with the energy.
    for (size_t i = 1; i < slot->hull.size(); ++i) {
      const WorkPoint &a = slot->hull[i - 1], &b = slot->hull[i];
      if (slot->gpu.energy < a.energy || slot->gpu.energy > b.energy) continue;
      EXPECT_NEAR(slot->gpu.work, a.work + (b.work - a.work) * ((slot->gpu.energy - a.energy) / (b.energy - a.energy)),
                  kRounding);
    }
  }
}

TEST(ExplainSlot, ATangentOfTheValueIsTheWorthOfStoredEnergy) {
  DispatchProblem problem = StudyProblem({2025, 6, 21, 8}, 24);
  problem.export_price.assign(problem.pv.size(), EurosPerKilowattHour(0.1));  // never above the import price
  for (size_t t = 2; t < 10; ++t) problem.pv[t] = WattHours(400);
  const Plan plan = PlanOf(problem);
  for (size_t t = 0; t < plan.slots.size(); ++t) {
    SCOPED_TRACE(t);
    const SlotExplanation slot = *ExplainSlot(problem, plan, t);
    ExpectConvex(slot.value_before);
    ExpectBetween(slot.worth_before, InEurosPerKilowattHour(*plan.slots[t].stored_value), kRounding);
    EXPECT_NEAR(InEuros(slot.before.cost), CostAt(slot.value_before, plan.slots[t].battery_start), kRounding);
  }
}

/// Once 0.333 EUR/kWh where stored energy could only be sold, at 0.3 less the losses: read off a piece whose length was
/// rounding.
TEST(ExplainSlot, StoredEnergyIsNotWorthMoreThanASlotCanMakeOfIt) {
  for (int hours = 14; hours <= 28; ++hours) {
    DispatchProblem problem = StudyProblem({2025, 1, 1, 20}, hours);
    for (int t = 13; t < hours; ++t) problem.pv[static_cast<size_t>(t)] = WattHours(300);  // spare sun to the end
    const Plan plan = PlanOf(problem);
    for (size_t t = 0; t < plan.slots.size(); ++t) {
      SCOPED_TRACE(testing::Message() << hours << " h, slot " << t);
      const double worth = InEurosPerKilowattHour(*plan.slots[t].stored_value);
      ExpectBetween(ExplainSlot(problem, plan, t)->worth_before, worth, kRounding);
      EXPECT_LE(worth, (t >= 13 ? 0.3 * 0.9 : 0.45 * 0.9) + kRounding);
    }
  }
}

TEST(ExplainSlot, WorthIsWhatADifferenceOfCostsSays) {
  DispatchProblem problem = StudyProblem({2025, 1, 2, 4}, 18);
  problem.battery.initial = WattHours(100);
  const SlotExplanation slot = *ExplainSlot(problem, PlanOf(problem), 0);
  const auto solver = MakeKernelSolver();
  const auto cost = [&](Energy initial) {
    DispatchProblem changed = problem;
    changed.battery.initial = initial;
    return InEuros(solver->Solve(changed, Formulation::kBlend, {Euros(1e-9), std::nullopt})->objective);
  };
  const double step = 1e-5;  // kWh; the costs are exact to 1e-13 EUR, so the quotients to 1e-7
  const double at = cost(problem.battery.initial);
  EXPECT_NEAR(InEurosPerKilowattHour(*slot.worth_before.more),
              (at - cost(problem.battery.initial + KilowattHours(step))) / step, 1e-6);
}

TEST(ExplainSlot, NoSlotOfAnOptimalPlanIsBeatenAtItsPrices) {
  RandomProblems random(11);
  const auto kernel = MakeKernelSolver(), highs = MakeHighsSolver();
  int explained = 0;
  for (int i = 0; i < 200; ++i) {
    SCOPED_TRACE(i);
    const DispatchProblem problem = random.Next(i % 3 == 2, 16);
    const Plan plan = PlanWith(problem, i % 4 == 3 ? *highs : *kernel);
    if (plan.status == PlanStatus::kInfeasible || plan.slots.empty()) continue;
    double sum = 0;
    for (size_t t = 0; t < plan.slots.size(); ++t) {
      const auto slot = ExplainSlot(problem, plan, t);
      if (!slot) break;  // idling above the lowest level
      if (t == 0) ++explained;
      ExpectConvex(slot->value_before);
      ExpectConvex(slot->value_after);
      // Both plans are optimal within 1e-7 EUR; HiGHS keeps its rows to 1e-7 kWh.
      EXPECT_GE(InEuros(slot->excess), -1e-6);
      EXPECT_LE(InEuros(slot->excess), 1e-6);
      sum += InEuros(slot->excess);
      if (t + 1 < plan.slots.size()) continue;
      // The slots' excess adds up to the plan's, less what work beyond the need is worth.
      const double spare = InEuros(slot->work_price) * (plan.totals.progress - problem.work);
      EXPECT_NEAR(sum, InEuros(slot->plan_excess) - spare, 1e-6);
    }
  }
  EXPECT_GT(explained, 100);
}

TEST(ExplainSlot, APlanThatIsNotOptimalShowsWhatItWastes) {
  DispatchProblem problem = StudyProblem({2025, 1, 1, 20}, 24);
  problem.battery = {};
  Plan plan = PlanOf(problem);
  std::vector<SlotDecision> decisions;
  for (const PlanSlot& slot : plan.slots) decisions.push_back(slot.decision);
  ASSERT_GT(decisions[0].grid_import + decisions[23].grid_import, Energy());
  // Bought at 280 W throughout: far more work than was asked for.
  for (SlotDecision& decision : decisions) {
    decision.levels = {{problem.gpu.levels.size() - 1, 1.0}};
    decision.grid_import = problem.gpu.levels.back().draw * Hours(1);
  }
  plan = MakePlan(problem, Formulation::kBlend, decisions);
  plan.status = PlanStatus::kFeasible;
  const SlotExplanation slot = *ExplainSlot(problem, plan, 12);
  EXPECT_GT(InEuros(slot.excess), 0.01);
  EXPECT_GT(InEuros(slot.plan_excess), 0.1);
}

TEST(ExplainSlot, SaysWhyItCannot) {
  DispatchProblem problem = StudyProblem({2025, 1, 1, 20}, 16);
  Plan plan = PlanOf(problem);
  plan.formulation = Formulation::kPaper;
  EXPECT_THAT(ExplainSlot(problem, plan, 0).error().Message(), HasSubstr("--formulation blend"));
  plan.formulation = Formulation::kBlend;
  problem.gpu.idle = Watts(150);
  EXPECT_THAT(ExplainSlot(problem, plan, 0).error().Message(), HasSubstr("idle (150 W)"));
  plan.status = PlanStatus::kInfeasible;
  plan.infeasible_reason = "too late";
  EXPECT_THAT(ExplainSlot(problem, plan, 0).error().Message(), HasSubstr("too late"));
}

}  // namespace
}  // namespace heliograd
