// The dispatch solver over the kernel, and the choice between it and HiGHS.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "heliograd/optimize/kernel_blend.h"
#include "heliograd/optimize/kernel_labels.h"
#include "heliograd/optimize/solver.h"

namespace heliograd {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Shares of a slot smaller than this are rounding.
constexpr double kLeastShare = 1e-12;

constexpr char kKernelName[] = "heliograd kernel";

std::function<bool()> LateAfter(SteadyClock::time_point start, const std::optional<Duration>& limit) {
  if (!limit) return {};
  return [start, limit_s = InSeconds(*limit)] {
    return std::chrono::duration<double>(SteadyClock::now() - start).count() > limit_s;
  };
}

/// Turns what slots release and draw into decisions, and keeps the cells and the limits exactly.
class DecisionWriter {
 public:
  explicit DecisionWriter(const kernel::Problem& problem) : problem_(problem), stored_(problem.initial) {}

  /// One more slot, whose GPU draws `energy`.
  void Add(double released, double energy, std::vector<LevelShare> levels) {
    const kernel::Slot& slot = problem_.slots[decisions_.size()];
    const double room = problem_.fill_rule ? problem_.alpha * (problem_.capacity - stored_)
                                           : problem_.capacity / problem_.rho - stored_;
    const double z = std::clamp(released, -std::max(room, 0.0), stored_);
    const double charge = std::min(std::max(-z, 0.0) / problem_.alpha, problem_.most_charge);
    const double discharge = std::min(std::max(z, 0.0), problem_.most_discharge);
    const double given = problem_.beta * discharge;
    const kernel::BusFlows flows = problem_.fill_rule ? kernel::PaperFlowsAt(slot, energy + charge, given)
                                                      : kernel::FlowsAt(slot, energy + charge - given);
    stored_ = problem_.rho * (stored_ - discharge + problem_.alpha * charge);
    cost_ += flows.cost + problem_.wear * discharge;
    decisions_.push_back({.levels = std::move(levels),
                          .pv_used = KilowattHours(flows.pv_used),
                          .grid_import = KilowattHours(flows.grid_import),
                          .grid_export = KilowattHours(flows.grid_export),
                          .battery_charge = KilowattHours(charge),
                          .battery_discharge = KilowattHours(discharge)});
  }

  double cost() const { return cost_ - problem_.terminal_value * stored_; }
  std::vector<SlotDecision> Take() { return std::move(decisions_); }

