// The runner on a job, a GPU and a clock that are made up: every instant and every word is the test's.
#include "heliograd/control/plan_runner.h"

#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <set>

#include "heliograd/plan/test_problems.h"

namespace heliograd {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// A world in which a job works at the levels' rates times `pace`, and draws their power.
struct World {
  explicit World(const DispatchProblem& of) : problem(of), now(of.horizon.start) {}

  const DispatchProblem& problem;
  Stamp now;
  std::chrono::nanoseconds jump{0};  // of the wall clock, told once
  double pace = 1;
  bool tells = true;
  bool running = false, started = false;
  Power limit = Watts(320), power_off = Watts(15);
  double done = 0;
  double energy_uj = 0;
  double work = 0.1;       // that the job is
  double told_before = 0;  // units that the job tells on top of those of the plan's work
  bool lost = false, may_set = true, may_write = true, away = false;
  nanoseconds held{0};  // that passes in one go, told to nobody
  bool held_with_job = false;
  Stamp pauses_from;              // before that it is asked to pause in vain
  bool answers = true;            // that it has paused
  nanoseconds step = seconds(5);  // between two looks
  std::optional<int> signal;
  std::map<Stamp, std::function<void()>> events;
  std::set<double> limits_set;
  double running_s = 0;

  size_t Level() const {
    size_t best = 0;
    for (size_t k = 0; k < problem.gpu.levels.size(); ++k) {
      if (problem.gpu.levels[k].limit <= limit) best = k;
    }
    return best;
  }

  void Pass(nanoseconds time) {
    while (!events.empty() && events.begin()->first <= now) {
      const auto event = events.begin()->second;
      events.erase(events.begin());
      event();
    }
    if (const nanoseconds gap = std::exchange(held, nanoseconds(0)); gap.count() > 0) {
      const bool was_running = std::exchange(running, running && !held_with_job);
      Work(gap);
      running = was_running;
    }
    Work(time);
  }

  void Work(nanoseconds time) {
    const double s = std::chrono::duration<double>(time).count();
    energy_uj += (running ? InWatts(problem.gpu.levels[Level()].draw) : InWatts(power_off)) * s * 1e6;
    if (running) done += pace * s / InSeconds(problem.gpu.levels[Level()].job_time), running_s += s;
    now += time;
  }
};

class FakeClock : public RunClock {
 public:
  explicit FakeClock(World& world) : world_(world), begin_(world.now) {}
  Stamp Now() override { return world_.now + offset_; }
  nanoseconds Passed() override { return world_.now - begin_; }
  double Speed() const override { return 1; }
  std::string Irregularity() override {
    const nanoseconds jump = std::exchange(world_.jump, nanoseconds(0));
    offset_ += jump;
    return jump.count() == 0 ? "" : "the clock was set";
  }

 private:
  World& world_;
  Stamp begin_;
  nanoseconds offset_{0};
};

class FakeJob : public Job {
 public:
  explicit FakeJob(World& world) : world_(world) {}
  Result<void> Start() override {
    world_.started = world_.running = true;
    return {};
  }
  bool started() const override { return world_.started; }
  std::optional<ExitStatus> Wait(nanoseconds) override {
    world_.Pass(world_.step);
    if (world_.signal) return ExitStatus{0, world_.signal};
    if (world_.done >= world_.work - 1e-12) return ExitStatus{0, std::nullopt};
    return std::nullopt;
  }
  PauseAnswer Pause(bool) override {
    if (world_.now < world_.pauses_from) return PauseAnswer::kNotYet;
    if (!world_.answers) return PauseAnswer::kNoAnswer;
    world_.running = false;
    return PauseAnswer::kStopped;
  }
  void Resume() override { world_.running = true; }
  void End(int signal) override { world_.signal = signal; }
  std::optional<JobProgress> Progress() override {
    if (!world_.tells || !world_.started) return std::nullopt;
    return JobProgress{world_.told_before + std::floor(world_.done / world_.work * 1000), nanoseconds(0)};
  }

 private:
  World& world_;
};

class FakeLimits : public PowerLimits {
 public:
  explicit FakeLimits(World& world) : world_(world) {}
  Result<PowerLimitRange> Range() override { return PowerLimitRange{Watts(100), Watts(320), Watts(320)}; }
  Result<void> Set(Power limit) override {
    if (world_.lost) return Fail("lost", ErrorKind::kDevice);
    if (!world_.may_set) return Fail("no right", ErrorKind::kPermission);
    if (!world_.may_write) return Fail("the lease cannot be written");
    if (world_.away) return Fail("the service is away", ErrorKind::kDevice);
    world_.limit = limit;
    world_.limits_set.insert(InWatts(limit));
    return {};
  }
  Result<Power> Asked() override {
    if (world_.lost) return Fail("lost", ErrorKind::kDevice);
    return world_.limit;
  }
  Result<Restored> Release() override { return Restored::kPutBack; }
  Result<void> Renew() override { return {}; }
  bool IsAway() const override { return world_.away; }

