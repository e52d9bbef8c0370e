#include "heliograd/control/plan_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <utility>

#include "heliograd/base/clock.h"
#include "heliograd/plan/objective.h"

namespace heliograd {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kLongestWait{200};     // real time between two looks
constexpr milliseconds kLongestWaitFast{20};  // the same when time passes faster, or a job is about to pause
constexpr double kBand = 0.005;               // of the work: further from the schedule a new plan is asked for
constexpr double kReserve = 0.005;            // of the work that is left, planned on top of it
constexpr double kPlanParts = 12;             // of a slot, when planning begins within it
constexpr int kMostPlanSlots = 20'000;
constexpr double kTryPlannerS = 60;     // after it failed
constexpr double kPlanAheadRealS = 2;   // before a slot begins, its plan is asked for
constexpr double kMostPlanAhead = 0.1;  // of a slot
constexpr double kQuietRealS = 0.1;     // before a change of level nothing is written
constexpr double kStillPower = 0.5;     // of a level's draw; below it the job did not run

double InRealSeconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }
nanoseconds Nanoseconds(double seconds) { return nanoseconds(std::llround(seconds * 1e9)); }
double SecondsBetween(Stamp from, Stamp to) { return InSeconds(Between(from, to)); }

/// In what the plans minimise.
std::string SavingText(Objective objective, Money saving) {
  if (objective == Objective::kCost) return fmt::format("{:.3f} EUR", InEuros(saving));
  return fmt::format("{:.0f} g CO2", 1000 * InKilograms(CarbonOfObjective(saving)));
}

std::vector<double> PromisedPaces(const DispatchProblem& problem) {
  std::vector<double> paces;
  for (const Level& level : problem.gpu.levels) paces.push_back(1 / InSeconds(level.job_time));
  return paces;
}

std::vector<SlotDecision> DecisionsOf(const Plan& plan) {
  std::vector<SlotDecision> decisions;
  for (const PlanSlot& slot : plan.slots) decisions.push_back(slot.decision);
  return decisions;
}

std::string LengthText(double seconds) {
  return seconds < 3600 ? fmt::format("{:.0f} min", std::max(std::ceil(seconds / 60), 1.0))
                        : fmt::format("{:.1f} h", seconds / 3600);
}

}  // namespace

PlanRunner::PlanRunner(const DispatchProblem& problem, const Plan& plan, const RunOptions& options, Parts parts)
    : problem_(problem),
      plan_(plan),
      options_(options),
      parts_(std::move(parts)),
      running_plan_{problem, DecisionsOf(plan)},
      work_({.work = problem.work,
             .units = options.units,
             .units_before = options.units_before,
             .told_how = options.told_how,
             .paces = PromisedPaces(problem)},
            [this](const std::string& kind, const std::string& text) { Tell(kind, text, true); }),
      limits_(problem.gpu.levels, parts_.limits, parts_.clock, [this](RunEvent event) { Tell(std::move(event)); }) {}

Result<RunOutcome> PlanRunner::Run(const RunLeftOver& left_over) {
  Begin(left_over);
  while (true) {
    Observe();
    if (parts_.is_interrupted()) {
      outcome_.interrupted = true;
      Tell("interrupted", "the run was interrupted");
      return Finish(EndJob(SIGINT));
    }
    const bool is_over = now_ >= problem_.horizon.end();
    if (is_over && parts_.job.started() && options_.on_late == OnLate::kStop) {
      if (IsReadyToEnd()) {
        outcome_.stopped_late = true;
        return Finish(EndJob(SIGTERM));
      }
      Decide();
    } else if (Result<void> followed = Follow(); !followed) {
      Tell("failed", followed.error().Message());
      return Fail(followed.error());
    }
    TellState();
    if (const std::optional<ExitStatus> exit = parts_.job.Wait(TimeToNextLook())) return Finish(exit);
  }
}

Result<void> PlanRunner::Follow() {
  LookAtDeadline();
  // The level first: what is written and planned at a slot's begin takes its time.
  if (Result<void> applied = Apply(Wanted()); !applied) return applied;
  Decide();
  return Apply(Wanted());
}

