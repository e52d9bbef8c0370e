// `heliograd whatif`: one change of the scenario at a time, ranked by what it saves.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/command_line.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/progress_line.h"
#include "heliograd/app/slot_length.h"
#include "heliograd/base/text.h"
#include "heliograd/optimize/sensitivity.h"
#include "heliograd/plan/objective.h"
#include "heliograd/report/number_text.h"
#include "heliograd/report/objective_text.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

struct WhatifFlags {
  ScenarioFlags scenario;
  std::vector<std::string> changes;
  bool json = false;
  bool gave_slot = false;  // --slot-minutes was given
};

/// One change: its words, and the assignments that make it.
struct Change {
  std::string name;
  std::vector<std::string> assignments;
};

enum class OutcomeStatus {
  kOptimal,
  kFeasible,    // a plan that its share of the time did not prove best
  kInfeasible,  // the job cannot be done then
  kNotPlanned   // the change is refused, or no plan was found in time
};

/// What became of it.
struct Outcome {
  Change change;
  OutcomeStatus status = OutcomeStatus::kNotPlanned;
  std::optional<Totals> totals;  // of a plan
  /// The plan's cost, carbon and objective less those of the unchanged node without the job in the same hours: PV that
  /// a longer horizon sells anyway is no saving.
  Money job_cost;
  CarbonMass job_carbon;
  Money job_objective;
  Money gap;            // how much less the plan's objective may be, by its bound
  std::string message;  // why there are no totals
};

std::string_view NameOf(OutcomeStatus status) {
  switch (status) {
    case OutcomeStatus::kOptimal:
      return "optimal";
    case OutcomeStatus::kFeasible:
      return "feasible";
    case OutcomeStatus::kInfeasible:
      return "infeasible";
    case OutcomeStatus::kNotPlanned:
      break;
  }
  return "not planned";
}

std::string Watts(double watts) { return PowerText(heliograd::Watts(watts)); }
std::string WattHours(double watt_hours) { return EnergyText(heliograd::WattHours(watt_hours)); }

void AddBattery(std::vector<Change>& changes, double capacity_wh) {
  const auto sized = [&](double size_wh, const std::string& words) {
    changes.push_back(
        {fmt::format("{} ({})", words, WattHours(size_wh)), {fmt::format("battery.capacity_wh={:.10g}", size_wh)}});
  };
  if (capacity_wh <= 0) {
    sized(1000, "a battery");
    sized(5000, "a large battery");
    return;
  }
  sized(2 * capacity_wh, "battery twice as large");
  sized(4 * capacity_wh, "battery four times as large");
  // What is stored at the ends goes with the battery.
  changes.push_back({"no battery", {"battery.initial_wh=0", "battery.final_wh=0", "battery.capacity_wh=0"}});
}

void AddPv(std::vector<Change>& changes, const Scenario& scenario) {
  if (scenario.Has("pv.series")) return;  // a series has a size of its own
  const double capacity_w = scenario.NumberOf("pv.dc_capacity_w");
  const auto sized = [&](double size_w, const std::string& words) {
    changes.push_back(
        {fmt::format("{} ({})", words, Watts(size_w)), {fmt::format("pv.dc_capacity_w={:.10g}", size_w)}});
  };
  if (capacity_w <= 0) {
    sized(1000, "PV");
    return;
  }
  sized(1.5 * capacity_w, "PV half as large again");
  sized(2 * capacity_w, "PV twice as large");
  changes.push_back({"no PV", {"pv.dc_capacity_w=0"}});
}

std::string CivilText(const NodeInputs& inputs, Stamp stamp) {
  const CivilTime civil = inputs.zone.ToCivil(stamp);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", civil.year, civil.month, civil.day, civil.hour, civil.minute);
}

