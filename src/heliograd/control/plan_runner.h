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
#include "heliograd/control/job_work.h"
#include "heliograd/control/level_limits.h"
#include "heliograd/control/power_limits.h"
#include "heliograd/control/run_books.h"
#include "heliograd/control/run_clock.h"
#include "heliograd/control/run_event.h"
#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

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
  PlanRunner(const PlanRunner&) = delete;
  PlanRunner& operator=(const PlanRunner&) = delete;

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
  bool RunsAtItsLevel() const;
  double TakeProgress(double elapsed_s);
  void ForgetReckonedWork();
  void CloseSlots();
  void Decide();
  void PlanForNextSlot();
  void LookAtDeadline();
  void PlanAnew(const std::string& reason);
  void Adopt(RunningPlan plan);
  LevelOrOff Wanted();
  Result<void> Follow();
  Result<void> Apply(LevelOrOff wanted);
  void PauseJob();
  void TellNoAnswer();
  bool IsReadyToEnd();
  std::optional<Stamp> DueOf(size_t level) const;
  void NoticeLimitsOut();
  double RealSecondsToChange() const;
  std::chrono::nanoseconds TimeToNextLook() const;
  void SumUp();
  RunOutcome Finish(std::optional<ExitStatus> exit);

  void Tell(const std::string& kind, const std::string& text, bool matters = false);
  void Tell(RunEvent event);
  void TellState();
  void WriteState();
  RunState State() const;
  double Rate(size_t level) const { return work_.estimate().RateOf(level).rate; }
  std::vector<Duration> JobTimes() const;
  /// Of the schedule between two instants, at the running plan's rates.
  double ScheduledWork(Stamp from, Stamp to) const;
  double WorkOf(const std::vector<SlotDecision>& decisions, const Horizon& horizon) const;
  std::optional<Horizon> WantedHorizon(bool at_edge) const;
  std::optional<ExitStatus> EndJob(int signal);
  int SlotOf(Stamp stamp) const { return SlotAt(problem_.horizon, stamp); }
  size_t fastest() const { return problem_.gpu.levels.size() - 1; }
  /// What runs at full power: the fastest level, or the only one.
  size_t full() const { return limits_.only_level().value_or(fastest()); }

  const DispatchProblem& problem_;  // of the plan
  const Plan& plan_;
  RunOptions options_;
  Parts parts_;
  RunningPlan running_plan_;
  DwellSchedule schedule_;
  RunOutcome outcome_;
  JobWork work_;
  LevelLimits limits_;
  std::optional<RunBooks> books_;  // of outcome_, once the run has begun

  Stamp now_, begin_;
  std::chrono::nanoseconds passed_{0};
  std::chrono::nanoseconds busy_{0};           // real time since the last look that planning took
  std::chrono::nanoseconds planning_took_{0};  // real time, the last time
  int slot_ = -1;
  int planned_slot_ = -1;  // the latest slot for whose begin a plan was asked for
  LevelOrOff level_;       // that runs now
  bool paused_ = false;
  bool pausing_ = false;         // asked to pause, it runs on
  bool checkpoint_due_ = false;  // before that pause
  bool ends_late_ = false;       // the deadline has come, and it is to end
  bool no_answer_told_ = false;
  bool full_power_ = false, unreachable_ = false, failing_ = false, overrun_told_ = false;
  bool lost_ = false;
  bool limit_known_ = true;   // throughout the time since the last look
  bool stood_still_ = false;  // the job, since the last look
  std::optional<int64_t> counter_uj_;
  GpuLook look_;
  double lost_s_ = 0;  // of the present absence

  double expected_offset_ = 0;  // of the work against the schedule, accepted
  double adopted_work_ = 0;     // done when the running plan was adopted
  Stamp adopted_at_;
  Stamp next_progress_look_, next_planner_try_;
  std::chrono::nanoseconds next_state_{0};
};

}  // namespace heliograd
