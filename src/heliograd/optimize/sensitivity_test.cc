#include "heliograd/optimize/sensitivity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "heliograd/optimize/test_problems.h"

namespace heliograd {
namespace {

/// HiGHS with its duals taken away.
class WithoutDuals : public DispatchSolver {
 public:
  std::string Name() const override { return "without duals"; }
  Result<Solution> Solve(const DispatchProblem& problem, Formulation formulation,
                         const SolveOptions& options) const override {
    Result<Solution> solution = solver_->Solve(problem, formulation, options);
    if (solution) solution->stored_value.clear(), solution->work_price.reset();
    return solution;
  }

 private:
  std::unique_ptr<DispatchSolver> solver_ = MakeHighsSolver();
};

constexpr SolveOptions kOptions = {Euros(1e-6), std::nullopt};

Result<DispatchProblem> Study(int slots) { return StudyProblem({2025, 1, 1, 8}, slots); }

// From 08:00 the 16th hour ends at midnight: one hour of the cheap band is within reach, an hour later brings another.
TEST(PriceDeadline, IsTheDifferenceOfWhatTheJobCosts) {
  const auto solver = MakeHighsSolver();
  const auto cost = [&](int slots) {
    return solver->Solve(*Study(slots), Formulation::kBlend, kOptions)->objective -
           solver->Solve(WithoutJob(*Study(slots)), Formulation::kBlend, kOptions)->objective;
  };
  const auto solution = solver->Solve(*Study(16), Formulation::kBlend, kOptions);
  const auto price = PriceDeadline(*Study(16), Formulation::kBlend, *solution, *solver, kOptions, Study);
  ASSERT_TRUE(price);
  EXPECT_NEAR(InEuros(*price->one_hour_later), InEuros(cost(17) - cost(16)), 1e-9);
  EXPECT_NEAR(InEuros(*price->one_hour_earlier), InEuros(cost(15) - cost(16)), 1e-9);
  EXPECT_LT(*price->one_hour_later, Money());
  EXPECT_GT(*price->one_hour_earlier, Money());
}

// The added hour has sun and no use for the job: what the panel sells in it is no saving. Every solver agrees.
TEST(PriceDeadline, SunOfTheAddedHourThatIsSoldAnywayIsNoSaving) {
  const ProblemForSlots sunny = [](int slots) -> Result<DispatchProblem> {
    DispatchProblem problem = PlainProblem(std::vector<double>(static_cast<size_t>(slots), 0.3), 1);
    if (slots < 5) return problem;
    problem.pv.back() = WattHours(1000);
    problem.export_price.back() = EurosPerKilowattHour(0.4);  // more than any energy that it could spare
    problem.import_price.back() = EurosPerKilowattHour(0.9);
    return problem;
  };
  const auto kernel = MakeAutoSolver(), highs = MakeHighsSolver();
  for (const DispatchSolver* solver : {kernel.get(), highs.get()}) {
    for (const Formulation formulation : {Formulation::kBlend, Formulation::kLevels}) {
      const auto solution = solver->Solve(*sunny(4), formulation, kOptions);
      ASSERT_TRUE(solution && !solution->decisions.empty());
      const auto price = PriceDeadline(*sunny(4), formulation, *solution, *solver, kOptions, sunny);
      ASSERT_TRUE(price && price->one_hour_later) << solver->Name();
      const auto longer = solver->Solve(*sunny(5), formulation, kOptions);
      EXPECT_LT(longer->objective, solution->objective);  // the panel sells
      EXPECT_NEAR(InEuros(*price->one_hour_later), 0, 1e-5);
    }
  }
}

TEST(PriceDeadline, LeavesOutASideWithoutAPlanOrData) {
  const auto solver = MakeHighsSolver();
  const ProblemForSlots short_data = [](int slots) -> Result<DispatchProblem> {
    if (slots > 14) return Fail("the prices end.");
    return Study(slots);
  };
  const auto solution = solver->Solve(*Study(14), Formulation::kBlend, kOptions);
  const auto price = PriceDeadline(*Study(14), Formulation::kBlend, *solution, *solver, kOptions, short_data);
  ASSERT_TRUE(price);
  EXPECT_FALSE(price->one_hour_later);
  EXPECT_FALSE(price->one_hour_earlier);  // 13 h are less than the 13.66 h of the fastest level
}

TEST(PriceDeadline, MovesByAnHourWhateverTheSlot) {
  const auto solver = MakeHighsSolver();
  const ProblemForSlots quarters = [](int slots) -> Result<DispatchProblem> {
    DispatchProblem problem = PlainProblem(std::vector<double>(static_cast<size_t>(slots), 0.4), 1);
    problem.horizon.step = std::chrono::minutes(15);
    for (size_t t = 4; t < problem.import_price.size(); ++t) problem.import_price[t] = EurosPerKilowattHour(0.1);
    return problem;
  };
  const auto solution = solver->Solve(*quarters(4), Formulation::kLevels, kOptions);
  const auto price = PriceDeadline(*quarters(4), Formulation::kLevels, *solution, *solver, kOptions, quarters);
  ASSERT_TRUE(price && price->one_hour_later);
  EXPECT_NEAR(InEuros(*price->one_hour_later), 0.1 * (0.1 - 0.4), 2e-6);
  EXPECT_FALSE(price->one_hour_earlier);
}

TEST(StoredValues, DifferencesAgreeWithDuals) {
  DispatchProblem problem = *Study(19);
  problem.battery.initial = WattHours(111);
  const auto solver = MakeHighsSolver();
  const WithoutDuals plain;
  const auto solution = solver->Solve(problem, Formulation::kBlend, kOptions);
  const auto with = StoredValues(problem, Formulation::kBlend, *solution, *solver, kOptions);
  const auto without =
      StoredValues(problem, Formulation::kBlend, *plain.Solve(problem, Formulation::kBlend, kOptions), plain, kOptions);
  ASSERT_TRUE(with && without);
  ASSERT_EQ(with->size(), 19u);
  // Two costs to 1e-6 EUR over 2.5 Wh leave 8e-4 EUR/kWh, and the slope is the same over those 2.5 Wh.
  EXPECT_NEAR(InEurosPerKilowattHour(*with->front()), InEurosPerKilowattHour(*without->front()), 1e-3);
  EXPECT_FALSE(without->at(1));
  for (const auto& value : *with) EXPECT_GE(*value, EnergyPrice());
}

TEST(StoredValues, AreEmptyWithoutABattery) {
  const auto solver = MakeHighsSolver();
  const DispatchProblem problem = PlainProblem({0.1, 0.2}, 1);
  const auto solution = solver->Solve(problem, Formulation::kBlend, kOptions);
  const auto values = StoredValues(problem, Formulation::kBlend, *solution, *solver, kOptions);
  ASSERT_TRUE(values);
  for (const auto& value : *values) EXPECT_FALSE(value);
}

TEST(WorkPrice, DifferencesAgreeWithDuals) {
  // One level and one price: a whole job more costs 0.2 kWh at 0.3.
  const DispatchProblem problem = [] {
    DispatchProblem p = PlainProblem(std::vector<double>(40, 0.3), 2);
    p.work = 0.5;
    return p;
  }();
  const auto solver = MakeHighsSolver();
  const WithoutDuals plain;
  const auto with = WorkPrice(problem, Formulation::kBlend, *solver->Solve(problem, Formulation::kBlend, kOptions),
                              *solver, kOptions);
  const auto without =
      WorkPrice(problem, Formulation::kBlend, *plain.Solve(problem, Formulation::kBlend, kOptions), plain, kOptions);
  ASSERT_TRUE(with && without && *with && *without);
  EXPECT_NEAR(InEuros(**with), 0.06, 1e-9);
  EXPECT_NEAR(InEuros(**without), 0.06, 2e-6 / 0.025);
}

}  // namespace
}  // namespace heliograd
