// Carries a plan out on a job: sets the GPU's limit, pauses and resumes, keeps the books, re-plans when the world
// differs from the plan, and keeps the deadline with all the power there is when nothing less can.
//
// Enters: a checked plan, and interfaces to a job, a limit, a GPU's readings and a clock. Leaves: events for a journal
// and, per slot, what was really done. It knows no file, no terminal and no solver: whoever wires it gives a replanner.
//
// What it does about each irregularity stands in docs/run.md. One thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/control/dwell_schedule.h"
#include "heliograd/control/gpu_watch.h"
#include "heliograd/control/job.h"
#include "heliograd/control/power_limits.h"
#include "heliograd/control/run_clock.h"
#include "heliograd/model/progress_estimate.h"
#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// What was really done within one slot of the plan.
struct SlotActual {
  std::vector<double> level_s;       // seconds that the job ran, by level
  double unknown_s = 0;              // seconds that it ran at a limit that nobody could tell
  double off_s = 0;                  // seconds that it did not
  Energy energy;                     // of the GPU, measured
  Energy energy_off;                 // the part of it while the job did not run
  std::vector<Energy> level_energy;  // the parts of it at each level; empty in books of an earlier version
  double unmeasured_s = 0;           // seconds of which no energy is known
  double work = 0;                   // parts of the whole job
  bool entered = false;              // the run was within the slot at some time

  double running_s() const;
};

/// Where a run stands. Enough to go on after a kill.
struct RunState {
  Stamp at;
  int slot = 0;                 // of the plan; the last one after its end
  std::optional<size_t> level;  // that runs; nothing while it is off, or where the limit is not known
  bool limit_unknown = false;   // it runs at a limit that nobody can tell
  double work_done = 0;         // parts of the whole job, this plan's
  double units_done = 0;        // as the job counts; 0 where it does not tell
  std::optional<int64_t> counter_uj;
  std::optional<Power> power, limit;
  Energy energy;            // of the GPU since the start
  double work_planned = 0;  // that the plan had done by now
  Stamp next_change;        // of level, by the schedule
  std::optional<size_t> next_level;
  Stamp expected_end;  // of the work at the schedule's pace; the horizon's end where it does not suffice
  bool full_power = false;
};

/// Something worth a line in the journal.
struct RunEvent {
  Stamp at = {};
  std::string kind;       // "pause", "resume", "limit", ...: docs/run.md lists them
  std::string text = {};  // one sentence
  std::optional<Power> set = {}, found = {};
  bool matters = false;                    // is told to the user at once
  std::optional<Stamp> due = {};           // when a limit was to be set: the begin of its dwell
  std::optional<Stamp> read_back_at = {};  // when `found` was read
};

/// Receives what a run does. Its failures (a full disk) are its own business: the run goes on.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void OnEvent(const RunEvent& event) = 0;
  /// Every few seconds, and after each event.
  virtual void OnState(const RunState& state, const SlotActual& slot) = 0;
  virtual void OnSlotEnd(int slot, const SlotActual& actual) = 0;
};

/// A plan that is being followed: the plan itself, or a later one for what is left. Levels are the plan's.
struct RunningPlan {
  DispatchProblem problem;
  std::vector<SlotDecision> decisions;
};

struct ReplanRequest {
  std::string reason;
  Horizon horizon;                   // of the plan that is wanted
  double work_left = 0;              // at its start
  std::vector<Duration> job_times;   // of each level, as measured so far
  std::optional<size_t> only_level;  // limits are out of reach: the one level that runs
  std::vector<SlotDecision> kept;    // what the running plan does in these slots: levels alone
  const RunningPlan* running = nullptr;
};

struct ReplanAnswer {
  std::optional<RunningPlan> plan;  // nothing when none keeps the deadline
  Money cost;                       // of the plan, over its horizon
  std::optional<Money> kept_cost;   // of going on as before, as the world is now; nothing where that does not hold
};