 private:
  World& world_;
};

class FakeGpu : public GpuWatch {
 public:
  explicit FakeGpu(World& world) : world_(world) {}
  GpuLook Look() override {
    if (world_.lost) return {.is_lost = true, .energy_uj = {}, .power = {}, .limit = {}};
    return {.is_lost = false,
            .energy_uj = static_cast<int64_t>(world_.energy_uj),
            .power = Watts(100),
            .limit = world_.limit};
  }

 private:
  World& world_;
};

class Observer : public RunObserver {
 public:
  void OnEvent(const RunEvent& event) override {
    kinds.push_back(event.kind);
    events.push_back(event);
  }
  void OnState(const RunState&, const SlotActual&) override {}
  void OnSlotEnd(int slot, const SlotActual&) override { ended.push_back(slot); }
  long Count(const std::string& kind) const { return std::count(kinds.begin(), kinds.end(), kind); }

  std::vector<std::string> kinds;
  std::vector<RunEvent> events;
  std::vector<int> ended;
};

SlotDecision At(std::vector<LevelShare> levels) {
  SlotDecision decision;
  decision.levels = std::move(levels);
  return decision;
}

class PlanRunnerTest : public testing::Test {
 protected:
  /// 170 W in the first and last of four hours with an off hour between, and what remains for the work of a tenth.
  PlanRunnerTest() : problem_(StudyProblem(20, 4)) {
    problem_.work = 0.1;
    const double hour = 1 / InHours(problem_.gpu.levels[7].job_time);
    const double rest = (0.1 - hour) / hour;
    plan_ = MakePlan(problem_, Formulation::kBlend, {At({{7, 1}}), {}, At({{7, rest}}), {}});
    world_.emplace(problem_);
  }

  Result<RunOutcome> Run(RunOptions options = {}, Replanner replan = {}, const RunLeftOver& left_over = {}) {
    if (world_->tells) options.units = 1000;
    FakeJob job(*world_);
    FakeLimits limits(*world_);
    FakeGpu gpu(*world_);
    FakeClock clock(*world_);
    PlanRunner runner(problem_, plan_, options,
                      {job, limits, gpu, clock, observer_, std::move(replan), news_, [this] { return interrupted_; }});
    return runner.Run(left_over);
  }

  /// The slowest level for an hour, then 170 W until the work is done.
  void PlanSlowestLevelFirst() {
    plan_ = MakePlan(problem_, Formulation::kBlend, {At({{0, 1}}), At({{7, 1}}), At({{7, 1}}), {}});
  }

  /// Half an hour of the first slot was done, then nobody looked for two hours; the counter went on.
  RunLeftOver CutOffForTwoHours() {
    RunLeftOver left_over;
    left_over.slots.resize(5);
    for (SlotActual& slot : left_over.slots) slot.level_s.resize(problem_.gpu.levels.size());
    left_over.slots[0].level_s[7] = 1800;
    left_over.slots[0].energy = Watts(170) * Seconds(1800);
    left_over.slots[0].work = left_over.work_done = world_->done = 0.06;
    left_over.slots[0].entered = true;
    left_over.units_done = 600;
    left_over.begin = problem_.horizon.start;
    left_over.at = problem_.horizon.start + minutes(30);
    left_over.counter_uj = 0;
    world_->now = left_over.at + hours(2);
    world_->energy_uj = 15e6 * 7200;
    return left_over;
  }

  DispatchProblem problem_;
  Plan plan_;
  std::optional<World> world_;
  Observer observer_;
  bool interrupted_ = false;
  std::function<std::optional<RunNews>(Stamp now)> news_;
};

TEST_F(PlanRunnerTest, FollowsThePlanAndKeepsTheBooks) {
  const Result<RunOutcome> outcome = Run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->exit->AsShell(), 0);
  EXPECT_EQ(world_->limits_set, std::set<double>{170});
  EXPECT_EQ(observer_.Count("pause"), 1);
  EXPECT_EQ(observer_.Count("resume"), 1);
  // Off for the second hour, to one look.
  EXPECT_NEAR(outcome->slots[1].off_s, 3600, 6);
  EXPECT_NEAR(outcome->slots[0].level_s[7], 3600, 6);
  // Conservation: energy, time and work of the slots are those of the world.
  double total_s = 0, work = 0;
  Energy energy;
  for (const SlotActual& slot : outcome->slots) {
    total_s += slot.running_s() + slot.off_s;
    work += slot.work;
    energy += slot.energy;
    Energy by_level;
    for (const Energy level : slot.level_energy) by_level += level;
    EXPECT_NEAR(InJoules(by_level), InJoules(slot.energy - slot.energy_off), 1e-3);
  }
  EXPECT_GT(outcome->slots[0].level_energy[7], Energy());
  // The job keeps to the curve, to a look of each of its words; the pace is known of every level.
  ASSERT_EQ(outcome->job_times.size(), problem_.gpu.levels.size());
  EXPECT_NEAR(outcome->job_times[7] / problem_.gpu.levels[7].job_time, 1, 0.02);
  EXPECT_NEAR(outcome->work_assumed, 0, 0.001);
  EXPECT_NEAR(total_s, InSeconds(Between(problem_.horizon.start, world_->now)), 1e-6);
  EXPECT_NEAR(work, 0.1, 1e-9);
  EXPECT_NEAR(InJoules(energy), world_->energy_uj * 1e-6, 1e-3);
  EXPECT_EQ(observer_.ended, (std::vector<int>{0, 1, 2}));
}

