// Where the difference between a plan and what came of it is said to come from: each cause is made on purpose and must
// be the one that is named, and over random runs the parts sum to the whole.
#include "heliograd/report/plan_and_actual.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

#include "heliograd/plan/test_problems.h"

namespace heliograd {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// The parts are differences of sums of a few numbers below 1e4 Wh, 1 EUR and 1 job in doubles; what is below these is
// rounding, or a part that was left out for being less than 1e-9 Wh, 1e-12 of the work and 1e-12 EUR.
constexpr double kWh = 1e-8, kWork = 1e-11, kEur = 1e-11;

SlotDecision At(std::vector<LevelShare> levels) {
  SlotDecision decision;
  decision.levels = std::move(levels);
  return decision;
}

/// A slot's books that follow the plan: what the levels draw and do in the times that they ran.
void FollowCurve(const DispatchProblem& problem, NodeSlot& slot) {
  slot.load = {};
  slot.work = 0;
  double rest_s = InSeconds(problem.horizon.SlotDuration());
  for (size_t k = 0; k < slot.level_s.size(); ++k) {
    slot.load += problem.gpu.DrawAt(k) * Seconds(slot.level_s[k]);
    slot.work += Seconds(slot.level_s[k]) / problem.gpu.levels[k].job_time;
    rest_s -= slot.level_s[k];
  }
  slot.load += problem.gpu.idle * Seconds(rest_s);
}

/// Four hours: 170 W, off, 170 W, then off with a moment of it, carried out to the letter.
class AttributionTest : public testing::Test {
 protected:
  static constexpr size_t kLevel = 7, kFaster = 9;

  AttributionTest() : start_(StudyProblem(20, 4).horizon.start) {
    run_.plan.problem = StudyProblem(20, 4);
    DispatchProblem& problem = run_.plan.problem;
    problem.gpu.idle = Watts(15);
    problem.gpu.host = Watts(50);
    problem.work = 0.2;
    run_.plan.plan = MakePlan(problem, Formulation::kBlend, {At({{kLevel, 1}}), {}, At({{kLevel, 0.5}}), {}});
    for (int t = 0; t < 4; ++t) {
      // The grid gives what the load needs, as in a plan that a solver made.
      PlanSlot& slot = run_.plan.plan.slots[static_cast<size_t>(t)];
      slot.decision.grid_import = slot.load;
    }
    run_.status = "finished";
    run_.begin = start_;
    run_.end = problem.horizon.end();
    for (int t = 0; t < 4; ++t) {
      ComparedSlot slot;
      slot.planned = PlannedSlot(run_.plan, t);
      slot.actual = slot.planned;
      slot.entered = slot.settled = true;
      slot.off_s = 3600 - slot.actual.level_s[kLevel];
      run_.slots.push_back(slot);
    }
  }

  /// The slot's levels ran for other times, at the curve's draw and rate.
  void Ran(int t, double level_s, double faster_s = 0) {
    NodeSlot& actual = Actual(t);
    actual.level_s[kLevel] = level_s;
    actual.level_s[kFaster] = faster_s;
    FollowCurve(run_.plan.problem, actual);
    Settle(t);
  }

  void Settle(int t) {
    const SlotDecision& decision = run_.plan.plan.slots[static_cast<size_t>(t)].decision;
    Actual(t).settled = SettleSlot(run_.plan.problem, t, decision, Actual(t).load);
  }

  NodeSlot& Actual(int t) { return run_.slots[static_cast<size_t>(t)].actual; }
  void Happened(std::chrono::nanoseconds after, const std::string& kind, const std::string& text = "") {
    run_.events.push_back({.at = start_ + after, .kind = kind, .text = text});
  }

