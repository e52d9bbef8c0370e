#include "heliograd/optimize/sizing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/plan/checker.h"

namespace heliograd {
namespace {

/// `count` values from `first` on; after the last one, those a year before.
template <typename Value>
std::vector<Value> Slice(const std::vector<Value>& values, int first, int count, int slots_per_year) {
  std::vector<Value> slice;
  slice.reserve(static_cast<size_t>(count));
  for (auto at = static_cast<size_t>(first); slice.size() < static_cast<size_t>(count); ++at) {
    while (at >= values.size()) at -= static_cast<size_t>(slots_per_year);
    slice.push_back(values[at]);
  }
  return slice;
}

/// What PV is worth in slots without a run: sold up to the grid's limit, never at a price below zero.
Money SoldIn(const DispatchProblem& year, int slot, Energy& sold) {
  const auto t = static_cast<size_t>(slot);
  if (year.export_price[t] < EnergyPrice()) return {};
  Energy energy = year.pv[t];
  if (year.grid.export_limit) energy = std::min(energy, *year.grid.export_limit * year.horizon.SlotDuration());
  sold += energy;
  return year.export_price[t] * energy;
}

/// False when the run cannot be done.
Result<bool> AddRun(YearOfRuns& sum, const DispatchProblem& run, Formulation formulation, const SolveOptions& options,
                    const DispatchSolver& solver) {
  const auto solution = solver.Solve(run, formulation, options);
  if (!solution) return Fail(solution.error());
  if (solution->status == SolveStatus::kInfeasible) return false;
  if (solution->status == SolveStatus::kNoPlanYet)
    return Fail("no plan was found in time: allow more with --time-limit-s");
  Plan plan = MakePlan(run, formulation, solution->decisions);
  plan.status = solution->status == SolveStatus::kOptimal ? PlanStatus::kOptimal : PlanStatus::kFeasible;
  plan.bound = std::min(solution->bound, plan.objective);
  if (std::vector<std::string> violations = CheckPlan(run, plan); !violations.empty())
    return Fail(std::move(violations));
  sum.cost += plan.totals.cost;
  sum.grid_import += plan.totals.grid_import;
  sum.grid_export += plan.totals.grid_export;
  sum.carbon += plan.totals.carbon;
  return true;
}

}  // namespace

DispatchProblem RunOf(const DispatchProblem& year, int first, int slots, int slots_per_year) {
  DispatchProblem run;
  run.horizon = {year.horizon.start + first * year.horizon.step, year.horizon.step, slots};
  run.pv = Slice(year.pv, first, slots, slots_per_year);
  run.import_price = Slice(year.import_price, first, slots, slots_per_year);
  run.export_price = Slice(year.export_price, first, slots, slots_per_year);
  run.carbon = Slice(year.carbon, first, slots, slots_per_year);
  run.carbon_price = year.carbon_price;
  run.objective = year.objective;
  run.battery = year.battery;
  run.battery.initial = run.battery.final_min = Energy();
  run.battery.terminal_value = EnergyPrice();
  run.grid = year.grid;
  run.gpu = year.gpu;
  run.work = year.work;
  return run;
}

int RunCalendar::LongestRun() const {
  int longest = 0;
  for (const ScheduledRun& run : runs) longest = std::max(longest, run.slots);
  return longest;
}

Result<RunCalendar> SpreadRuns(int runs, int slots_per_run, int slots_per_day, int slots_per_year) {
  RunCalendar calendar;
  calendar.slots_per_year = slots_per_year;
  const int days = slots_per_year / slots_per_day;
  int free_from = 0;
  for (int run = 0; run < runs; ++run) {
    // Whole days while there are enough of them, so that every run begins at the same hour.
    const int first = runs <= days
                          ? static_cast<int>(std::lround(static_cast<double>(run) * days / runs)) * slots_per_day
                          : static_cast<int>(static_cast<long>(run) * slots_per_year / runs);
    if (first < free_from) {
      return Fail(fmt::format("{} runs of {} slots overlap in a year of {} slots: take fewer runs or shorter ones",
                              runs, slots_per_run, slots_per_year),
                  ErrorKind::kUsage);
    }
    calendar.runs.push_back({first, slots_per_run});
    free_from = first + slots_per_run;
  }
  return calendar;
}

int MostSpreadRuns(int slots_per_run, int slots_per_day, int slots_per_year) {
  int runs = std::max(1, slots_per_year / slots_per_run);
  while (runs > 1 && !SpreadRuns(runs, slots_per_run, slots_per_day, slots_per_year)) --runs;
  return runs;
}

Result<YearOfRuns> CostOfYear(const DispatchProblem& year, const RunCalendar& calendar, Formulation formulation,
                              const SolveOptions& options, const DispatchSolver& solver) {
  YearOfRuns sum;
  std::vector<bool> in_run(year.pv.size(), false);
  for (const ScheduledRun& scheduled : calendar.runs) {
    const DispatchProblem run = RunOf(year, scheduled.first_slot, scheduled.slots, calendar.slots_per_year);
    const Result<bool> added = AddRun(sum, run, formulation, options, solver);
    if (!added) return Fail(added.error());
    if (!*added) {
      sum.impossible_run = scheduled;
      return sum;
    }
    std::fill_n(in_run.begin() + scheduled.first_slot, scheduled.slots, true);
  }
  for (int slot = 0; slot < calendar.slots_per_year; ++slot) {
    if (!in_run[static_cast<size_t>(slot)]) sum.between += SoldIn(year, slot, sum.grid_export);
  }
  sum.cost -= sum.between;
  return sum;
}

Money YearlyPayment(Money price, double lifetime_years, double discount_rate) {
  if (discount_rate == 0) return price / lifetime_years;
  return price * (discount_rate / (1 - std::pow(1 + discount_rate, -lifetime_years)));
}

}  // namespace heliograd
