#include <algorithm>
#include <random>

#include "heliograd/optimize/solver_contract_test.h"

namespace heliograd {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SolverProperties);

namespace {

constexpr int kInstances = 12;

/// Small problems with everything in them: five levels, eight slots, prices on both sides of each other.
class RandomProblems {
 public:
  DispatchProblem Next() {
    std::vector<double> prices(8);
    for (double& price : prices) price = Uniform(0.05, 0.5);
    DispatchProblem problem = PlainProblem(prices, 12);
    for (size_t t = 0; t < prices.size(); ++t) {
      problem.export_price[t] = EurosPerKilowattHour(Uniform(0, 0.4));
      problem.pv[t] = WattHours(std::max(Uniform(-150, 300), 0.0));
      problem.carbon[t] = GramsPerKilowattHour(Uniform(50, 500));
    }
    problem.gpu.levels = {{Watts(100), Watts(95), Hours(13)},
                          {Watts(150), Watts(150), Hours(9)},
                          {Watts(200), Watts(190), Hours(7.5)},
                          {Watts(250), Watts(245), Hours(7)},
                          {Watts(300), Watts(280), Hours(6.8)}};
    problem.gpu.host = Watts(Uniform(0, 50));
    problem.work = Uniform(0.2, 0.9);
    problem.battery = PlainBattery(Uniform(50, 400), Uniform(0.85, 1));
    problem.battery.self_discharge_per_hour = Uniform(0, 0.02);
    problem.battery.initial = problem.battery.capacity * Uniform(0, 1);
    problem.battery.max_charge = Watts(Uniform(50, 300));
    problem.battery.max_discharge = Watts(Uniform(50, 300));
    problem.battery.wear_cost = EurosPerKilowattHour(Uniform(0, 0.05));
    problem.battery.terminal_value = EurosPerKilowattHour(Uniform(0, 0.3));
    problem.grid.import_limit = Watts(Uniform(350, 600));
    return problem;
  }

  DispatchProblem NextWithNegativePrices() {
    DispatchProblem problem = Next();
    for (EnergyPrice& price : problem.import_price) price -= EurosPerKilowattHour(0.2);
    for (EnergyPrice& price : problem.export_price) price -= EurosPerKilowattHour(0.25);
    return problem;
  }

 private:
  double Uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random_); }

  std::mt19937 random_{20250101};
};

/// The least cost without a battery, by trying every choice of whole levels. Each slot stands alone but for the work.
double CheapestByEnumeration(const DispatchProblem& problem, size_t slot, double work_left) {
  if (slot == problem.pv.size()) return work_left <= 1e-12 ? 0 : 1e9;
  const auto cost_of = [&](double load_wh) {
    const double pv = InWattHours(problem.pv[slot]);
    const double import_price = InEurosPerKilowattHour(problem.import_price[slot]);
    const double sale_price = std::max(InEurosPerKilowattHour(problem.export_price[slot]), 0.0);
    return load_wh > pv ? (load_wh - pv) / 1000 * import_price : -(pv - load_wh) / 1000 * sale_price;
  };
  double best = cost_of(InWatts(problem.gpu.idle)) + CheapestByEnumeration(problem, slot + 1, work_left);
  for (size_t k = 0; k < problem.gpu.levels.size(); ++k) {
    const double work = work_left - 1 / InHours(problem.gpu.levels[k].job_time);
    best = std::min(best, cost_of(InWatts(problem.gpu.DrawAt(k))) + CheapestByEnumeration(problem, slot + 1, work));
  }
  return best;
}

TEST_P(SolverProperties, WholeLevelsEqualEnumeration) {
  if (!Supports(Formulation::kLevels)) GTEST_SKIP() << "the solver has no whole levels";
  RandomProblems random;
  for (int i = 0; i < kInstances; ++i) {
    DispatchProblem problem = random.Next();
    problem.battery = {};
    problem.gpu.levels.resize(3);
    problem.work = std::min(problem.work, 0.8);
    ExpectCost(problem, Formulation::kLevels, CheapestByEnumeration(problem, 0, problem.work));
  }
}