/// Of a job that is late and is to end: its checkpoint is written, or need not be waited for any longer.
bool PlanRunner::IsReadyToEnd() {
  if (!std::exchange(ends_late_, true)) {
    outcome_.late = true;
    Tell("late", "the deadline has come and the job is not done: it is ended, as --on-late stop asks for", true);
  }
  return paused_ || parts_.job.Pause(true) != PauseAnswer::kNotYet;
}

void PlanRunner::Begin(const RunLeftOver& left_over) {
  now_ = begin_ = adopted_at_ = parts_.clock.Now();
  passed_ = parts_.clock.Passed();
  next_progress_look_ = now_;
  static_cast<void>(parts_.clock.Irregularity());
  outcome_.begin = left_over.begin.value_or(now_);
  outcome_.end = now_;
  outcome_.plans = left_over.plans;
  outcome_.pauses = left_over.pauses;
  outcome_.slots = left_over.slots;
  outcome_.decisions = running_plan_.decisions;
  books_.emplace(problem_.horizon, problem_.gpu.levels.size(), outcome_.slots);
  work_.GoOn(left_over.work_done, left_over.units_done);
  adopted_work_ = left_over.work_done;
  look_ = parts_.gpu.Look();
  limits_.Look(look_);
  if (!look_.is_lost) counter_uj_ = look_.energy_uj;
  slot_ = planned_slot_ = SlotOf(now_);
  schedule_ = MakeDwells(problem_, running_plan_.decisions, std::nullopt, options_.shortest_dwell);
  const bool goes_on = !left_over.slots.empty();
  if (goes_on && left_over.counter_uj && counter_uj_ && *counter_uj_ >= *left_over.counter_uj) {
    TakeGap(left_over);
  }
  Tell(goes_on ? "resumed_run" : "start", goes_on ? fmt::format("the run goes on with {:.1f} % of the plan's work left",
                                                                100 * work_.left() / problem_.work)
                                                  : "the run begins");
  const bool is_late = now_ > problem_.horizon.start + Nanoseconds(std::max(5.0, 0.1 * parts_.clock.Speed()));
  if (goes_on || is_late) PlanAnew(goes_on ? "the run goes on" : "the run begins after the plan's start");
}

/// What the GPU drew while nobody looked is known all the same; it was off then, or as good as off.
void PlanRunner::TakeGap(const RunLeftOver& left_over) {
  const Stamp from = std::min(std::max(left_over.at, problem_.horizon.start), now_);
  const double gap_s = SecondsBetween(from, now_);
  const Energy energy = Joules(static_cast<double>(*counter_uj_ - *left_over.counter_uj) * 1e-6);
  std::vector<bool> entered;
  for (const SlotActual& slot : outcome_.slots) entered.push_back(slot.entered);
  books_->Add(from, now_, {.elapsed_s = gap_s, .level = std::nullopt, .energy = energy, .known_s = gap_s});
  for (size_t t = 0; t < entered.size(); ++t) outcome_.slots[t].entered = entered[t];
  for (int slot = SlotOf(from); slot < slot_; ++slot) {
    parts_.observer.OnSlotEnd(slot, outcome_.slots[static_cast<size_t>(slot)]);
  }
  Tell("unattended",
       fmt::format("{:.1f} Wh were drawn between the end of the run before and now", InWattHours(energy)));
}

