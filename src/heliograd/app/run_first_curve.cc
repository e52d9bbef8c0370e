#include "heliograd/app/run_first_curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <utility>

#include "heliograd/app/curve_store.h"
#include "heliograd/app/first_curve.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/run_summary.h"
#include "heliograd/base/file.h"
#include "heliograd/plan/plan_json.h"
#include "heliograd/report/number_text.h"

namespace heliograd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{50};

/// Limits as they are, with each that is set in the journal.
class JournalledLimits : public PowerLimits {
 public:
  JournalledLimits(PowerLimits& limits, RunJournal& journal, RunClock& clock)
      : limits_(limits), journal_(journal), clock_(clock) {}
  Result<PowerLimitRange> Range() override { return limits_.Range(); }
  Result<void> Set(Power limit) override {
    const Result<void> set = limits_.Set(limit);
    const Result<Power> found = limits_.Asked();
    const std::string text = set ? fmt::format("{:.0f} W set", InWatts(limit)) : set.error().Message();
    journal_.OnEvent({clock_.Now(), set ? "limit" : "limit_refused", text, limit,
                      found ? std::optional(*found) : std::nullopt, false});
    return set;
  }
  Result<Power> Asked() override { return limits_.Asked(); }
  Result<Restored> Release() override { return limits_.Release(); }
  Result<void> Renew() override { return limits_.Renew(); }

 private:
  PowerLimits& limits_;
  RunJournal& journal_;
  RunClock& clock_;
};

/// One thread; used once.
class FirstCurveRun {
 public:
  explicit FirstCurveRun(const FirstMinutes& run)
      : run_(run), pending_(*run.prepared.pending), facts_(run.prepared.facts), part_(*facts_.curve), before_(part_) {}

  Result<std::optional<EndedUnplanned>> Run();

 private:
  using Ended = std::optional<EndedUnplanned>;

  Ended WaitForStart();
  Result<void> StartJob();
  Ended WaitForFirstWord();
  Ended Measure();
  Ended Plan();
  void TakeCosts();
  void TakeWindow(const MeasuredWindow& window);
  std::string Keep(const SweepOutcome& outcome);
  Ended EndWith(Error error);
  Ended JobIsOver(const ExitStatus& exit);
  Ended Interruption();
  FirstCurveOptions Options() const;
  void Note(const std::string& kind, const std::string& text, bool matters = false) {
    run_.journal.OnEvent({run_.clock.Now(), kind, text, {}, {}, matters});
  }
  Result<void> WriteFacts() const { return WriteFile(run_.prepared.folder + "/run.json", RunFactsToJson(facts_)); }

  const FirstMinutes& run_;
  const PendingPlan& pending_;
  RunFacts& facts_;
  CurvePart& part_;
  const CurvePart before_;  // what the parts of the run before this one took
  bool started_ = false;
  std::optional<int64_t> counter_uj_;
  std::chrono::nanoseconds passed_{0};
};

std::string Joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

FirstCurveOptions FirstCurveRun::Options() const {
  return {.limits = pending_.limits,
          .at_each = Seconds(run_.flags.curve_seconds),
          .speed = std::max(run_.clock.Speed(), 1e-3),
          .progress_is_printed = !facts_.progress.empty(),
          .command = Joined(facts_.command)};
}

Result<std::optional<EndedUnplanned>> FirstCurveRun::Run() {
  if (Ended ended = WaitForStart()) return ended;
  if (!run_.journal.events().empty()) {
    Note("resumed_run",
         fmt::format("the run goes on after {} of {} units, before it had a plan", part_.units, facts_.units));
  }
  // An earlier part of this run may have got as far as the curve.
  const Result<bool> is_stored = HasStoredCurve(pending_.device.uuid);
  if (is_stored && *is_stored) return Plan();
  if (Result<void> job = StartJob(); !job) {
    Note("failed", job.error().Message());
    return Fail(job.error());
  }
  if (Ended ended = WaitForFirstWord()) return ended;
  if (Ended ended = Measure()) return ended;
  return Plan();
}

FirstCurveRun::Ended FirstCurveRun::WaitForStart() {
  while (run_.clock.Now() < pending_.start) {
    static_cast<void>(run_.job.Wait(kLookEvery));
    if (Interrupted() || run_.job.ended_before_start()) return Interruption();
  }
  return std::nullopt;
}

Result<void> FirstCurveRun::StartJob() {
  const Stamp now = run_.clock.Now();
  Note("curve_begins",
       fmt::format("no power curve of {} is stored: it is measured now, in the first minutes of the job, at {} (about "
                   "{}); then what is left is planned",
                   pending_.device.name, LimitsText(pending_.limits),
                   DurationText(MeasuringTime(pending_, TimeAtEach(Options())))),
       true);
  const GpuLook look = run_.watch.Look();
  if (!look.is_lost) counter_uj_ = look.energy_uj;
  passed_ = run_.clock.Passed();
  if (before_.duration_s == 0 && !facts_.simulated_clock) part_.begin = now;
  if (Result<void> started = run_.job.Start(); !started) return started;
  started_ = true;
  Note("job_started", "the job is started");
  return {};
}

