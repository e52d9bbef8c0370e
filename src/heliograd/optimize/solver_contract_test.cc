#include "heliograd/optimize/solver_contract_test.h"

#include <algorithm>
#include <cmath>
#include <thread>

namespace heliograd {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SolverContract);

bool SolverContract::Supports(Formulation formulation) const {
  const auto& supported = GetParam().formulations;
  return std::find(supported.begin(), supported.end(), formulation) != supported.end();
}

Solution SolverContract::Solve(const DispatchProblem& problem, Formulation formulation, SolveOptions options) const {
  EXPECT_TRUE(Defects(problem).empty()) << Defects(problem).front();
  const Result<Solution> solution = solver_->Solve(problem, formulation, options);
  EXPECT_TRUE(solution) << solution.error().Message();
  if (!solution) return {};
  if (!solution->decisions.empty()) ExpectValidPlan(problem, formulation, *solution);
  if (solution->status == SolveStatus::kOptimal) {
    EXPECT_FALSE(solution->decisions.empty());
    EXPECT_LE(solution->objective - solution->bound, options.tolerance);
  }
  return *solution;
}

double SolverContract::Cost(const DispatchProblem& problem, Formulation formulation) const {
  const Solution solution = Solve(problem, formulation);
  EXPECT_EQ(solution.status, SolveStatus::kOptimal);
  return InEuros(solution.objective);
}

void SolverContract::ExpectCost(const DispatchProblem& problem, Formulation formulation, double eur) const {
  if (!Supports(formulation)) return;
  SCOPED_TRACE(FormulationName(formulation));
  EXPECT_NEAR(Cost(problem, formulation), eur, kTolerance);
}

void SolverContract::ExpectInfeasible(const DispatchProblem& problem, Formulation formulation) const {
  if (!Supports(formulation)) return;
  SCOPED_TRACE(FormulationName(formulation));
  const Solution solution = Solve(problem, formulation);
  EXPECT_EQ(solution.status, SolveStatus::kInfeasible);
  EXPECT_TRUE(solution.decisions.empty());
}

