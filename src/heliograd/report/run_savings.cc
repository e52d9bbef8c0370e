#include "heliograd/report/run_savings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "heliograd/plan/baselines.h"
#include "heliograd/plan/settlement.h"
#include "heliograd/report/number_text.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kMostAssumed = 0.05;     // of the work: by which a curve's rates may be off
constexpr double kMostUnmeasured = 0.01;  // of the running time, without energy
constexpr double kTellingSeconds = 300;   // at one level, beyond which its own draw counts
const Energy kVisible = WattHours(0.05);  // solvers and text round flows to less

double RunningSeconds(const SlotActual& books) {
  double sum = 0;
  for (const double level_s : books.level_s) sum += level_s;
  return sum;
}

/// Sums over the books of a run.
struct Running {
  double seconds = 0, unmeasured_s = 0, unknown_s = 0;
  Energy energy, by_curve;  // measured; what the curve promises for the same times
  double work_by_curve = 0;
};

Running RunningOf(const WhatCame& came) {
  const std::vector<Level>& levels = came.world.gpu.levels;
  Running sum;
  for (const SlotActual& books : came.books) {
    sum.seconds += RunningSeconds(books);
    sum.unmeasured_s += books.unmeasured_s;
    sum.unknown_s += books.unknown_s;
    sum.energy += books.energy - books.energy_off;
    for (size_t k = 0; k < books.level_s.size(); ++k) {
      sum.by_curve += levels[k].draw * Seconds(books.level_s[k]);
      sum.work_by_curve += Seconds(books.level_s[k]) / levels[k].job_time;
    }
  }
  return sum;
}

/// Measured draw over the curve's, by level; nothing of levels that ran for no telling time.
std::vector<std::optional<double>> DrawRatios(const WhatCame& came) {
  const std::vector<Level>& levels = came.world.gpu.levels;
  std::vector<double> seconds(levels.size());
  std::vector<Energy> energy(levels.size());
  for (const SlotActual& books : came.books) {
    if (books.level_energy.size() != levels.size()) continue;
    for (size_t k = 0; k < levels.size(); ++k) {
      seconds[k] += books.level_s[k];
      energy[k] += books.level_energy[k];
    }
  }
  std::vector<std::optional<double>> ratios(levels.size());
  for (size_t k = 0; k < levels.size(); ++k) {
    if (seconds[k] >= kTellingSeconds) ratios[k] = energy[k] / (levels[k].draw * Seconds(seconds[k]));
  }
  return ratios;
}

/// The plan's levels at the measured pace and draw; one that never ran draws no more than a faster one does. What noise
/// turns round stays in order, by less than it can tell: more power is never slower, and never draws less.
std::vector<Level> MeasuredLevels(const WhatCame& came, const RunSavings& of_all,
                                  const std::vector<std::optional<double>>& draws) {
  constexpr double kLess = 1 - 1e-6;
  std::vector<Level> levels = came.world.gpu.levels;
  std::optional<Power> above;  // the least that is measured of the levels above
  for (size_t k = levels.size(); k-- > 0;) {
    levels[k].draw *= draws[k].value_or(of_all.draw);
    if (!draws[k] && above) levels[k].draw = std::min(levels[k].draw, *above);
    if (draws[k]) above = above ? std::min(levels[k].draw, *above) : levels[k].draw;
  }
  for (size_t k = 0; k < levels.size(); ++k) {
    levels[k].job_time = came.job_times.empty() ? levels[k].job_time / of_all.pace : came.job_times[k];
    if (k == 0) continue;
    levels[k].job_time = std::min(levels[k].job_time, levels[k - 1].job_time * kLess);
    levels[k].draw = std::max(levels[k].draw, levels[k - 1].draw / kLess);
  }
  return levels;
}

/// The measured rate over the curve's, weighted as the levels ran.
double PaceOf(const WhatCame& came, const Running& running) {
  if (running.work_by_curve <= 0) return 1;
  if (came.job_times.empty()) return came.work_done / running.work_by_curve;
  double work = 0;
  for (const SlotActual& books : came.books) {
    for (size_t k = 0; k < books.level_s.size(); ++k) work += Seconds(books.level_s[k]) / came.job_times[k];
  }
  return work / running.work_by_curve;
}

/// What the flows took from the cells though neither the plan nor the flows had put it there, and its worth: what the
/// grid would have asked or paid for it, and what the plan's terminal value counts of it.
void SettleBattery(const WhatCame& came, RunSavings& savings) {
  const Battery& battery = came.world.battery;
  const double retention = RetentionPerSlot(came.world);
  Energy stored = battery.initial;
  for (int t = 0; t < came.world.horizon.slots; ++t) {
    const auto i = static_cast<size_t>(t);
    SlotDecision flows = came.flows[i];
    // Plans of parts of a slot may charge in one and discharge in the next.
    const Energy held = stored + flows.battery_charge * battery.charge_efficiency;
    const Energy surplus = std::max(flows.battery_discharge - held, Energy());
    stored = std::min((held - flows.battery_discharge + surplus) * retention, battery.capacity);
    if (surplus < kVisible) continue;
    const Money with = SettleSlot(came.world, t, flows, came.loads[i]).cost;
    flows.battery_discharge -= surplus;
    savings.battery_worth += SettleSlot(came.world, t, flows, came.loads[i]).cost - with;
    savings.battery_surplus += surplus;
  }
  savings.battery_worth += came.terminal_value - battery.terminal_value * stored;
}