  /// The cause of the only part of the slot's difference, which must be all of it.
  std::string OnlyCause(int t) {
    const std::vector<Deviation> parts = Attribute(run_, t);
    if (parts.size() != 1) {
      std::string all = std::to_string(parts.size()) + " parts:";
      for (const Deviation& part : parts) all += " " + part.cause;
      return all;
    }
    const ComparedSlot& slot = run_.slots[static_cast<size_t>(t)];
    EXPECT_NEAR(InWattHours(parts[0].load), InWattHours(slot.actual.load - slot.planned.load), kWh);
    EXPECT_NEAR(parts[0].work, slot.actual.work - slot.planned.work, kWork);
    EXPECT_NEAR(InEuros(parts[0].cost), InEuros(slot.actual.settled.cost - slot.planned.settled.cost), kEur);
    return parts[0].cause;
  }

  Stamp start_;
  CarriedPlan run_;
};

TEST_F(AttributionTest, PlanCarriedOutToTheLetterHasNoDeviation) {
  for (int t = 0; t < 4; ++t) EXPECT_TRUE(Attribute(run_, t).empty()) << t;
}

TEST_F(AttributionTest, StartInTheMiddleOfASlotOrAfterIt) {
  run_.begin = start_ + minutes(40);
  Ran(0, 1200);
  EXPECT_EQ(OnlyCause(0), "late start");
  run_.begin = start_ + minutes(70);
  Ran(0, 0);
  run_.slots[0].entered = false;
  EXPECT_EQ(OnlyCause(0), "late start");
}

TEST_F(AttributionTest, PauseAndResumeThatComeLate) {
  Ran(1, 20);
  EXPECT_EQ(OnlyCause(1), "pause late");
  Ran(2, 1770);
  EXPECT_EQ(OnlyCause(2), "resume late");
}

TEST_F(AttributionTest, JobThatIsDoneEarlierThanPlanned) {
  run_.end = start_ + minutes(130);
  Ran(2, 600);
  EXPECT_EQ(OnlyCause(2), "done before the plan");
  run_.end = start_ + minutes(119);
  Ran(2, 0);
  EXPECT_EQ(OnlyCause(2), "done before the plan");
}

TEST_F(AttributionTest, JobThatFailedLeavesTheRestUndone) {
  run_.status = "failed";
  run_.end = start_ + minutes(10);
  Ran(0, 600);
  EXPECT_EQ(OnlyCause(0), "the run was over");
  Ran(2, 0);
  EXPECT_EQ(OnlyCause(2), "the run was over");
}

// Of the time after the run's end nothing is counted, which is no deviation of the draw.
TEST_F(AttributionTest, IdleTimeAfterTheRunIsNotCounted) {
  run_.end = start_ + minutes(150);
  run_.slots[2].part = 0.5;
  Ran(2, 1800);
  Actual(2).load -= run_.plan.problem.gpu.idle * Seconds(1800);
  Settle(2);
  run_.slots[3].part = 0;
  Actual(3) = NodeSlot();
  Actual(3).level_s.resize(run_.plan.problem.gpu.levels.size());
  for (const int t : {2, 3}) EXPECT_EQ(OnlyCause(t), "done before the plan") << t;
  EXPECT_NEAR(InWattHours(Attribute(run_, 3)[0].load), -15, kWh);
  run_.status = "interrupted";
  for (const int t : {2, 3}) EXPECT_EQ(OnlyCause(t), "the run was over") << t;
}

TEST_F(AttributionTest, SlotInWhichNobodyWasThere) {
  Ran(2, 0);
  run_.slots[2].entered = false;
  EXPECT_EQ(OnlyCause(2), "interruption");
}

TEST_F(AttributionTest, RunThatWasKilledStoodStillOrSleptPlansAnewWithWhatIsLeft) {
  for (const char* reason : {"the run goes on", "the run stood still", "the machine slept for 900 s"}) {
    run_.events.clear();
    Happened(minutes(130), "replan", reason + std::string(": a new plan for the 60.0 % of the work that is left"));
    Ran(2, 1200);
    EXPECT_EQ(OnlyCause(2), "interruption") << reason;
  }
}

TEST_F(AttributionTest, FullPowerCountsFromItsBeginToItsEnd) {
  Happened(minutes(50), "full_power");
  Happened(minutes(110), "full_power_ends");
  Ran(0, 3000, 600);
  EXPECT_EQ(OnlyCause(0), "full power for the deadline");
  Ran(1, 0, 3000);
  EXPECT_EQ(OnlyCause(1), "full power for the deadline");
  Ran(2, 1790);  // it was over before
  EXPECT_EQ(OnlyCause(2), "resume late");
}

TEST_F(AttributionTest, LimitThatWasNotSetOrNotKept) {
  const std::vector<RunEvent> events = {
      {.kind = "limits_out"},
      {.kind = "limits_away"},
      {.kind = "limit_refused"},
      {.kind = "limit_lower"},
      {.kind = "limit", .set = Watts(170), .found = Watts(200)},
  };
  for (const RunEvent& event : events) {
    run_.events = {event};
    run_.events[0].at = start_ + minutes(5);
    Ran(0, 600, 3000);
    EXPECT_EQ(OnlyCause(0), "limit not reached") << event.kind;
  }
  // A limit that was read back as it was set explains nothing, nor do events of other slots.
  run_.events = {{.at = start_ + minutes(5), .kind = "limit", .set = Watts(170), .found = Watts(170)},
                 {.at = start_ + minutes(65), .kind = "limit_refused"}};
  Ran(0, 3500);
  EXPECT_EQ(OnlyCause(0), "resume late");
}

TEST_F(AttributionTest, LimitsOutOfReachExplainEverySlotUntilTheRunIsResumed) {
  Happened(minutes(5), "limits_out");
  Happened(minutes(115), "resumed_run");
  Ran(1, 1800);
  EXPECT_EQ(OnlyCause(1), "limit not reached");
  Ran(2, 1700);
  EXPECT_EQ(OnlyCause(2), "resume late");
}

TEST_F(AttributionTest, NewPlansAreNamedByWhatLedToThem) {
  const std::pair<const char*, const char*> reasons[] = {
      {"the PV forecast has changed", "new plan: forecast"},
      {"prices.csv: the prices have changed", "new plan: forecast"},
      {"the job is 3.0 % of its work behind of the plan", "new plan: progress"},
      {"the deadline is safe again", "new plan: progress"},
      {"limits are out of reach", "limit not reached"},
      {"the run begins after the plan's start", "late start"},
      {"a slot begins", "new plan"},
  };
  for (const auto& [reason, cause] : reasons) {
    run_.events.clear();
    Happened(minutes(10), "replan", "the PV forecast has changed: a new plan for the 90.0 % of the work that is left");
    Happened(minutes(70), "replan", reason + std::string(": a new plan for the 60.0 % of the work that is left"));
    Happened(minutes(190), "replan", "the run goes on: a new plan for the 1.0 % of the work that is left");
    Ran(1, 1800);
    EXPECT_EQ(OnlyCause(1), cause) << reason;
  }
  Ran(1, 20);  // moments in a slot that was to be off are no other plan
  EXPECT_EQ(OnlyCause(1), "pause late");
}

TEST_F(AttributionTest, DrawThatTheCurveDoesNotPromise) {
  Actual(0).load += WattHours(20);
  Settle(0);
  EXPECT_EQ(OnlyCause(0), "draw while running");
  Actual(1).load += WattHours(5);
  run_.slots[1].off_s = 3600;
  run_.slots[1].gpu_energy_off = run_.plan.problem.gpu.idle * Seconds(3600) + WattHours(5);
  Settle(1);
  EXPECT_EQ(OnlyCause(1), "draw while off");
  run_.slots[0].unmeasured_s = 60;
  EXPECT_EQ(OnlyCause(0), "draw (partly not measured)");
}

// A slot that is off for most of its time, at exactly idle power: what differs is the draw while it ran.
TEST_F(AttributionTest, DrawIsSplitByTheBooksOfRunningAndOffTime) {
  Ran(0, 900);
  run_.slots[0].off_s = 2700;
  run_.slots[0].gpu_energy_off = run_.plan.problem.gpu.idle * Seconds(2700);
  Actual(0).load += WattHours(4);
  Settle(0);
  const auto parts_of = [&] {
    std::map<std::string, double> parts;
    for (const Deviation& part : Attribute(run_, 0)) parts[part.cause] = InWattHours(part.load);
    return parts;
  };
  EXPECT_NEAR(parts_of()["draw while running"], 4, kWh);
  EXPECT_EQ(parts_of().count("draw while off"), 0u);
  run_.slots[0].gpu_energy_off += WattHours(3);  // of the same four
  EXPECT_NEAR(parts_of()["draw while running"], 1, kWh);
  EXPECT_NEAR(parts_of()["draw while off"], 3, kWh);
}

TEST_F(AttributionTest, WorkThatTheCurveDoesNotPromiseCostsNothingWhereItIsLost) {
  Actual(0).work *= 0.9;
  EXPECT_EQ(OnlyCause(0), "progress");
  EXPECT_EQ(Attribute(run_, 0)[0].cost, Money());
}

TEST_F(AttributionTest, WorldThatWasNotAsForecast) {
  Actual(0).settled.cost += Euros(0.02);
  EXPECT_EQ(OnlyCause(0), "forecast");
}

TEST_F(AttributionTest, CausesOfOneSlotStandSideBySideAndEachHasItsOwnPart) {
  run_.begin = start_ + minutes(20);
  Ran(0, 2400);
  const Energy by_times = Actual(0).load - run_.slots[0].planned.load;
  Actual(0).load += WattHours(12);
  Settle(0);
  Actual(0).work -= 0.001;
  Actual(0).settled.cost += Euros(0.005);
  const std::vector<Deviation> parts = Attribute(run_, 0);
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[0].cause, "late start");
  EXPECT_NEAR(InWattHours(parts[0].load), InWattHours(by_times), kWh);
  // Twenty minutes less of 170 W and 50 W of the host, more of 15 W idle, at 0.35 EUR/kWh.
  EXPECT_NEAR(InWattHours(by_times), -(170 + 50 - 15) / 3.0, kWh);
  EXPECT_NEAR(InEuros(parts[0].cost), -(170 + 50 - 15) / 3.0 * 0.35e-3, kEur);
  EXPECT_EQ(parts[1].cause, "draw while running");
  EXPECT_NEAR(InWattHours(parts[1].load), 12, kWh);
  EXPECT_EQ(parts[2].cause, "progress");
  EXPECT_NEAR(parts[2].work, -0.001, kWork);
  EXPECT_EQ(parts[3].cause, "forecast");
  EXPECT_NEAR(InEuros(parts[3].cost), 0.005, kEur);
}

