#include "heliograd/plan/plan.h"

#include <gtest/gtest.h>

#include <random>

#include "heliograd/plan/test_problems.h"

namespace heliograd {
namespace {

// Energies of a few hundred Wh, a handful of additions: 1e-9 Wh is a thousand times what doubles lose.
constexpr double kRoundingWh = 1e-9;

void ExpectConserved(const SlotDecision& d, Energy load, double beta) {
  const Flows f = AttributeFlows(d, load, beta);
  const auto near = [](Energy a, Energy b, const char* what) {
    EXPECT_NEAR(InWattHours(a), InWattHours(b), kRoundingWh) << what;
  };
  near(f.pv_to_gpu + f.pv_to_battery + f.pv_to_grid, d.pv_used, "from PV");
  near(f.grid_to_gpu + f.grid_to_battery, d.grid_import, "from the grid");
  near(f.battery_to_gpu + f.battery_to_grid, d.battery_discharge * beta, "from the battery");
  near(f.pv_to_gpu + f.grid_to_gpu + f.battery_to_gpu, load, "to the GPU");
  near(f.pv_to_battery + f.grid_to_battery, d.battery_charge, "to the battery");
  near(f.pv_to_grid + f.battery_to_grid, d.grid_export, "to the grid");
  for (const Energy flow : {f.pv_to_gpu, f.pv_to_battery, f.pv_to_grid, f.grid_to_gpu, f.grid_to_battery,
                            f.battery_to_gpu, f.battery_to_grid}) {
    EXPECT_GE(InWattHours(flow), -kRoundingWh);
  }
}

/// Random flows, each zero half the time; the bus totals that they make are then shown as flows again.
struct RandomBus {
  SlotDecision decision;
  Energy load;
};

RandomBus NextBus(std::mt19937& random, double beta) {
  const auto flow = [&] { return WattHours(random() % 2 == 0 ? 0.0 : static_cast<double>(random() % 3000) / 10); };
  const Flows f = {flow(), flow(), flow(), flow(), flow(), flow(), flow()};
  RandomBus bus;
  bus.decision.pv_used = f.pv_to_gpu + f.pv_to_battery + f.pv_to_grid;
  bus.decision.grid_import = f.grid_to_gpu + f.grid_to_battery;
  bus.decision.battery_discharge = (f.battery_to_gpu + f.battery_to_grid) / beta;
  bus.decision.battery_charge = f.pv_to_battery + f.grid_to_battery;
  bus.decision.grid_export = f.pv_to_grid + f.battery_to_grid;
  bus.load = f.pv_to_gpu + f.grid_to_gpu + f.battery_to_gpu;
  return bus;
}

TEST(AttributeFlows, EveryBusThatFlowsCanMakeIsConserved) {
  std::mt19937 random(11);
  for (int i = 0; i < 20000; ++i) {
    const double beta = 0.5 + 0.5 * static_cast<double>(random() % 100) / 99;
    const RandomBus bus = NextBus(random, beta);
    ExpectConserved(bus.decision, bus.load, beta);
  }
}

TEST(AttributeFlows, PvServesTheGpuFirstThenTheBatteryThenIsSold) {
  std::mt19937 random(12);
  for (int i = 0; i < 20000; ++i) {
    RandomBus bus = NextBus(random, 1.0);
    const bool one_direction = (bus.decision.grid_import == Energy() || bus.decision.grid_export == Energy()) &&
                               (bus.decision.battery_charge == Energy() || bus.decision.battery_discharge == Energy());
    if (!one_direction) continue;
    const Flows f = AttributeFlows(bus.decision, bus.load, 1.0);
    const double pv = InWattHours(bus.decision.pv_used), load = InWattHours(bus.load);
    EXPECT_NEAR(InWattHours(f.pv_to_gpu), std::min(pv, load), kRoundingWh);
    EXPECT_NEAR(InWattHours(f.pv_to_battery),
                std::min(pv - std::min(pv, load), InWattHours(bus.decision.battery_charge)), kRoundingWh);
  }
}

TEST(AttributeFlows, ImportIsNeverSoldOn) {
  // The study's loop: 100 Wh bought for the GPU while 100 Wh of PV are sold.
  SlotDecision d;
  d.pv_used = d.grid_import = d.grid_export = WattHours(100);
  const Flows f = AttributeFlows(d, WattHours(100), 0.9);
  EXPECT_EQ(f.pv_to_grid, WattHours(100));
  EXPECT_EQ(f.grid_to_gpu, WattHours(100));
  EXPECT_EQ(f.pv_to_gpu, Energy());
}

TEST(AttributeFlows, ABatteryThatChargesAndDischargesDoesNotFeedItself) {
  SlotDecision d;
  d.pv_used = WattHours(100);
  d.battery_charge = WattHours(50);
  d.battery_discharge = WattHours(100);
  const Flows f = AttributeFlows(d, WattHours(100), 0.5);
  EXPECT_EQ(f.battery_to_gpu, WattHours(50));
  EXPECT_EQ(f.pv_to_gpu, WattHours(50));
  EXPECT_EQ(f.pv_to_battery, WattHours(50));
}

TEST(MakePlan, TotalsAreWhatTheSlotsAddUpTo) {
  DispatchProblem p = RichProblem();
  p.horizon.slots = 2;
  for (auto* list : {&p.import_price, &p.export_price}) list->resize(2);
  p.pv = {WattHours(0), WattHours(300)};
  p.carbon.resize(2);
  SlotDecision first;  // 110 W level for half an hour, idle 15 W for the other: (110 + 60) / 2 + 15 / 2 = 92.5 Wh
  first.levels = {{1, 0.5}};
  first.grid_import = WattHours(92.5 + 40);
  first.battery_charge = WattHours(40);
  SlotDecision second;  // off: 15 Wh; 20 Wh leave the cells, 18 reach the bus
  second.pv_used = WattHours(250);
  second.battery_discharge = WattHours(20);
  second.grid_export = WattHours(250 + 18 - 15);
  const Plan plan = MakePlan(p, Formulation::kBlend, {first, second});
  const Totals& t = plan.totals;
  EXPECT_NEAR(InWattHours(t.load), 92.5 + 15, kRoundingWh);
  EXPECT_NEAR(t.progress, 0.5 / 23.62, 1e-15);
  EXPECT_NEAR(InEuros(t.import_cost), 0.1325 * 0.25, 1e-12);
  EXPECT_NEAR(InEuros(t.export_revenue), 0.253 * 0.30, 1e-12);
  EXPECT_NEAR(InEuros(t.wear_cost), 0.020 * 0.03, 1e-12);
  EXPECT_NEAR(InKilograms(t.carbon), 0.1325 * 0.2, 1e-12);
  EXPECT_NEAR(InEuros(t.carbon_cost), 0.1325 * 0.2 * 0.1, 1e-12);
  const double end_wh = 0.995 * (0.995 * (50 + 0.9 * 40) - 20);
  EXPECT_NEAR(InWattHours(plan.slots[1].battery_end), end_wh, kRoundingWh);
  EXPECT_NEAR(InEuros(t.terminal_value), end_wh / 1000 * 0.1, 1e-12);
  EXPECT_NEAR(InEuros(t.cost), 0.1325 * 0.25 - 0.253 * 0.30 + 0.0006 + 0.1325 * 0.02 - end_wh / 1e4, 1e-12);
  EXPECT_NEAR(InEuros(plan.objective), InEuros(t.cost), 1e-12);
  EXPECT_EQ(t.pv_available, WattHours(300));
  EXPECT_EQ(t.pv_used, WattHours(250));
}

TEST(MakePlan, WithCarbonAsTheObjectiveItOutweighsMoney) {
  DispatchProblem p = RichProblem();
  p.objective = Objective::kCarbon;
  const Plan plan = RichPlan(p);
  const double carbon_kg = InKilograms(plan.totals.carbon);
  EXPECT_NEAR(InEuros(plan.objective), InEuros(plan.totals.cost) + carbon_kg * (1000 - 0.1), 1e-9);
}

}  // namespace
}  // namespace heliograd