namespace {

TEST_P(SolverContract, RunsInTheCheapestSlots) {
  const DispatchProblem problem = PlainProblem({0.4, 0.1, 0.3, 0.2}, 2);
  ExpectCost(problem, Formulation::kLevels, 0.1 * (0.1 + 0.2));
  ExpectCost(problem, Formulation::kBlend, 0.1 * (0.1 + 0.2));
  ExpectCost(problem, Formulation::kPaper, 0.1 * (0.4 + 0.1 + 0.3 + 0.2));  // always on
}

TEST_P(SolverContract, BlendMixesLevelsWithinASlot) {
  // 3 h at rates 0.25 and 0.4 per hour: 4/3 h at 100 W and 5/3 h at 200 W do exactly the job. Whole slots: 2 x 200 +
  // 100 W.
  DispatchProblem problem = PlainProblem({0.3, 0.3, 0.3}, 4);
  problem.gpu.levels.push_back({Watts(200), Watts(200), Hours(2.5)});
  ExpectCost(problem, Formulation::kBlend, 0.3 * (4.0 / 3 * 0.1 + 5.0 / 3 * 0.2));
  ExpectCost(problem, Formulation::kLevels, 0.3 * 0.5);
  ExpectCost(problem, Formulation::kPaper, 0.3 * 0.5);
}

TEST_P(SolverContract, WorkLessThanTheWholeJob) {
  DispatchProblem problem = PlainProblem({0.4, 0.1, 0.3, 0.2}, 2);
  problem.work = 0.25;
  ExpectCost(problem, Formulation::kLevels, 0.1 * 0.1);
  ExpectCost(problem, Formulation::kBlend, 0.1 * 0.05);
}

TEST_P(SolverContract, BatteryCarriesCheapEnergyOver) {
  DispatchProblem problem = PlainProblem({0.1, 0.5}, 2);
  problem.battery = PlainBattery(50, 0.9);
  // 50 Wh in the cells are bought as 50/0.9 Wh and give 45 Wh.
  const double cost = 0.1 * (0.1 + 0.05 / 0.9) + 0.5 * (0.1 - 0.045);
  ExpectCost(problem, Formulation::kLevels, cost);
  ExpectCost(problem, Formulation::kBlend, cost);
  // Equation (13): no more than the empty 50 Wh may arrive at the charger.
  ExpectCost(problem, Formulation::kPaper, 0.1 * (0.1 + 0.05) + 0.5 * (0.1 - 0.9 * 0.9 * 0.05));
}

TEST_P(SolverContract, AnEmptyBatteryFillsInOneSlotInSpiteOfSelfDischarge) {
  DispatchProblem problem = PlainProblem({0.1, 0.5}, 2);
  problem.battery = PlainBattery(50, 0.9);
  problem.battery.self_discharge_per_hour = 0.1;
  // 50 Wh at the end of the slot take 50/0.9 Wh in the cells; `paper`, equation (13), stops at 50 Wh at the charger.
  const double full = 0.1 * (0.1 + 0.05 / (0.9 * 0.9)) + 0.5 * (0.1 - 0.045);
  ExpectCost(problem, Formulation::kLevels, full);
  ExpectCost(problem, Formulation::kBlend, full);
  ExpectCost(problem, Formulation::kPaper, 0.1 * (0.1 + 0.05) + 0.5 * (0.1 - 0.9 * 0.9 * 0.9 * 0.05));
}

TEST_P(SolverContract, BatteryPowerLimitsAreKept) {
  DispatchProblem problem = PlainProblem({0.1, 0.5}, 2);
  problem.battery = PlainBattery(90);
  problem.battery.max_charge = Watts(30);
  for (const Formulation formulation : GetParam().formulations)
    ExpectCost(problem, formulation, 0.1 * 0.13 + 0.5 * 0.07);
  problem.battery.max_discharge = Watts(20);
  for (const Formulation formulation : GetParam().formulations)
    ExpectCost(problem, formulation, 0.1 * 0.12 + 0.5 * 0.08);
}

TEST_P(SolverContract, AFullBatteryIsUsedAndNotOverfilled) {
  DispatchProblem problem = PlainProblem({0.3}, 1);
  problem.battery = PlainBattery(80);
  problem.battery.initial = WattHours(80);
  problem.pv[0] = WattHours(100);
  for (const Formulation formulation : GetParam().formulations) {
    if (formulation == Formulation::kPaper) continue;  // (5) would have it sell
    ExpectCost(problem, formulation, 0.0);
  }
}

TEST_P(SolverContract, OneConnectionPointDoesNotBuyAndSellAtOnce) {
  DispatchProblem problem = PlainProblem({0.2}, 1);
  problem.export_price[0] = EurosPerKilowattHour(0.3);
  problem.pv[0] = WattHours(100);
  ExpectCost(problem, Formulation::kLevels, 0.0);
  ExpectCost(problem, Formulation::kBlend, 0.0);
  ExpectCost(problem, Formulation::kPaper, 0.1 * 0.2 - 0.1 * 0.3);
}

TEST_P(SolverContract, NegativeImportPriceBuysNoMoreThanTheNodeCanUse) {
  // The battery is full and may not burn energy by charging and discharging at once; PV makes room by curtailment.
  DispatchProblem problem = PlainProblem({-0.1}, 1);
  problem.battery = PlainBattery(100, 0.9);
  problem.battery.initial = WattHours(100);
  problem.pv[0] = WattHours(50);
  ExpectCost(problem, Formulation::kLevels, -0.1 * 0.1);
  ExpectCost(problem, Formulation::kBlend, -0.1 * 0.1);
}

TEST_P(SolverContract, NegativeImportPriceWithNegativeSalePriceIsNoMoneyPump) {
  DispatchProblem problem = PlainProblem({-0.3, -0.3}, 1);
  problem.export_price.assign(2, EurosPerKilowattHour(-0.1));
  ExpectCost(problem, Formulation::kLevels, -0.3 * 0.2);
  ExpectCost(problem, Formulation::kBlend, -0.3 * 0.2);
}

TEST_P(SolverContract, NegativeSalePriceCurtails) {
  DispatchProblem problem = PlainProblem({0.2}, 1);
  problem.export_price[0] = EurosPerKilowattHour(-0.1);
  problem.pv[0] = WattHours(250);
  for (const Formulation formulation : {Formulation::kLevels, Formulation::kBlend}) {
    if (!Supports(formulation)) continue;
    const Solution solution = Solve(problem, formulation);
    EXPECT_NEAR(InEuros(solution.objective), 0, kTolerance);
    EXPECT_EQ(solution.decisions.front().grid_export, Energy());
    EXPECT_NEAR(InWattHours(solution.decisions.front().pv_used), 100, 1e-6);
  }
}

TEST_P(SolverContract, SellsAtALossToMakeRoomForEnergyThatPays) {
  // Slot 0: the job runs from the battery, the other 50 Wh are sold at -0.1. Slot 1: job and charger draw paid energy.
  DispatchProblem problem = PlainProblem({0.5, -0.5}, 1);
  problem.export_price.assign(2, EurosPerKilowattHour(-0.1));
  problem.gpu.levels = {{Watts(50), Watts(50), Hours(1)}};
  problem.battery = PlainBattery(100);
  problem.battery.initial = WattHours(100);
  const double cost = 0.1 * 0.05 - 0.5 * (0.05 + 0.1);
  ExpectCost(problem, Formulation::kLevels, cost);
  ExpectCost(problem, Formulation::kBlend, cost);
}

TEST_P(SolverContract, ExportLimitCurtailsTheRest) {
  DispatchProblem problem = PlainProblem({0.3}, 1);
  problem.export_price[0] = EurosPerKilowattHour(0.1);
  problem.pv[0] = WattHours(300);
  problem.grid.export_limit = Watts(100);
  ExpectCost(problem, Formulation::kLevels, -0.1 * 0.1);
  ExpectCost(problem, Formulation::kBlend, -0.1 * 0.1);
  ExpectInfeasible(problem, Formulation::kPaper);  // (5) knows no curtailment
}

TEST_P(SolverContract, ImportLimitSpreadsTheJob) {
  DispatchProblem problem = PlainProblem({0.4, 0.1, 0.3, 0.2}, 2);
  problem.grid.import_limit = Watts(50);
  ExpectCost(problem, Formulation::kBlend, 0.05 * (0.4 + 0.1 + 0.3 + 0.2));
  ExpectInfeasible(problem, Formulation::kLevels);
  problem.grid.import_limit = Watts(49);
  for (const Formulation formulation : GetParam().formulations) ExpectInfeasible(problem, formulation);
}

TEST_P(SolverContract, WorkOutOfReachIsInfeasible) {
  const DispatchProblem problem = PlainProblem({0.4, 0.1, 0.3, 0.2}, 4.01);
  for (const Formulation formulation : GetParam().formulations) ExpectInfeasible(problem, formulation);
  ExpectCost(PlainProblem({0.4, 0.1, 0.3, 0.2}, 4), Formulation::kBlend, 0.1);
}

TEST_P(SolverContract, FinalEnergyIsReachedOrInfeasible) {
  DispatchProblem problem = PlainProblem({0.1, 0.5}, 2);
  problem.battery = PlainBattery(60);
  problem.battery.final_min = WattHours(40);
  for (const Formulation formulation : GetParam().formulations) {
    ExpectCost(problem, formulation, 0.1 * (0.1 + 0.06) + 0.5 * (0.1 - 0.02));
  }
  problem.battery.max_charge = Watts(10);
  for (const Formulation formulation : GetParam().formulations) ExpectInfeasible(problem, formulation);
}

TEST_P(SolverContract, TerminalValueFillsTheBattery) {
  DispatchProblem problem = PlainProblem({0.1}, 1);
  problem.battery = PlainBattery(100);
  problem.battery.terminal_value = EurosPerKilowattHour(0.4);
  for (const Formulation formulation : GetParam().formulations) ExpectCost(problem, formulation, 0.1 * 0.2 - 0.4 * 0.1);
}

TEST_P(SolverContract, WearStopsACycleThatDoesNotPay) {
  DispatchProblem problem = PlainProblem({0.1, 0.5}, 2);
  problem.battery = PlainBattery(50);
  problem.battery.wear_cost = EurosPerKilowattHour(0.3);
  for (const Formulation formulation : GetParam().formulations) {
    ExpectCost(problem, formulation, 0.1 * 0.15 + 0.3 * 0.05 + 0.5 * 0.05);
  }
  problem.battery.wear_cost = EurosPerKilowattHour(0.5);
  for (const Formulation formulation : GetParam().formulations) ExpectCost(problem, formulation, 0.1 * 0.1 + 0.5 * 0.1);
}

TEST_P(SolverContract, IdleAndHostPowerAreDrawn) {
  DispatchProblem problem = PlainProblem({0.1, 0.5}, 1);
  problem.gpu.idle = Watts(10);
  problem.gpu.host = Watts(40);
  ExpectCost(problem, Formulation::kLevels, 0.1 * 0.14 + 0.5 * 0.01);
  ExpectCost(problem, Formulation::kBlend, 0.1 * 0.14 + 0.5 * 0.01);
  ExpectCost(problem, Formulation::kPaper, 0.1 * 0.14 + 0.5 * 0.14);
}

TEST_P(SolverContract, CarbonIsPricedOrIsTheObjective) {
  DispatchProblem problem = PlainProblem({0.1, 0.2}, 1);
  problem.carbon = {GramsPerKilowattHour(500), GramsPerKilowattHour(100)};
  problem.carbon_price = EurosPerKilogram(0.2);  // 0.1 + 0.1 = 0.20 against 0.2 + 0.02
  ExpectCost(problem, Formulation::kBlend, 0.1 * 0.2);
  problem.objective = Objective::kCarbon;
  for (const Formulation formulation : {Formulation::kLevels, Formulation::kBlend}) {
    if (!Supports(formulation)) continue;
    const Solution solution = Solve(problem, formulation);
    EXPECT_EQ(solution.decisions[0].grid_import, Energy());
    EXPECT_NEAR(InWattHours(solution.decisions[1].grid_import), 100, 1e-6);
  }
}

TEST_P(SolverContract, QuarterHoursOfAnHourCostNoMoreThanTheHour) {
  // Any hourly plan can be carried out in quarters when the cells lose nothing with time.
  DispatchProblem hourly = StudyProblem({2025, 1, 1, 20}, 16);
  hourly.battery.self_discharge_per_hour = 0;
  DispatchProblem quarters = hourly;
  quarters.horizon.step = std::chrono::minutes(15);
  quarters.horizon.slots *= 4;
  const auto repeat = [](auto& values, double share) {
    auto finer = values;
    finer.clear();
    for (const auto value : values) finer.insert(finer.end(), 4, value * share);
    values = finer;
  };
  repeat(quarters.pv, 0.25);
  repeat(quarters.import_price, 1);
  repeat(quarters.export_price, 1);
  repeat(quarters.carbon, 1);
  EXPECT_LE(Cost(quarters, Formulation::kBlend), Cost(hourly, Formulation::kBlend) + kTolerance);
}

TEST_P(SolverContract, ALooseToleranceIsKeptToo) {
  const DispatchProblem problem = StudyProblem({2025, 1, 1, 20}, 16);
  for (const Formulation formulation : GetParam().formulations) {
    const Solution loose = Solve(problem, formulation, {Euros(0.02), {}});
    EXPECT_EQ(loose.status, SolveStatus::kOptimal);
    EXPECT_LE(InEuros(loose.bound), Cost(problem, formulation) + kTolerance);
  }
}

TEST_P(SolverContract, TimeLimitGivesThePlanSoFarOrNone) {
  DispatchProblem problem = StudyProblem({2025, 1, 1, 20}, 72);
  for (size_t t = 0; t < problem.pv.size(); ++t) problem.pv[t] = WattHours(t % 24 < 8 ? 150 : 10);
  for (const Formulation formulation : GetParam().formulations) {
    for (const double limit_s : {0.0, 0.02, 0.2}) {
      SCOPED_TRACE(testing::Message() << FormulationName(formulation) << " " << limit_s << " s");
      const Solution solution = Solve(problem, formulation, {Euros(1e-7), Seconds(limit_s)});
      EXPECT_NE(solution.status, SolveStatus::kInfeasible);
      EXPECT_EQ(solution.decisions.empty(), solution.status == SolveStatus::kNoPlanYet);
      EXPECT_TRUE(IsFinite(solution.bound));
      // Generous: machines under load; what matters is that it ends.
      EXPECT_LT(InSeconds(solution.solve_time), limit_s + 5);
    }
  }
}

TEST_P(SolverContract, DualsAreTheSlopesOfTheCost) {
  if (!GetParam().has_duals || !Supports(Formulation::kBlend)) GTEST_SKIP() << "the solver has no duals";
  DispatchProblem problem = StudyProblem({2025, 6, 21, 14}, 19);
  for (size_t t = 0; t < 5; ++t) problem.pv[t] = WattHours(300 - 60.0 * static_cast<double>(t));
  problem.battery.initial = WattHours(60);
  const Solution solution = Solve(problem, Formulation::kBlend);
  ASSERT_EQ(solution.stored_value.size(), 19u);
  ASSERT_TRUE(solution.work_price);

  const auto cost_with = [&](double initial_wh, double work) {
    DispatchProblem changed = problem;
    changed.battery.initial = WattHours(initial_wh);
    changed.work = work;
    return Cost(changed, Formulation::kBlend);
  };
  // Cost is convex in both while directions stay: the slopes to both sides enclose the dual. 1e-3 of slack is what two
  // costs to 1e-6 EUR leave of a slope over 10 Wh or 0.01 of the job.
  const double value = InEurosPerKilowattHour(solution.stored_value.front());
  EXPECT_LE(value, (cost_with(50, 1) - cost_with(60, 1)) / 0.01 + 1e-3);
  EXPECT_GE(value, (cost_with(60, 1) - cost_with(70, 1)) / 0.01 - 1e-3);
  const double price = InEuros(*solution.work_price);
  EXPECT_GE(price, (cost_with(60, 1) - cost_with(60, 0.99)) / 0.01 - 1e-3);
  problem.work = 0.99;
  const double price_below = InEuros(*Solve(problem, Formulation::kBlend).work_price);
  EXPECT_LE(price_below, (cost_with(60, 1) - cost_with(60, 0.99)) / 0.01 + 1e-3);
}

TEST_P(SolverContract, TwoThreadsSolveDifferentProblemsAtOnce) {
  const DispatchProblem short_problem = StudyProblem({2025, 1, 1, 20}, 16);
  const DispatchProblem long_problem = StudyProblem({2025, 6, 21, 8}, 19);
  for (const Formulation formulation : GetParam().formulations) {
    SCOPED_TRACE(FormulationName(formulation));
    const SolveOptions options{Euros(0.001), {}};
    const Money short_alone = Solve(short_problem, formulation, options).objective;
    const Money long_alone = Solve(long_problem, formulation, options).objective;
    Money short_beside, long_beside;
    std::thread first([&] { short_beside = Solve(short_problem, formulation, options).objective; });
    std::thread second([&] { long_beside = Solve(long_problem, formulation, options).objective; });
    first.join();
    second.join();
    EXPECT_EQ(short_beside, short_alone);
    EXPECT_EQ(long_beside, long_alone);
  }
}

}  // namespace
}  // namespace heliograd