/// Time, energy and work since the last look go into the books.
void PlanRunner::Observe() {
  const Stamp before = now_;
  now_ = parts_.clock.Now();
  const nanoseconds passed = parts_.clock.Passed();
  const double elapsed_s = std::max(InRealSeconds(passed - passed_), 0.0);
  passed_ = passed;
  const std::string irregularity = parts_.clock.Irregularity();
  const bool was_known = limits_.IsKnown();
  const LevelOrOff was_set = limits_.set_level();
  look_ = parts_.gpu.Look();
  limits_.Look(look_);
  const Taken taken = TakeEnergy(look_, elapsed_s);
  // A driver that was loaded anew has set another.
  limit_known_ = was_known && limits_.IsKnown() && limits_.set_level() == was_set;
  const std::optional<std::string> gap = StoodStill(elapsed_s, taken);
  const double work = TakeProgress(stood_still_ ? 0 : elapsed_s);
  const Passage passage{.elapsed_s = elapsed_s,
                        .ran = level_ && !paused_ && !stood_still_,
                        .level = limit_known_ ? level_ : std::nullopt,
                        .energy = taken.energy,
                        .known_s = taken.known_s,
                        .work = work};
  if (irregularity.empty()) {
    books_->Add(before, now_, passage);
  } else {
    books_->AddAt(now_, passage);
  }
  stood_still_ = false;
  if (gap) Tell("stood_still", *gap, true);
  if (!irregularity.empty()) {
    Tell("clock", irregularity + ": the plan's slots go by the clock as it is now", true);
    PlanAnew(irregularity);
  } else if (gap) {
    PlanAnew("the run stood still");
  }
  limits_.Watch();
  NoticeLimitsOut();
}

/// Whether nobody looked for so long that this program itself must have been stopped (Ctrl-Z, SIGSTOP, a virtual
/// machine that was held), in one sentence. Whether the job ran meanwhile is seen from what the GPU drew.
std::optional<std::string> PlanRunner::StoodStill(double elapsed_s, const Taken& taken) {
  const double real_s = elapsed_s / std::max(parts_.clock.Speed(), 1e-6);
  const double unexplained_s = real_s - InRealSeconds(std::exchange(busy_, nanoseconds(0)));
  if (unexplained_s < InSeconds(options_.longest_gap)) return std::nullopt;
  std::string text =
      fmt::format("the run stood still for {:.0f} s (it was stopped, or the machine gave it no time)", elapsed_s);
  if (!level_ || paused_ || !parts_.job.started()) return text + "; the job was off";
  if (taken.known_s <= 0) return text + ": the job is taken to have run on, for what the GPU drew is not known";
  const Power mean = taken.energy / Seconds(elapsed_s);
  stood_still_ = mean < problem_.gpu.levels[*level_].draw * kStillPower;
  return text + fmt::format(": the job {}, the GPU drew {} meanwhile", stood_still_ ? "stood still too" : "ran on",
                            WattsText(mean));
}

PlanRunner::Taken PlanRunner::TakeEnergy(const GpuLook& look, double elapsed_s) {
  if (look.is_lost) {
    if (!std::exchange(lost_, true)) {
      const char* job = !parts_.job.started() ? "the job has not begun yet"
                        : paused_             ? "the job is paused"
                                              : "the job runs on";
      Tell("gpu_lost",
           fmt::format(
               "the GPU or its driver does not answer: {}; its energy and its power limit are not known until it does",
               job),
           true);
    }
    lost_s_ += elapsed_s;
    return {};
  }
  Taken taken;
  if (look.energy_uj) {
    const bool has_both = counter_uj_.has_value();
    if (has_both && *look.energy_uj < *counter_uj_) {
      limits_.DriverIsNew();
    } else if (has_both) {
      taken.energy = Joules(static_cast<double>(*look.energy_uj - *counter_uj_) * 1e-6);
      taken.known_s = elapsed_s;
      if (lost_) books_->Fill(slot_, lost_s_);  // what was drawn during the absence is known after all
    }
    counter_uj_ = look.energy_uj;
  } else if (look.power) {
    taken.energy = *look.power * Seconds(elapsed_s);
    taken.known_s = elapsed_s;
  }
  if (lost_) {
    lost_ = false;
    lost_s_ = 0;
    Tell("gpu_back", "the GPU answers again", true);
    limits_.AnswersAgain();
  }
  return taken;
}

/// Whether the limit of the time since the last look was that of `level_`, so that its pace says something about it.
bool PlanRunner::RunsAtItsLevel() const { return limit_known_ && level_ && limits_.IsAt(*level_); }

double PlanRunner::TakeProgress(double elapsed_s) {
  if (!level_ || paused_ || !parts_.job.started()) return 0;
  const std::optional<JobProgress> word = options_.units > 0 ? parts_.job.Progress() : std::nullopt;
  return work_.Take(elapsed_s, parts_.clock.Speed(), *level_, RunsAtItsLevel(), word);
}