std::string WhyUnknown(const WhatCame& came, const Running& running) {
  if (came.work_done <= 0) return "no work is known to be done";
  if (!WorkIsKnown(came.world.work, came.work_assumed)) {
    return fmt::format("the job ended with 0 when {:.0f} % of its work was {}: what it did is not known",
                       100 * (1 - came.work_assumed / came.world.work),
                       came.work_is_told ? "told" : "due by the curve, and it told nothing");
  }
  if (running.unknown_s > kMostUnmeasured * (running.seconds + running.unknown_s)) {
    return fmt::format("the job ran for {:.0f} s at a limit that nobody could tell", running.unknown_s);
  }
  if (running.unmeasured_s > kMostUnmeasured * running.seconds) {
    return fmt::format("{:.0f} s of the run were not measured", running.unmeasured_s);
  }
  return "";
}

void AddRemarks(const WhatCame& came, bool full_power_ran, RunSavings& savings) {
  std::vector<std::string>& remarks = savings.remarks;
  const bool pace_is_measured = came.work_is_told || !came.job_times.empty();
  remarks.push_back(fmt::format("the rules: prices and sun as last known, {:.2f} of the curve's draw as measured, {}",
                                savings.draw,
                                pace_is_measured ? fmt::format("{:.2f} of its pace as measured", savings.pace)
                                                 : "work and pace reckoned by time, for the job told neither"));
  if (!full_power_ran) {
    remarks.push_back("full power hardly ran: its draw is the curve's, scaled as at the levels that did");
  }
  if (came.missed_deadline) remarks.push_back("the run missed its deadline, which the rules keep");
  if (savings.battery_surplus > kVisible) {
    remarks.push_back(fmt::format("the battery gave {} more than it held by the plan: their worth, {}, is in no saving",
                                  EnergyText(savings.battery_surplus), MoneyText(savings.battery_worth)));
  }
  for (const RungSaving& rung : savings.rungs) {
    if (!rung.cost) remarks.push_back(rung.name + ": " + rung.note);
  }
}

}  // namespace

bool WorkIsKnown(double work, double assumed) { return std::abs(assumed) <= kMostAssumed * work; }

RunSavings CompareWithLadder(const WhatCame& came) {
  RunSavings savings;
  const Running running = RunningOf(came);
  savings.unknown = WhyUnknown(came, running);
  if (!savings.unknown.empty()) {
    for (const Baseline& rung : MakeBaselines(came.world, Formulation::kBlend)) {
      savings.rungs.push_back({rung.name, std::nullopt, std::nullopt, ""});
    }
    return savings;
  }
  savings.pace = PaceOf(came, running);
  if (running.by_curve > Energy()) savings.draw = running.energy / running.by_curve;
  SettleBattery(came, savings);

  DispatchProblem problem = came.world;
  problem.work = std::min(came.work_done, 1.0);
  const std::vector<std::optional<double>> draws = DrawRatios(came);
  problem.gpu.levels = MeasuredLevels(came, savings, draws);
  if (!Defects(problem).empty()) {
    savings.unknown = "the measured pace and draw are no curve to reckon the rules with";
    return savings;
  }
  // The rules wait, idle, for a run that is late.
  const Duration late = std::max(Between(problem.horizon.end(), came.end), Duration());
  const Money idle_late = problem.gpu.idle * late * problem.import_price.back();
  for (const Baseline& rung : MakeBaselines(problem, Formulation::kBlend)) {
    RungSaving saving{rung.name, std::nullopt, std::nullopt, rung.note};
    if (rung.totals) {
      saving.cost = rung.totals->cost - came.idle_cost + idle_late;
      saving.saved = *saving.cost - came.cost - savings.battery_worth;
    }
    savings.rungs.push_back(saving);
  }
  AddRemarks(came, draws.back().has_value(), savings);
  return savings;
}

nlohmann::ordered_json BaselinesJson(const RunSavings& savings) {
  const auto or_null = [](const std::optional<Money>& money) { return money ? Json(InEuros(*money)) : Json(); };
  Json json = Json::array();
  for (const RungSaving& rung : savings.rungs) {
    json.push_back({{"name", rung.name},
                    {"cost_eur", or_null(rung.cost)},
                    {"saved_eur", or_null(rung.saved)},
                    {"note", rung.note.empty() ? Json() : Json(rung.note)}});
  }
  return json;
}

nlohmann::ordered_json SavingsJson(const RunSavings& savings) {
  return {{"unknown", savings.unknown.empty() ? Json() : Json(savings.unknown)},
          {"remarks", savings.remarks},
          {"pace", savings.pace},
          {"draw", savings.draw},
          {"battery_surplus_wh", InWattHours(savings.battery_surplus)},
          {"battery_surplus_eur", InEuros(savings.battery_worth)}};
}

}  // namespace heliograd
