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

constexpr double kSameLimitW = 0.5;
constexpr int kLooksForOther = 3;             // a limit that differs for so many looks was set by someone else
constexpr milliseconds kLongestWait{200};     // real time between two looks
constexpr milliseconds kLongestWaitFast{20};  // the same when time passes faster
constexpr double kMarkSdRealS = 0.02;         // by which a word of progress may be read late
constexpr double kPieceS = 60;                // least length of a stretch that is learnt from
constexpr double kBand = 0.005;               // of the work: further from the schedule a new plan is asked for
constexpr double kReserve = 0.005;            // of the work that is left, planned on top of it
constexpr double kSilenceRealS = 120;
constexpr double kUntoldS = 120;    // of the job's running time without one word
constexpr double kUntoldRealS = 3;  // on top of it, where time passes faster and starting takes its own
constexpr double kPlanParts = 12;   // of a slot, when planning begins within it
constexpr int kMostPlanSlots = 20'000;
constexpr double kTryPlannerS = 60;     // after it failed
constexpr double kPlanAheadRealS = 2;   // before a slot begins, its plan is asked for
constexpr double kMostPlanAhead = 0.1;  // of a slot
constexpr double kQuietRealS = 0.1;     // before a change of level nothing is written
constexpr double kStillPower = 0.5;     // of a level's draw; below it the job did not run
constexpr std::chrono::seconds kLongestAway{60};

double InRealSeconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }
nanoseconds Nanoseconds(double seconds) { return nanoseconds(std::llround(seconds * 1e9)); }
double SecondsBetween(Stamp from, Stamp to) { return InSeconds(Between(from, to)); }

/// In what the plans minimise.
std::string SavingText(Objective objective, Money saving) {
  if (objective == Objective::kCost) return fmt::format("{:.3f} EUR", InEuros(saving));
  return fmt::format("{:.0f} g CO2", 1000 * InKilograms(CarbonOfObjective(saving)));
}

std::vector<double> PromisedRates(const DispatchProblem& problem) {
  std::vector<double> rates;
  for (const Level& level : problem.gpu.levels) rates.push_back(1 / InSeconds(level.job_time));
  return rates;
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

std::string WattsText(Power power) { return fmt::format("{:.0f} W", InWatts(power)); }

bool SameLimit(Power a, Power b) { return std::abs(InWatts(a - b)) < kSameLimitW; }

}  // namespace

double SlotActual::running_s() const {
  double sum = unknown_s;
  for (const double seconds : level_s) sum += seconds;
  return sum;
}

PlanRunner::PlanRunner(const DispatchProblem& problem, const Plan& plan, const RunOptions& options, Parts parts)
    : problem_(problem),
      plan_(plan),
      options_(options),
      parts_(std::move(parts)),
      estimate_(PromisedRates(problem)),
      running_plan_{problem, DecisionsOf(plan)} {}

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
      outcome_.late = outcome_.stopped_late = true;
      Tell("late", "the deadline has come and the job is not done: it is ended, as --on-late stop asks for", true);
      if (!paused_) static_cast<void>(parts_.job.Pause(true));
      return Finish(EndJob(SIGTERM));
    }
    LookAtDeadline();
    // The level first: what is written and planned at a slot's begin takes its time.
    Result<void> applied = Apply(Wanted());
    if (applied) {
      Decide();
      applied = Apply(Wanted());
    }
    if (!applied) {
      Tell("failed", applied.error().Message());
      return Fail(applied.error());
    }
    TellState();
    if (const std::optional<ExitStatus> exit = parts_.job.Wait(TimeToNextLook())) return Finish(exit);
  }
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
  outcome_.slots.resize(static_cast<size_t>(problem_.horizon.slots) + 1);
  for (SlotActual& slot : outcome_.slots) {
    slot.level_s.resize(problem_.gpu.levels.size());
    // Of a slot that an earlier version began, the energy at its levels is not known.
    if (slot.running_s() == 0) slot.level_energy.resize(problem_.gpu.levels.size());
  }
  work_done_ = mark_work_ = adopted_work_ = left_over.work_done;
  mark_units_ = left_over.units_done > 0 ? left_over.units_done : -1;
  outcome_.progress_told = left_over.units_done > 0;
  look_ = parts_.gpu.Look();
  last_limit_ = look_.limit;
  if (!look_.is_lost) counter_uj_ = look_.energy_uj;
  slot_ = planned_slot_ = SlotOf(now_);
  schedule_ = MakeDwells(problem_, running_plan_.decisions, std::nullopt, options_.shortest_dwell);
  const bool goes_on = !left_over.slots.empty();
  if (goes_on && left_over.counter_uj && counter_uj_ && *counter_uj_ >= *left_over.counter_uj) {
    TakeGap(left_over);
  }
  Tell(goes_on ? "resumed_run" : "start",
       goes_on ? fmt::format("the run goes on with {:.1f} % of the plan's work left", 100 * WorkLeft() / problem_.work)
               : "the run begins");
  const bool is_late = now_ > problem_.horizon.start + Nanoseconds(std::max(5.0, 0.1 * parts_.clock.Speed()));
  if (goes_on || is_late) PlanAnew(goes_on ? "the run goes on" : "the run begins after the plan's start");
}