/// Slots that are over are closed; a clock that was set back opens none again.
void PlanRunner::CloseSlots() {
  SumUp();
  const int now_in = SlotOf(now_);
  for (; slot_ < now_in; ++slot_) {
    if (outcome_.slots[static_cast<size_t>(slot_)].entered) {
      parts_.observer.OnSlotEnd(slot_, outcome_.slots[static_cast<size_t>(slot_)]);
    }
  }
}

void PlanRunner::Decide() {
  if (SlotOf(now_) > slot_) {
    CloseSlots();
    if (now_ < problem_.horizon.end() && planned_slot_ < slot_) {
      planned_slot_ = slot_;
      PlanAnew("");
    }
  }
  PlanForNextSlot();
  if (failing_ && now_ >= next_planner_try_ && now_ < problem_.horizon.end()) PlanAnew("the planner had failed");
  if (parts_.news) {
    if (const std::optional<RunNews> news = parts_.news(now_)) {
      Tell(news->changes ? "news" : "stale", news->text, true);
      if (news->changes) PlanAnew(news->text);
    }
  }
  if (now_ >= next_progress_look_ && now_ < problem_.horizon.end()) {
    const double off = work_.done() - adopted_work_ - ScheduledWork(adopted_at_, now_) - expected_offset_;
    const double band = std::max(kBand * problem_.work, Rate(fastest()) * std::max(120.0, 0.2 * parts_.clock.Speed()));
    if (std::abs(off) > band && !full_power_) {
      next_progress_look_ = now_ + Nanoseconds(60);
      PlanAnew(fmt::format("the job is {:.1f} % of its work {} of the plan", 100 * std::abs(off) / problem_.work,
                           off > 0 ? "ahead" : "behind"));
      if (adopted_at_ != now_) expected_offset_ += off;  // told once; the running plan bears it
    }
  }
  LookAtDeadline();
}

/// The plan from the next slot on is made before that begins, so that its level is set when it does.
void PlanRunner::PlanForNextSlot() {
  const Horizon& whole = problem_.horizon;
  const int next = slot_ + 1;
  if (now_ < whole.start || next >= whole.slots || planned_slot_ >= next) return;
  const double ahead_s = (kPlanAheadRealS + 2 * InRealSeconds(planning_took_)) * parts_.clock.Speed();
  if (SecondsBetween(now_, whole.SlotStart(next)) >
      std::min(ahead_s, kMostPlanAhead * InSeconds(whole.SlotDuration()))) {
    return;
  }
  planned_slot_ = next;
  PlanAnew("");
}

/// The latest safe start: when only full power can still keep the deadline, full power it is.
void PlanRunner::LookAtDeadline() {
  if (now_ < problem_.horizon.start || now_ >= problem_.horizon.end()) return;
  const RateEstimate rate = work_.estimate().RateOf(full());
  const double doubt = work_.estimate().has_measured() ? rate.half_width : 0;
  const double left_s = SecondsBetween(now_, problem_.horizon.end());
  const double needed_s = work_.left() / rate.rate;
  const double margin_s = 0.003 * needed_s + 10 + 0.05 * parts_.clock.Speed();
  const bool only_full = needed_s / (1 - std::min(doubt, 0.5)) + margin_s >= left_s;
  if (only_full && !full_power_) {
    full_power_ = true;
    Tell("full_power", "only full power can still keep the deadline: full power from now on", true);
  } else if (full_power_ && parts_.replan &&
             needed_s / (1 - std::min(doubt, 0.5)) + 3 * margin_s + 0.02 * left_s < left_s) {
    // Only a new plan knows the pace as it is; the one that led here would lead here again.
    full_power_ = false;
    Tell("full_power_ends", "the deadline is safe again: back to the plan", true);
    PlanAnew("the deadline is safe again");
  }
  if (!unreachable_ && needed_s / (1 + doubt) > left_s + margin_s) {
    unreachable_ = true;
    const double part = 1 - (work_.left() - rate.rate * left_s) / problem_.work;
    Tell("unreachable",
         fmt::format(
             "the deadline cannot be kept: at full power {:.1f} % of the work is done by then, all of it {} later",
             100 * part, LengthText(needed_s - left_s)),
         true);
  }
}

