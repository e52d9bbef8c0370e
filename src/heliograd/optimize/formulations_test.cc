#include "heliograd/optimize/formulations.h"

#include <gtest/gtest.h>

#include "heliograd/optimize/test_problems.h"

namespace heliograd {
namespace {

TEST(BuildDispatchModel, BinariesStandOnlyWhereTheFormulationNeedsThem) {
  DispatchProblem problem = StudyProblem({2025, 1, 1, 20}, 19);
  const DispatchModel blend = BuildDispatchModel(problem, Formulation::kBlend);
  EXPECT_FALSE(blend.linear.HasIntegers());
  EXPECT_EQ(blend.levels.size(), 10u);           // the concave hull of Table IV
  EXPECT_EQ(blend.linear.exclusive.size(), 9u);  // the nine slots of 23-08, where 0.30 is more than 0.25
  const DispatchModel paper = BuildDispatchModel(problem, Formulation::kPaper);
  EXPECT_TRUE(paper.linear.HasIntegers());
  EXPECT_EQ(paper.levels.size(), 18u);  // 270 W and 290 to 320 W are dominated
  EXPECT_TRUE(paper.linear.exclusive.empty());
  problem.import_price.back() =
      EurosPerKilowattHour(-0.01);  // from now on stored energy may be worth less than nothing
  EXPECT_EQ(BuildDispatchModel(problem, Formulation::kBlend).linear.exclusive.size(), 10u + 19u);
}

TEST(BuildDispatchModel, ANodeWithoutBatteryOrSurplusHasNoColumnsForThem) {
  const DispatchModel model = BuildDispatchModel(PlainProblem({0.1, 0.2}, 1), Formulation::kBlend);
  EXPECT_EQ(model.linear.columns(), 4);  // import and one level in each of two slots
  EXPECT_TRUE(model.stored_rows.empty());
}

TEST(ReadDecisions, RemovesWhatTheSolversToleranceLeaves) {
  DispatchProblem problem = PlainProblem({0.1}, 1);
  problem.battery = PlainBattery(100, 0.9);
  problem.battery.initial = WattHours(50);
  problem.pv[0] = WattHours(100);
  problem.export_price[0] = EurosPerKilowattHour(0.05);
  const DispatchModel model = BuildDispatchModel(problem, Formulation::kBlend);
  const SlotColumns& slot = model.slots.front();
  std::vector<double> values(static_cast<size_t>(model.linear.columns()));
  const auto set = [&](int column, double value) { values[static_cast<size_t>(column)] = value; };
  set(slot.first_level, 1 + 1e-10);
  set(*slot.grid_import, -1e-10);
  set(*slot.grid_export, 0.045 + 1e-10);
  set(*slot.discharge, 0.05 + 2e-10);  // more than the cells hold
  set(*slot.charge, 1e-10);
  const SlotDecision decision = ReadDecisions(problem, Formulation::kBlend, model, values).front();
  EXPECT_EQ(decision.levels.front().share, 1);
  EXPECT_EQ(decision.grid_import, Energy());
  EXPECT_EQ(decision.battery_charge, Energy());
  EXPECT_LE(InWattHours(decision.battery_discharge), 50 + 1e-12);
  EXPECT_LE(decision.pv_used, problem.pv[0]);
  EXPECT_NEAR(InWattHours(decision.pv_used) + 0.9 * InWattHours(decision.battery_discharge),
              100 + InWattHours(decision.grid_export), 1e-9);
}

}  // namespace
}  // namespace heliograd