/// What the GPU drew while nobody looked is known all the same; it was off then, or as good as off.
void PlanRunner::TakeGap(const RunLeftOver& left_over) {
  const Stamp from = std::min(std::max(left_over.at, problem_.horizon.start), now_);
  const double gap_s = SecondsBetween(from, now_);
  const Taken taken{Joules(static_cast<double>(*counter_uj_ - *left_over.counter_uj) * 1e-6), gap_s};
  std::vector<bool> entered;
  for (const SlotActual& slot : outcome_.slots) entered.push_back(slot.entered);
  Attribute(from, now_, gap_s, taken, 0);
  for (size_t t = 0; t < entered.size(); ++t) outcome_.slots[t].entered = entered[t];
  for (int slot = SlotOf(from); slot < slot_; ++slot) {
    parts_.observer.OnSlotEnd(slot, outcome_.slots[static_cast<size_t>(slot)]);
  }
  Tell("unattended",
       fmt::format("{:.1f} Wh were drawn between the end of the run before and now", InWattHours(taken.energy)));
}

/// Time, energy and work since the last look go into the books.
void PlanRunner::Observe() {
  const Stamp before = now_;
  now_ = parts_.clock.Now();
  const nanoseconds passed = parts_.clock.Passed();
  const double elapsed_s = std::max(InRealSeconds(passed - passed_), 0.0);
  passed_ = passed;
  const std::string irregularity = parts_.clock.Irregularity();
  const bool was_known = KnowsLimit();
  const LevelOrOff was_set = set_level_;
  look_ = parts_.gpu.Look();
  if (look_.limit) last_limit_ = look_.limit;
  const Taken taken = TakeEnergy(look_, elapsed_s);
  limit_known_ = was_known && KnowsLimit() && set_level_ == was_set;  // a driver that was loaded anew has set another
  const std::optional<std::string> gap = StoodStill(elapsed_s, taken);
  const double work = TakeProgress(stood_still_ ? 0 : elapsed_s);
  if (irregularity.empty()) {
    Attribute(before, now_, elapsed_s, taken, work);
  } else {
    AddTo(SlotOf(now_), elapsed_s, 1, taken, work);
  }
  stood_still_ = false;
  if (gap) Tell("stood_still", *gap, true);
  if (!irregularity.empty()) {
    Tell("clock", irregularity + ": the plan's slots go by the clock as it is now", true);
    PlanAnew(irregularity);
  } else if (gap) {
    PlanAnew("the run stood still");
  }
  if (!lost_) WatchLimit(look_);
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
      DriverIsNew();
    } else if (has_both) {
      taken.energy = Joules(static_cast<double>(*look.energy_uj - *counter_uj_) * 1e-6);
      taken.known_s = elapsed_s;
      if (lost_) CounterWentOn();
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
    const Result<Power> asked = parts_.limits.Asked();
    if (set_limit_ && asked && !SameLimit(*asked, *set_limit_)) DriverIsNew();
  }
  return taken;
}