/// Errors: the planner failed; the running plan is kept.
using Replanner = std::function<Result<ReplanAnswer>(const ReplanRequest&)>;

/// What became known of the world.
struct RunNews {
  std::string text;      // one sentence
  bool changes = false;  // worth a new plan; else only worth saying
};

enum class OnLate { kFinish, kStop };

struct RunOptions {
  std::chrono::seconds shortest_dwell{60};
  OnLate on_late = OnLate::kFinish;
  std::optional<Power> safe_limit;      // while no plan holds because the planner failed
  Money switching_cost = Euros(0.005);  // a new plan must save more than this to replace one that holds
  double units = 0;                     // of the plan's work; 0 = the job does not tell, its work is reckoned by time
  std::string told_how;                 // how the job should have told them, where it tells nothing: one clause
  double units_before = 0;              // that the job had done when the plan was made: it tells them too
  std::optional<Duration> checkpoint_before;  // pauses at least so long are preceded by a checkpoint
  Duration state_every = Seconds(10);         // real time between two states
  Duration longest_gap = Seconds(10);         // real time without a look beyond which the run itself stood still
};

/// What a killed run left: the books so far.
struct RunLeftOver {
  std::vector<SlotActual> slots;
  double work_done = 0;
  double units_done = 0;
  std::optional<int64_t> counter_uj;
  std::optional<Stamp> begin;
  Stamp at;  // up to which the books go
  int plans = 0, pauses = 0;
};

struct RunOutcome {
  std::optional<ExitStatus> exit;  // of the job; nothing when it was never started
  bool interrupted = false;
  bool late = false;                    // the job ran at the end of the horizon
  bool stopped_late = false;            // and was ended for it
  bool limits_reached = true;           // limits could be set
  bool progress_told = false;           // by the job, at some time; else its work is reckoned by time
  std::vector<SlotActual> slots;        // of the plan, and a last one for the time after its end
  std::vector<SlotDecision> decisions;  // of the plans that were followed, by slot of the plan: flows alone
  double work_done = 0;
  double work_assumed = 0;          // of it: a job that ends with 0 is taken to have done all of it
  std::vector<Duration> job_times;  // of the whole job by level, as measured; empty while nothing was
  Stamp begin, end;
  Energy energy;
  double unmeasured_s = 0;
  int plans = 0;  // that replaced the one before
  int pauses = 0;
};

class PlanRunner {
 public:
  struct Parts {
    Job& job;
    PowerLimits& limits;
    GpuWatch& gpu;
    RunClock& clock;
    RunObserver& observer;
    Replanner replan;                                       // null: the plan is followed as it is
    std::function<std::optional<RunNews>(Stamp now)> news;  // of forecasts and prices. May be null
    std::function<bool()> is_interrupted;                   // Ctrl-C
  };

  PlanRunner(const DispatchProblem& problem, const Plan& plan, const RunOptions& options, Parts parts);

  /// Runs until the job ends. A job that is started already is taken on as it runs. Errors: the job cannot be started.
  Result<RunOutcome> Run(const RunLeftOver& left_over = {});
  /// The books so far, also from within the observer.
  const RunOutcome& so_far() const { return outcome_; }

 private:
  using LevelOrOff = std::optional<size_t>;
  struct Taken {
    Energy energy;
    double known_s = 0;
  };