TEST_F(PlanRunnerTest, JobThatRunsAlreadyIsTakenOnWithWhatItHasDone) {
  world_->started = world_->running = true;
  world_->told_before = 250;
  RunOptions options;
  options.units_before = 250;
  const Result<RunOutcome> outcome = Run(options);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(observer_.Count("job_started"), 0);
  EXPECT_EQ(observer_.Count("pause"), 1);
  // The 250 units from before are none of the plan's work: the first hour did what an hour at 170 W does, to a look and
  // to one unit of a thousand.
  EXPECT_NEAR(outcome->slots[0].work, 1 / InHours(problem_.gpu.levels[7].job_time), 0.1 * (1.0 / 1000 + 6.0 / 3600));
  EXPECT_NEAR(outcome->work_done, 0.1, 1e-9);
}

TEST_F(PlanRunnerTest, SlowJobGoesToFullPowerInTimeForItsDeadline) {
  // Slower than promised, the work needs 3.2 hours at 170 W and 3.04 at full power: with a whole hour off neither fits
  // into four, so full power must begin within the hour off.
  world_->pace = 0.45;
  const Result<RunOutcome> outcome = Run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(observer_.Count("full_power"), 1);
  EXPECT_LE(world_->now, problem_.horizon.end());
  EXPECT_TRUE(world_->limits_set.contains(280));
  EXPECT_FALSE(outcome->late);
}

TEST_F(PlanRunnerTest, JobThatTakesItsTimeToPauseCountsAsRunningUntilItStandsStill) {
  world_->pauses_from = problem_.horizon.start + hours(1) + minutes(20);  // its checkpoint is written until then
  const Result<RunOutcome> outcome = Run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(observer_.Count("pause"), 1);
  EXPECT_NEAR(outcome->slots[1].level_s[7], 1200, 6);
  EXPECT_NEAR(outcome->slots[1].off_s, 2400, 6);
  EXPECT_NEAR(outcome->slots[1].work, outcome->slots[0].work / 3, 0.1 * (2.0 / 1000 + 12.0 / 3600));
  for (const RunEvent& event : observer_.events) {
    EXPECT_TRUE(event.kind != "pause" || event.at >= world_->pauses_from);
  }
}

TEST_F(PlanRunnerTest, JobThatDoesNotAnswerIsSaidOnceAndCountsAsRunning) {
  world_->answers = false;
  const Result<RunOutcome> outcome = Run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(observer_.Count("pause_unanswered"), 1);
  EXPECT_EQ(observer_.Count("pause"), 0);
  EXPECT_EQ(outcome->pauses, 0);
  for (const SlotActual& slot : outcome->slots) EXPECT_EQ(slot.off_s, 0);
  EXPECT_NEAR(outcome->work_assumed, 0, 0.001);
}

TEST_F(PlanRunnerTest, PauseThatIsOverBeforeTheJobStoppedIsTakenBack) {
  world_->pace = 0.7;  // it is not done before the third hour
  world_->pauses_from = problem_.horizon.start + hours(2) + minutes(1);
  const Result<RunOutcome> outcome = Run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(observer_.Count("pause"), 0);
  EXPECT_EQ(observer_.Count("resume"), 0);
  EXPECT_EQ(observer_.Count("pause_withdrawn"), 1);
  EXPECT_EQ(outcome->slots[1].off_s, 0);
}

TEST_F(PlanRunnerTest, LateJobIsEndedWhenItsCheckpointIsWritten) {
  world_->pace = 0.25;
  world_->pauses_from = problem_.horizon.end() + minutes(5);
  RunOptions options;
  options.on_late = OnLate::kStop;
  const Result<RunOutcome> outcome = Run(options);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->stopped_late);
  EXPECT_EQ(observer_.Count("late"), 1);
  EXPECT_NEAR(outcome->slots.back().running_s(), 300, 6);
}