std::optional<Horizon> PlanRunner::WantedHorizon(bool at_edge) const {
  const Horizon& whole = problem_.horizon;
  if (now_ < whole.start) return whole;
  const int slot = at_edge ? planned_slot_ : SlotOf(now_);
  if (slot >= whole.slots) return std::nullopt;
  if (at_edge) return Horizon{whole.SlotStart(slot), whole.step, whole.slots - slot};
  const auto part = std::chrono::seconds(whole.step.count() / static_cast<long>(kPlanParts));
  const int slots = (whole.slots - slot) * static_cast<int>(kPlanParts);
  if (plan_.formulation != Formulation::kBlend || part.count() < 5 || slots > kMostPlanSlots) {
    if (slot + 1 >= whole.slots) return std::nullopt;
    return Horizon{whole.SlotStart(slot + 1), whole.step, whole.slots - slot - 1};
  }
  const auto into = static_cast<int>((now_ - whole.SlotStart(slot)) / part) + 1;
  if (into >= slots) return std::nullopt;
  return Horizon{whole.SlotStart(slot) + part * into, part, slots - into};
}

void PlanRunner::PlanAnew(const std::string& reason) {
  if (!parts_.replan) return;
  const bool at_edge = reason.empty();
  planned_slot_ = std::max(planned_slot_, SlotOf(now_));
  const std::optional<Horizon> horizon = WantedHorizon(at_edge);
  if (!horizon) return;
  ReplanRequest request;
  request.reason = at_edge ? "a slot begins" : reason;
  request.horizon = *horizon;
  const double before = horizon->start > now_ ? ScheduledWork(now_, horizon->start) : 0;
  request.work_left = std::max(work_.left() - before, Rate(fastest()) * 30);
  request.job_times = JobTimes();
  request.only_level = limits_.only_level();
  const double bare_work = request.work_left;
  request.kept = SharesOf(schedule_, *horizon, problem_.gpu.levels.size());
  request.running = &running_plan_;
  const bool holds = !limits_.only_level() && WorkOf(request.kept, *horizon) >= bare_work * (1 - 1e-3);
  // A plan that ends with the horizon has no room for what is not known; where there is room, a little is kept.
  request.work_left *= 1 + kReserve;
  const Stamp asked_at = SteadyClock().Now();
  Result<ReplanAnswer> answer = parts_.replan(request);
  if (answer && !answer->plan) {
    request.work_left = bare_work;
    answer = parts_.replan(request);
  }
  planning_took_ = SteadyClock().Now() - asked_at;
  busy_ += planning_took_;
  if (!answer) {
    if (!std::exchange(failing_, true)) {
      Tell("replan_failed",
           "no new plan: " + answer.error().Message() + ": the one before is followed" +
               (options_.safe_limit ? ", at " + WattsText(*options_.safe_limit) + " if it does not suffice" : ""),
           true);
    }
    next_planner_try_ = now_ + Nanoseconds(kTryPlannerS);
    return;
  }
  if (std::exchange(failing_, false)) Tell("replan_works", "the planner works again", true);
  if (!answer->plan) return;  // the look at the deadline says what is left to do
  const bool saves = !answer->kept_cost || *answer->kept_cost - answer->cost > options_.switching_cost;
  // A plan that was made within a slot has parts of slots. Its cost is no measure for one of whole slots: within an
  // hour it may buy and sell in turns, which the books of an hour do not.
  const bool is_makeshift = at_edge && running_plan_.problem.horizon.step != problem_.horizon.step;
  if (holds && !saves && !is_makeshift) return;
  Tell("replan",
       fmt::format("{}: a new plan for the {:.1f} % of the work that is left{}", request.reason,
                   100 * std::min(bare_work / problem_.work, 1.0),
                   holds && saves && answer->kept_cost
                       ? ", which saves " + SavingText(problem_.objective, *answer->kept_cost - answer->cost)
                       : ""),
       !at_edge);
  ++outcome_.plans;
  Adopt(*answer->plan);
}