void AddTimes(std::vector<Change>& changes, const NodeInputs& inputs) {
  const double hours = std::chrono::duration<double, std::ratio<3600>>(inputs.slot).count() * inputs.slots;
  for (const int later : {1, 3, 6, 12, 24}) {
    changes.push_back({fmt::format("deadline {} h later", later), {fmt::format("job.hours={:.10g}", hours + later)}});
  }
  if (hours > 1) changes.push_back({"deadline 1 h earlier", {fmt::format("job.hours={:.10g}", hours - 1)}});
  for (const int later : {3, 6, 12}) {
    const Stamp start = inputs.start + std::chrono::hours(later);
    changes.push_back({fmt::format("start and deadline {} h later", later),
                       {"job.start=" + CivilText(inputs, start), fmt::format("job.hours={:.10g}", hours)}});
  }
}

void AddTariffs(std::vector<Change>& changes, const Scenario& scenario, const DispatchProblem& problem) {
  for (const char* other : {"builtin:paper", "builtin:arera"}) {
    if (scenario.TextOf("tariff.import") != other) {
      changes.push_back({fmt::format("bands of {}", other), {fmt::format("tariff.import={}", other)}});
    }
  }
  double mean = 0;
  for (const EnergyPrice price : problem.import_price) mean += InEurosPerKilowattHour(price);
  mean /= static_cast<double>(std::max<size_t>(problem.import_price.size(), 1));
  const double fee = scenario.NumberOf("tariff.import_fee_eur_per_kwh");
  changes.push_back({fmt::format("one price all day ({:.3f} EUR/kWh, the mean of this horizon)", mean),
                     {"tariff.import=fixed", fmt::format("tariff.import_price_eur_per_kwh={:.10g}", mean - fee)}});
  if (!scenario.Has("tariff.export") && scenario.NumberOf("tariff.export_price_eur_per_kwh") != 0) {
    changes.push_back({"nothing paid for what is sold", {"tariff.export_price_eur_per_kwh=0"}});
  }
}

/// The level that needs least energy for the work, and limits at it and one step to either side.
void AddLimits(std::vector<Change>& changes, const NodeInputs& inputs) {
  const std::vector<Level>& levels = inputs.all_levels;
  if (levels.size() < 3) return;
  const auto energy = [](const Level& level) { return level.draw * level.job_time; };
  const auto least = std::min_element(levels.begin(), levels.end(),
                                      [&](const Level& a, const Level& b) { return energy(a) < energy(b); });
  changes.push_back({fmt::format("never above {} (least energy)", PowerText(least->limit)),
                     {fmt::format("gpu.max_limit_w={:.10g}", InWatts(least->limit))}});
  changes.push_back({fmt::format("always {} when it runs", PowerText(levels.back().limit)),
                     {fmt::format("gpu.min_limit_w={:.10g}", InWatts(levels.back().limit))}});
}

void AddRest(std::vector<Change>& changes, const Scenario& scenario) {
  const auto without = [&](const char* key, const char* words) {
    if (scenario.NumberOf(key) > 0) changes.push_back({words, {fmt::format("{}=0", key)}});
  };
  without("gpu.idle_w", "nothing drawn while the job is paused");
  without("gpu.host_w", "a host that draws nothing");
  without("battery.wear_cost_eur_per_kwh", "a battery that does not wear");
  without("battery.final_wh", "a battery that may end empty");
  without("tariff.import_fee_eur_per_kwh", "no fees on what is bought");
  without("carbon.price_eur_per_kg", "no price of carbon");
}

std::vector<Change> ChangesOf(const WhatifFlags& flags, const Scenario& scenario, const NodeInputs& inputs,
                              const DispatchProblem& problem) {
  std::vector<Change> changes;
  AddBattery(changes, scenario.NumberOf("battery.capacity_wh"));
  AddPv(changes, scenario);
  AddTimes(changes, inputs);
  AddTariffs(changes, scenario, problem);
  AddLimits(changes, inputs);
  AddRest(changes, scenario);
  for (const std::string& own : flags.changes) changes.push_back({own, SplitCsvLine(own, ';')});
  return changes;
}