/// What was drawn during the absence is known after all.
void PlanRunner::CounterWentOn() {
  double left_s = lost_s_;
  for (auto slot = static_cast<size_t>(slot_) + 1; slot-- > 0 && left_s > 0;) {
    double& unmeasured_s = outcome_.slots[slot].unmeasured_s;
    const double filled_s = std::min(left_s, unmeasured_s);
    unmeasured_s -= filled_s;
    left_s -= filled_s;
  }
}

/// Whether it can be told now which limit is in force: one that we set, that is read, or that is out of our reach.
bool PlanRunner::KnowsLimit() const { return !lost_ && (limits_out_ || set_level_ || look_.limit); }

/// Whether the limit of the time since the last look was that of `level_`, so that its pace says something about it.
bool PlanRunner::RunsAtItsLevel() const {
  if (!limit_known_ || !level_) return false;
  const Power limit = problem_.gpu.levels[*level_].limit;
  return limits_out_ || set_level_ == level_ || (look_.limit && SameLimit(*look_.limit, limit));
}

/// A driver that was loaded anew has forgotten the limit: the lease begins again with what is in force, and the limit
/// is set again.
void PlanRunner::DriverIsNew() {
  if (!set_limit_) return;
  Tell("driver_reload", "the driver was loaded anew, which ended the power limit: it is set again", true);
  if (const Result<void> renewed = parts_.limits.Renew(); !renewed) {
    Tell("limit_refused", renewed.error().Message());
  }
  set_limit_.reset();
  set_level_.reset();
  away_ = false;
}

void PlanRunner::WatchLimit(const GpuLook& look) {
  if (!set_limit_ || !look.limit || limits_out_) return;
  if (SameLimit(*look.limit, *set_limit_)) {
    foreign_looks_ = 0;
    if (std::exchange(away_, false)) {
      Tell({.kind = "limits_back", .text = WattsText(*set_limit_) + " is in force again", .found = look.limit});
    }
    return;
  }
  if (++foreign_looks_ < kLooksForOther) return;
  foreign_looks_ = 0;
  if (parts_.limits.IsAway()) {
    if (!std::exchange(away_, true)) {
      away_since_ = SteadyClock().Now();
      Tell({.kind = "limits_away",
            .text = fmt::format("the lease on the power limit was lost with whoever held it: {} is in force until it "
                                "is taken again",
                                WattsText(*look.limit)),
            .found = look.limit,
            .matters = true});
    }
    if (SteadyClock().Now() < away_since_ + kLongestAway) return;
  }
  const Result<Power> asked = parts_.limits.Asked();
  if (!asked) return;
  if (!SameLimit(*asked, *set_limit_)) {
    LimitsOutOfReach(
        fmt::format("someone else set the power limit to {} while {} were planned: it is left as it is, and "
                    "the run goes on by pausing alone",
                    WattsText(*asked), WattsText(*set_limit_)),
        *asked);
  } else if (!std::exchange(limits_told_, true)) {
    Tell({.kind = "limit_lower",
          .text = fmt::format("{} is in force although {} was set: it is held down from outside the driver",
                              WattsText(*look.limit), WattsText(*set_limit_)),
          .set = set_limit_,
          .found = look.limit,
          .matters = true});
  }
}

