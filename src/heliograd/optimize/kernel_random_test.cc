// The kernel against HiGHS on random problems: slot lengths, tiers and hourly prices, negative prices, limits, losses,
// empty, full and missing batteries. 150 problems; HELIOGRAD_RANDOM_INSTANCES asks for another number.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <random>

#include "heliograd/optimize/solver.h"
#include "heliograd/optimize/test_problems.h"
#include "heliograd/plan/checker.h"

namespace heliograd {
namespace {

class RandomProblems {
 public:
  explicit RandomProblems(unsigned seed) : random_(seed) {}

  DispatchProblem Next(bool negative_prices, int most_slots) {
    const int slots = 1 + static_cast<int>(Uniform(0, most_slots));
    DispatchProblem problem = PlainProblem(std::vector<double>(static_cast<size_t>(slots)), 12);
    constexpr std::array kMinutes = {15, 30, 60, 60, 120};
    problem.horizon.step = std::chrono::minutes(kMinutes[static_cast<size_t>(Uniform(0, 5))]);
    SetPrices(problem, negative_prices);
    SetGpu(problem);
    if (!Chance(0.15)) SetBattery(problem);
    if (Chance(0.3)) problem.grid.import_limit = Watts(Uniform(50, 600));
    if (Chance(0.3)) problem.grid.export_limit = Watts(Chance(0.3) ? 0 : Uniform(0, 400));
    return problem;
  }

 private:
  double Uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random_); }
  bool Chance(double share) { return Uniform(0, 1) < share; }

  void SetPrices(DispatchProblem& problem, bool negative_prices) {
    const std::array tiers = {Uniform(0.05, 0.5), Uniform(0.05, 0.5), Uniform(0.05, 0.5)};
    const bool tiered = Chance(0.5), one_sale_price = Chance(0.4), dark = Chance(0.2);
    const double sale_price = Chance(0.3) ? 0 : Uniform(0, 0.45), shift = negative_prices ? Uniform(0, 0.3) : 0;
    const double hours = InHours(problem.horizon.SlotDuration());
    for (size_t t = 0; t < problem.pv.size(); ++t) {
      const double import_price = tiered ? tiers[static_cast<size_t>(Uniform(0, 3))] : Uniform(0.05, 0.5);
      problem.import_price[t] = EurosPerKilowattHour(import_price - shift);
      const double sale = one_sale_price ? sale_price : Uniform(0, 0.45);
      problem.export_price[t] = EurosPerKilowattHour(sale - (Chance(0.7) ? 1.2 * shift : 0));
      problem.pv[t] = WattHours(dark ? 0 : std::max(Uniform(-150, 400), 0.0) * hours);
      problem.carbon[t] = GramsPerKilowattHour(Uniform(50, 500));
    }
    if (Chance(0.2)) problem.carbon_price = EurosPerKilogram(Uniform(0, 0.2));
  }

  void SetGpu(DispatchProblem& problem) {
    if (Chance(0.5)) {
      problem.gpu.levels = StudyLevels();
    } else {
      problem.gpu.levels = {{Watts(100), Watts(95), Hours(13)},
                            {Watts(150), Watts(150), Hours(9)},
                            {Watts(200), Watts(190), Hours(7.5)},
                            {Watts(250), Watts(245), Hours(7)}};
    }
    const double horizon_h = InHours(problem.horizon.SlotDuration()) * problem.horizon.slots;
    const double longer = horizon_h / Uniform(10, 30);  // so that the work is near what the horizon can hold
    for (Level& level : problem.gpu.levels) level.job_time *= longer;
    if (Chance(0.4)) problem.gpu.host = Watts(Uniform(0, 80));
    if (Chance(0.4)) problem.gpu.idle = Watts(Uniform(0, 90));
    problem.work = Chance(0.1) ? 1 : Uniform(0.05, 1);
  }

  void SetBattery(DispatchProblem& problem) {
    Battery& battery = problem.battery;
    battery = PlainBattery(Chance(0.2) ? Uniform(1000, 5000) : Uniform(20, 500), Chance(0.2) ? 1 : Uniform(0.8, 1));
    if (Chance(0.3)) battery.discharge_efficiency = Uniform(0.8, 1);
    if (Chance(0.7)) battery.self_discharge_per_hour = Uniform(0, 0.02);
    battery.initial = battery.capacity * (Chance(0.2) ? 1 : Chance(0.3) ? 0 : Uniform(0, 1));
    if (Chance(0.3)) battery.final_min = battery.capacity * (Chance(0.1) ? 1 : Uniform(0, 1));
    if (Chance(0.4)) battery.max_charge = Watts(Chance(0.1) ? 0 : Uniform(20, 300));
    if (Chance(0.4)) battery.max_discharge = Watts(Chance(0.1) ? 0 : Uniform(20, 300));
    if (Chance(0.4)) battery.wear_cost = EurosPerKilowattHour(Uniform(0, 0.06));
    if (Chance(0.5)) battery.terminal_value = EurosPerKilowattHour(Uniform(0, 0.4));
  }

