// Long horizons as `blend`, by three ways of seeing to it that a slot does not buy and sell at once. The study's node
// with 1 kW of panel and 5 kWh of battery; the work takes 60 % of the horizon at the fastest level. Prints one JSON
// object.
//
//   horizon_bench SLOTS SLOT_MINUTES TIME_LIMIT_S
#include <fmt/format.h>

#include <iostream>

#include "bench/contender.h"
#include "bench/study_node.h"
#include "heliograd/base/text.h"
#include "heliograd/optimize/formulations.h"
#include "heliograd/optimize/highs_session.h"
#include "heliograd/optimize/linear_model.h"
#include "heliograd/optimize/solver.h"

namespace heliograd::bench {
namespace {

using nlohmann::json;

constexpr double kWorkShare = 0.6;
constexpr Money kTolerance = Euros(0.001);

Result<DispatchProblem> LongProblem(int slots, int slot_minutes) {
  const auto node = StudyNode::Load();
  if (!node) return Fail(node.error());
  auto problem = node->Problem({2025, 1, 1}, slots, std::chrono::minutes(slot_minutes), 1000);
  if (!problem) return Fail(problem.error());
  problem->battery.capacity = WattHours(5000);
  const Duration horizon = Minutes(slot_minutes) * slots;
  problem->work = kWorkShare * (horizon / problem->gpu.levels.back().job_time);
  return problem;
}

/// Objective and bound, or nulls where the limit came first.
json RunJson(const Stopwatch& watch, const HighsRun& run) {
  return {{"ms", watch.ElapsedMs()},
          {"cpu_ms", watch.ElapsedCpuMs()},
          {"proven", run.outcome == HighsOutcome::kOptimal},
          {"cost_eur", run.has_values ? json(run.objective) : json()},
          {"bound_eur", run.bound > -kUnbounded ? json(run.bound) : json()}};
}

/// One HiGHS run over the model as it is.
Result<json> RunModel(const LinearModel& model, const Stopwatch& watch, Duration limit) {
  HighsSession session;
  if (auto loaded = session.Load(model, InEuros(kTolerance)); !loaded) return Fail(loaded.error());
  const auto run = session.Run(limit);
  if (!run) return Fail(run.error());
  return RunJson(watch, *run);
}

/// Each slot may buy and sell at once: a lower bound of what one connection point can do.
Result<json> WithoutDirections(const DispatchProblem& problem, Duration limit) {
  const Stopwatch watch;
  DispatchModel model = BuildDispatchModel(problem, Formulation::kBlend);
  model.linear.exclusive.clear();
  return RunModel(model.linear, watch, limit);
}

/// A binary in each slot that could gain by it.
Result<json> WithBinaries(const DispatchProblem& problem, Duration limit) {
  const Stopwatch watch;
  return RunModel(WithDirectionBinaries(BuildDispatchModel(problem, Formulation::kBlend).linear), watch, limit);
}

Result<json> Solve(const DispatchSolver& solver, const DispatchProblem& problem, Duration limit) {
  const Stopwatch watch;
  const auto solution = solver.Solve(problem, Formulation::kBlend, {kTolerance, limit});
  if (!solution) return Fail(solution.error());
  const bool has_plan = !solution->decisions.empty();
  return json{{"ms", watch.ElapsedMs()},
              {"cpu_ms", watch.ElapsedCpuMs()},
              {"proven", solution->status == SolveStatus::kOptimal},
              {"cost_eur", has_plan ? json(InEuros(solution->objective)) : json()},
              {"bound_eur", InEuros(solution->bound)}};
}

/// What `plan` does.
Result<json> AsPlanned(const DispatchProblem& problem, Duration limit) {
  return Solve(*MakeAutoSolver(), problem, limit);
}

/// What `plan --solver highs` does.
Result<json> WithHighs(const DispatchProblem& problem, Duration limit) {
  return Solve(*MakeHighsSolver(), problem, limit);
}

Result<json> Measure(int slots, int slot_minutes, Duration limit) {
  const auto problem = LongProblem(slots, slot_minutes);
  if (!problem) return Fail(problem.error());
  json result = {{"slots", slots},
                 {"slot_minutes", slot_minutes},
                 {"work_jobs", problem->work},
                 {"pairs", BuildDispatchModel(*problem, Formulation::kBlend).linear.exclusive.size()}};
  using Way = Result<json> (*)(const DispatchProblem&, Duration);
  for (const auto& [name, way] : {std::pair<const char*, Way>{"without_directions", WithoutDirections},
                                  {"as_planned", AsPlanned},
                                  {"with_highs", WithHighs},
                                  {"direction_binaries", WithBinaries}}) {
    auto run = way(*problem, limit);
    if (!run) return Fail(run.error());
    result[name] = *run;
  }
  return result;
}

int Main(const std::vector<std::string>& arguments) {
  std::vector<long> values;
  for (const std::string& argument : arguments) {
    if (const auto value = ParseInteger(argument); value && *value > 0 && *value < 1000000) values.push_back(*value);
  }
  if (arguments.size() != 3 || values.size() != 3) {
    std::cerr << "usage: horizon_bench SLOTS SLOT_MINUTES TIME_LIMIT_S\n";
    return 2;
  }
  const auto result =
      Measure(static_cast<int>(values[0]), static_cast<int>(values[1]), Seconds(static_cast<double>(values[2])));
  if (!result) return Complain(result.error());
  std::cout << *result << "\n";
  return 0;
}

}  // namespace
}  // namespace heliograd::bench

int main(int argc, char** argv) { return heliograd::bench::Main({argv + 1, argv + argc}); }