/// Loading and compiling may take minutes; only then does the job tell its first step.
FirstCurveRun::Ended FirstCurveRun::WaitForFirstWord() {
  const auto begin = run_.clock.Passed();
  const Duration patience = PatienceForFirstWord(std::max(run_.clock.Speed(), 1e-3));
  while (!run_.job.Progress()) {
    if (Interrupted()) return Interruption();
    if (const std::optional<ExitStatus> exit = run_.job.Wait(kLookEvery)) return JobIsOver(*exit);
    if (Seconds(std::chrono::duration<double>(run_.clock.Passed() - begin).count()) < patience) continue;
    const std::string expected = facts_.progress.empty()
                                     ? fmt::format(
                                           "does it write lines such as \"17\" to the file that {} names? (--progress "
                                           "REGEX finds them in what it prints)",
                                           kProgressVariable)
                                     : "does --progress match what it prints?";
    return EndWith({ErrorKind::kUsage,
                    {fmt::format("the job told no progress for {}, so that no power curve can be measured, and it was "
                                 "ended: {}",
                                 DurationText(patience), expected)}});
  }
  return std::nullopt;
}

void FirstCurveRun::TakeCosts() {
  part_.end = run_.clock.Now();
  const double duration_s = std::chrono::duration<double>(run_.clock.Passed() - passed_).count();
  part_.duration_s = before_.duration_s + duration_s;
  const GpuLook look = run_.watch.Look();
  const bool is_known = !look.is_lost && look.energy_uj && counter_uj_ && *look.energy_uj >= *counter_uj_;
  part_.energy = before_.energy;
  part_.unmeasured_s = before_.unmeasured_s;
  if (is_known) {
    part_.energy += Joules(static_cast<double>(*look.energy_uj - *counter_uj_) * 1e-6);
  } else {
    part_.unmeasured_s += duration_s;
  }
  if (const std::optional<JobProgress> word = run_.job.Progress()) part_.units = word->units;
  part_.work = pending_.work * std::min(part_.units / facts_.units, 1.0);
}

void FirstCurveRun::TakeWindow(const MeasuredWindow& window) {
  ++part_.windows;
  TakeCosts();
  // Where the disk is full the journal says so.
  static_cast<void>(WriteFacts());
  Note("curve_window",
       fmt::format("{:.0f} W, round {}: {:.6g} units in {:.3f} s (real time)", InWatts(window.limit), window.round + 1,
                   window.units, static_cast<double>(window.end_ns - window.begin_ns) * 1e-9));
}

/// The curve of what was measured, stored; what became of it in one sentence.
std::string FirstCurveRun::Keep(const SweepOutcome& outcome) {
  const Result<KeptCurve> kept = KeepCurve(Options(), outcome, run_.recording, pending_.device);
  if (!kept) return "no curve is kept: " + kept.error().Message();
  part_.file = kept->path;
  const SweepLimit& knee = kept->curve.result.least_energy;
  return fmt::format(
      "coarse curve from {} windows at {} limits, least energy at {:.0f} W ({:.0f} to {:.0f} W), kept in {}; "
      "`heliograd curve` replaces it with a finer one",
      kept->curve.windows, kept->curve.result.levels.size(), InWatts(knee.limit), InWatts(knee.low), InWatts(knee.high),
      kept->path);
}

FirstCurveRun::Ended FirstCurveRun::Measure() {
  JournalledLimits limits(run_.limits, run_.journal, run_.clock);
  const Result<SweepOutcome> outcome =
      SweepRunningJob(Options(), {.job = run_.job,
                                  .recording = run_.recording,
                                  .limits = limits,
                                  .capper = *run_.gpu.capper,
                                  .signals = run_.signals,
                                  .slowdown = run_.gpu.slowdown,
                                  .tell = run_.tell,
                                  .on_window = [this](const MeasuredWindow& window) { TakeWindow(window); }});
  if (!outcome) return EndWith(outcome.error());
  const std::string kept = Keep(*outcome);
  TakeCosts();
  const bool is_kept = !part_.file.empty();
  Note(is_kept ? "curve_measured" : "curve_not_measured", fmt::format("{}; {} so far", kept, CurvePartText(part_)),
       true);
  if (outcome->exit) return JobIsOver(*outcome->exit);
  if (outcome->stopped && outcome->stopped->kind == ErrorKind::kInterrupted) return Interruption();
  if (is_kept) return std::nullopt;
  Error error = outcome->stopped.value_or(Error{ErrorKind::kFailure, {kept}});
  error.problems.back() +=
      ": without a power curve there is no plan, and the job was ended: measure one with `heliograd "
      "curve`, or give --curve FILE";
  return EndWith(error);
}