TEST_F(AttributionTest, TimeAfterTheDeadlineIsACauseOfItsOwnOnceTheRunIsOver) {
  run_.after.load = WattHours(80);
  run_.after.work = 0.01;
  run_.after.settled.cost = Euros(0.03);
  const CarriedTotals totals = SumUp(run_);
  ASSERT_EQ(totals.deviations.size(), 1u);
  EXPECT_EQ(totals.deviations[0].cause, "after the deadline");
  EXPECT_NEAR(InWattHours(totals.actual.load - totals.planned.load), 80, kWh);
  run_.status = "running";
  EXPECT_TRUE(SumUp(run_).deviations.empty());
}

TEST_F(AttributionTest, SlotsThatAreNotOverCountInNoSum) {
  run_.status = "running";
  run_.slots[3].settled = run_.slots[2].settled = false;
  Actual(2).load += WattHours(500);
  const CarriedTotals totals = SumUp(run_);
  EXPECT_EQ(totals.slots, 2);
  EXPECT_NEAR(InWattHours(totals.actual.load), InWattHours(run_.slots[0].planned.load + run_.slots[1].planned.load),
              kWh);
}

TEST_F(AttributionTest, PlannedSlotIsThePlansOwn) {
  const NodeSlot slot = PlannedSlot(run_.plan, 2);
  EXPECT_NEAR(slot.level_s[kLevel], 1800, 1e-9);
  EXPECT_NEAR(InWattHours(slot.load), 0.5 * (170 + 50) + 0.5 * 15, kWh);
  EXPECT_NEAR(slot.work, 0.5 / InHours(run_.plan.problem.gpu.levels[kLevel].job_time), kWork);
  EXPECT_NEAR(InEuros(slot.settled.cost), InWattHours(slot.load) * 0.35e-3, kEur);
}