/// Every mistake in the user's own changes, of their text, their values and the files that they name.
Result<void> CheckChanges(const WhatifFlags& flags, const Scenario& unchanged, InputCache& cache) {
  Problems problems;
  for (const std::string& own : flags.changes) {
    Scenario scenario = unchanged;
    bool sound = true;
    for (const std::string& assignment : SplitCsvLine(own, ';')) {
      sound = problems.Note(scenario.Set(assignment, "--change")) && sound;
    }
    if (sound) problems.Take(ReadInputs(scenario, flags.scenario.slot_minutes, cache));
  }
  if (problems.empty()) return {};
  return Fail(problems.Fail().value().problems, ErrorKind::kUsage);
}

/// One limit of time for all plans: each may take an equal part of what is left, and what one leaves over is the
/// others'.
class SharedTime {
 public:
  explicit SharedTime(Duration limit)
      : end_(std::chrono::steady_clock::now() + std::chrono::duration<double>(std::min(InSeconds(limit), kLongest_s))) {
  }

  /// The part of one of `plans` that are still to be made. Never nothing, so that what is quick is told late too.
  Duration PartOf(size_t plans) const {
    const std::chrono::duration<double> left = end_ - std::chrono::steady_clock::now();
    return Seconds(std::max(left.count() / static_cast<double>(plans), kLeast_s));
  }

 private:
  static constexpr double kLongest_s = 1e8;  // what the clock can add
  static constexpr double kLeast_s = 0.05;

  std::chrono::time_point<std::chrono::steady_clock, std::chrono::duration<double>> end_;
};

/// Plans changes, one after the other.
class Trials {
 public:
  /// `base` is the unchanged problem: its objective ranks.
  Trials(const WhatifFlags& flags, const Scenario& unchanged, const DispatchProblem& base, InputCache& cache)
      : flags_(flags),
        unchanged_(unchanged),
        base_(base),
        cache_(cache),
        options_(flags.scenario.Options()),
        solver_(flags.scenario.Solver()),
        time_(*options_.solve.time_limit) {
    options_.explain = false;
  }

  /// `plans`: how many are still to be made, this one included.
  Outcome Try(const Change& change, size_t plans) {
    options_.solve.time_limit = time_.PartOf(plans);
    Outcome outcome;
    outcome.change = change;
    Scenario scenario = unchanged_;
    for (const std::string& assignment : change.assignments) {
      if (const Result<void> set = scenario.Set(assignment, "--change"); !set) return Refused(outcome, set.error());
    }
    const auto inputs = ReadInputs(scenario, flags_.scenario.slot_minutes, cache_);
    if (!inputs) return Refused(outcome, inputs.error());
    const auto job = PlanJob(*inputs, options_, *solver_);
    if (!job) return Refused(outcome, job.error());
    if (job->plan.status == PlanStatus::kInfeasible) {
      outcome.status = OutcomeStatus::kInfeasible;
      outcome.message = job->plan.infeasible_reason;
      return outcome;
    }
    const Result<Idle>& idle = WithoutJobOver(*inputs);
    if (!idle) return Refused(outcome, idle.error());
    const Totals& totals = job->plan.totals;
    const bool proven = job->plan.status == PlanStatus::kOptimal && idle->proven;
    outcome.status = proven ? OutcomeStatus::kOptimal : OutcomeStatus::kFeasible;
    outcome.totals = totals;
    outcome.job_cost = totals.cost - idle->totals.cost;
    outcome.job_carbon = totals.carbon - idle->totals.carbon;
    outcome.job_objective = ObjectiveOf(base_, totals) - ObjectiveOf(base_, idle->totals);
    // Whatever the idle node could do better makes the job dearer: the gap is the plan's alone.
    outcome.gap = job->plan.objective - job->plan.bound;
    return outcome;
  }

 private:
  /// The unchanged node over some hours when there is no job.
  struct Idle {
    Totals totals;
    bool proven = false;
  };

  static Outcome Refused(Outcome outcome, const Error& error) {
    outcome.message = error.Message();
    return outcome;
  }

