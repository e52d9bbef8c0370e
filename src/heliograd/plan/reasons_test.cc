#include "heliograd/plan/reasons.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>

#include "heliograd/plan/checker.h"
#include "heliograd/plan/test_problems.h"

namespace heliograd {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const TimeZone kZone = TimeZone::Fixed(std::chrono::hours(1));

/// The study's day from 20:00 on, 24 h; decisions are set slot by slot, import and export balance the bus.
class ReasonsTest : public ::testing::Test {
 protected:
  SlotDecision& At(int hour) { return decisions_[static_cast<size_t>((hour + 4) % 24)]; }
  void Run(int hour, double limit_w, double share = 1.0) {
    const auto& levels = problem_.gpu.levels;
    const auto found =
        std::find_if(levels.begin(), levels.end(), [&](const Level& l) { return l.limit == Watts(limit_w); });
    At(hour).levels.push_back({static_cast<size_t>(found - levels.begin()), share});
  }

  std::vector<Reason> Explain(Formulation formulation = Formulation::kBlend) {
    for (size_t t = 0; t < decisions_.size(); ++t) Balance(t);
    Plan plan = MakePlan(problem_, formulation, decisions_);
    for (PlanSlot& slot : plan.slots) slot.stored_value = stored_value_;
    return Reasons(problem_, plan, kZone);
  }
  Reason ReasonAt(int hour) { return Explain()[static_cast<size_t>((hour + 4) % 24)]; }

  DispatchProblem problem_ = StudyProblem(20, 24);
  std::vector<SlotDecision> decisions_ = std::vector<SlotDecision>(24);
  std::optional<EnergyPrice> stored_value_;  // in every slot