/// A run of the rich problem in which everything is otherwise, with events of every kind anywhere.
class RandomRun {
 public:
  explicit RandomRun(unsigned seed) : random_(seed) {
    run_.plan.problem = RichProblem();
    run_.plan.plan = RichPlan(run_.plan.problem);
    const Horizon& horizon = run_.plan.problem.horizon;
    run_.status = Any({"running", "finished", "failed", "interrupted", "stopped_late"});
    run_.begin = horizon.start + Minutes(-30, 300);
    run_.end = std::max(run_.begin, horizon.end() + Minutes(-900, 200));
    run_.terminal_value = Euros(Between01());
    for (int t = 0; t < horizon.slots; ++t) run_.slots.push_back(Slot(t));
    for (int i = static_cast<int>(random_() % 12); i > 0; --i) run_.events.push_back(Event());
    std::sort(run_.events.begin(), run_.events.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    if (random_() % 2 == 0) {
      run_.after.load = WattHours(100 * Between01());
      run_.after.work = 0.01 * Between01();
      run_.after.settled.cost = Euros(0.1 * Between01());
    }
    for (int t = 0; t < horizon.slots; ++t) {
      ComparedSlot& slot = run_.slots[static_cast<size_t>(t)];
      if (slot.settled) slot.deviations = Attribute(run_, t);
    }
  }

  const CarriedPlan& run() const { return run_; }

 private:
  double Between01() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  std::chrono::nanoseconds Minutes(int from, int to) {
    return seconds(std::uniform_int_distribution<int>(60 * from, 60 * to)(random_));
  }
  std::string Any(const std::vector<std::string>& words) { return words[random_() % words.size()]; }

  ComparedSlot Slot(int t) {
    ComparedSlot slot;
    slot.planned = PlannedSlot(run_.plan, t);
    slot.actual = slot.planned;
    slot.settled = random_() % 8 != 0;
    slot.entered = random_() % 6 != 0;
    if (random_() % 4 == 0) return slot;  // to the letter
    NodeSlot& actual = slot.actual;
    double left_s = 3600;
    for (double& level_s : actual.level_s) {
      level_s = random_() % 3 == 0 ? left_s * Between01() : 0;
      left_s -= level_s;
    }
    FollowCurve(run_.plan.problem, actual);
    if (random_() % 2 == 0) actual.load *= 0.5 + Between01();
    if (random_() % 2 == 0) actual.work *= 0.5 + Between01();
    if (random_() % 4 == 0) slot.unmeasured_s = 600 * Between01();
    if (random_() % 5 == 0) EndWithin(slot);
    slot.off_s = left_s;
    slot.gpu_energy_off = run_.plan.problem.gpu.idle * Seconds(left_s) * (random_() % 3 == 0 ? 1.5 : 1.0);
    const SlotDecision& decision = run_.plan.plan.slots[static_cast<size_t>(t)].decision;
    actual.settled = SettleSlot(run_.plan.problem, t, decision, actual.load);
    if (random_() % 3 == 0) actual.settled.cost += Euros(0.2 * (Between01() - 0.5));
    return slot;
  }

  /// The run ended in the slot, or before it: the idle node of the rest is not counted.
  void EndWithin(ComparedSlot& slot) {
    slot.part = random_() % 2 == 0 ? 0 : Between01();
    if (slot.part > 0) return;
    slot.actual = NodeSlot();
    slot.actual.level_s.resize(run_.plan.problem.gpu.levels.size());
  }

  RunEvent Event() {
    RunEvent event{.at = run_.plan.problem.horizon.start + Minutes(0, 24 * 60),
                   .kind = Any({"full_power", "full_power_ends", "limits_out", "resumed_run", "limit_refused", "limit",
                                "replan", "pause", "stood_still"}),
                   .text = Any({"", "the PV forecast has changed", "the job is 2.0 % of its work ahead of the plan",
                                "the run goes on", "a slot begins"})};
    if (random_() % 2 == 0) event.set = Watts(200), event.found = Watts(random_() % 2 == 0 ? 200 : 180);
    return event;
  }

  std::mt19937 random_;
  CarriedPlan run_;
};

TEST(Attribution, PartsSumToTheDifferenceInEverySlotAndOverAllOfRandomRuns) {
  const std::vector<std::string> known = {"late start",
                                          "done before the plan",
                                          "the run was over",
                                          "interruption",
                                          "full power for the deadline",
                                          "limit not reached",
                                          "new plan: forecast",
                                          "new plan: progress",
                                          "new plan",
                                          "pause late",
                                          "resume late",
                                          "draw while running",
                                          "draw while off",
                                          "draw (partly not measured)",
                                          "progress",
                                          "forecast",
                                          "after the deadline"};
  std::vector<std::string> seen;
  for (unsigned seed = 0; seed < 500; ++seed) {
    const CarriedPlan run = RandomRun(seed).run();
    for (size_t t = 0; t < run.slots.size(); ++t) {
      const ComparedSlot& slot = run.slots[t];
      if (!slot.settled) continue;
      Deviation sum;
      for (const Deviation& part : slot.deviations) {
        sum.load += part.load;
        sum.work += part.work;
        sum.cost += part.cost;
        seen.push_back(part.cause);
      }
      ASSERT_NEAR(InWattHours(sum.load), InWattHours(slot.actual.load - slot.planned.load), kWh) << seed << " " << t;
      ASSERT_NEAR(sum.work, slot.actual.work - slot.planned.work, kWork) << seed << " " << t;
      ASSERT_NEAR(InEuros(sum.cost), InEuros(slot.actual.settled.cost - slot.planned.settled.cost), kEur)
          << seed << " " << t;
      // No cause is named twice in one slot.
      for (const Deviation& part : slot.deviations) {
        ASSERT_EQ(std::count_if(slot.deviations.begin(), slot.deviations.end(),
                                [&](const Deviation& other) { return other.cause == part.cause; }),
                  1);
      }
    }
    const CarriedTotals totals = SumUp(run);
    Deviation sum;
    for (const Deviation& part : totals.deviations) {
      sum.load += part.load;
      sum.work += part.work;
      sum.cost += part.cost;
      seen.push_back(part.cause);
    }
    // 24 slots and the time after.
    ASSERT_NEAR(InWattHours(sum.load), InWattHours(totals.actual.load - totals.planned.load), 25 * kWh) << seed;
    ASSERT_NEAR(sum.work, totals.actual.work - totals.planned.work, 25 * kWork) << seed;
    ASSERT_NEAR(InEuros(sum.cost), InEuros(totals.actual.settled.cost - totals.planned.settled.cost), 25 * kEur)
        << seed;
    ASSERT_TRUE(std::is_sorted(totals.deviations.begin(), totals.deviations.end(),
                               [](const Deviation& a, const Deviation& b) { return Abs(a.cost) > Abs(b.cost); }));
  }
  // Every cause came up, and none that the documents do not list.
  for (const std::string& cause : known) EXPECT_NE(std::find(seen.begin(), seen.end(), cause), seen.end()) << cause;
  for (const std::string& cause : seen) {
    ASSERT_NE(std::find(known.begin(), known.end(), cause), known.end()) << cause;
  }
}

}  // namespace
}  // namespace heliograd