TEST_F(PlanRunnerTest, UnreachableDeadlineIsSaidAtOnceAndTheJobFinishesLate) {
  world_->pace = 0.25;
  const Result<RunOutcome> outcome = Run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(observer_.Count("unreachable"), 1);
  EXPECT_TRUE(outcome->late);
  EXPECT_FALSE(outcome->stopped_late);
  EXPECT_GT(outcome->slots.back().running_s(), 0);
}

TEST_F(PlanRunnerTest, LateJobIsStoppedWhereAskedFor) {
  world_->pace = 0.25;
  RunOptions options;
  options.on_late = OnLate::kStop;
  const Result<RunOutcome> outcome = Run(options);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->stopped_late);
  EXPECT_EQ(outcome->exit->signal, SIGTERM);
  EXPECT_LT(world_->now, problem_.horizon.end() + minutes(1));
}

TEST_F(PlanRunnerTest, LimitOfSomeoneElseIsLeftAlone) {
  world_->events[problem_.horizon.start + minutes(30)] = [&] { world_->limit = Watts(200); };
  const Result<RunOutcome> outcome = Run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(observer_.Count("limits_out"), 1);
  EXPECT_EQ(world_->limit, Watts(200));
  EXPECT_FALSE(outcome->limits_reached);
  EXPECT_EQ(observer_.Count("pause"), 1);  // pausing goes on
}

TEST_F(PlanRunnerTest, WithoutTheRightToLimitItPausesAlone) {
  world_->may_set = false;
  const Result<RunOutcome> outcome = Run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(observer_.Count("limits_out"), 1);
  EXPECT_EQ(observer_.Count("limit"), 0);
  EXPECT_EQ(outcome->exit->AsShell(), 0);
  EXPECT_LE(world_->now, problem_.horizon.end());
}

TEST_F(PlanRunnerTest, LostGpuLeavesAGapThatItsCounterFills) {
  world_->events[problem_.horizon.start + minutes(10)] = [&] { world_->lost = true; };
  world_->events[problem_.horizon.start + minutes(20)] = [&] { world_->lost = false; };
  const Result<RunOutcome> outcome = Run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(observer_.Count("gpu_lost"), 1);
  EXPECT_EQ(observer_.Count("gpu_back"), 1);
  EXPECT_EQ(observer_.Count("driver_reload"), 0);
  EXPECT_NEAR(outcome->unmeasured_s, 0, 1);
  EXPECT_NEAR(InJoules(outcome->energy), world_->energy_uj * 1e-6, 1e-3);
}

TEST_F(PlanRunnerTest, DriverLoadedAnewLosesItsCounterAndGetsTheLimitAgain) {
  double before_uj = 0;
  world_->events[problem_.horizon.start + minutes(10)] = [&] { world_->lost = true; };
  world_->events[problem_.horizon.start + minutes(12)] = [&] {
    world_->lost = false;
    world_->limit = Watts(320);
    before_uj = world_->energy_uj;
    world_->energy_uj = 0;
  };
  const Result<RunOutcome> outcome = Run();
  ASSERT_TRUE(outcome);
  EXPECT_GE(observer_.Count("driver_reload"), 1);
  EXPECT_EQ(observer_.Count("limits_out"), 0);
  EXPECT_EQ(world_->limit, Watts(170));
  EXPECT_NEAR(outcome->unmeasured_s, 120, 11);
  EXPECT_NEAR(outcome->slots[0].unknown_s, 120, 11);
  EXPECT_LT(InJoules(outcome->energy), (before_uj + world_->energy_uj) * 1e-6);
}

TEST_F(PlanRunnerTest, GpuLostBeforeALimitIsSetTeachesNoLevelItsPaceAndIsBookedAsNotKnown) {
  PlanSlowestLevelFirst();
  // The job begins under the 320 W from before, which nobody can change or read for a quarter of an hour.
  world_->now = problem_.horizon.start - minutes(5);
  world_->events[problem_.horizon.start - minutes(1)] = [&] { world_->lost = true; };
  world_->events[problem_.horizon.start + minutes(15)] = [&] { world_->lost = false; };
  std::vector<double> told_s;
  const auto note = [&](const ReplanRequest& request) -> Result<ReplanAnswer> {
    told_s.push_back(InSeconds(request.job_times[0]));
    return ReplanAnswer{};
  };
  const Result<RunOutcome> outcome = Run({}, note);
  ASSERT_TRUE(outcome);
  ASSERT_FALSE(told_s.empty());
  // It ran as promised, to the grain of its words; at 320 W it is far faster than at the slowest level.
  const double promised_s = InSeconds(problem_.gpu.levels[0].job_time);
  for (const double each_s : told_s) EXPECT_NEAR(each_s, promised_s, 0.02 * promised_s);
  // To the looks on both sides.
  EXPECT_NEAR(outcome->slots[0].unknown_s, 900, 11);
  EXPECT_NEAR(outcome->slots[0].level_s[0], 2700, 11);
  EXPECT_NEAR(outcome->slots[0].running_s(), 3600, 6);
  EXPECT_NEAR(InJoules(outcome->energy), world_->energy_uj * 1e-6, 1e-3);
  const auto lost = std::find_if(observer_.events.begin(), observer_.events.end(),
                                 [](const RunEvent& event) { return event.kind == "gpu_lost"; });
  ASSERT_NE(lost, observer_.events.end());
  EXPECT_NE(lost->text.find("the job has not begun yet"), std::string::npos) << lost->text;
}