 private:
  const kernel::Problem& problem_;
  double stored_, cost_ = 0;
  std::vector<SlotDecision> decisions_;
};

/// The mix of neighbours on the hull that draws this energy.
std::vector<LevelShare> SharesAt(const std::vector<kernel::GpuPoint>& hull, double energy) {
  size_t k = 1;
  while (k + 1 < hull.size() && hull[k].energy < energy) ++k;
  std::vector<LevelShare> shares;
  const auto add = [&](const kernel::GpuPoint& point, double share) {
    if (share > kLeastShare && point.level >= 0) {
      shares.push_back({static_cast<size_t>(point.level), share > 1 - kLeastShare ? 1 : share});
    }
  };
  if (hull.size() == 1) {
    add(hull.front(), 1);
    return shares;
  }
  const kernel::GpuPoint &a = hull[k - 1], &b = hull[k];
  const double share = std::clamp((energy - a.energy) / (b.energy - a.energy), 0.0, 1.0);
  add(a, 1 - share);
  add(b, share);
  return shares;
}

SolveStatus StatusOf(bool has_plan, bool stopped, double gap, double tolerance) {
  if (has_plan) return gap <= tolerance ? SolveStatus::kOptimal : SolveStatus::kFeasible;
  return stopped ? SolveStatus::kNoPlanYet : SolveStatus::kInfeasible;
}

/// What no plan can undercut: the money that a slot can move at most.
double TrivialBound(const kernel::Problem& problem) { return -problem.money_scale; }

std::optional<Solution> SolveBlend(const DispatchProblem& problem, const SolveOptions& options) {
  const auto start = SteadyClock::now();
  const auto kernel_problem = kernel::MakeProblem(problem, Formulation::kBlend);
  if (!kernel_problem) return std::nullopt;
  kernel::BlendLimits limits;
  limits.gap = 0.999 * InEuros(options.tolerance);
  limits.is_late = LateAfter(start, options.time_limit);
  if (options.work_price) limits.guess = InEuros(*options.work_price);
  const kernel::BlendAnswer answer = kernel::SolveBlend(*kernel_problem, limits);

  Solution solution;
  solution.solved_by = kKernelName;
  solution.bound = Euros(std::max(answer.bound, TrivialBound(*kernel_problem)));
  if (answer.has_plan) {
    DecisionWriter writer(*kernel_problem);
    for (size_t t = 0; t < answer.work.size(); ++t) {
      const double energy = kernel_problem->EnergyIn(kernel_problem->slots[t], answer.work[t], answer.released[t]);
      writer.Add(answer.released[t], energy, SharesAt(kernel_problem->gpu, energy));
    }
    solution.objective = Euros(writer.cost());
    solution.decisions = writer.Take();
    solution.bound = std::min(solution.bound, solution.objective);
    solution.work_price = Euros(answer.work_price);
    if (kernel_problem->capacity > 0) {
      for (const double value : answer.stored_values) solution.stored_value.push_back(EurosPerKilowattHour(value));
    }
  }
  solution.status = StatusOf(answer.has_plan, answer.outcome == kernel::Outcome::kStopped,
                             InEuros(solution.objective - solution.bound), InEuros(options.tolerance));
  solution.solve_time = Seconds(std::chrono::duration<double>(SteadyClock::now() - start).count());
  return solution;
}

std::optional<Solution> SolveLevels(const DispatchProblem& problem, Formulation formulation,
                                    const SolveOptions& options, long most_extensions) {
  const auto start = SteadyClock::now();
  const auto kernel_problem = kernel::MakeProblem(problem, formulation);
  if (!kernel_problem) return std::nullopt;
  kernel::LevelLimits limits;
  limits.most_extensions = most_extensions;
  limits.gap = 0.999 * InEuros(options.tolerance);
  limits.is_late = LateAfter(start, options.time_limit);
  if (options.work_price) limits.guess = InEuros(*options.work_price);
  const kernel::LevelAnswer answer = kernel::SolveLevels(*kernel_problem, limits);

  Solution solution;
  solution.solved_by = kKernelName;
  if (answer.plan) {
    DecisionWriter writer(*kernel_problem);
    for (size_t t = 0; t < answer.plan->point.size(); ++t) {
      const kernel::GpuPoint& point = kernel_problem->gpu[answer.plan->point[t]];
      std::vector<LevelShare> levels;
      if (point.level >= 0) levels.push_back({static_cast<size_t>(point.level), 1});
      writer.Add(answer.plan->released[t], point.energy, std::move(levels));
    }
    solution.objective = Euros(writer.cost());
    solution.decisions = writer.Take();
    solution.bound = std::min(Euros(answer.bound), solution.objective);
    if (kernel_problem->capacity > 0) {
      for (const double value : answer.stored_values) solution.stored_value.push_back(EurosPerKilowattHour(value));
    }
  }
  solution.status = StatusOf(answer.plan.has_value(), answer.stopped, InEuros(solution.objective - solution.bound),
                             InEuros(options.tolerance));
  solution.solve_time = Seconds(std::chrono::duration<double>(SteadyClock::now() - start).count());
  return solution;
}

class KernelSolver : public DispatchSolver {
 public:
  std::string Name() const override { return kKernelName; }
  Result<Solution> Solve(const DispatchProblem& problem, Formulation formulation,
                         const SolveOptions& options) const override {
    constexpr long kNoLimit = std::numeric_limits<long>::max();
    auto solution = formulation == Formulation::kBlend ? SolveBlend(problem, options)
                                                       : SolveLevels(problem, formulation, options, kNoLimit);
    if (solution) return *std::move(solution);
    std::string why;
    static_cast<void>(kernel::MakeProblem(problem, formulation, &why));
    return Fail(
        fmt::format("--solver kernel: {} is outside what the kernel solves (docs/kernel.md): take auto or highs.", why),
        ErrorKind::kUsage);
  }
};

class AutoSolver : public DispatchSolver {
 public:
  std::string Name() const override { return std::string(kKernelName) + " or " + highs_->Name(); }
  Result<Solution> Solve(const DispatchProblem& problem, Formulation formulation,
                         const SolveOptions& options) const override {
    SolveOptions first = options;  // HiGHS may still need its time, and has proven plans that the kernel was far from
    if (first.time_limit) *first.time_limit *= 0.25;
    auto ours = formulation == Formulation::kBlend
                    ? SolveBlend(problem, options)
                    : SolveLevels(problem, formulation, first, MostExtensions(formulation));
    if (!ours) return highs_->Solve(problem, formulation, options);
    if (ours->status != SolveStatus::kFeasible) return *std::move(ours);
    return Finish(problem, formulation, options, *std::move(ours));
  }

 private:
  /// Some times as long as HiGHS takes at the median: what the kernel has not proven by then it may never prove.
  static long MostExtensions(Formulation formulation) { return formulation == Formulation::kPaper ? 30'000 : 300'000; }

  /// HiGHS has the time that is left; the better plan and the higher bound of the two count.
  Result<Solution> Finish(const DispatchProblem& problem, Formulation formulation, const SolveOptions& options,
                          Solution ours) const {
    SolveOptions rest = options;
    if (options.time_limit) {
      if (ours.solve_time >= *options.time_limit) return ours;
      *rest.time_limit -= ours.solve_time;
    }
    auto theirs = highs_->Solve(problem, formulation, rest);
    if (!theirs) return theirs;
    theirs->solve_time += ours.solve_time;
    const Money bound = std::max(ours.bound, theirs->bound);
    const bool ours_is_better = theirs->decisions.empty() || ours.objective < theirs->objective;
    if (ours_is_better) ours.solve_time = theirs->solve_time;
    Solution best = ours_is_better ? std::move(ours) : *std::move(theirs);
    best.bound = std::min(bound, best.objective);
    best.status = best.objective - best.bound <= options.tolerance ? SolveStatus::kOptimal : SolveStatus::kFeasible;
    return best;
  }

  std::unique_ptr<DispatchSolver> highs_ = MakeHighsSolver();
};

}  // namespace

std::unique_ptr<DispatchSolver> MakeKernelSolver() { return std::make_unique<KernelSolver>(); }
std::unique_ptr<DispatchSolver> MakeAutoSolver() { return std::make_unique<AutoSolver>(); }

std::unique_ptr<DispatchSolver> MakeSolver(SolverChoice choice) {
  switch (choice) {
    case SolverChoice::kHighs:
      return MakeHighsSolver();
    case SolverChoice::kKernel:
      return MakeKernelSolver();
    case SolverChoice::kAuto:
      break;
  }
  return MakeAutoSolver();
}

std::optional<SolverChoice> SolverChoiceFromName(std::string_view name) {
  if (name == "auto") return SolverChoice::kAuto;
  if (name == "kernel") return SolverChoice::kKernel;
  if (name == "highs") return SolverChoice::kHighs;
  return std::nullopt;
}

}  // namespace heliograd