/// What is left of the present dwells until the new plan begins, then the new plan's.
void PlanRunner::Adopt(RunningPlan plan) {
  const Stamp begin = plan.problem.horizon.start;
  std::vector<Dwell> dwells;
  for (Dwell dwell : schedule_.dwells) {
    if (dwell.begin >= begin) break;
    dwell.end = std::min(dwell.end, begin);
    dwells.push_back(dwell);
  }
  const LevelOrOff last = dwells.empty() ? level_ : dwells.back().level;
  running_plan_ = std::move(plan);
  DwellSchedule next = MakeDwells(running_plan_.problem, running_plan_.decisions, begin <= now_ ? level_ : last,
                                  options_.shortest_dwell);
  dwells.insert(dwells.end(), next.dwells.begin(), next.dwells.end());
  schedule_ = {std::move(dwells), next.owed};
  TakeFlows(running_plan_.problem.horizon, running_plan_.decisions, problem_.horizon, outcome_.decisions);
  adopted_at_ = now_;
  adopted_work_ = work_.done();
  expected_offset_ = 0;
}

PlanRunner::LevelOrOff PlanRunner::Wanted() {
  if (now_ < problem_.horizon.start) return std::nullopt;
  if (now_ >= problem_.horizon.end()) {
    if (!std::exchange(outcome_.late, true)) {
      Tell("late", "the deadline has come and the job is not done: it goes on at full power", true);
    }
    return full();
  }
  if (full_power_) return full();
  if (failing_ && options_.safe_limit && work_.left() > ScheduledWork(now_, problem_.horizon.end()) * 1.02) {
    return limits_.LevelAt(*options_.safe_limit);
  }
  const Dwell* dwell = schedule_.At(now_);
  if (dwell == nullptr) return level_;
  if (dwell->level) return dwell->level;
  // A job whose work was reckoned too high or too low is not left paused when the plan has nothing more for it.
  const bool comes_again = std::any_of(schedule_.dwells.begin(), schedule_.dwells.end(),
                                       [&](const Dwell& later) { return later.begin > now_ && later.level; });
  if (comes_again) return std::nullopt;
  if (!std::exchange(overrun_told_, true)) {
    Tell("overrun", "the plan's work is done by the books and the job runs on: it stays at its level", true);
  }
  if (level_) return level_;
  for (size_t i = schedule_.dwells.size(); i-- > 0;) {
    if (schedule_.dwells[i].level) return schedule_.dwells[i].level;
  }
  return full();
}

Result<void> PlanRunner::Apply(LevelOrOff wanted) {
  Job& job = parts_.job;
  if (!wanted) {
    if (job.started() && !paused_) PauseJob();
    return {};
  }
  limits_.Set(*wanted, DueOf(*wanted));
  NoticeLimitsOut();
  const LevelOrOff runs = limits_.Runs(*wanted);
  if (runs != level_) work_.BeginStretch();
  level_ = runs;
  if (!job.started()) {
    if (Result<void> started = job.Start(); !started) return started;
    Tell("job_started", "the job is started");
  } else if (paused_) {
    paused_ = false;
    job.Resume();
    Tell("resume", "the job goes on");
  } else if (std::exchange(pausing_, false)) {
    job.Resume();
    Tell("pause_withdrawn", "the job goes on: it was asked to pause and had not stopped yet");
  }
  return {};
}

/// Asks a job that runs to pause. Until it stands still it is watched, and its time counts, as of one that runs.
void PlanRunner::PauseJob() {
  if (!std::exchange(pausing_, true)) {
    const Duration length = Seconds(std::max(0.0, SecondsBetween(now_, State().next_change)));
    checkpoint_due_ = options_.checkpoint_before && length >= *options_.checkpoint_before;
  }
  const PauseAnswer answer = parts_.job.Pause(checkpoint_due_);
  if (answer == PauseAnswer::kNoAnswer) TellNoAnswer();
  if (answer == PauseAnswer::kNotYet || answer == PauseAnswer::kNoAnswer) return;
  pausing_ = no_answer_told_ = false;
  paused_ = true;
  level_.reset();
  ++outcome_.pauses;
  Tell("pause", answer == PauseAnswer::kAtStep ? "paused at a step" : "stopped where it was");
}