TEST_F(PlanRunnerTest, DriverLoadedAnewBetweenTwoLooksTeachesNoLevelThePaceOfFullPower) {
  PlanSlowestLevelFirst();
  // Each minute the limit is back at its default for most of it: no stretch between two words is one of the slowest
  // level.
  for (int minute = 1; minute < 50; ++minute) {
    world_->events[problem_.horizon.start + minutes(minute)] = [&] {
      world_->limit = Watts(320);
      world_->energy_uj -= 1e12;  // lower than at the last look
      world_->held = seconds(50);
    };
  }
  std::vector<double> told_s;
  RunOptions options;
  options.longest_gap = Seconds(1000);
  ASSERT_TRUE(Run(options, [&](const ReplanRequest& request) -> Result<ReplanAnswer> {
    told_s.push_back(InSeconds(request.job_times[0]));
    return ReplanAnswer{};
  }));
  ASSERT_FALSE(told_s.empty());
  // Learnt from the first minute alone, of which the words are known to a look of five seconds.
  const double promised_s = InSeconds(problem_.gpu.levels[0].job_time);
  for (const double each_s : told_s) EXPECT_NEAR(each_s, promised_s, 0.05 * promised_s);
}

TEST_F(PlanRunnerTest, AbsenceOverTheEdgeOfASlotIsFilledInBothSlots) {
  world_->events[problem_.horizon.start + minutes(50)] = [&] { world_->lost = true; };
  world_->events[problem_.horizon.start + minutes(70)] = [&] { world_->lost = false; };
  const Result<RunOutcome> outcome = Run();
  ASSERT_TRUE(outcome);
  for (int t : {0, 1}) EXPECT_NEAR(outcome->slots[static_cast<size_t>(t)].unmeasured_s, 0, 1) << t;
}

TEST_F(PlanRunnerTest, ClockThatIsSetForwardMovesThePlanAlong) {
  world_->events[problem_.horizon.start + minutes(30)] = [&] { world_->jump = minutes(45); };
  const Result<RunOutcome> outcome = Run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(observer_.Count("clock"), 1);
  double total_s = 0;
  for (const SlotActual& slot : outcome->slots) total_s += slot.running_s() + slot.off_s;
  // The 45 minutes never passed.
  EXPECT_NEAR(total_s, InSeconds(Between(problem_.horizon.start, world_->now)), 1e-6);
}

TEST_F(PlanRunnerTest, NewPlanMustSaveMoreThanTheCostOfChanging) {
  for (const double saving : {0.004, 0.006}) {
    observer_ = {};
    world_.emplace(problem_);
    world_->pace = 1.01;  // so that the running plan holds
    int asked = 0;
    const Result<RunOutcome> outcome = Run({}, [&](const ReplanRequest& request) -> Result<ReplanAnswer> {
      ++asked;
      ReplanAnswer answer;
      answer.cost = Euros(1);
      answer.kept_cost = Euros(1 + saving);
      answer.plan = RunningPlan{problem_, request.kept};
      answer.plan->problem.horizon = request.horizon;
      return answer;
    });
    ASSERT_TRUE(outcome);
    EXPECT_GT(asked, 0);
    EXPECT_EQ(outcome->plans > 0, saving > 0.005) << saving;
  }
}

// A plan of five-minute slots, made within an hour, once ran to the end: it bought and sold in turns, as no hour of the
// books does, and paused the job every ten minutes.
TEST_F(PlanRunnerTest, PlanMadeWithinASlotEndsWithIt) {
  std::vector<Horizon> adopted;
  bool news = true;
  news_ = [&](Stamp now) -> std::optional<RunNews> {
    if (now < problem_.horizon.start + minutes(20) || !std::exchange(news, false)) return std::nullopt;
    return RunNews{"the PV forecast has changed", true};
  };
  ASSERT_TRUE(Run({}, [&](const ReplanRequest& request) -> Result<ReplanAnswer> {
    const bool is_within = request.horizon.step != problem_.horizon.step;
    ReplanAnswer answer;
    answer.cost = Euros(1);
    // Going on costs nothing more, at an edge even less.
    answer.kept_cost = Euros(is_within ? 2 : 0.5);
    answer.plan = RunningPlan{problem_, request.kept};
    answer.plan->problem.horizon = request.horizon;
    adopted.push_back(request.running->problem.horizon);
    return answer;
  }));
  // Followed when a new plan was asked for: the plan's own, that of five minutes at the next edge, then hours again.
  ASSERT_GE(adopted.size(), 3u);
  EXPECT_EQ(adopted[0].step, problem_.horizon.step);
  EXPECT_EQ(adopted[1].step, std::chrono::seconds(minutes(5)));
  EXPECT_EQ(adopted[2].step, problem_.horizon.step);
}