  std::mt19937 random_;
};

int Instances() {
  const char* asked = std::getenv("HELIOGRAD_RANDOM_INSTANCES");
  return asked != nullptr ? std::atoi(asked) : 150;
}

void ExpectSound(const DispatchProblem& problem, Formulation formulation, const Solution& solution) {
  Plan plan = MakePlan(problem, formulation, solution.decisions);
  plan.status = PlanStatus::kOptimal;
  plan.bound = solution.bound;
  const auto violations = CheckPlan(problem, plan);
  EXPECT_TRUE(violations.empty()) << violations.front();
}

class KernelAgainstHighs : public testing::TestWithParam<bool> {};

void ExpectSameCosts(Formulation formulation, bool negative_prices, int instances, int most_slots, Money tolerance) {
  const auto kernel = MakeKernelSolver(), highs = MakeHighsSolver();
  RandomProblems random(20250101);
  int solved = 0;
  for (int i = 0; solved < instances && i < 20 * instances; ++i) {
    SCOPED_TRACE(testing::Message() << "problem " << i);
    const DispatchProblem problem = random.Next(negative_prices, most_slots);
    ASSERT_TRUE(Defects(problem).empty());
    const auto ours = kernel->Solve(problem, formulation, {tolerance, Seconds(20)});
    if (!ours) continue;  // outside the kernel's structure, as `paper` often is
    ++solved;
    const auto theirs = highs->Solve(problem, formulation, {Euros(1e-6), Seconds(20)});
    ASSERT_TRUE(theirs);
    EXPECT_EQ(ours->status == SolveStatus::kInfeasible, theirs->status == SolveStatus::kInfeasible);
    if (ours->decisions.empty() || theirs->decisions.empty()) continue;
    ExpectSound(problem, formulation, *ours);
    // The gaps that both were allowed, and rows that HiGHS holds to 1e-7 kWh in some 24 slots at 0.5 EUR/kWh.
    const double both = InEuros(tolerance) + 1e-6 + 1.2e-6;
    EXPECT_GE(InEuros(ours->objective), InEuros(theirs->bound) - both);
    EXPECT_LE(InEuros(ours->bound), InEuros(theirs->objective) + both);
    if (ours->status == SolveStatus::kOptimal && theirs->status == SolveStatus::kOptimal) {
      EXPECT_NEAR(InEuros(ours->objective), InEuros(theirs->objective), both);
    }
  }
  EXPECT_EQ(solved, instances);
}

TEST_P(KernelAgainstHighs, BlendCostsTheSame) {
  ExpectSameCosts(Formulation::kBlend, GetParam(), Instances(), GetParam() ? 12 : 24, Euros(1e-7));
}

TEST_P(KernelAgainstHighs, WholeLevelsCostTheSame) {
  ExpectSameCosts(Formulation::kLevels, GetParam(), Instances() / 3, 7, Euros(1e-4));
}

TEST(KernelAgainstHighsInPaper, CostsTheSame) {
  ExpectSameCosts(Formulation::kPaper, false, Instances() / 3, 9, Euros(1e-4));
}

INSTANTIATE_TEST_SUITE_P(Prices, KernelAgainstHighs, testing::Bool(),
                         [](const auto& param) { return param.param ? "SomeNegative" : "Positive"; });

TEST(KernelScaling, MoreEnergyCostsInProportion) {
  RandomProblems random(7);
  const auto kernel = MakeKernelSolver();
  for (int i = 0; i < 100; ++i) {
    DispatchProblem problem = random.Next(i % 2 == 1, 24);
    const auto before = kernel->Solve(problem, Formulation::kBlend, {Euros(1e-7), std::nullopt});
    const auto grow = [](auto& quantity) { quantity *= 3; };
    for (Energy& pv : problem.pv) grow(pv);
    for (Level& level : problem.gpu.levels) grow(level.limit), grow(level.draw);
    grow(problem.gpu.idle), grow(problem.gpu.host);
    Battery& battery = problem.battery;
    grow(battery.capacity), grow(battery.initial), grow(battery.final_min);
    for (auto* limit :
         {&battery.max_charge, &battery.max_discharge, &problem.grid.import_limit, &problem.grid.export_limit}) {
      if (*limit) grow(**limit);
    }
    const auto after = kernel->Solve(problem, Formulation::kBlend, {Euros(1e-7), std::nullopt});
    ASSERT_TRUE(before && after);
    EXPECT_EQ(before->status, after->status);
    EXPECT_NEAR(InEuros(after->objective), 3 * InEuros(before->objective), 4e-7);  // both gaps, the first times 3
  }
}

}  // namespace
}  // namespace heliograd