/// The work of the last `elapsed_s`: by the job's own word and, since then, by the rate it has at this level.
double PlanRunner::TakeProgress(double elapsed_s) {
  if (!level_ || paused_ || !parts_.job.started()) return 0;
  run_s_ += elapsed_s;
  const double before = work_done_;
  const std::optional<JobProgress> word = options_.units > 0 ? parts_.job.Progress() : std::nullopt;
  if (word && !std::exchange(has_spoken_, true)) TakeFirstWord(word->units);
  if (word && word->units != mark_units_) {
    const double work = problem_.work * std::max(word->units - options_.units_before, 0.0) / options_.units;
    largest_step_ = mark_units_ < 0 ? 0 : std::max(largest_step_, work - mark_work_);
    const double age_s = InRealSeconds(word->age) * parts_.clock.Speed();
    mark_units_ = word->units;
    mark_work_ = work;
    // It came after the last look.
    mark_run_s_ = std::max({run_s_ - age_s, run_s_ - elapsed_s, stretch_begin_s_});
    silence_told_ = false;
    if (RunsAtItsLevel()) Learn();
  }
  // Marks on the two sides of a time that is of no level span no stretch to learn from.
  if (!RunsAtItsLevel()) stretch_begin_s_ = run_s_;
  double since = Rate(*level_) * (run_s_ - mark_run_s_);
  // A job that says nothing any more is not assumed to go on.
  if (largest_step_ > 0) since = std::min(since, 3 * largest_step_);
  work_done_ = std::min(mark_work_ + since, std::max(problem_.work, mark_work_));
  LookAtSilence();
  return work_done_ - before;
}

/// A job that was started again may go on from where it was, from a checkpoint before that, or begin anew.
void PlanRunner::TakeFirstWord(double units) {
  outcome_.progress_told = true;
  if (mark_units_ < 0 || units >= mark_units_) return;
  Tell("began_anew",
       fmt::format("the job {} {:.0f} of {:.0f} ({:.0f} before); HELIOGRAD_UNITS_DONE tells it where to go on",
                   units < 0.5 * mark_units_ ? "began anew at" : "goes on at", units,
                   options_.units + options_.units_before, mark_units_),
       true);
}

void PlanRunner::LookAtSilence() {
  if (options_.units <= 0 || silence_told_) return;
  const double speed = parts_.clock.Speed();
  const bool is_untold = !has_spoken_ && run_s_ > kUntoldS + kUntoldRealS * speed;
  const bool is_silent = (run_s_ - mark_run_s_) / speed > kSilenceRealS;
  if (!is_untold && !is_silent) return;
  silence_told_ = true;
  Tell("silence",
       has_spoken_ ? "the job has told no progress for two minutes: its work is reckoned by time, and no further than "
                     "a few steps beyond its last word"
                   : fmt::format("the job has run for {:.0f} min and told no progress{}: its work is reckoned by time",
                                 run_s_ / 60, options_.told_how.empty() ? "" : " (" + options_.told_how + ")"),
       true);
}

void PlanRunner::Learn() {
  const double sd_s = kMarkSdRealS * parts_.clock.Speed();
  if (piece_run_s_ < stretch_begin_s_ || mark_work_ < piece_work_) {
    piece_run_s_ = mark_run_s_;
    piece_work_ = mark_work_;
    return;
  }
  const double length_s = mark_run_s_ - piece_run_s_;
  if (length_s < std::max(kPieceS, 30 * sd_s)) return;
  estimate_.Add(*level_, Seconds(length_s), mark_work_ - piece_work_, Seconds(sd_s), problem_.work / options_.units);
  piece_run_s_ = mark_run_s_;
  piece_work_ = mark_work_;
}

void PlanRunner::Attribute(Stamp from, Stamp to, double elapsed_s, const Taken& taken, double work) {
  if (to <= from) return AddTo(SlotOf(from), elapsed_s, 1, taken, work);
  const double whole = SecondsBetween(from, to);
  for (int slot = SlotOf(from); slot <= SlotOf(to); ++slot) {
    const bool is_after = slot == problem_.horizon.slots;
    const Stamp begin = std::max(from, slot == 0 ? from : problem_.horizon.SlotStart(slot));
    const Stamp end = is_after ? to : std::min(to, problem_.horizon.SlotStart(slot + 1));
    if (begin < end) AddTo(slot, elapsed_s, SecondsBetween(begin, end) / whole, taken, work);
  }
}