void PlanRunner::TellNoAnswer() {
  if (std::exchange(no_answer_told_, true)) return;
  Tell("pause_unanswered",
       "the job does not answer that it has paused: it runs on, and its time counts as running, until it does; "
       "--pause signal stops any job, and heliograd.pause_point() between its steps lets it answer",
       true);
}

/// When the schedule wants that level to be set; nothing where something else wants it.
std::optional<Stamp> PlanRunner::DueOf(size_t level) const {
  const Dwell* dwell = schedule_.At(now_);
  const bool by_schedule = dwell != nullptr && dwell->level == level && dwell->begin >= adopted_at_ && !full_power_;
  return by_schedule ? std::optional(dwell->begin) : std::nullopt;
}

/// Limits that went out of reach leave one level to plan with.
void PlanRunner::NoticeLimitsOut() {
  if (!limits_.only_level() || !std::exchange(outcome_.limits_reached, false)) return;
  if (level_) {
    level_ = limits_.only_level();
    work_.BeginStretch();
  }
  PlanAnew("limits are out of reach");
}

/// From now, which is later than the last look; below zero when a change became due since.
double PlanRunner::RealSecondsToChange() const {
  const Stamp now = parts_.clock.Now();
  double next_s = 1e9;
  const auto consider = [&](Stamp stamp) {
    if (stamp > now_) next_s = std::min(next_s, SecondsBetween(now, stamp));
  };
  if (const Dwell* dwell = schedule_.At(now_)) consider(dwell->end);
  consider(problem_.horizon.start);
  consider(problem_.horizon.end());
  if (slot_ < problem_.horizon.slots) consider(problem_.horizon.SlotStart(slot_ + 1));
  return next_s / std::max(parts_.clock.Speed(), 1e-6);
}

nanoseconds PlanRunner::TimeToNextLook() const {
  const bool is_about_to_pause = pausing_ && !no_answer_told_;
  const nanoseconds longest = parts_.clock.Speed() > 2 || is_about_to_pause ? kLongestWaitFast : kLongestWait;
  const nanoseconds wait = Nanoseconds(std::min(RealSecondsToChange(), 1.0));
  return std::clamp(wait, nanoseconds(0), longest);
}

std::optional<ExitStatus> PlanRunner::EndJob(int signal) {
  const std::optional<ExitStatus> exit = heliograd::EndJob(parts_.job, signal);
  if (parts_.job.started()) paused_ = false;
  return exit;
}

std::vector<Duration> PlanRunner::JobTimes() const {
  std::vector<Duration> times;
  for (size_t k = 0; k < problem_.gpu.levels.size(); ++k) times.push_back(Seconds(1 / Rate(k)));
  return times;
}

void PlanRunner::SumUp() {
  outcome_.work_done = work_.done();
  outcome_.progress_told = work_.is_told();
  outcome_.job_times.clear();
  if (work_.estimate().has_measured()) outcome_.job_times = JobTimes();
  outcome_.end = now_;
  outcome_.energy = {};
  outcome_.unmeasured_s = 0;
  for (const SlotActual& slot : outcome_.slots) {
    outcome_.energy += slot.energy;
    outcome_.unmeasured_s += slot.unmeasured_s;
  }
}

/// Of a job that should have told its work and told none nothing is known to be done.
void PlanRunner::ForgetReckonedWork() {
  for (SlotActual& slot : outcome_.slots) slot.work = 0;
  work_.Set(0);
}