FirstCurveRun::Ended FirstCurveRun::Plan() {
  if (started_) TakeCosts();
  auto rest = PlanRest(pending_, run_.prepared.scenario, facts_.units, std::min(part_.units, facts_.units * (1 - 1e-6)),
                       run_.clock.Now());
  if (!rest) {
    Error error = rest.error();
    error.problems.back() += started_ ? ": the job was ended" : "";
    return EndWith(error);
  }
  run_.prepared.plan = std::move(rest->plan);
  const PlanFile& plan = run_.prepared.plan;
  facts_.units_planned = rest->units;
  const Energy load = part_.energy + plan.problem.gpu.host * Seconds(part_.duration_s);
  part_.cost = load * plan.problem.import_price.front();
  if (!started_) run_.tell(rest->curve);  // measured by an earlier part of the run
  if (!rest->shortfall.empty()) {
    Note(
        "unreachable",
        fmt::format("no plan keeps the deadline ({}): {:.1f} % of what is left is planned by then, and the job goes on "
                    "after it",
                    rest->shortfall, 100 * rest->units / std::max(facts_.units - part_.units, 1e-9)),
        true);
  }
  Note("planned",
       fmt::format("{:.1f} % of the job is planned to {}, at {}", 100 * rest->units / facts_.units,
                   FormatLocal(plan.problem.horizon.end(), plan.zone), MoneyText(plan.plan.totals.cost)),
       true);
  const std::string text = PlanToJson(plan.problem, plan.plan, plan.zone, plan.labels);
  Result<void> written = WriteFile(run_.prepared.folder + "/plan.json", text);
  if (written) {
    facts_.pending_scenario.clear();
    written = WriteFacts();
  }
  if (!written) return EndWith(written.error());
  run_.prepared.left_over.begin = part_.begin;
  run_.prepared.left_over.units_done = part_.units;
  run_.prepared.pending.reset();
  return std::nullopt;
}

/// The job is ended, for it cannot be carried on as was asked.
FirstCurveRun::Ended FirstCurveRun::EndWith(Error error) {
  Note("failed", error.Message());
  static_cast<void>(EndJob(run_.job, SIGTERM));
  if (started_) TakeCosts();
  static_cast<void>(WriteFacts());
  Note("end", "the job was ended before it had a plan");
  const int code = static_cast<int>(error.kind);
  return EndedUnplanned{"failed", code, std::move(error)};
}

FirstCurveRun::Ended FirstCurveRun::JobIsOver(const ExitStatus& exit) {
  TakeCosts();
  if (Interrupted() || exit.AsShell() == 128 + SIGINT) {
    static_cast<void>(WriteFacts());
    Note("interrupted", "the run was interrupted before it had a plan");
    Note("end", fmt::format("the job ended with {}", exit.AsShell()));
    return EndedUnplanned{"interrupted", static_cast<int>(ErrorKind::kInterrupted), std::nullopt};
  }
  const bool is_done = exit.AsShell() == 0;
  if (is_done) {
    part_.units = facts_.units;
    part_.work = pending_.work;
  }
  static_cast<void>(WriteFacts());
  Note("end",
       fmt::format("the job ended with {} while its curve was measured, before there was a plan", exit.AsShell()),
       true);
  return EndedUnplanned{is_done ? "finished" : "failed", exit.AsShell(), std::nullopt};
}

FirstCurveRun::Ended FirstCurveRun::Interruption() {
  Note("interrupted", "the run was interrupted before it had a plan");
  static_cast<void>(EndJob(run_.job, SIGINT));
  if (started_) TakeCosts();
  static_cast<void>(WriteFacts());
  Note("end", started_ ? "the job was ended" : "the job was not running");
  return EndedUnplanned{"interrupted", static_cast<int>(ErrorKind::kInterrupted), std::nullopt};
}

}  // namespace

Result<std::optional<EndedUnplanned>> MeasureThenPlan(const FirstMinutes& run) { return FirstCurveRun(run).Run(); }

std::string UnplannedSummaryJson(const PreparedRun& prepared, const EndedUnplanned& ended,
                                 const std::vector<RunEvent>& events) {
  const RunFacts& facts = prepared.facts;
  nlohmann::ordered_json json = {{"format", "heliograd-run-summary-1"},
                                 {"status", ended.status},
                                 {"exit_code", ended.exit_code},
                                 {"command", facts.command},
                                 {"gpu", {{"uuid", facts.gpu_uuid}, {"name", facts.gpu_name}}},
                                 {"timezone", prepared.plan.zone.name()},
                                 {"begin", FormatStamp(facts.curve->begin)},
                                 {"end", FormatStamp(facts.curve->end)},
                                 {"planned", false},
                                 {"gpu_energy_wh", InWattHours(facts.curve->energy)},
                                 {"gpu_energy_obtained", "measured"},
                                 {"unmeasured_s", facts.curve->unmeasured_s},
                                 {"curve_measured", CurvePartJson(*facts.curve)}};
  json["events"] = EventsJson(events);
  json["slots"] = nlohmann::ordered_json::array();
  return json.dump(2) + "\n";
}

std::string UnplannedSummaryText(const PreparedRun& prepared, const EndedUnplanned& ended) {
  const CurvePart& part = *prepared.facts.curve;
  return fmt::format(
      "Run {} while its curve was measured, before it had a plan: {}\n{}", ended.status, CurvePartText(part),
      part.file.empty() ? "No curve is kept: its windows were too few.\n"
                        : fmt::format("The curve so far is kept in {}; the next run plans with it.\n", part.file));
}

}  // namespace heliograd