  /// Most changes are of the same hours.
  const Result<Idle>& WithoutJobOver(const NodeInputs& hours) {
    const std::pair key(hours.start, hours.slots);
    const auto known = idle_.find(key);
    return known != idle_.end() ? known->second : idle_.emplace(key, SolveIdle(hours)).first->second;
  }

  Result<Idle> SolveIdle(const NodeInputs& hours) const {
    auto inputs = ReadInputs(unchanged_, flags_.scenario.slot_minutes, cache_);
    if (!inputs) return Fail(inputs.error());
    inputs->start = hours.start;
    inputs->slots = hours.slots;
    const auto problem = ProblemOver(*inputs, inputs->slots);
    if (!problem) return Fail(problem.error());
    const DispatchProblem idle = WithoutJob(*problem);
    const auto solution = solver_->Solve(idle, options_.formulation, options_.solve);
    if (!solution) return Fail(solution.error());
    if (solution->status == SolveStatus::kNoPlanYet) {
      return Fail("no plan of the node without the job was found in time: allow more with --time-limit-s");
    }
    if (solution->decisions.empty()) {
      return Fail(
          "the node cannot be run over these hours even without the job: its battery, idle draw and grid limits "
          "do not allow it");
    }
    return Idle{MakePlan(idle, options_.formulation, solution->decisions).totals,
                solution->status == SolveStatus::kOptimal};
  }

  const WhatifFlags& flags_;
  const Scenario& unchanged_;
  const DispatchProblem& base_;
  InputCache& cache_;
  PlanningOptions options_;
  std::unique_ptr<DispatchSolver> solver_;
  SharedTime time_;
  std::map<std::pair<Stamp, int>, Result<Idle>> idle_;
};

Json KilogramsOrNull(CarbonMass carbon, bool known) { return known ? Json(InKilograms(carbon)) : Json(); }

/// The least that the job costs (or emits) then, by what is proven.
Money CostBound(const Outcome& outcome) { return outcome.job_cost - outcome.gap; }
CarbonMass CarbonBoundOf(const Outcome& outcome) { return outcome.job_carbon - CarbonOfObjective(outcome.gap); }

Json AsJson(const Outcome& outcome, bool knows_carbon, Objective objective) {
  const std::optional<Totals>& totals = outcome.totals;
  const bool carbon = objective == Objective::kCarbon;
  Json json = Json::object();
  json["status"] = NameOf(outcome.status);
  json["job_cost_bound_eur"] = totals && !carbon ? Json(InEuros(CostBound(outcome))) : Json();
  json["job_carbon_bound_kg"] = totals && carbon ? Json(InKilograms(CarbonBoundOf(outcome))) : Json();
  json["job_cost_eur"] = totals ? Json(InEuros(outcome.job_cost)) : Json();
  json["job_carbon_kg"] = KilogramsOrNull(outcome.job_carbon, totals && knows_carbon);
  json["cost_eur"] = totals ? Json(InEuros(totals->cost)) : Json();
  json["carbon_kg"] = KilogramsOrNull(totals ? totals->carbon : CarbonMass(), totals && knows_carbon);
  json["grid_import_wh"] = totals ? Json(InWattHours(totals->grid_import)) : Json();
  json["grid_export_wh"] = totals ? Json(InWattHours(totals->grid_export)) : Json();
  json["gpu_energy_wh"] = totals ? Json(InWattHours(totals->load)) : Json();
  return json;
}

std::string AsJson(const Outcome& base, const std::vector<Outcome>& outcomes, bool knows_carbon, Objective objective) {
  Json json;
  json["obtained"] = "modelled";
  json["base"] = AsJson(base, knows_carbon, objective);
  json["base"]["message"] = base.message;
  json["changes"] = Json::array();
  for (const Outcome& outcome : outcomes) {
    Json entry = {{"name", outcome.change.name}, {"set", outcome.change.assignments}};
    entry.update(AsJson(outcome, knows_carbon, objective));
    const bool both = base.totals && outcome.totals;
    entry["saving_eur"] = both ? Json(InEuros(base.job_cost - outcome.job_cost)) : Json();
    entry["saving_carbon_kg"] = KilogramsOrNull(base.job_carbon - outcome.job_carbon, both && knows_carbon);
    entry["message"] = outcome.message;
    json["changes"].push_back(std::move(entry));
  }
  return json.dump(2) + "\n";
}

