#include "heliograd/app/carried_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "heliograd/app/run_folder.h"
#include "heliograd/app/run_summary.h"
#include "heliograd/base/file.h"
#include "heliograd/base/path.h"

namespace heliograd {
namespace {

using Json = nlohmann::json;

Result<std::string> ReadPart(const std::string& folder, const char* file) {
  Result<std::string> content = ReadFile(folder + "/" + file);
  if (content) return content;
  if (content.error().kind == ErrorKind::kPermission) return Fail(content.error());
  return Fail(content.error().Message() + " Expected the folder of a run, as `heliograd run -o DIR` makes it.");
}

/// Books to flows and money, with the plan's own flows, prices and PV.
void SettleByPlan(CarriedPlan& run, const std::vector<SlotActual>& books) {
  std::vector<SlotDecision> decisions;
  for (const PlanSlot& slot : run.plan.plan.slots) decisions.push_back(slot.decision);
  const SettledRun settled = SettleRun(run.plan, run.plan.problem, books, decisions, run.end);
  for (size_t t = 0; t < run.slots.size(); ++t) {
    NodeSlot& actual = run.slots[t].actual;
    actual.load = settled.slots[t].load;
    actual.pv_used = settled.slots[t].pv_used;
    actual.battery_charge = settled.slots[t].battery_charge;
    actual.battery_discharge = settled.slots[t].battery_discharge;
    actual.settled = settled.slots[t].actual;
    run.slots[t].part = settled.slots[t].part;
  }
  const DispatchProblem& problem = run.plan.problem;
  const SlotActual& after = books.back();
  run.gpu_energy_after = after.energy;
  run.after.level_s = after.level_s;
  run.after.unknown_s = after.unknown_s;
  run.after.work = after.work;
  run.after.load = after.energy + problem.gpu.host * Seconds(after.running_s());
  run.after.settled.grid_import = run.after.load;
  run.after.settled.cost = settled.cost_after;
  run.after.settled.carbon = run.after.load * problem.carbon.back();
}

/// Numbers of a summary; the first that is missing is remembered.
class Numbers {
 public:
  explicit Numbers(std::string name) : name_(std::move(name)) {}

  double Of(const Json& object, const char* key, const std::string& place) {
    const auto found = object.find(key);
    if (found != object.end() && found->is_number() && std::isfinite(found->get<double>())) return found->get<double>();
    if (mistake_.empty()) mistake_ = fmt::format("{}: {}{}: expected a number", name_, place, key);
    return 0;
  }
  Result<void> Verdict() const { return mistake_.empty() ? Result<void>() : Fail(mistake_); }

