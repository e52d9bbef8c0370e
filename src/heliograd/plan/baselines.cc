#include "heliograd/plan/baselines.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "heliograd/plan/objective.h"

namespace heliograd {
namespace {

/// A part of a slot below this is rounding: a job of exactly n slots must not be given one more.
constexpr double kNegligibleSlot = 1e-9;

struct Rung {
  std::string_view name;
  std::string_view lever;  // what this rung has that the one before lacks
  bool any_level;
  bool pv;
  bool battery;
};

constexpr std::array<Rung, 4> kLadder = {{
    {"full power from the grid", "", false, false, false},
    {"best fixed limit from the grid", "levels", true, false, false},
    {"best fixed limit + PV", "PV", true, true, false},
    {"best fixed limit + PV + battery (greedy)", "battery", true, true, true},
}};

/// What a power limit lets through in one slot.
Energy PerSlot(const std::optional<Power>& limit, Duration slot) {
  return limit ? *limit * slot : Energy::FromSi(std::numeric_limits<double>::infinity());
}

double SlotsNeeded(const DispatchProblem& problem, Formulation formulation, size_t level) {
  const double slots = problem.work * (problem.gpu.levels[level].job_time / problem.horizon.SlotDuration());
  return formulation == Formulation::kBlend ? slots : std::ceil(slots - kNegligibleSlot);
}

/// The part of slot t that the job runs when it needs `slots_needed` from the start on.
double ShareInSlot(double slots_needed, int slot) {
  const double share = std::clamp(slots_needed - slot, 0.0, 1.0);
  return share > kNegligibleSlot ? share : 0.0;
}

/// The battery under the greedy rule: what it may take and give in the slot at hand.
class GreedyBattery {
 public:
  GreedyBattery(const DispatchProblem& problem, Formulation formulation)
      : battery_(problem.battery),
        slot_(problem.horizon.SlotDuration()),
        retention_(RetentionPerSlot(problem)),
        room_counts_at_charger_(formulation == Formulation::kPaper),
        stored_(battery_.initial) {}

  /// r: as much of `spare` as fits, so that E at the slot's end is at most the capacity; rule (13) of the study counts
  /// the room at the charger.
  Energy Charge(Energy spare) const {
    const Energy room = room_counts_at_charger_
                            ? battery_.capacity - stored_
                            : (battery_.capacity / retention_ - stored_) / battery_.charge_efficiency;
    return std::max(std::min({spare, room, PerSlot(battery_.max_charge, slot_)}), Energy());
  }
  /// d: what must leave the cells to serve `lack` at the bus.
  Energy Discharge(Energy lack) const {
    return std::min({lack / battery_.discharge_efficiency, stored_, PerSlot(battery_.max_discharge, slot_)});
  }
  void Advance(Energy charge, Energy discharge) {
    stored_ = (stored_ - discharge + charge * battery_.charge_efficiency) * retention_;
  }
  Energy stored() const { return stored_; }