RunOutcome PlanRunner::Finish(std::optional<ExitStatus> exit) {
  Observe();
  CloseSlots();
  if (slot_ <= problem_.horizon.slots && outcome_.slots[static_cast<size_t>(slot_)].entered) {
    parts_.observer.OnSlotEnd(slot_, outcome_.slots[static_cast<size_t>(slot_)]);
  }
  // What the job finished by itself is all of it, whatever the books say of the last seconds.
  if (exit && exit->AsShell() == 0 && !outcome_.stopped_late) {
    outcome_.work_assumed = problem_.work - work_.done();
    outcome_.slots[static_cast<size_t>(slot_)].work += outcome_.work_assumed;
    work_.Set(problem_.work);
  }
  const bool has_finished = exit && exit->AsShell() == 0;
  if (options_.units > 0 && !outcome_.progress_told && !has_finished) ForgetReckonedWork();
  outcome_.exit = exit;
  SumUp();
  WriteState();
  Tell("end", exit ? fmt::format("the job ended with {}", exit->AsShell()) : "the job was not running");
  return std::move(outcome_);
}

void PlanRunner::Tell(const std::string& kind, const std::string& text, bool matters) {
  Tell({.kind = kind, .text = text, .matters = matters});
}

void PlanRunner::Tell(RunEvent event) {
  event.at = now_;
  parts_.observer.OnEvent(event);
  next_state_ = nanoseconds(0);  // a state follows
}

/// Every few seconds, and not when a level is about to change: a disk may take its time.
void PlanRunner::TellState() {
  const nanoseconds real = SteadyClock().Now().time_since_epoch();
  if (real < next_state_ || RealSecondsToChange() < kQuietRealS) return;
  next_state_ = real + Nanoseconds(InSeconds(options_.state_every));
  WriteState();
}

void PlanRunner::WriteState() { parts_.observer.OnState(State(), outcome_.slots[static_cast<size_t>(slot_)]); }

RunState PlanRunner::State() const {
  RunState state;
  state.at = now_;
  state.slot = slot_;
  const LevelOrOff runs = paused_ ? std::nullopt : level_;
  state.limit_unknown = runs && !limits_.IsKnown();
  state.level = state.limit_unknown ? std::nullopt : runs;
  state.work_done = work_.done();
  state.units_done = work_.units_done();
  state.counter_uj = counter_uj_;
  state.power = look_.power;
  state.limit = look_.limit;
  for (const SlotActual& slot : outcome_.slots) state.energy += slot.energy;
  state.full_power = full_power_;
  for (int t = 0; t < problem_.horizon.slots; ++t) {
    const double part = std::clamp(
        SecondsBetween(problem_.horizon.SlotStart(t), now_) / InSeconds(problem_.horizon.SlotDuration()), 0.0, 1.0);
    state.work_planned += plan_.slots[static_cast<size_t>(t)].progress * part;
  }
  state.next_change = state.expected_end = problem_.horizon.end();
  const auto changes_to = [&](const LevelOrOff& level) {
    if (full_power_) return level != fastest();
    return pausing_ ? level.has_value() : level != runs;
  };
  for (const Dwell& dwell : schedule_.dwells) {
    if (dwell.begin > now_ && changes_to(dwell.level)) {
      state.next_change = dwell.begin;
      state.next_level = dwell.level;
      break;
    }
  }
  double left = work_.left();
  for (const Dwell& dwell : schedule_.dwells) {
    if (dwell.end <= now_ || !dwell.level) continue;
    const Stamp begin = std::max(dwell.begin, now_);
    const double work = Rate(*dwell.level) * SecondsBetween(begin, dwell.end);
    if (work >= left) {
      state.expected_end = begin + Nanoseconds(left / Rate(*dwell.level));
      break;
    }
    left -= work;
  }
  return state;
}

double PlanRunner::ScheduledWork(Stamp from, Stamp to) const {
  return WorkBetween(schedule_, running_plan_.problem.gpu, from, to);
}

/// At the rates as measured.
double PlanRunner::WorkOf(const std::vector<SlotDecision>& decisions, const Horizon& horizon) const {
  double work = 0;
  for (const SlotDecision& decision : decisions) {
    for (const auto& [level, share] : decision.levels) work += share * InSeconds(horizon.SlotDuration()) * Rate(level);
  }
  return work;
}

}  // namespace heliograd