/// "feasible, not proven best: the job costs 0.587 EUR at least"; empty where it is proven.
std::string ProofText(const Outcome& outcome, bool carbon) {
  if (outcome.status != OutcomeStatus::kFeasible) return "";
  return fmt::format("feasible, not proven best: the job {} at least {}", carbon ? "emits" : "costs",
                     carbon ? CarbonText(CarbonBoundOf(outcome)) : MoneyText(CostBound(outcome)));
}

std::string Head(const Outcome& base, bool carbon, const TerminalStyle& style) {
  if (!base.totals) {
    const char* what = base.status == OutcomeStatus::kInfeasible ? "the job cannot be done" : "the job is not planned";
    return Paragraph(fmt::format("As it is, {}: {}", what, base.message), style);
  }
  std::string text = fmt::format("As it is, the job {}costs {}; {} are bought.",
                                 carbon ? fmt::format("emits {} and ", CarbonText(base.job_carbon)) : "",
                                 MoneyText(base.job_cost), EnergyText(base.totals->grid_import));
  const std::string proof = ProofText(base, carbon);
  if (!proof.empty()) text += fmt::format(" That plan is {}, so every saving may be less than told.", proof);
  return Paragraph(text, style);
}

/// The changes of one reason that leaves an impossible job as impossible as it is, said once.
std::string NoHelp(const Outcome& base, const std::vector<Outcome>& outcomes, const TerminalStyle& style) {
  std::vector<std::string> names;
  for (const Outcome& outcome : outcomes) {
    if (!outcome.totals && outcome.message == base.message) names.push_back(outcome.change.name);
  }
  if (names.empty()) return "";
  return Paragraph(fmt::format("No help, for the reason above: {}.", fmt::join(names, "; ")), style) + "\n";
}

std::string AsText(const Outcome& base, const std::vector<Outcome>& outcomes, Objective objective,
                   const TerminalStyle& style) {
  const bool carbon = objective == Objective::kCarbon;
  std::vector<TableColumn> columns = {{"one change", Align::kLeft, true}, {"saves"}};
  if (carbon) columns.push_back({"job emits"});
  for (const char* title : {"job costs", "bought"}) columns.push_back({title});
  columns.push_back({"", Align::kLeft, true, true});
  TextTable table(columns);
  for (const Outcome& outcome : outcomes) {
    if (!outcome.totals) {
      if (!base.totals && outcome.message == base.message) continue;
      std::vector<std::string> cells(columns.size());
      cells.front() = outcome.change.name;
      cells.back() =
          (outcome.status == OutcomeStatus::kInfeasible ? "not possible: " : "not planned: ") + outcome.message;
      table.AddRow(cells, Ink::kDim);
      continue;
    }
    const std::string saving =
        carbon ? CarbonText(base.job_carbon - outcome.job_carbon) : MoneyText(base.job_cost - outcome.job_cost);
    std::vector<std::string> cells = {outcome.change.name, base.totals ? saving : ""};
    if (carbon) cells.push_back(CarbonText(outcome.job_carbon));
    cells.insert(cells.end(),
                 {MoneyText(outcome.job_cost), EnergyText(outcome.totals->grid_import), ProofText(outcome, carbon)});
    table.AddRow(cells);
  }
  return Head(base, carbon, style) + "\n" + table.Draw(style) + "\n" +
         (base.totals ? "" : NoHelp(base, outcomes, style)) +
         Paragraph(
             fmt::format("Modelled, each change by itself with a plan of its own. What a job {}costs is the plan's "
                         "{} less that of the unchanged node without the job in the same hours. What hardware "
                         "costs is not in it{}.",
                         carbon ? "emits or " : "", carbon ? "carbon or cost" : "cost",
                         carbon ? "" : ": `heliograd size` weighs that"),
             style);
}