  void Begin(const RunLeftOver& left_over);
  void TakeGap(const RunLeftOver& left_over);
  void Observe();
  std::optional<std::string> StoodStill(double elapsed_s, const Taken& taken);
  Taken TakeEnergy(const GpuLook& look, double elapsed_s);
  void CounterWentOn();
  void DriverIsNew();
  bool KnowsLimit() const;
  bool RunsAtItsLevel() const;
  void WatchLimit(const GpuLook& look);
  double TakeProgress(double elapsed_s);
  void TakeFirstWord(double units);
  void LookAtSilence();
  void Learn();
  void Attribute(Stamp from, Stamp to, double elapsed_s, const Taken& taken, double work);
  void AddTo(int slot, double elapsed_s, double part, const Taken& taken, double work);
  void ForgetReckonedWork();
  void CloseSlots();
  void Decide();
  void PlanForNextSlot();
  void LookAtDeadline();
  void PlanAnew(const std::string& reason);
  void Adopt(RunningPlan plan);
  void TakeFlows();
  LevelOrOff Wanted();
  Result<void> Apply(LevelOrOff wanted);
  void SetLimit(size_t level);
  LevelOrOff Runs(size_t wanted) const;
  void LimitsOutOfReach(const std::string& why, std::optional<Power> in_force);
  size_t LevelAt(Power limit) const;
  double RealSecondsToChange() const;
  std::chrono::nanoseconds TimeToNextLook() const;
  void SumUp();
  RunOutcome Finish(std::optional<ExitStatus> exit);

  void Tell(const std::string& kind, const std::string& text, bool matters = false);
  void Tell(RunEvent event);
  void TellState();
  void WriteState();
  RunState State() const;
  double Rate(size_t level) const { return estimate_.RateOf(level).rate; }
  std::vector<Duration> JobTimes() const;
  double WorkLeft() const;
  double ScheduledWork(Stamp from, Stamp to) const;
  std::vector<SlotDecision> ScheduledShares(const Horizon& horizon) const;
  double WorkOf(const std::vector<SlotDecision>& decisions, const Horizon& horizon) const;
  std::optional<Horizon> WantedHorizon(bool at_edge) const;
  std::optional<ExitStatus> EndJob(int signal);
  int SlotOf(Stamp stamp) const;
  size_t fastest() const { return problem_.gpu.levels.size() - 1; }

  const DispatchProblem& problem_;  // of the plan
  const Plan& plan_;
  RunOptions options_;
  Parts parts_;
  ProgressEstimate estimate_;
  RunningPlan running_plan_;
  DwellSchedule schedule_;
  RunOutcome outcome_;

  Stamp now_, begin_;
  std::chrono::nanoseconds passed_{0};
  std::chrono::nanoseconds busy_{0};           // real time since the last look that planning and pausing took
  std::chrono::nanoseconds planning_took_{0};  // real time, the last time
  int slot_ = -1;
  int planned_slot_ = -1;  // the latest slot for whose begin a plan was asked for
  LevelOrOff level_;       // that runs now
  bool paused_ = false;
  bool limits_out_ = false;
  bool limits_told_ = false;
  LevelOrOff only_level_;  // with limits out of reach
  LevelOrOff set_level_;   // whose limit was set last
  std::optional<Power> set_limit_;
  int foreign_looks_ = 0;
  bool full_power_ = false, unreachable_ = false, failing_ = false, overrun_told_ = false;
  bool lost_ = false;
  bool limit_known_ = true;          // throughout the time since the last look
  std::optional<Power> last_limit_;  // in force, when it was last told
  bool stood_still_ = false;         // the job, since the last look
  bool refused_told_ = false;
  bool away_ = false;  // the lease, with whoever held it for us
  Stamp away_since_;   // real time
  std::optional<int64_t> counter_uj_;
  GpuLook look_;
  double lost_s_ = 0;  // of the present absence

  double run_s_ = 0;                          // running time so far
  double stretch_begin_s_ = 0;                // of it, when the present level began
  double mark_work_ = 0, mark_run_s_ = 0;     // at the job's last word
  double piece_work_ = 0, piece_run_s_ = -1;  // where the stretch begins that the estimate learns from next
  double mark_units_ = -1, largest_step_ = 0;
  bool silence_told_ = false;
  bool has_spoken_ = false;  // the job, since this part of the run began
  double work_done_ = 0;
  double expected_offset_ = 0;  // of the work against the schedule, accepted
  double adopted_work_ = 0;     // done when the running plan was adopted
  Stamp adopted_at_;
  Stamp next_progress_look_, next_planner_try_;
  std::chrono::nanoseconds next_state_{0};
};

}  // namespace heliograd