TEST_F(PlanRunnerTest, FailingPlannerKeepsTheRunningPlan) {
  const Result<RunOutcome> outcome =
      Run({}, [](const ReplanRequest&) -> Result<ReplanAnswer> { return Fail("the planner is gone"); });
  ASSERT_TRUE(outcome);
  EXPECT_EQ(observer_.Count("replan_failed"), 1);
  EXPECT_EQ(outcome->exit->AsShell(), 0);
  EXPECT_NEAR(outcome->slots[1].off_s, 3600, 6);
}

TEST_F(PlanRunnerTest, DeadPlannerLeavesASlowJobAtTheSafeLevelAndIsAskedAgainEachMinute) {
  // A tenth slower than promised, the plan does not suffice; an hour at 200 W, where it says off, does.
  world_->pace = 0.9;
  RunOptions options;
  options.safe_limit = Watts(205);  // the highest level that does not exceed it
  int asked = 0;
  Stamp first, last;
  const auto dead = [&](const ReplanRequest&) -> Result<ReplanAnswer> {
    if (++asked == 1) first = world_->now;
    last = world_->now;
    return Fail("the planner is gone");
  };
  ASSERT_TRUE(Run(options, dead));
  EXPECT_EQ(observer_.Count("replan_failed"), 1);
  EXPECT_EQ(world_->limits_set, (std::set<double>{170, 200}));
  EXPECT_LE(world_->now, problem_.horizon.end());
  // Once a minute, and for the slots.
  const double minutes_between = InSeconds(Between(first, last)) / 60;
  EXPECT_GT(asked, 0.8 * minutes_between);
  EXPECT_LT(asked, minutes_between + 6);
}

TEST_F(PlanRunnerTest, DeadPlannerWithoutASafeLevelLeavesItToTheDeadline) {
  world_->pace = 0.9;
  ASSERT_TRUE(Run({}, [](const ReplanRequest&) -> Result<ReplanAnswer> { return Fail("the planner is gone"); }));
  EXPECT_FALSE(world_->limits_set.contains(200));
  EXPECT_LE(world_->now, problem_.horizon.end());
}

TEST_F(PlanRunnerTest, PlannerThatWorksAgainEndsTheSafeLevel) {
  world_->pace = 0.9;
  RunOptions options;
  options.safe_limit = Watts(205);
  std::optional<Stamp> dead_since;
  const auto dead_for_ten_minutes = [&](const ReplanRequest& request) -> Result<ReplanAnswer> {
    if (!dead_since) dead_since = world_->now;
    if (world_->now < *dead_since + minutes(10)) return Fail("the planner is gone");
    ReplanAnswer answer;  // 170 W until all is done
    answer.plan = RunningPlan{problem_, {}};
    answer.plan->problem.horizon = request.horizon;
    for (Level& level : answer.plan->problem.gpu.levels) level.job_time = level.job_time / 0.9;
    answer.plan->decisions.resize(static_cast<size_t>(request.horizon.slots), At({{7, 1}}));
    return answer;
  };
  ASSERT_TRUE(Run(options, dead_for_ten_minutes));
  EXPECT_EQ(observer_.Count("replan_works"), 1);
  EXPECT_EQ(world_->limit, Watts(170));
}

TEST_F(PlanRunnerTest, StandstillWithTheJobIsOffTimeAndPlannedAnewFromWhatWasDone) {
  for (const bool tells : {true, false}) {
    observer_ = {};
    world_.emplace(problem_);
    world_->tells = tells;
    world_->held_with_job = true;
    world_->events[problem_.horizon.start + minutes(20)] = [&] { world_->held = minutes(15); };
    std::optional<double> left, really_left;
    const auto note = [&](const ReplanRequest& request) -> Result<ReplanAnswer> {
      if (request.reason == "the run stood still") {
        left = request.work_left;
        really_left = 0.1 - world_->done;
      }
      return ReplanAnswer{};
    };
    const Result<RunOutcome> outcome = Run({}, note);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(observer_.Count("stood_still"), 1);
    ASSERT_TRUE(left);
    // From the measured state: what the five minutes until the new plan begins do is taken off, and 0.5 % are reserve.
    const double rate = 1 / InSeconds(problem_.gpu.levels[7].job_time);
    EXPECT_LE(*left, *really_left * 1.005 + 1e-9);
    EXPECT_GE(*left, *really_left - 305 * rate);
    // Books: off for a quarter of an hour, to the look before and after it; nothing was worked or counted twice.
    EXPECT_NEAR(outcome->slots[0].off_s, 900, 6);
    EXPECT_NEAR(InJoules(outcome->energy), world_->energy_uj * 1e-6, 1e-3);
    EXPECT_NEAR(outcome->slots[0].work, outcome->slots[0].level_s[7] * rate, 10 * rate);
  }
}

