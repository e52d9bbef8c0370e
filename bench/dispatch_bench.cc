// heliograd's planner as a contender: one instance of the study's family at a time.
//
//   dispatch_bench --instances FILE   writes the 288 instances as JSON, for peers to read
//   dispatch_bench [SOLVER]           answers requests (contender.h); a request is an instance's place in that list,
//   and
//                                     with " twice" behind it the second of two solves in a row counts; SOLVER is auto
//                                     (default), kernel or highs
#include <fmt/format.h>

#include <iostream>

#include "bench/contender.h"
#include "bench/study_node.h"
#include "heliograd/base/text.h"
#include "heliograd/optimize/solver.h"

namespace heliograd::bench {
namespace {

using nlohmann::json;

struct Instance {
  FamilyInstance family;
  DispatchProblem problem;
};

Result<std::vector<Instance>> LoadInstances() {
  const auto family = ReadFamily();
  if (!family) return Fail(family.error());
  auto node = StudyNode::Load();
  if (!node) return Fail(node.error());
  std::vector<Instance> instances;
  for (const FamilyInstance& row : *family) {
    auto problem = node->Problem(row.start, row.hours, std::chrono::hours(1), row.pv_dc_w);
    if (!problem) return Fail(problem.error());
    instances.push_back({row, std::move(*problem)});
  }
  return instances;
}

json LevelsJson(const std::vector<Level>& levels) {
  json list = json::array();
  for (const Level& level : levels) {
    list.push_back({{"power_w", InWatts(level.draw)}, {"job_time_h", InHours(level.job_time)}});
  }
  return list;
}

/// What a peer must know of an instance of the study: its idle power is zero and it has no power limits.
json InstanceJson(const Instance& instance) {
  const DispatchProblem& problem = instance.problem;
  json pv_wh = json::array(), import_price = json::array(), export_price = json::array();
  for (const Energy pv : problem.pv) pv_wh.push_back(InWattHours(pv));
  for (const EnergyPrice price : problem.import_price) import_price.push_back(InEurosPerKilowattHour(price));
  for (const EnergyPrice price : problem.export_price) export_price.push_back(InEurosPerKilowattHour(price));
  return {{"formulation", FormulationName(instance.family.formulation)},
          {"start", FormatCivil(instance.family.start)},
          {"pv_dc_w", instance.family.pv_dc_w},
          {"slot_h", InHours(problem.horizon.SlotDuration())},
          {"pv_wh", pv_wh},
          {"import_price_eur_per_kwh", import_price},
          {"export_price_eur_per_kwh", export_price},
          {"capacity_wh", InWattHours(problem.battery.capacity)},
          {"charge_efficiency", problem.battery.charge_efficiency},
          {"discharge_efficiency", problem.battery.discharge_efficiency},
          {"self_discharge_per_hour", problem.battery.self_discharge_per_hour},
          {"levels", LevelsJson(problem.gpu.levels)},
          {"work", problem.work},
          {"reference_cost_eur", instance.family.reference_cost_eur}};
}

Result<json> Solve(const std::vector<Instance>& instances, const DispatchSolver& solver, const std::string& request) {
  constexpr std::string_view kTwice = " twice";
  const bool twice = request.ends_with(kTwice);
  const auto place = ParseInteger(request.substr(0, request.size() - (twice ? kTwice.size() : 0)));
  if (!place || *place < 0 || *place >= static_cast<long>(instances.size())) {
    return Fail(
        fmt::format("request {}: expected the place of an instance, 0 to {}", Quoted(request), instances.size() - 1));
  }
  const Instance& instance = instances[static_cast<size_t>(*place)];
  if (twice) static_cast<void>(solver.Solve(instance.problem, instance.family.formulation, {}));
  const Stopwatch watch;
  const auto solution = solver.Solve(instance.problem, instance.family.formulation, {});
  const double ms = watch.ElapsedMs(), cpu_ms = watch.ElapsedCpuMs();
  if (!solution) return Fail(solution.error());
  return json{{"ms", ms},
              {"cpu_ms", cpu_ms},
              {"cost_eur", InEuros(solution->objective)},
              {"bound_eur", InEuros(solution->bound)},
              {"optimal", solution->status == SolveStatus::kOptimal}};
}

json InstancesJson(const std::vector<Instance>& instances) {
  json list = json::array();
  for (const Instance& instance : instances) list.push_back(InstanceJson(instance));
  return list;
}

int Main(const std::vector<std::string>& arguments) {
  const bool write = arguments.size() == 2 && arguments[0] == "--instances";
  const auto choice = SolverChoiceFromName(arguments.empty() ? "auto" : arguments[0]);
  if (!write && (arguments.size() > 1 || !choice)) {
    std::cerr << "usage: dispatch_bench [--instances FILE | auto | kernel | highs]\n";
    return 2;
  }
  const auto instances = LoadInstances();
  if (!instances) return Complain(instances.error());
  if (write) return WriteJson(arguments[1], InstancesJson(*instances));
  const auto solver = MakeSolver(*choice);
  return AnswerRequests("heliograd with " + solver->Name(),
                        [&](const std::string& request) { return Solve(*instances, *solver, request); });
}

}  // namespace
}  // namespace heliograd::bench

int main(int argc, char** argv) { return heliograd::bench::Main({argv + 1, argv + argc}); }