 private:
  const Battery& battery_;
  Duration slot_;
  double retention_;
  bool room_counts_at_charger_;
  Energy stored_;
};

/// What the rung's rule does in slot t while the job takes `share` of it at `level`.
SlotDecision Decide(const DispatchProblem& problem, const Rung& rung, size_t t, size_t level, double share,
                    Energy export_room, GreedyBattery& battery) {
  SlotDecision d;
  if (share > 0) d.levels = {{level, share}};
  const Power draw = problem.gpu.DrawAt(level) * share + problem.gpu.idle * (1.0 - share);
  const Energy load = draw * problem.horizon.SlotDuration();
  const Energy pv = rung.pv ? problem.pv[t] : Energy();
  const Energy pv_to_load = std::min(pv, load);
  const Energy spare = pv - pv_to_load;
  const Energy lack = load - pv_to_load;
  if (rung.battery) {
    d.battery_charge = battery.Charge(spare);
    d.battery_discharge = battery.Discharge(lack);
  }
  battery.Advance(d.battery_charge, d.battery_discharge);
  if (problem.export_price[t] > EnergyPrice()) d.grid_export = std::min(spare - d.battery_charge, export_room);
  d.pv_used = pv_to_load + d.battery_charge + d.grid_export;
  // The difference of two like energies may be a rounding error below zero.
  d.grid_import = std::max(lack - d.battery_discharge * problem.battery.discharge_efficiency, Energy());
  return d;
}

/// The rung's rule at one level: its totals, or a note of what stops it.
Baseline Run(const DispatchProblem& problem, Formulation formulation, const Rung& rung, size_t level) {
  const Duration slot = problem.horizon.SlotDuration();
  const int slots = problem.horizon.slots;
  const double slots_needed = SlotsNeeded(problem, formulation, level);
  Baseline baseline{std::string(rung.name), std::nullopt, problem.gpu.levels[level].limit, ""};
  const double limit_w = InWatts(*baseline.limit);
  if (slots_needed > slots + kNegligibleSlot) {
    baseline.note = fmt::format("{:.4g} W needs {:.2f} h, the horizon has {:.2f} h", limit_w,
                                InHours(slot * slots_needed), InHours(slot * slots));
    return baseline;
  }
  const Energy import_room = PerSlot(problem.grid.import_limit, slot);
  const Energy export_room = PerSlot(problem.grid.export_limit, slot);
  GreedyBattery battery(problem, formulation);
  std::vector<SlotDecision> decisions;
  decisions.reserve(problem.pv.size());
  for (int t = 0; t < slots; ++t) {
    decisions.push_back(
        Decide(problem, rung, static_cast<size_t>(t), level, ShareInSlot(slots_needed, t), export_room, battery));
    const Energy import = decisions.back().grid_import;
    if (import > import_room) {
      baseline.note =
          fmt::format("{:.4g} W takes {:.4g} W from the grid at {}, the import limit is {:.4g} W", limit_w,
                      InWatts(import / slot), FormatStamp(problem.horizon.SlotStart(t)), InWatts(import_room / slot));
      return baseline;
    }
  }
  if (battery.stored() < problem.battery.final_min) {
    baseline.note = fmt::format("{:.4g} W leaves {:.1f} Wh in the battery, {:.1f} Wh are asked for", limit_w,
                                InWattHours(battery.stored()), InWattHours(problem.battery.final_min));
    if (rung.battery) return baseline;
    // A rule that does not touch the battery is not held to what the plan must leave in it; whoever compares must know.
    baseline.note = fmt::format("leaves {:.1f} of the {:.1f} Wh asked for in the battery",
                                InWattHours(battery.stored()), InWattHours(problem.battery.final_min));
  }
  baseline.totals = MakePlan(problem, formulation, decisions).totals;
  return baseline;
}

Baseline Climb(const DispatchProblem& problem, Formulation formulation, const Rung& rung) {
  const size_t fastest = problem.gpu.levels.size() - 1;
  Baseline best = Run(problem, formulation, rung, fastest);
  if (!rung.any_level) return best;
  for (size_t level = fastest; level-- > 0;) {
    Baseline next = Run(problem, formulation, rung, level);
    const bool cheaper =
        next.totals && (!best.totals || ObjectiveOf(problem, *next.totals) < ObjectiveOf(problem, *best.totals));
    if (cheaper) best = std::move(next);
  }
  if (!best.totals) {
    best.limit.reset();
    best.note = "no fixed limit can run; the fastest: " + best.note;
  }
  return best;
}

}  // namespace

std::vector<Baseline> MakeBaselines(const DispatchProblem& problem, Formulation formulation) {
  std::vector<Baseline> baselines;
  baselines.reserve(kLadder.size());
  for (const Rung& rung : kLadder) baselines.push_back(Climb(problem, formulation, rung));
  return baselines;
}

std::vector<Lever> SplitSaving(const std::vector<Baseline>& baselines, Money plan_cost) {
  std::vector<Lever> levers;
  std::optional<Money> before;
  std::string joined;
  const auto step = [&](std::string_view name, const std::optional<Money>& cost) {
    if (before) joined += joined.empty() ? name : fmt::format(" + {}", name);
    if (!cost) return;
    if (before) levers.push_back({std::exchange(joined, ""), *before - *cost});
    before = cost;
  };
  for (size_t i = 0; i < baselines.size() && i < kLadder.size(); ++i) {
    const auto& totals = baselines[i].totals;
    step(kLadder[i].lever, totals ? std::optional(totals->cost) : std::nullopt);
  }
  if (before) step("timing", plan_cost);
  return levers;
}

}  // namespace heliograd