TEST_F(PlanRunnerTest, ReserveIsNotToldAsWorkThatIsLeft) {
  plan_ = MakePlan(problem_, Formulation::kBlend, {{}, At({{7, 1}}), At({{7, 1}}), {}});
  news_ = [told = false](Stamp) mutable {
    return std::exchange(told, true) ? std::nullopt : std::optional(RunNews{"the price file was read", true});
  };
  int planned = 0;
  const auto once = [&](const ReplanRequest& request) -> Result<ReplanAnswer> {
    ReplanAnswer answer;
    if (planned++ > 0) return answer;
    EXPECT_GT(request.work_left, problem_.work);  // with its reserve it is more than all
    answer.plan = RunningPlan{problem_, {}};
    answer.plan->problem.horizon = request.horizon;
    answer.plan->decisions.resize(static_cast<size_t>(request.horizon.slots), At({{7, 1}}));
    return answer;
  };
  ASSERT_TRUE(Run({}, once));
  ASSERT_GE(planned, 1);
  EXPECT_EQ(observer_.Count("replan"), 1);
  for (const RunEvent& event : observer_.events) {
    if (event.kind != "replan") continue;
    EXPECT_TRUE(event.text.starts_with("the price file was read: a new plan for the 100.0 % of the work that is left"))
        << event.text;
  }
}

TEST_F(PlanRunnerTest, StandstillOfTheRunAloneIsTimeOfTheJob) {
  for (const bool tells : {true, false}) {
    observer_ = {};
    world_.emplace(problem_);
    world_->tells = tells;
    world_->events[problem_.horizon.start + minutes(20)] = [&] { world_->held = minutes(15); };
    const Result<RunOutcome> outcome = Run();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(observer_.Count("stood_still"), 1);
    EXPECT_NEAR(outcome->slots[0].off_s, 0, 6);
    EXPECT_NEAR(outcome->slots[0].level_s[7], 3600, 6);
    EXPECT_NEAR(outcome->slots[0].work, 3600 / InSeconds(problem_.gpu.levels[7].job_time), 2e-4);
  }
}

TEST_F(PlanRunnerTest, LimitsThatAreAwayComeBackAndAreNoneOfSomeoneElse) {
  world_->events[problem_.horizon.start + minutes(20)] = [&] {
    world_->away = true;
    world_->limit = Watts(320);
  };
  world_->events[problem_.horizon.start + minutes(30)] = [&] {
    world_->away = false;
    world_->limit = Watts(170);
  };
  const Result<RunOutcome> outcome = Run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(observer_.Count("limits_away"), 1);
  EXPECT_EQ(observer_.Count("limits_back"), 1);
  EXPECT_EQ(observer_.Count("limits_out"), 0);
  EXPECT_TRUE(outcome->limits_reached);
  // Ten minutes at full power in the books, less the three looks until it was believed.
  EXPECT_NEAR(outcome->slots[0].level_s.back(), 600, 21);
}

TEST_F(PlanRunnerTest, LimitWhoseLeaseCannotBeWrittenIsTriedAgain) {
  // Another level in each hour.
  problem_.work = world_->work = 0.15;
  plan_ = MakePlan(problem_, Formulation::kBlend, {At({{7, 1}}), At({{3, 1}}), At({{7, 1}}), At({{7, 1}})});
  world_->events[problem_.horizon.start + minutes(50)] = [&] { world_->may_write = false; };
  world_->events[problem_.horizon.start + minutes(90)] = [&] { world_->may_write = true; };
  const Result<RunOutcome> outcome = Run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(observer_.Count("limit_refused"), 1);
  EXPECT_EQ(observer_.Count("limits_out"), 0);
  // The level in force counts, not the one that was wanted.
  EXPECT_NEAR(outcome->slots[1].level_s[7], 1800, 11);
  EXPECT_NEAR(outcome->slots[1].level_s[3], 1800, 11);
}