 private:
  std::string name_, mistake_;
};

/// The savings that the run told, with the prices, sun and pace that it knew.
Result<void> TakeSavings(const Json& summary, const std::string& name, RunSavings& savings) {
  const Json told = summary.value("savings", Json()), baselines = summary.value("baselines", Json());
  if (!told.is_object()) {
    savings.unknown = "an earlier version summed the run up, against the plan's own prices, sun and curve";
    return {};
  }
  const auto mistake = [&] { return Fail(name + ": savings, baselines: are not as `heliograd run` writes them"); };
  const auto text_or_null = [](const Json& value) { return value.is_null() || value.is_string(); };
  const auto money_or_null = [](const Json& value) { return value.is_null() || value.is_number(); };
  const Json unknown = told.value("unknown", Json()), remarks = told.value("remarks", Json::array());
  if (!text_or_null(unknown) || !remarks.is_array() || !baselines.is_array()) return mistake();
  if (unknown.is_string()) savings.unknown = unknown;
  for (const Json& remark : remarks) {
    if (!remark.is_string()) return mistake();
    savings.remarks.push_back(remark);
  }
  for (const Json& rung : baselines) {
    if (!rung.is_object() || !rung.value("name", Json()).is_string()) return mistake();
    const Json cost = rung.value("cost_eur", Json()), saved = rung.value("saved_eur", Json());
    const Json note = rung.value("note", Json());
    if (!money_or_null(cost) || !money_or_null(saved) || !text_or_null(note)) return mistake();
    RungSaving read{rung["name"], std::nullopt, std::nullopt, note.is_string() ? note : ""};
    if (cost.is_number()) read.cost = Euros(cost);
    if (saved.is_number()) read.saved = Euros(saved);
    savings.rungs.push_back(read);
  }
  Numbers numbers(name);
  savings.pace = numbers.Of(told, "pace", "savings.");
  savings.draw = numbers.Of(told, "draw", "savings.");
  savings.battery_surplus = WattHours(numbers.Of(told, "battery_surplus_wh", "savings."));
  savings.battery_worth = Euros(numbers.Of(told, "battery_surplus_eur", "savings."));
  return numbers.Verdict();
}

/// The run's own settlement, with PV, prices and flows as they were last known, takes the place of the plan's.
Result<void> TakeSummary(const std::string& text, const std::string& name, CarriedPlan& run) {
  const Json json = Json::parse(text, nullptr, false);
  const auto slots = json.is_object() ? json.find("slots") : json.end();
  if (!json.is_object() || json.value("format", Json()) != "heliograd-run-summary-1" || slots == json.end() ||
      !slots->is_array() || slots->size() != run.slots.size() || !json.contains("status") ||
      !json["status"].is_string()) {
    return Fail(name +
                ": is no summary of this run's plan: expected a file that `heliograd run` wrote; without it the "
                "report is made from the journal alone");
  }
  const std::string status = json["status"];
  if (status == "running") return {};  // the journal knows more
  Numbers numbers(name);
  std::vector<ComparedSlot> read = run.slots;
  for (size_t t = 0; t < read.size(); ++t) {
    const Json& slot = (*slots)[t];
    const std::string place = fmt::format("slots[{}].actual.", t);
    const Json none = Json::object();
    const Json& books =
        slot.is_object() && slot.contains("actual") && slot["actual"].is_object() ? slot["actual"] : none;
    NodeSlot& actual = read[t].actual;
    actual.load = WattHours(numbers.Of(books, "load_wh", place));
    actual.settled.grid_import = WattHours(numbers.Of(books, "grid_import_wh", place));
    actual.settled.grid_export = WattHours(numbers.Of(books, "grid_export_wh", place));
    actual.settled.cost = Euros(numbers.Of(books, "cost_eur", place));
    if (!books.contains("pv_used_wh")) continue;  // of an earlier version: the plan's flows stand
    actual.pv_used = WattHours(numbers.Of(books, "pv_used_wh", place));
    actual.battery_charge = WattHours(numbers.Of(books, "battery_charge_wh", place));
    actual.battery_discharge = WattHours(numbers.Of(books, "battery_discharge_wh", place));
    actual.settled.carbon = Kilograms(numbers.Of(books, "carbon_kg", place));
  }
  const Json after = json.value("after_deadline", Json());
  const double cost_after = after.is_object() ? numbers.Of(after, "cost_eur", "after_deadline.") : 0;
  run.work_assumed = json.contains("work_assumed") ? numbers.Of(json, "work_assumed", "") : 0;
  if (Result<void> sound = numbers.Verdict(); !sound) return sound;
  run.slots = std::move(read);
  if (Result<void> taken = TakeSavings(json, name, run.savings); !taken) return taken;
  run.after.settled.cost = Euros(cost_after);
  run.status = status;
  run.money_is_settled = true;
  return {};
}

/// The savings of the slots that are over, of a run that has told none yet.
void ReckonSavings(CarriedPlan& run, const std::vector<SlotActual>& books) {
  if (run.has_ended()) {
    run.savings.unknown = "the run left no summary";
    return;
  }
  const bool has_news =
      std::any_of(run.events.begin(), run.events.end(), [](const RunEvent& event) { return event.kind == "news"; });
  if (has_news) {
    run.savings.unknown = "prices or PV changed since the plan, which is reckoned with when the run has ended";
    return;
  }
  const DispatchProblem& problem = run.plan.problem;
  std::vector<SlotActual> over = books;
  double work = 0;
  int slots = 0;
  for (; slots < problem.horizon.slots && run.slots[static_cast<size_t>(slots)].settled; ++slots) {
    work += over[static_cast<size_t>(slots)].work;
  }
  for (size_t t = static_cast<size_t>(slots); t < over.size(); ++t) {
    over[t] = SlotActual();
    over[t].level_s.resize(problem.gpu.levels.size());
  }
  if (slots == 0) return;
  std::vector<SlotDecision> flows;
  for (const PlanSlot& slot : run.plan.plan.slots) flows.push_back(slot.decision);
  const Stamp end = problem.horizon.SlotStart(slots);
  const SettledRun settled = SettleRun(run.plan, problem, over, flows, end);
  run.savings = CompareWithLadder({.world = problem,
                                   .books = over,
                                   .flows = flows,
                                   .loads = WholeLoads(problem, settled),
                                   .job_times = {},
                                   .work_is_told = run.progress_is_told,
                                   .work_done = work,
                                   .end = end,
                                   .cost = settled.cost,
                                   .idle_cost = settled.idle_cost,
                                   .terminal_value = run.terminal_value});
  // The sums of a run that goes on count nothing of what the battery will hold.
  for (RungSaving& rung : run.savings.rungs) {
    if (rung.cost) *rung.cost += run.terminal_value;
  }
}

void TakeBooks(CarriedPlan& run, const std::vector<SlotActual>& books) {
  const Horizon& horizon = run.plan.problem.horizon;
  for (int t = 0; t < horizon.slots; ++t) {
    const SlotActual& of_slot = books[static_cast<size_t>(t)];
    ComparedSlot slot;
    slot.planned = PlannedSlot(run.plan, t);
    slot.actual.level_s = of_slot.level_s;
    slot.actual.unknown_s = of_slot.unknown_s;
    slot.actual.work = of_slot.work;
    slot.gpu_energy = of_slot.energy;
    slot.gpu_energy_off = of_slot.energy_off;
    slot.off_s = of_slot.off_s;
    slot.unmeasured_s = of_slot.unmeasured_s;
    slot.entered = of_slot.entered;
    slot.settled = run.has_ended() || horizon.SlotStart(t + 1) <= run.end;
    run.slots.push_back(slot);
  }
}

/// How a journal that has ended says it did; the summary says it more exactly.
std::string StatusByJournal(const ReadJournal& journal, const PlanFile& plan) {
  if (!journal.has_ended) return "running";
  bool interrupted = false;
  for (const RunEvent& event : journal.events) {
    if (event.kind == "resumed_run") interrupted = false;
    if (event.kind == "interrupted") interrupted = true;
  }
  if (interrupted) return "interrupted";
  return journal.left_over.work_done >= plan.problem.work * (1 - 1e-9) ? "finished" : "failed";
}

std::string NoPlanYet(const std::string& folder, const RunFacts& facts) {
  const std::string took = facts.curve ? " (" + CurvePartText(*facts.curve) + " so far)" : "";
  return fmt::format(
      "{}: the run has no plan to compare with: its power curve was being measured{}: {}/journal.jsonl has "
      "what happened; go on with it by heliograd run --resume {}, where work is left",
      folder, took, folder, folder);
}

}  // namespace

Result<CarriedPlan> ReadCarriedRun(const std::string& folder) {
  const Result<std::string> facts_text = ReadPart(folder, "run.json");
  if (!facts_text) return Fail(facts_text.error());
  const Result<RunFacts> facts = RunFactsFromJson(*facts_text, folder + "/run.json");
  if (!facts) return Fail(facts.error());
  if (!facts->has_plan()) return Fail(NoPlanYet(folder, *facts));
  const Result<std::string> plan_text = ReadPart(folder, "plan.json");
  if (!plan_text) return Fail(plan_text.error());
  const Result<std::string> journal_text = ReadPart(folder, "journal.jsonl");
  if (!journal_text) return Fail(journal_text.error());
  Result<PlanFile> plan = PlanFromJson(*plan_text, folder + "/plan.json");
  if (!plan) return Fail(plan.error());
  const DispatchProblem& problem = plan->problem;
  Result<ReadJournal> journal =
      ParseJournal(*journal_text, folder + "/journal.jsonl", problem.horizon.slots, problem.gpu.levels.size());
  if (!journal) return Fail(journal.error());
  if (!journal->left_over.begin) {
    return Fail(folder + "/journal.jsonl: is empty: the run has not begun, there is nothing to report yet");
  }

  CarriedPlan run;
  run.folder = folder;
  run.command = fmt::format("{}", fmt::join(facts->command, " "));
  run.gpu = fmt::format("{} ({})", facts->gpu_name, facts->gpu_uuid);
  run.status = StatusByJournal(*journal, *plan);
  // The time before the plan is a part of its own.
  run.begin = facts->curve ? std::max(facts->curve->end, *journal->left_over.begin) : *journal->left_over.begin;
  run.curve = facts->curve;
  run.end = journal->last;
  run.work_done = journal->left_over.work_done;
  run.progress_is_told = facts->units > 0 && journal->left_over.units_done > 0;
  run.terminal_value = plan->plan.totals.terminal_value;
  run.plan = std::move(*plan);
  for (const RunEvent& event : journal->events) run.end = std::max(run.end, event.at);
  for (const RunPoint& point : journal->trail) run.end = std::max(run.end, point.at);
  TakeBooks(run, journal->left_over.slots);
  SettleByPlan(run, journal->left_over.slots);
  run.events = std::move(journal->events);
  run.trail = std::move(journal->trail);
  const std::string summary = folder + "/summary.json";
  const Result<bool> has_summary = IsThere(summary);
  if (!has_summary) return Fail(has_summary.error());
  if (run.has_ended() && *has_summary) {
    const Result<std::string> text = ReadFile(summary);
    if (!text) return Fail(text.error());
    if (Result<void> taken = TakeSummary(*text, summary, run); !taken) return Fail(taken.error());
  }
  if (!run.money_is_settled) ReckonSavings(run, journal->left_over.slots);
  for (int t = 0; t < run.plan.problem.horizon.slots; ++t) {
    ComparedSlot& slot = run.slots[static_cast<size_t>(t)];
    if (slot.settled) slot.deviations = Attribute(run, t);
  }
  // Work done by the end, after the last state.
  double by_books = run.after.work;
  for (const ComparedSlot& slot : run.slots) by_books += slot.actual.work;
  run.work_done = std::max(run.work_done, by_books);
  return run;
}

}  // namespace heliograd