/// The greatest saving first; plans that are not proven after all that are; what cannot be done last.
void Rank(std::vector<Outcome>& outcomes) {
  std::stable_sort(outcomes.begin(), outcomes.end(), [](const Outcome& a, const Outcome& b) {
    const auto is_plan = [](const Outcome& outcome) { return outcome.totals.has_value(); };
    if (is_plan(a) != is_plan(b)) return is_plan(a);
    if (!is_plan(a)) return false;
    return a.status != b.status ? a.status == OutcomeStatus::kOptimal : a.job_objective < b.job_objective;
  });
}

Result<int> Whatif(WhatifFlags flags) {
  std::optional<EndAtInterrupt> guard(std::in_place);
  const auto scenario = flags.scenario.Load();
  if (!scenario) return Fail(scenario.error());
  InputCache cache;
  const auto inputs = ReadFittingInputs(*scenario, flags.scenario.slot_minutes, flags.gave_slot, cache);
  if (!inputs) return Fail(inputs.error());
  // One length for all: what a change saves must not be what shorter slots save.
  flags.scenario.slot_minutes =
      static_cast<int>(std::chrono::duration_cast<std::chrono::minutes>(inputs->slot).count());
  for (const std::string& remark : inputs->remarks) PrintMessage(remark);
  if (auto sound = CheckChanges(flags, *scenario, cache); !sound) return Fail(sound.error());
  const auto problem = ProblemOver(*inputs, inputs->slots);
  if (!problem) return Fail(problem.error());
  const std::vector<Change> changes = ChangesOf(flags, *scenario, *inputs, *problem);
  Outcome base;
  std::vector<Outcome> outcomes;
  {
    const ProgressLine line;
    Trials trials(flags, *scenario, *problem, cache);
    line.Show(fmt::format("0 of {} changes: as it is", changes.size()));
    base = trials.Try({"as it is", {}}, changes.size() + 1);
    for (const Change& change : changes) {
      line.Show(fmt::format("{} of {} changes: {}", outcomes.size(), changes.size(), change.name));
      outcomes.push_back(trials.Try(change, changes.size() - outcomes.size()));
    }
  }
  Rank(outcomes);
  const std::string text = flags.json ? AsJson(base, outcomes, KnowsCarbon(*problem), problem->objective)
                                      : AsText(base, outcomes, problem->objective, DetectTerminal(1));
  guard.reset();
  if (auto done = Print(text); !done) return Fail(done.error());
  if (base.status == OutcomeStatus::kNotPlanned) return static_cast<int>(ErrorKind::kFailure);
  return base.totals ? kExitOk : kExitInfeasible;
}

}  // namespace

void AddWhatifCommand(CLI::App& program, Commands& commands) {
  CLI::App* app =
      AddCommand(program, "whatif", "Changes one thing at a time and ranks the changes by what they save",
                 {"heliograd whatif builtin:paper", "heliograd whatif my.toml --change battery.capacity_wh=7500 --json",
                  "heliograd whatif my.toml --change \"pv.dc_capacity_w=2000;battery.capacity_wh=5000\""});
  auto flags = std::make_shared<WhatifFlags>();
  flags->scenario.AddTo(*app);
  app->get_option("--time-limit-s")->description("of all plans together: each has an equal part of what is left");
  app->add_option("--change", flags->changes,
                  "a change of your own beside the usual ones: SECTION.KEY=VALUE, several joined by ';' (repeatable)");
  app->add_flag("--json", flags->json, "one JSON object on standard output");
  commands.push_back({app, [app, flags] {
                        flags->gave_slot = app->count("--slot-minutes") > 0;
                        return Whatif(*flags);
                      }});
}

}  // namespace heliograd