TEST_P(SolverProperties, BlendCostsNoMoreThanWholeLevels) {
  RandomProblems random;
  for (int i = 0; i < kInstances; ++i) {
    const DispatchProblem problem = i % 2 == 0 ? random.Next() : random.NextWithNegativePrices();
    if (!Supports(Formulation::kLevels) || !Supports(Formulation::kBlend)) GTEST_SKIP() << "needs both formulations";
    EXPECT_LE(Cost(problem, Formulation::kBlend), Cost(problem, Formulation::kLevels) + kTolerance);
  }
}

TEST_P(SolverProperties, PaperKeepsItsRulesOnRandomProblems) {
  if (!Supports(Formulation::kPaper)) GTEST_SKIP() << "the solver does not know `paper`";
  RandomProblems random;
  for (int i = 0; i < kInstances; ++i) Cost(random.Next(), Formulation::kPaper);
}

/// Changes a problem so that whatever was possible stays possible: the cost must not rise.
struct Relaxation {
  const char* name;
  void (*apply)(DispatchProblem&);
};

TEST_P(SolverProperties, MoreOfAnythingNeverCostsMore) {
  static constexpr Relaxation kRelaxations[] = {
      {"PV",
       [](DispatchProblem& p) {
         for (Energy& pv : p.pv) pv += WattHours(40);
       }},
      {"battery", [](DispatchProblem& p) { p.battery.capacity += WattHours(50); }},
      {"charge power", [](DispatchProblem& p) { *p.battery.max_charge += Watts(30); }},
      {"discharge power", [](DispatchProblem& p) { p.battery.max_discharge.reset(); }},
      {"import limit", [](DispatchProblem& p) { *p.grid.import_limit += Watts(50); }},
      {"less work", [](DispatchProblem& p) { p.work -= 0.1; }},
      {"horizon",
       [](DispatchProblem& p) {
         ++p.horizon.slots;
         p.pv.push_back(WattHours(20));
         p.import_price.push_back(EurosPerKilowattHour(0.2));
         p.export_price.push_back(EurosPerKilowattHour(0.1));
         p.carbon.push_back(GramsPerKilowattHour(100));
         p.battery.terminal_value = EnergyPrice();  // else an hour more of self-discharge costs
       }},
  };
  RandomProblems random;
  for (int i = 0; i < kInstances; ++i) {
    for (const Formulation formulation : {Formulation::kLevels, Formulation::kBlend}) {
      if (!Supports(formulation)) continue;
      const Relaxation& relaxation = kRelaxations[static_cast<size_t>(i) % std::size(kRelaxations)];
      SCOPED_TRACE(testing::Message() << relaxation.name << ", " << FormulationName(formulation));
      DispatchProblem problem = random.Next();
      if (std::string_view(relaxation.name) == "horizon") problem.battery.terminal_value = EnergyPrice();
      const double before = Cost(problem, formulation);
      relaxation.apply(problem);
      EXPECT_LE(Cost(problem, formulation), before + kTolerance);
    }
  }
}

TEST_P(SolverProperties, ScalingMoneyScalesTheCost) {
  RandomProblems random;
  for (int i = 0; i < kInstances; ++i) {
    DispatchProblem problem = i % 2 == 0 ? random.Next() : random.NextWithNegativePrices();
    const double before = Cost(problem, Formulation::kBlend);
    for (EnergyPrice& price : problem.import_price) price *= 7;
    for (EnergyPrice& price : problem.export_price) price *= 7;
    problem.battery.wear_cost *= 7;
    problem.battery.terminal_value *= 7;
    // Both costs are optimal within the tolerance.
    EXPECT_NEAR(Cost(problem, Formulation::kBlend), 7 * before, 8 * kTolerance);
  }
}

}  // namespace
}  // namespace heliograd
