// Plans for the tests of this room, built by hand.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "heliograd/plan/plan.h"

namespace heliograd {

/// Six hours from 22:00 UTC on 1 January 2025: buy at 150 W, store, pause, then PV with a sale. The numbers are round,
/// not optimal.
struct TestPlan {
  DispatchProblem problem;
  Plan plan;
};

inline TestPlan SmallPlan() {
  TestPlan test;
  DispatchProblem& problem = test.problem;
  problem.horizon = {StampFromUtc({2025, 1, 1, 22, 0, 0}), std::chrono::seconds(3600), 6};
  problem.gpu.levels = {{Watts(100), Watts(100), Hours(5)}, {Watts(150), Watts(150), Hours(3)}};
  problem.battery.capacity = WattHours(250);
  for (int t = 0; t < 6; ++t) {
    problem.pv.push_back(WattHours(t < 4 ? 0 : 200));
    problem.import_price.push_back(EurosPerKilowattHour(t < 1 ? 0.35 : 0.25));
    problem.export_price.push_back(EurosPerKilowattHour(0.30));
    problem.carbon.push_back(GramsPerKilowattHour(250));
  }
  std::vector<SlotDecision> decisions(6);
  decisions[0].levels = {{0, 1.0}};
  decisions[0].grid_import = WattHours(100);
  decisions[1].levels = {{1, 1.0}};
  decisions[1].grid_import = WattHours(250);
  decisions[1].battery_charge = WattHours(100);
  decisions[2].levels = {{1, 1.0}};
  decisions[2].battery_discharge = WattHours(100);
  decisions[2].grid_import = WattHours(50);
  decisions[4].levels = {{0, 0.5}};
  decisions[4].pv_used = WattHours(200);
  decisions[4].grid_export = WattHours(150);
  decisions[5].levels = {{0, 0.5}};
  decisions[5].pv_used = WattHours(200);
  decisions[5].grid_export = WattHours(150);

  Plan& plan = test.plan;
  plan = MakePlan(problem, Formulation::kBlend, decisions);
  plan.status = PlanStatus::kOptimal;
  plan.bound = plan.objective - Euros(0.0004);
  plan.solver = "solver 1.0";
  plan.solve_time = Seconds(0.012);
  for (PlanSlot& slot : plan.slots) slot.reason = slot.decision.levels.empty() ? "PV comes later" : "cheap enough";
  Totals rung;
  rung.cost = Euros(0.2);
  rung.grid_import = WattHours(600);
  rung.carbon = Kilograms(0.15);
  plan.baselines = {{"best fixed limit from the grid", rung, Watts(150), ""},
                    {"lowest limit", std::nullopt, Watts(100), "8 h are needed"}};
  plan.levers = {{"levels", Euros(0.05)}, {"PV", Euros(0.1)}};
  plan.deadline_price = {Euros(-0.01), std::nullopt};
  plan.notes = {"level 160 W is dropped"};
  return test;
}

/// A plan of any size with any decisions, balanced or not: drawing must cope.
inline TestPlan RandomPlan(std::mt19937& random, int slots, int slot_minutes) {
  std::uniform_real_distribution<double> unit(0.0, 1.0);
  TestPlan test;
  DispatchProblem& problem = test.problem;
  const double hours = slot_minutes / 60.0;
  problem.horizon = {
      StampFromUtc({2025, 1, 1, 0, 0, 0}) + std::chrono::minutes(15 * static_cast<int>(unit(random) * 40000)),
      std::chrono::seconds(60 * slot_minutes), slots};
  const double scale = std::pow(10.0, unit(random) * 6 - 1);
  for (int k = 0; k < 4; ++k) {
    problem.gpu.levels.push_back({Watts(scale * (k + 1)), Watts(scale * (k + 1)), Hours(slots * hours * (5 - k))});
  }
  problem.battery.capacity = WattHours(unit(random) < 0.3 ? 0 : scale * 3);
  std::vector<SlotDecision> decisions;
  for (int t = 0; t < slots; ++t) {
    problem.pv.push_back(WattHours(unit(random) < 0.5 ? 0 : unit(random) * scale * hours));
    problem.import_price.push_back(EurosPerKilowattHour(unit(random) * 0.6 - 0.1));
    problem.export_price.push_back(EurosPerKilowattHour(unit(random) * 0.3));
    problem.carbon.push_back(GramsPerKilowattHour(unit(random) * 500));
    SlotDecision decision;
    if (unit(random) < 0.7)
      decision.levels.push_back({static_cast<size_t>(unit(random) * 2), 1.0 - unit(random) * 0.5});
    if (unit(random) < 0.2) decision.levels.push_back({3, unit(random) * 0.4});
    decision.pv_used = problem.pv.back();
    decision.grid_import = WattHours(unit(random) * scale * hours);
    decision.grid_export = WattHours(unit(random) < 0.5 ? 0 : unit(random) * scale * hours);
    decisions.push_back(decision);
  }
  test.plan = MakePlan(problem, Formulation::kBlend, decisions);
  test.plan.status = unit(random) < 0.5 ? PlanStatus::kOptimal : PlanStatus::kFeasible;
  for (PlanSlot& slot : test.plan.slots)
    slot.reason = std::string(static_cast<size_t>(unit(random) * 90), 'r') + " 漢字 e\u0301";
  test.plan.baselines = {
      {"a rule with quite a long name that must wrap somewhere", test.plan.totals, Watts(scale), ""}};
  test.plan.levers = {{"timing", Euros(unit(random) - 0.5)}};
  test.plan.notes = {"one note that is longer than the narrowest terminal allows in a line"};
  return test;
}

}  // namespace heliograd
