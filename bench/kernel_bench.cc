// The kernel alone, for whoever works on its speed: processor time per solve of the study's family and of years of
// hourly slots with four kinds of prices, each the least of some repetitions. The sum of the costs tells whether two
// builds found the same plans. Run it under `valgrind --tool=callgrind` for counts of instructions, which no other
// program disturbs.
//
//   kernel_bench [blend|levels|paper|year_study|year_no_sales|year_hourly|year_negative]... [REPETITIONS]
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <iostream>
#include <random>

#include "bench/contender.h"
#include "bench/study_node.h"
#include "heliograd/base/text.h"
#include "heliograd/optimize/kernel_blend.h"
#include "heliograd/optimize/solver.h"

namespace heliograd::bench {
namespace {

struct Task {
  DispatchProblem problem;
  Formulation formulation;
};

using Tasks = std::vector<Task>;

/// Of this thread, ms.
double ProcessorMs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

Result<Tasks> FamilyTasks(const StudyNode& node, Formulation formulation) {
  const auto family = ReadFamily();
  if (!family) return Fail(family.error());
  Tasks tasks;
  for (const FamilyInstance& row : *family) {
    if (row.formulation != formulation) continue;
    auto problem = node.Problem(row.start, row.hours, std::chrono::hours(1), row.pv_dc_w);
    if (!problem) return Fail(problem.error());
    tasks.push_back({std::move(*problem), formulation});
  }
  return tasks;
}

/// A year of hours with 1 kW of panel, 5 kWh of battery and work for 60 % of the time, as in horizon_bench.
Result<DispatchProblem> YearProblem(const StudyNode& node) {
  auto problem = node.Problem({2025, 1, 1}, 8760, std::chrono::hours(1), 1000);
  if (!problem) return problem;
  problem->battery.capacity = WattHours(5000);
  problem->work = 0.6 * (Hours(8760) / problem->gpu.levels.back().job_time);
  return problem;
}

struct PriceRange {
  double low, high;  // EUR/kWh
};

/// Each hour's prices drawn anew.
void DrawPrices(DispatchProblem& problem, PriceRange import_prices, PriceRange export_prices) {
  std::mt19937 random(5);
  const auto draw = [&](PriceRange range) {
    return EurosPerKilowattHour(std::uniform_real_distribution<double>(range.low, range.high)(random));
  };
  for (size_t t = 0; t < problem.pv.size(); ++t) {
    problem.import_price[t] = draw(import_prices);
    problem.export_price[t] = draw(export_prices);
  }
}

Result<Tasks> TasksOf(const StudyNode& node, const std::string& name) {
  if (const auto formulation = FormulationFromName(name)) return FamilyTasks(node, *formulation);
  auto problem = YearProblem(node);
  if (!problem) return Fail(problem.error());
  if (name == "year_no_sales") {
    for (EnergyPrice& price : problem->export_price) price = EurosPerKilowattHour(0.1);
  } else if (name == "year_hourly") {
    DrawPrices(*problem, {0.1, 0.4}, {0.1, 0.4});
  } else if (name == "year_negative") {
    DrawPrices(*problem, {-0.1, 0.2}, {-0.1, 0.15});
  } else if (name != "year_study") {
    return Fail(fmt::format("workload {} is not known", Quoted(name)));
  }
  return Tasks{{std::move(*problem), Formulation::kBlend}};
}

double Quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(std::lround(share * static_cast<double>(values.size() - 1)))];
}

/// Of value functions in a solve of `blend`, the mean over the tasks; empty for others.
std::string EvaluationsText(const Tasks& tasks) {
  double sum = 0;
  size_t two = 0;
  for (const Task& task : tasks) {
    if (task.formulation != Formulation::kBlend) return {};
    const auto problem = kernel::MakeProblem(task.problem, task.formulation);
    if (!problem) return {};
    const int evaluations = kernel::SolveBlend(*problem, {}).evaluations;
    sum += evaluations;
    two += evaluations == 2;
  }
  return fmt::format("   evaluations {:.1f} (2 in {})", sum / static_cast<double>(tasks.size()), two);
}

Result<void> Measure(const StudyNode& node, const std::string& name, long repetitions) {
  const auto tasks = TasksOf(node, name);
  if (!tasks) return Fail(tasks.error());
  const auto solver = MakeKernelSolver();
  std::vector<double> least(tasks->size(), 1e300);
  double cost = 0;
  size_t proven = 0;
  for (long i = 0; i < repetitions; ++i) {
    cost = 0, proven = 0;
    for (size_t k = 0; k < tasks->size(); ++k) {
      const double start = ProcessorMs();
      const auto solution = solver->Solve((*tasks)[k].problem, (*tasks)[k].formulation, {});
      least[k] = std::min(least[k], ProcessorMs() - start);
      if (!solution) return Fail(solution.error());
      cost += InEuros(solution->objective);
      proven += solution->status == SolveStatus::kOptimal;
    }
  }
  std::cout << fmt::format(
                   "{:14} p50 {:9.4f} ms   p99 {:9.4f} ms   most {:9.4f} ms   proven {} of {}   cost {:.9f} EUR{}\n",
                   name, Quantile(least, 0.5), Quantile(least, 0.99), Quantile(least, 1), proven, tasks->size(), cost,
                   EvaluationsText(*tasks))
            << std::flush;
  return {};
}

int Main(std::vector<std::string> names) {
  long repetitions = 5;
  if (!names.empty()) {
    if (const auto number = ParseInteger(names.back()); number && *number > 0) repetitions = *number, names.pop_back();
  }
  if (names.empty()) {
    names = {"blend", "levels", "paper", "year_study", "year_no_sales", "year_hourly", "year_negative"};
  }
  const auto node = StudyNode::Load();
  if (!node) return Complain(node.error());
  for (const std::string& name : names) {
    if (const auto done = Measure(*node, name, repetitions); !done) return Complain(done.error());
  }
  return 0;
}

}  // namespace
}  // namespace heliograd::bench

int main(int argc, char** argv) { return heliograd::bench::Main({argv + 1, argv + argc}); }
