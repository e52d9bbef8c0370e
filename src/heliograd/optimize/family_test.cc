// The family of the study's scenario (builtin:paper): 96 instances in three formulations, against optima that another
// solver proved to 1e-6 EUR.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/optimize/solver.h"
#include "heliograd/optimize/test_problems.h"

namespace heliograd {
namespace {

struct FamilyRow {
  int month = 0, day = 0, start_hour = 0, hours = 0;
  double pv_dc_w = 0;
  Formulation formulation = Formulation::kBlend;
  double optimal_cost_eur = 0;
};

std::vector<std::vector<std::string>> ReadCsv(const std::string& path) {
  const auto content = ReadFile(std::string(HELIOGRAD_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(content) << (content ? "" : content.error().Message());
  std::vector<std::vector<std::string>> rows;
  std::string_view rest = *content;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size() - 1);
    rows.push_back(SplitCsvLine(rest.substr(0, end)));
    rest.remove_prefix(end + 1);
  }
  return rows;
}

std::vector<FamilyRow> ReadFamily() {
  std::vector<FamilyRow> family;
  const auto rows = ReadCsv("data/plans/family_pvgis_v8.csv");
  for (size_t i = 1; i < rows.size(); ++i) {
    const auto& row = rows[i];
    family.push_back({std::stoi(row[0]), std::stoi(row[1]), std::stoi(row[2]), std::stoi(row[4]), std::stod(row[3]),
                      *FormulationFromName(row[5]), std::stod(row[6])});
  }
  return family;
}

/// Hourly AC power of 1 kW of panel over the typical year, local standard time.
std::vector<double> ReadPvYear() {
  std::vector<double> ac_w;
  const auto rows = ReadCsv("data/pv/turin_pvgis_tilt20_roof_v8.csv");
  for (size_t i = 1; i < rows.size(); ++i) ac_w.push_back(std::stod(rows[i].back()));
  return ac_w;
}

DispatchProblem FamilyProblem(const FamilyRow& row, const std::vector<double>& pv_year) {
  DispatchProblem problem = StudyProblem({2025, row.month, row.day, row.start_hour}, row.hours);
  const int first = HourOfTypicalYear({2025, row.month, row.day, row.start_hour});
  for (int t = 0; t < row.hours; ++t) {
    problem.pv[static_cast<size_t>(t)] =
        WattHours(pv_year[static_cast<size_t>((first + t) % 8760)] * row.pv_dc_w / 1000);
  }
  return problem;
}

double Quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

class Family : public testing::TestWithParam<Formulation> {};

void ExpectOptima(const DispatchSolver& solver, Formulation formulation) {
  // The tolerance asked for; and of the reference: half a unit of its last digit and the 1e-6 EUR to which it was
  // proven, on a model whose rows held to 1e-6 (at most 28 slots at 0.45 EUR/kWh make 1.3e-5 of that).
  constexpr double kTolerance = 0.001, kReference = 5e-8 + 1e-6 + 1.3e-5;
  const auto pv_year = ReadPvYear();
  std::vector<double> times_ms;
  for (const FamilyRow& row : ReadFamily()) {
    if (row.formulation != formulation) continue;
    const DispatchProblem problem = FamilyProblem(row, pv_year);
    const auto solution = solver.Solve(problem, row.formulation, {Euros(kTolerance), std::nullopt});
    ASSERT_TRUE(solution) << solution.error().Message();
    SCOPED_TRACE(testing::Message() << row.month << "/" << row.start_hour << "h " << row.pv_dc_w << " W " << row.hours
                                    << " h");
    EXPECT_EQ(solution->status, SolveStatus::kOptimal);
    EXPECT_LE(InEuros(solution->objective), row.optimal_cost_eur + kTolerance + kReference);
    EXPECT_GE(InEuros(solution->objective), row.optimal_cost_eur - kReference);
    EXPECT_LE(InEuros(solution->bound), row.optimal_cost_eur + kReference);
    ExpectValidPlan(problem, row.formulation, *solution);
    times_ms.push_back(InSeconds(solution->solve_time) * 1000);
  }
  ASSERT_EQ(times_ms.size(), 96u);
  std::printf("%s, %s: p50 %.3f ms, p99 %.3f ms, max %.3f ms\n", solver.Name().c_str(),
              std::string(FormulationName(formulation)).c_str(), Quantile(times_ms, 0.5), Quantile(times_ms, 0.99),
              Quantile(times_ms, 1));
}

TEST_P(Family, HighsReachesTheOptima) { ExpectOptima(*MakeHighsSolver(), GetParam()); }
TEST_P(Family, TheChosenSolverReachesTheOptima) { ExpectOptima(*MakeAutoSolver(), GetParam()); }

INSTANTIATE_TEST_SUITE_P(All, Family, testing::Values(Formulation::kPaper, Formulation::kLevels, Formulation::kBlend),
                         [](const auto& param) { return std::string(FormulationName(param.param)); });

}  // namespace
}  // namespace heliograd