 private:
  void Balance(size_t t) {
    SlotDecision& d = decisions_[t];
    Energy need = d.battery_charge - d.battery_discharge * problem_.battery.discharge_efficiency;
    double running = 0;
    for (const auto& [level, share] : d.levels) {
      need += problem_.gpu.DrawAt(level) * Hours(1) * share;
      running += share;
    }
    need += problem_.gpu.idle * Hours(1) * (1 - running);
    d.pv_used = problem_.export_price[t] > EnergyPrice() ? problem_.pv[t] : std::min(problem_.pv[t], need);
    const Energy net = need - d.pv_used;
    d.grid_import = std::max(net, Energy());
    d.grid_export = std::max(-net, Energy());
  }
};

TEST_F(ReasonsTest, APausedNodeFedByTheBatteryIsCalledIdle) {
  problem_.gpu.idle = Watts(18);
  At(3).battery_charge = WattHours(200);
  At(8).battery_discharge = WattHours(18 / problem_.battery.discharge_efficiency);
  const std::string text = ReasonAt(8).text;
  EXPECT_THAT(text, HasSubstr("off: "));
  EXPECT_THAT(text, HasSubstr("; idle 18 W from the battery"));
}

TEST_F(ReasonsTest, BatterySellsWhatItBought) {
  problem_.export_price[12] = EurosPerKilowattHour(0.45);  // 08:00
  At(3).battery_charge = WattHours(200);
  At(8).battery_discharge = WattHours(100);
  EXPECT_THAT(ReasonAt(8).text, HasSubstr("battery sells at 0.45 what it bought at 0.25"));
  EXPECT_THAT(ReasonAt(3).text, HasSubstr("charges battery at 0.25 for 08:00"));
  EXPECT_THAT(ReasonAt(5).text, HasSubstr("battery waits for 08:00"));
}

TEST_F(ReasonsTest, BatterySparesWhatTheGridAsks) {
  At(21).battery_charge = WattHours(100);
  At(3).battery_charge = WattHours(100);
  Run(8, 150);
  At(8).battery_discharge = WattHours(100);
  EXPECT_THAT(ReasonAt(8).text, HasSubstr("battery spares 0.45 with what it bought at 0.25-0.35"));
}

TEST_F(ReasonsTest, BatteryAloneIsNamedOnce) {
  At(3).battery_charge = WattHours(250);
  Run(8, 150);
  At(8).battery_discharge = WattHours(150 / 0.9);
  EXPECT_EQ(ReasonAt(8).text, "battery carries 150 W; what it bought at 0.25 spares 0.45");
}

TEST_F(ReasonsTest, ABatteryThatFeedsWorkWhichWouldNotBuyIsWorthTheWork) {
  At(3).battery_charge = WattHours(250);
  Run(8, 150);
  At(8).battery_discharge = WattHours(150 / 0.9);
  stored_value_ = EurosPerKilowattHour(0.279);  // 0.31 at the bus, behind the efficiency of 0.9
  EXPECT_EQ(ReasonAt(8).text, "battery carries 150 W; what it bought at 0.25 does work worth 0.31");
  stored_value_ = EurosPerKilowattHour(0.405);  // 0.45: as much as buying
  EXPECT_EQ(ReasonAt(8).text, "battery carries 150 W; what it bought at 0.25 spares 0.45");
}

TEST_F(ReasonsTest, OriginForgetsWhatHasLeftTheCells) {
  At(21).battery_charge = WattHours(100);                   // at 0.35
  At(22).battery_discharge = WattHours(100 * 0.9 * 0.995);  // all of it
  At(3).battery_charge = WattHours(100);                    // at 0.25
  Run(8, 150);
  At(8).battery_discharge = WattHours(50);
  EXPECT_THAT(ReasonAt(8).text, HasSubstr("what it bought at 0.25"));
  EXPECT_THAT(ReasonAt(8).text, ::testing::Not(HasSubstr("0.35")));
}

TEST_F(ReasonsTest, PvCoversChargesAndIsSold) {
  Run(10, 150);
  Run(11, 150);
  At(10).battery_charge = WattHours(50);
  Run(17, 150);
  At(17).battery_discharge = WattHours(40);
  EXPECT_EQ(ReasonAt(10).text, "PV covers the GPU at 150 W; PV charges the battery for 17:00");
  EXPECT_EQ(ReasonAt(11).text, "PV covers the GPU at 150 W; spare PV sold at 0.30");
  EXPECT_THAT(ReasonAt(17).text, HasSubstr("with what PV gave"));
}

TEST_F(ReasonsTest, OffForThePrice) {
  Run(3, 150);
  EXPECT_EQ(ReasonAt(18).text, "off: 0.45 EUR/kWh now, the work fits into cheaper slots");
}

TEST_F(ReasonsTest, OffForTheSun) {
  problem_.import_price.assign(24, EurosPerKilowattHour(0.30));
  Run(9, 150);
  EXPECT_EQ(ReasonAt(3).text, "off: waits for the sun at 09:00");
}

TEST_F(ReasonsTest, OffWhenDone) {
  problem_.work = 0.05;
  Run(20, 280);
  EXPECT_EQ(ReasonAt(21).text, "off: the job is done");
}

TEST_F(ReasonsTest, LowestPriceNeedsADifference) {
  Run(23, 210);
  EXPECT_EQ(ReasonAt(23).text, "grid at its lowest price 0.25: runs at 210 W");
  problem_.import_price.assign(24, EurosPerKilowattHour(0.25));
  EXPECT_EQ(ReasonAt(23).text, "210 W from the grid at 0.25");
}

TEST_F(ReasonsTest, ThriftiestLevel) {
  Run(21, 150);
  EXPECT_EQ(ReasonAt(21).text, "150 W: least energy per work the deadline allows");
  problem_ = StudyProblem(20, 15);  // 150 W takes 15.65 h, 160 W 14.77 h
  decisions_ = std::vector<SlotDecision>(15);
  decisions_[1].levels = {{5, 1.0}};
  decisions_[2].levels = {{6, 1.0}};
  EXPECT_EQ(Explain()[1].text, "150 W from the grid at 0.35");
  EXPECT_EQ(Explain()[2].text, "160 W: least energy per work the deadline allows");
}

TEST_F(ReasonsTest, BelowTheMeanPrice) {
  Run(21, 210);  // the mean of the day is 0.3625
  EXPECT_THAT(ReasonAt(21).text, HasSubstr("210 W: grid at 0.35, below its mean 0.36"));
}

TEST_F(ReasonsTest, PartOfASlotAndTwoLevels) {
  Run(23, 150, 0.25);
  Run(23, 210, 0.40);
  EXPECT_EQ(ReasonAt(23).text, "grid at its lowest price 0.25: runs at 150/210 W for 39 min");
}

TEST_F(ReasonsTest, UnusedPvSaysWhatASalePays) {
  problem_.export_price.assign(24, EurosPerKilowattHour(-0.012));
  EXPECT_THAT(ReasonAt(10).text, HasSubstr("spare PV unused: a sale pays -0.012"));
}

TEST_F(ReasonsTest, TheStudyRunsOnWhenDone) {
  problem_.work = 0.05;
  for (int hour = 0; hour < 24; ++hour) Run(hour, hour == 20 ? 280 : 100);
  EXPECT_THAT(Explain(Formulation::kPaper)[1].text, HasSubstr("100 W though done: the study never switches off"));
}

TEST_F(ReasonsTest, StoredValueExplainsWaiting) {
  At(3).battery_charge = WattHours(100);
  Run(21, 150);
  At(22).battery_charge = WattHours(10);
  Run(23, 150);
  Explain();  // balances the decisions
  Plan plan = MakePlan(problem_, Formulation::kBlend, decisions_);
  for (PlanSlot& slot : plan.slots) slot.stored_value = EurosPerKilowattHour(0.405);
  const auto reasons = Reasons(problem_, plan, kZone);
  EXPECT_THAT(reasons[3].text, HasSubstr("battery waits: worth 0.405 stored, 0.225 here"));  // 0.9 x 0.25
}

// Claims of random sound plans, checked against the numbers by reading the sentences.

struct RandomPlan {
  DispatchProblem problem;
  Plan plan;
};

RandomPlan NextPlan(std::mt19937& random) {
  const auto below = [&](unsigned n) { return static_cast<double>(random() % n); };
  RandomPlan r{StudyProblem(static_cast<int>(random() % 24), 30, 100 * below(5)), {}};
  r.problem.battery.initial = WattHours(below(2) * 100);
  for (EnergyPrice& price : r.problem.import_price) price += EurosPerKilowattHour(below(4) * 0.013);
  for (EnergyPrice& price : r.problem.export_price) price += EurosPerKilowattHour(-below(8) * 0.05);
  r.problem.work = 0.3;
  std::vector<SlotDecision> decisions(30);
  double stored_wh = InWattHours(r.problem.battery.initial);
  for (size_t t = 0; t < decisions.size(); ++t) {
    SlotDecision& d = decisions[t];
    const size_t level = random() % r.problem.gpu.levels.size();
    double need_wh = 0;
    if (random() % 2 == 0) {
      const double share = 0.1 * (1 + below(10));
      d.levels = {{level, share}};
      need_wh += share * InWatts(r.problem.gpu.DrawAt(level));
    }
    if (random() % 3 == 0) {
      d.battery_charge = WattHours(std::min(below(200), (250 - stored_wh) / 0.9));
    } else if (random() % 2 == 0) {
      d.battery_discharge = WattHours(std::min(below(250), stored_wh));
    }
    need_wh += InWattHours(d.battery_charge) - 0.9 * InWattHours(d.battery_discharge);
    const double pv_wh = InWattHours(r.problem.pv[t]);
    const double used_wh = random() % 2 == 0 ? pv_wh : std::clamp(need_wh, 0.0, pv_wh);
    d.pv_used = WattHours(used_wh);
    d.grid_import = WattHours(std::max(need_wh - used_wh, 0.0));
    d.grid_export = WattHours(std::max(used_wh - need_wh, 0.0));
    stored_wh = 0.995 * (stored_wh - InWattHours(d.battery_discharge) + 0.9 * InWattHours(d.battery_charge));
  }
  r.plan = MakePlan(r.problem, Formulation::kBlend, decisions);
  r.plan.status = PlanStatus::kFeasible;
  r.plan.bound = r.plan.objective;
  return r;
}

/// The number that follows `words` in the text.
std::optional<double> NumberAfter(const std::string& text, const std::string& words) {
  const size_t at = text.find(words);
  double number = 0;
  if (at == std::string::npos || std::sscanf(text.c_str() + at + words.size(), "%lf", &number) != 1)
    return std::nullopt;
  return number;
}

constexpr double kPrinted = 0.0005 + 1e-9;  // prices are printed to three digits

void ExpectTrue(const RandomPlan& r, size_t t, const std::string& text, double done_before) {
  SCOPED_TRACE(text);
  const PlanSlot& slot = r.plan.slots[t];
  const double import_price = InEurosPerKilowattHour(r.problem.import_price[t]);
  const double export_price = InEurosPerKilowattHour(r.problem.export_price[t]);
  EXPECT_LE(text.size(), kLongestReason);
  EXPECT_FALSE(text.empty());
  for (const char* words : {"battery sells at ", "spare PV sold at "}) {
    if (const auto price = NumberAfter(text, words)) {
      EXPECT_NEAR(*price, export_price, kPrinted);
      EXPECT_GT(slot.decision.grid_export, Energy());
    }
  }
  for (const char* words :
       {"off: ", "battery spares ", " gave spares ", "charges battery at ", "lowest price ", "grid at "}) {
    EXPECT_NEAR(NumberAfter(text, words).value_or(import_price), import_price, kPrinted) << words;
  }
  if (NumberAfter(text, "lowest price ")) {
    EXPECT_NEAR(import_price,
                InEurosPerKilowattHour(*std::min_element(r.problem.import_price.begin(), r.problem.import_price.end())),
                kPrinted);
  }
  if (const auto bought = NumberAfter(text, "what it bought at ")) {
    bool found = false;
    for (size_t s = 0; s < t; ++s) {
      found |= std::abs(InEurosPerKilowattHour(r.problem.import_price[s]) - *bought) <= kPrinted &&
               r.plan.slots[s].flows.grid_to_battery > Energy();
    }
    EXPECT_TRUE(found) << "nothing was bought at that price before";
  }
  if (text.find("the job is done") != std::string::npos) {
    EXPECT_GE(done_before, r.problem.work - 1e-6);
  }
  if (text.find("PV covers the GPU") != std::string::npos) {
    EXPECT_NEAR(InWattHours(slot.flows.pv_to_gpu), InWattHours(slot.load), 0.05);
  }
  if (text.find("battery carries") != std::string::npos) {
    EXPECT_NEAR(InWattHours(slot.flows.battery_to_gpu), InWattHours(slot.load), 0.05);
  }
  if (text.find("cheaper slots") != std::string::npos) {
    for (size_t s = 0; s < r.plan.slots.size(); ++s) {
      if (!r.plan.slots[s].decision.levels.empty() && r.plan.slots[s].flows.grid_to_gpu > WattHours(0.05)) {
        EXPECT_LT(r.problem.import_price[s], r.problem.import_price[t]);
      }
    }
  }
}

TEST(Reasons, EveryClaimOfRandomPlansIsTrue) {
  std::mt19937 random(21);
  for (int i = 0; i < 300; ++i) {
    const RandomPlan r = NextPlan(random);
    const auto violations = CheckPlan(r.problem, r.plan);
    for (const std::string& violation : violations)
      ASSERT_THAT(violation, HasSubstr("of the job")) << "only work may lack";
    const auto reasons = Reasons(r.problem, r.plan, kZone);
    double done = 0;
    for (size_t t = 0; t < reasons.size(); ++t) {
      ExpectTrue(r, t, reasons[t].text, done);
      done += r.plan.slots[t].progress;
    }
  }
}

TEST(Reasons, AreTheSameEachTimeAndWrittenIntoThePlan) {
  const DispatchProblem problem = RichProblem();
  Plan plan = RichPlan(problem);
  ExplainPlan(problem, kZone, plan);
  const auto reasons = Reasons(problem, plan, kZone);
  for (size_t t = 0; t < reasons.size(); ++t) EXPECT_EQ(plan.slots[t].reason, reasons[t].text);
}

TEST(Reasons, AnInfeasiblePlanHasNone) { EXPECT_THAT(Reasons(RichProblem(), Plan(), kZone), IsEmpty()); }

}  // namespace
}  // namespace heliograd