void PlanRunner::AddTo(int slot, double elapsed_s, double part, const Taken& taken, double work) {
  SlotActual& books = outcome_.slots[static_cast<size_t>(slot)];
  if (now_ >= problem_.horizon.start) books.entered = true;
  const bool ran = level_ && !paused_ && !stood_still_;
  if (ran) {
    (limit_known_ ? books.level_s[*level_] : books.unknown_s) += elapsed_s * part;
    if (limit_known_ && !books.level_energy.empty()) books.level_energy[*level_] += taken.energy * part;
  } else if (now_ >= problem_.horizon.start) {
    books.off_s += elapsed_s * part;
  }
  books.energy += taken.energy * part;
  if (!ran) books.energy_off += taken.energy * part;
  books.unmeasured_s += std::max(elapsed_s - taken.known_s, 0.0) * part;
  books.work += work * part;
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
    const double off = work_done_ - adopted_work_ - ScheduledWork(adopted_at_, now_) - expected_offset_;
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
  const size_t level = limits_out_ ? *only_level_ : fastest();
  const RateEstimate rate = estimate_.RateOf(level);
  const double doubt = estimate_.has_measured() ? rate.half_width : 0;
  const double left_s = SecondsBetween(now_, problem_.horizon.end());
  const double needed_s = WorkLeft() / rate.rate;
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
    const double part = 1 - (WorkLeft() - rate.rate * left_s) / problem_.work;
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
  request.work_left = std::max(WorkLeft() - before, Rate(fastest()) * 30);
  request.job_times = JobTimes();
  request.only_level = only_level_;
  const double bare_work = request.work_left;
  request.kept = ScheduledShares(*horizon);
  request.running = &running_plan_;
  const bool holds = !only_level_ && WorkOf(request.kept, *horizon) >= bare_work * (1 - 1e-3);
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
  if (holds && !saves) return;
  Tell("replan",
       fmt::format("{}: a new plan for the {:.1f} % of the work that is left{}", request.reason,
                   100 * request.work_left / problem_.work,
                   holds && answer->kept_cost
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
  TakeFlows();
  adopted_at_ = now_;
  adopted_work_ = work_done_;
  expected_offset_ = 0;
}

/// The flows of the running plan, whose slots may be parts of the plan's. A slot that has begun keeps what was planned
/// for it before, as far as it has passed.
void PlanRunner::TakeFlows() {
  const Horizon& fine = running_plan_.problem.horizon;
  const Horizon& whole = problem_.horizon;
  const int first = SlotOf(fine.start);
  const double kept = Between(whole.SlotStart(first), fine.start) / whole.SlotDuration();
  for (int t = first; t < whole.slots; ++t) {
    SlotDecision& flows = outcome_.decisions[static_cast<size_t>(t)];
    const double part = t == first ? std::clamp(kept, 0.0, 1.0) : 0;
    for (Energy* flow :
         {&flows.pv_used, &flows.grid_import, &flows.grid_export, &flows.battery_charge, &flows.battery_discharge}) {
      *flow *= part;
    }
  }
  for (int i = 0; i < fine.slots; ++i) {
    const SlotDecision& add = running_plan_.decisions[static_cast<size_t>(i)];
    SlotDecision& flows = outcome_.decisions[static_cast<size_t>(SlotOf(fine.SlotStart(i)))];
    flows.pv_used += add.pv_used;
    flows.grid_import += add.grid_import;
    flows.grid_export += add.grid_export;
    flows.battery_charge += add.battery_charge;
    flows.battery_discharge += add.battery_discharge;
  }
}

PlanRunner::LevelOrOff PlanRunner::Wanted() {
  if (now_ < problem_.horizon.start) return std::nullopt;
  const LevelOrOff full = limits_out_ ? *only_level_ : fastest();
  if (now_ >= problem_.horizon.end()) {
    if (!std::exchange(outcome_.late, true)) {
      Tell("late", "the deadline has come and the job is not done: it goes on at full power", true);
    }
    return full;
  }
  if (full_power_) return full;
  if (failing_ && options_.safe_limit && WorkLeft() > ScheduledWork(now_, problem_.horizon.end()) * 1.02) {
    return LevelAt(*options_.safe_limit);
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
  return full;
}

Result<void> PlanRunner::Apply(LevelOrOff wanted) {
  Job& job = parts_.job;
  if (!wanted) {
    if (job.started() && !paused_) {
      const Duration length = Seconds(std::max(0.0, SecondsBetween(now_, State().next_change)));
      const bool checkpoint = options_.checkpoint_before && length >= *options_.checkpoint_before;
      const Stamp asked_at = SteadyClock().Now();
      const bool at_step = job.Pause(checkpoint);
      busy_ += SteadyClock().Now() - asked_at;
      paused_ = true;
      level_.reset();
      ++outcome_.pauses;
      Tell("pause", at_step ? "paused at a step" : "stopped where it was");
    }
    return {};
  }
  if (!limits_out_ && !away_ && set_level_ != wanted) SetLimit(*wanted);
  const LevelOrOff runs = Runs(*wanted);
  if (runs != level_) stretch_begin_s_ = run_s_;
  level_ = runs;
  if (!job.started()) {
    if (Result<void> started = job.Start(); !started) return started;
    Tell("job_started", "the job is started");
  } else if (paused_) {
    paused_ = false;
    job.Resume();
    Tell("resume", "the job goes on");
  }
  return {};
}

void PlanRunner::SetLimit(size_t level) {
  const Power limit = problem_.gpu.levels[level].limit;
  const Result<void> set = parts_.limits.Set(limit);
  if (!set) {
    const Result<Power> asked = parts_.limits.Asked();
    const bool is_device = set.error().kind == ErrorKind::kDevice;
    // A lease whose record a full disk does not take.
    const bool is_still_ours =
        set.error().kind == ErrorKind::kFailure && set_limit_ && asked && SameLimit(*asked, *set_limit_);
    // A device that is away comes back, and a disk gets room; until then the limit is tried again at each turn.
    if (is_device || is_still_ours) {
      if (!lost_ && !std::exchange(refused_told_, true)) {
        Tell("limit_refused", set.error().Message() + ": it is tried again", is_still_ours);
      }
      return;
    }
    LimitsOutOfReach(set.error().Message() + ": limits are out of reach, the run goes on by pausing alone",
                     asked ? std::optional(*asked) : std::nullopt);
    return;
  }
  set_level_ = level;
  set_limit_ = limit;
  foreign_looks_ = 0;
  refused_told_ = false;
  RunEvent event{.kind = "limit", .text = WattsText(limit) + " set", .set = limit};
  if (const Result<Power> found = parts_.limits.Asked()) {
    event.found = *found;
    event.read_back_at = parts_.clock.Now();
  }
  const Dwell* dwell = schedule_.At(now_);
  const bool by_schedule = dwell != nullptr && dwell->level == level && dwell->begin >= adopted_at_ && !full_power_;
  if (by_schedule) event.due = dwell->begin;
  Tell(std::move(event));
}

/// The level whose limit is in force when `wanted` is wanted, as far as can be told.
PlanRunner::LevelOrOff PlanRunner::Runs(size_t wanted) const {
  if (limits_out_) return only_level_;
  if (away_ && look_.limit) return LevelAt(*look_.limit);
  if (set_level_) return set_level_;
  return last_limit_ ? LevelAt(*last_limit_) : wanted;  // it could not be set yet
}

void PlanRunner::LimitsOutOfReach(const std::string& why, std::optional<Power> in_force) {
  limits_out_ = true;
  outcome_.limits_reached = false;
  only_level_ = in_force ? LevelAt(*in_force) : fastest();
  set_level_.reset();
  set_limit_.reset();
  if (level_) {
    level_ = only_level_;
    stretch_begin_s_ = run_s_;
  }
  Tell("limits_out", why, true);
  PlanAnew("limits are out of reach");
}

/// The level that runs under a limit that is not of the plan's choosing.
size_t PlanRunner::LevelAt(Power limit) const {
  size_t best = 0;
  for (size_t k = 0; k < problem_.gpu.levels.size(); ++k) {
    if (problem_.gpu.levels[k].limit <= limit + Watts(kSameLimitW)) best = k;
  }
  return best;
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
  const nanoseconds longest = parts_.clock.Speed() > 2 ? kLongestWaitFast : kLongestWait;
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
  outcome_.work_done = work_done_;
  outcome_.job_times.clear();
  if (estimate_.has_measured()) outcome_.job_times = JobTimes();
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
  work_done_ = 0;
}

RunOutcome PlanRunner::Finish(std::optional<ExitStatus> exit) {
  Observe();
  CloseSlots();
  if (slot_ <= problem_.horizon.slots && outcome_.slots[static_cast<size_t>(slot_)].entered) {
    parts_.observer.OnSlotEnd(slot_, outcome_.slots[static_cast<size_t>(slot_)]);
  }
  // What the job finished by itself is all of it, whatever the books say of the last seconds.
  if (exit && exit->AsShell() == 0 && !outcome_.stopped_late) {
    outcome_.work_assumed = problem_.work - work_done_;
    outcome_.slots[static_cast<size_t>(slot_)].work += outcome_.work_assumed;
    work_done_ = problem_.work;
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
  state.limit_unknown = runs && !KnowsLimit();
  state.level = state.limit_unknown ? std::nullopt : runs;
  state.work_done = work_done_;
  state.units_done = std::max(mark_units_, 0.0);
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
  const LevelOrOff present = full_power_ ? LevelOrOff(fastest()) : runs;
  for (const Dwell& dwell : schedule_.dwells) {
    if (dwell.begin > now_ && dwell.level != present) {
      state.next_change = dwell.begin;
      state.next_level = dwell.level;
      break;
    }
  }
  double left = WorkLeft();
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

double PlanRunner::WorkLeft() const { return std::max(problem_.work - work_done_, 0.0); }

/// The work that the schedule does between two instants, at the running plan's rates.
double PlanRunner::ScheduledWork(Stamp from, Stamp to) const {
  double work = 0;
  for (const Dwell& dwell : schedule_.dwells) {
    const Stamp begin = std::max(dwell.begin, from), end = std::min(dwell.end, to);
    if (dwell.level && begin < end) {
      work += SecondsBetween(begin, end) / InSeconds(running_plan_.problem.gpu.levels[*dwell.level].job_time);
    }
  }
  return work;
}

std::vector<SlotDecision> PlanRunner::ScheduledShares(const Horizon& horizon) const {
  std::vector<SlotDecision> decisions(static_cast<size_t>(horizon.slots));
  const double slot_s = InSeconds(horizon.SlotDuration());
  for (int t = 0; t < horizon.slots; ++t) {
    std::vector<double> seconds(problem_.gpu.levels.size());
    for (const Dwell& dwell : schedule_.dwells) {
      const Stamp begin = std::max(dwell.begin, horizon.SlotStart(t)),
                  end = std::min(dwell.end, horizon.SlotStart(t + 1));
      if (dwell.level && begin < end) seconds[*dwell.level] += SecondsBetween(begin, end);
    }
    for (size_t k = 0; k < seconds.size(); ++k) {
      if (seconds[k] > 0) decisions[static_cast<size_t>(t)].levels.push_back({k, std::min(seconds[k] / slot_s, 1.0)});
    }
  }
  return decisions;
}

/// At the rates as measured.
double PlanRunner::WorkOf(const std::vector<SlotDecision>& decisions, const Horizon& horizon) const {
  double work = 0;
  for (const SlotDecision& decision : decisions) {
    for (const auto& [level, share] : decision.levels) work += share * InSeconds(horizon.SlotDuration()) * Rate(level);
  }
  return work;
}

int PlanRunner::SlotOf(Stamp stamp) const {
  const auto slot = (stamp - problem_.horizon.start) / std::chrono::nanoseconds(problem_.horizon.step);
  return static_cast<int>(std::clamp<int64_t>(slot, 0, problem_.horizon.slots));
}

}  // namespace heliograd
