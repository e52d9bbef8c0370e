#include "heliograd/optimize/diagnose.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace heliograd {
namespace {

/// Whether a plan exists is asked with a tolerance that the first plan meets.
constexpr Money kAnyCost = Euros(1e12);

double FastestHours(const DispatchProblem& problem) { return InHours(problem.gpu.levels.back().job_time); }

double MostWork(const DispatchProblem& problem) {
  return problem.horizon.slots * InHours(problem.horizon.SlotDuration()) / FastestHours(problem);
}

/// "18 h", "18.25 h", "13 h 40 min".
std::string HoursText(const DispatchProblem& problem, int slots) {
  const auto minutes = std::chrono::ceil<std::chrono::minutes>(problem.horizon.step * slots).count();
  if (minutes % 15 == 0) return fmt::format("{:g} h", static_cast<double>(minutes) / 60);
  return fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

/// Rounded up, so that what is named suffices.
std::string UpToTenth(double value) { return fmt::format("{:.1f}", std::ceil(value * 10 - 1e-9) / 10); }

class Diagnostician {
 public:
  Diagnostician(const DispatchProblem& problem, Formulation formulation, const DiagnosisContext& context)
      : problem_(problem), formulation_(formulation), context_(context) {}

  Result<Diagnosis> Find() {
    // A failure of the solver anywhere below ends the diagnosis.
    FindCause();
    FindSlots();
    if (diagnosis_.cause == InfeasibleCause::kDeadline) FindLevelLimit();
    const bool import_limit_mends = diagnosis_.cause == InfeasibleCause::kImportLimit ||
                                    (diagnosis_.cause == InfeasibleCause::kWholeLevels && problem_.grid.import_limit &&
                                     HasPlan(WithImportLimit({})));
    if (import_limit_mends) FindImportLimit();
    if (diagnosis_.cause == InfeasibleCause::kExportLimit) FindExportLimit();
    if (diagnosis_.cause == InfeasibleCause::kFinalEnergy) FindFinalEnergy();
    if (failure_) return Fail(*failure_);
    diagnosis_.sentence = Sentence();
    return diagnosis_;
  }

 private:
  std::optional<Solution> Solve(const DispatchProblem& problem, Formulation formulation, Money tolerance) {
    if (failure_) return std::nullopt;
    Result<Solution> solution = context_.solver.Solve(problem, formulation, {tolerance, context_.time_limit});
    if (!solution) {
      failure_ = solution.error();
      return std::nullopt;
    }
    if (solution->decisions.empty()) return std::nullopt;
    return std::move(*solution);
  }

  bool HasPlan(const DispatchProblem& problem) { return HasPlan(problem, formulation_); }
  bool HasPlan(const DispatchProblem& problem, Formulation formulation) {
    return Solve(problem, formulation, kAnyCost).has_value();
  }

  void FindCause() {
    if (MostWork(problem_) < problem_.work) {
      diagnosis_.cause = InfeasibleCause::kDeadline;
      diagnosis_.gpu_time_short = Hours((problem_.work - MostWork(problem_)) * FastestHours(problem_));
    } else if (formulation_ == Formulation::kLevels && HasPlan(problem_, Formulation::kBlend)) {
      diagnosis_.cause = InfeasibleCause::kWholeLevels;
    } else if (problem_.grid.import_limit && HasPlan(WithImportLimit(std::nullopt))) {
      diagnosis_.cause = InfeasibleCause::kImportLimit;
    } else if (problem_.battery.final_min > Energy() && HasPlan(WithFinalEnergy(Energy()))) {
      diagnosis_.cause = InfeasibleCause::kFinalEnergy;
    } else if (problem_.grid.export_limit && HasPlan(WithExportLimit(std::nullopt))) {
      diagnosis_.cause = InfeasibleCause::kExportLimit;
    }
  }

  DispatchProblem WithImportLimit(std::optional<Power> limit) const {
    DispatchProblem changed = problem_;
    changed.grid.import_limit = limit;
    return changed;
  }
  DispatchProblem WithExportLimit(std::optional<Power> limit) const {
    DispatchProblem changed = problem_;
    changed.grid.export_limit = limit;
    return changed;
  }
  DispatchProblem WithFinalEnergy(Energy energy) const {
    DispatchProblem changed = problem_;
    changed.battery.final_min = energy;
    return changed;
  }

  /// The least number of slots: strides that double until a plan exists, then halving. A longer horizon keeps what a
  /// shorter one could do, but for a battery that must end full, where the answer is a number that suffices.
  void FindSlots() {
    const double slot_hours = InHours(problem_.horizon.SlotDuration());
    const int by_work = static_cast<int>(std::ceil(problem_.work * FastestHours(problem_) / slot_hours - 1e-9));
    int most = static_cast<int>(context_.longest_horizon / problem_.horizon.SlotDuration());
    int without = std::max(problem_.horizon.slots, by_work - 1), with = 0;
    for (int stride = 1; with == 0;) {
      const int next = std::min(without + stride, most);
      if (next <= without || failure_) return;
      const Result<DispatchProblem> longer = context_.problem_for_slots(next);
      if (!longer) {
        data_ends_ = true;
        most = next - 1;
        stride = std::max(stride / 2, 1);
      } else if (HasPlan(*longer)) {
        with = next;
      } else {
        without = next;
        stride *= 2;
      }
    }
    while (with - without > 1) {
      const int middle = without + (with - without) / 2;
      (HasPlanWithSlots(middle) ? with : without) = middle;
    }
    diagnosis_.slots = with;
  }

  bool HasPlanWithSlots(int slots) {
    const Result<DispatchProblem> longer = context_.problem_for_slots(slots);
    return longer && HasPlan(*longer);
  }

  void FindLevelLimit() {
    std::vector<Level> levels = DropDominated(context_.all_levels).kept;
    const Power allowed = problem_.gpu.levels.back().limit;
    for (const Level& level : levels) {
      if (level.limit <= allowed) continue;
      DispatchProblem raised = problem_;
      raised.gpu.levels.push_back(level);
      raised.gpu.levels = DropDominated(std::move(raised.gpu.levels)).kept;
      if (MostWork(raised) < raised.work || !HasPlan(raised)) continue;
      diagnosis_.level_limit = level.limit;
      return;
    }
  }

  /// The least whole watts in (low, high] for which `has_plan`, which holds at `high`.
  template <typename HasPlanAt>
  Power LeastWatts(Power low, Power high, const HasPlanAt& has_plan) {
    auto without = static_cast<long>(std::floor(InWatts(low)));
    auto with = static_cast<long>(std::ceil(InWatts(high)));
    while (with - without > 1 && !failure_) {
      const long middle = without + (with - without) / 2;
      (has_plan(Watts(static_cast<double>(middle))) ? with : without) = middle;
    }
    return Watts(static_cast<double>(with));
  }

  void FindImportLimit() {
    // No slot can use more than the highest load and a charger that fills the battery in one slot.
    const Battery& battery = problem_.battery;
    const Power fill =
        battery.capacity / (problem_.horizon.SlotDuration() * battery.charge_efficiency * RetentionPerSlot(problem_));
    const Power most = std::max(problem_.gpu.DrawAt(problem_.gpu.levels.size() - 1), problem_.gpu.idle) + fill;
    diagnosis_.import_limit = LeastWatts(*problem_.grid.import_limit, std::max(most, *problem_.grid.import_limit),
                                         [&](Power limit) { return HasPlan(WithImportLimit(limit)); });
  }

  void FindExportLimit() {
    const Energy most_pv = *std::max_element(problem_.pv.begin(), problem_.pv.end());
    const Power most = (most_pv + problem_.battery.capacity) / problem_.horizon.SlotDuration();
    diagnosis_.export_limit = LeastWatts(*problem_.grid.export_limit, std::max(most, *problem_.grid.export_limit),
                                         [&](Power limit) { return HasPlan(WithExportLimit(limit)); });
  }

  /// Makes what is left at the end worth more than all else, and reads what the best plan leaves.
  void FindFinalEnergy() {
    DispatchProblem hoarding = WithFinalEnergy(Energy());
    hoarding.battery.terminal_value = EurosPerKilowattHour(1e4);
    const auto solution = Solve(hoarding, formulation_, Euros(0.01));
    if (!solution) return;
    const Energy left = MakePlan(hoarding, formulation_, solution->decisions).slots.back().battery_end;
    // Down to whole watt hours; the tolerance of 0.01 EUR is a thousandth of one.
    const Energy whole = WattHours(std::floor(InWattHours(left) + 1e-3));
    if (HasPlan(WithFinalEnergy(whole))) diagnosis_.final_energy = whole;
  }

  std::string Sentence() const {
    const std::string by = context_.print_stamp(problem_.horizon.end());
    std::vector<std::string> mends;
    if (diagnosis_.cause == InfeasibleCause::kWholeLevels) mends.push_back("plan it as `blend`");
    if (diagnosis_.final_energy)
      mends.push_back(fmt::format("ask for {:.0f} Wh or less", InWattHours(*diagnosis_.final_energy)));
    if (diagnosis_.slots) mends.push_back("allow " + HoursText(problem_, *diagnosis_.slots));
    for (const auto& [name, limit] : {std::pair{"", diagnosis_.level_limit},
                                      {"import ", diagnosis_.import_limit},
                                      {"export ", diagnosis_.export_limit}}) {
      if (limit) mends.push_back(fmt::format("raise the {}limit to {:g} W", name, InWatts(*limit)));
    }
    const std::string mend = mends.empty() ? NoMend() : fmt::format("{}", fmt::join(mends, " or "));
    return fmt::format("{}: {}.", Finding(by), mend);
  }

  std::string NoMend() const {
    if (data_ends_) return "no later deadline that the data reaches mends it";
    return fmt::format("no deadline within {:g} h mends it", InHours(context_.longest_horizon));
  }

  std::string Finding(const std::string& by) const {
    switch (diagnosis_.cause) {
      case InfeasibleCause::kDeadline:
        return fmt::format("{} h of GPU time at {:g} W short by {}", UpToTenth(InHours(diagnosis_.gpu_time_short)),
                           InWatts(problem_.gpu.levels.back().limit), by);
      case InfeasibleCause::kWholeLevels:
        return fmt::format(
            "no choice of whole levels in slots of {:g} min does the job by {}, though a mix of them would",
            InSeconds(problem_.horizon.SlotDuration()) / 60, by);
      case InfeasibleCause::kImportLimit:
        return fmt::format("the import limit of {:g} W is too small to do the job by {}",
                           InWatts(*problem_.grid.import_limit), by);
      case InfeasibleCause::kFinalEnergy:
        return fmt::format("the battery cannot hold {:g} Wh at {} with the job done",
                           InWattHours(problem_.battery.final_min), by);
      case InfeasibleCause::kExportLimit:
        return fmt::format("the export limit of {:g} W is too small for the PV that `paper` must sell",
                           InWatts(*problem_.grid.export_limit));
      case InfeasibleCause::kSeveral:
        break;
    }
    return fmt::format("several limits together leave no plan by {}; no one of them alone stands in the way", by);
  }

  const DispatchProblem& problem_;
  const Formulation formulation_;
  const DiagnosisContext& context_;
  Diagnosis diagnosis_;
  bool data_ends_ = false;  // before the longest horizon
  std::optional<Error> failure_;
};

}  // namespace

Result<Diagnosis> Diagnose(const DispatchProblem& problem, Formulation formulation, const DiagnosisContext& context) {
  return Diagnostician(problem, formulation, context).Find();
}

}  // namespace heliograd