TEST_F(PlanRunnerTest, SlotsArePlannedBeforeTheyBeginAndTheirLimitsComeFirst) {
  problem_.work = world_->work = 0.15;
  plan_ = MakePlan(problem_, Formulation::kBlend, {At({{7, 1}}), At({{3, 1}}), At({{7, 1}}), At({{7, 1}})});
  std::vector<Stamp> begins;
  const auto note = [&](const ReplanRequest& request) -> Result<ReplanAnswer> {
    if (request.reason == "a slot begins") {
      EXPECT_LT(world_->now, request.horizon.start);
      begins.push_back(request.horizon.start);
    }
    return ReplanAnswer{};
  };
  world_->step = seconds(1);  // the plan is asked for within the last seconds of the slot before
  ASSERT_TRUE(Run({}, note));
  // The job ends within the third.
  const std::set<Stamp> slots(begins.begin(), begins.end());
  EXPECT_EQ(slots, (std::set{problem_.horizon.SlotStart(1), problem_.horizon.SlotStart(2)}));
  const Horizon& horizon = problem_.horizon;
  for (const RunEvent& event : observer_.events) {
    if (event.kind != "limit" || event.at == horizon.start) continue;
    ASSERT_TRUE(event.due && event.read_back_at);
    EXPECT_EQ((*event.due - horizon.start) % std::chrono::hours(1), nanoseconds(0));
    EXPECT_EQ(*event.read_back_at, event.at);  // the world stands still while it is set
  }
  EXPECT_EQ(std::count(observer_.kinds.begin(), observer_.kinds.end(), "limit"), 3);
}

TEST_F(PlanRunnerTest, GapThatTheCounterFillsIsOffTimeOnceAndInTheJournal) {
  const Result<RunOutcome> outcome = Run({}, {}, CutOffForTwoHours());
  ASSERT_TRUE(outcome);
  // Nothing of the slots is left for which idle power would have to be assumed on top of what was measured.
  EXPECT_NEAR(outcome->slots[0].running_s() + outcome->slots[0].off_s, 3600, 1e-6);
  EXPECT_NEAR(outcome->slots[1].off_s, 3600, 1e-6);
  EXPECT_NEAR(InWattHours(outcome->slots[1].energy_off), 15, 1e-9);
  EXPECT_NEAR(InWattHours(outcome->slots[0].energy_off), 7.5, 1e-9);
  EXPECT_NEAR(outcome->slots[1].unmeasured_s, 0, 1e-9);
  EXPECT_FALSE(outcome->slots[1].entered);  // nobody was there
  ASSERT_GE(observer_.ended.size(), 2u);
  EXPECT_EQ(observer_.ended[0], 0);
  EXPECT_EQ(observer_.ended[1], 1);
  EXPECT_EQ(observer_.Count("began_anew"), 0);
}

TEST_F(PlanRunnerTest, JobThatBeginsAnewIsSaid) {
  const RunLeftOver left_over = CutOffForTwoHours();
  world_->done = 0.01;
  ASSERT_TRUE(Run({}, {}, left_over));
  ASSERT_EQ(observer_.Count("began_anew"), 1);
  const auto said = std::find_if(observer_.events.begin(), observer_.events.end(),
                                 [](const RunEvent& event) { return event.kind == "began_anew"; });
  EXPECT_NE(said->text.find("began anew at 100 of 1000 (600 before)"), std::string::npos) << said->text;
  EXPECT_TRUE(said->matters);
}

TEST_F(PlanRunnerTest, JobThatNeverTellsIsSaidAndNothingOfItIsDone) {
  world_->tells = false;
  world_->events[problem_.horizon.start + minutes(20)] = [&] { world_->signal = SIGTERM; };
  RunOptions options;
  options.units = 1000;
  options.told_how = "no line matched 'x'";
  const Result<RunOutcome> outcome = Run(options);
  ASSERT_TRUE(outcome);
  ASSERT_EQ(observer_.Count("silence"), 1);
  const auto said = std::find_if(observer_.events.begin(), observer_.events.end(),
                                 [](const RunEvent& event) { return event.kind == "silence"; });
  EXPECT_NE(said->text.find("no line matched 'x'"), std::string::npos) << said->text;
  // Two minutes of the job's time, to a look and the three seconds that starting may take.
  EXPECT_LE(said->at, problem_.horizon.start + seconds(135));
  EXPECT_FALSE(outcome->progress_told);
  EXPECT_EQ(outcome->work_done, 0);
  EXPECT_EQ(outcome->slots[0].work, 0);
}

TEST_F(PlanRunnerTest, InterruptEndsTheJob) {
  world_->events[problem_.horizon.start + minutes(5)] = [&] { interrupted_ = true; };
  const Result<RunOutcome> outcome = Run();
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->interrupted);
  EXPECT_EQ(outcome->exit->signal, SIGINT);
}

}  // namespace
}  // namespace heliograd
