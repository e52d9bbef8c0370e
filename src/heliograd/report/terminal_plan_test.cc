#include "heliograd/report/terminal_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <regex>
#include <sstream>

#include "heliograd/plan/objective.h"
#include "heliograd/report/test_plans.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string DrawSmall(const TerminalStyle& style) {
  const TestPlan test = SmallPlan();
  return DrawPlan(test.problem, test.plan, TimeZone(), style);
}

TEST(DrawPlan, LooksLikeThis) {
  EXPECT_EQ(DrawSmall({.width = 100, .table = true}),
            R"(Plan for the whole job: Wed 1 Jan 2025 22:00 to Thu 2 Jan 04:00 (6 h, 6 slots of 1 h), clock UTC
Cost 0.020 EUR, proven optimal: no plan costs less than 0.020 EUR (formulation blend, solver 1.0 in
12 ms). That is 0.180 EUR (90.0 %) less than the best simple rule, "best fixed limit from the grid"
(150 W).

GPU       │    ████████
150 W     │████████████
          │████████████    ████████
limit, W  │100 150     off 100*
fed by    │GGGGGGGGBBBB....PPPPPPPP
PV        │        ┊       ████████
200 W     │        ┊       ████████
battery   │        ┊
250 Wh    │    ▆▆▆▆┊
import    │    ████┊
250 W     │▆▆▆▆████▃▃▃▃
export    │        ┊       ████████
150 W     │        ┊       ████████
price     │████▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
EUR/kWh   │    0.25
          └┴───┴───┼───┴───┴───┴───
local time 22  23  00  01  02  03
           1 Jan   Thu 2 Jan
Fed by: P PV, B battery, G grid (the largest part). The number below a lane's name is its full
height. Limit: mix = several limits in turn, * = on for part of the time.
All energies and costs are modelled, none is measured: from the scenario's PV, power curve, battery
and prices.

Slots
time                   limit              PV    grid  stored  EUR/kWh  because
Wed 1 Jan 22:00-23:00  100 W             0 W  +100 W  0.0 Wh    0.350  cheap enough
Wed 1 Jan 23:00-00:00  150 W             0 W  +250 W  100 Wh    0.250  cheap enough
Thu 2 Jan 00:00-01:00  150 W             0 W   +50 W  0.0 Wh    0.250  cheap enough
Thu 2 Jan 01:00-02:00  off               0 W     0 W  0.0 Wh    0.250  PV comes later
Thu 2 Jan 02:00-04:00  100 W for 50 %  200 W  -150 W  0.0 Wh    0.250  cheap enough

What it takes
energy    GPU node 500 Wh: 100 Wh from PV, 100 Wh from the battery, 300 Wh from the grid
money     bought 400 Wh for 0.110 EUR, sold 300 Wh for 0.090 EUR
PV        400 Wh used of 400 Wh offered
carbon    100 g CO2 from what is bought
deadline  an hour later saves 0.010 EUR; an hour earlier cannot be met

Against simple rules that start at the same time
                                                  cost  from the grid     carbon  plan saves
best fixed limit from the grid (150 W)       0.200 EUR         600 Wh  150 g CO2   0.180 EUR  90.0 %
lowest limit (100 W): cannot finish in
time: 8 h are needed
this plan                                    0.020 EUR         400 Wh  100 g CO2

What each lever saves
levels    0.050 EUR  ■■■■■■■■
PV        0.100 EUR  ■■■■■■■■■■■■■■■■
together  0.150 EUR

Notes
- level 160 W is dropped
)");
}

TEST(DrawPlan, LooksLikeThisOnANarrowTerminalWithoutUtf8) {
  EXPECT_EQ(DrawSmall({.width = 40, .utf8 = false}), R"(Plan for the whole job: Wed 1 Jan
2025 22:00 to Thu 2 Jan 04:00 (6 h,
6 slots of 1 h), clock UTC
Cost 0.020 EUR, proven optimal: no plan
costs less than 0.020 EUR (formulation
blend, solver 1.0 in 12 ms). That is
0.180 EUR (90.0 %) less than the best
simple rule, "best fixed limit from the
grid" (150 W).

GPU       |    ########
150 W     |############
          |############    ########
limit, W  |100 150     off 100*
fed by    |GGGGGGGGBBBB....PPPPPPPP
PV        |                ########
200 W     |                ########
battery   |
250 Wh    |    ::::
import    |    ####
250 W     |::::####....
export    |                ########
150 W     |                ########
price     |####....................
EUR/kWh   |    0.25
          ++---+---|---+---+---+---
local time 22  23  00  01  02  03
           1 Jan   Thu 2 Jan
Fed by: P PV, B battery, G grid (the
largest part). The number below a lane's
name is its full height. Limit: mix =
several limits in turn, * = on for part
of the time.
All energies and costs are modelled,
none is measured: from the scenario's
PV, power curve, battery and prices.

What it takes
energy    GPU node 500 Wh: 100 Wh from
          PV, 100 Wh from the battery,
          300 Wh from the grid
money     bought 400 Wh for 0.110 EUR,
          sold 300 Wh for 0.090 EUR
PV        400 Wh used of 400 Wh offered
carbon    100 g CO2 from what is bought
deadline  an hour later saves 0.010 EUR;
          an hour earlier cannot be met

Against simple rules that start at the
same time
best fixed limit from the grid (150 W)
  cost 0.200 EUR, from the grid 600 Wh,
  carbon 150 g CO2, plan saves
  0.180 EUR, 90.0 %
lowest limit (100 W): cannot finish in
time: 8 h are needed
this plan
  cost 0.020 EUR, from the grid 400 Wh,
  carbon 100 g CO2

What each lever saves
levels    0.050 EUR  ########
PV        0.100 EUR  ################
together  0.150 EUR

Notes
- level 160 W is dropped
)");
}

TEST(DrawPlan, ColourAddsNothingButColour) {
  const std::regex sequence("\x1b\\[[0-9;]*m");
  for (const bool rich : {false, true}) {
    const std::string coloured = DrawSmall({.width = 100, .colour = true, .rich = rich, .table = true});
    EXPECT_THAT(coloured, HasSubstr("\x1b["));
    EXPECT_EQ(std::regex_replace(coloured, sequence, ""), DrawSmall({.width = 100, .table = true}));
  }
}

TEST(DrawPlan, StaysWithinTheWidthWhateverThePlan) {
  std::mt19937 random(20250101);
  const auto rome = TimeZone::Find("Europe/Rome");
  ASSERT_TRUE(rome);
  for (int trial = 0; trial < 150; ++trial) {
    const int width = std::uniform_int_distribution(40, 200)(random);
    const bool long_plan = trial % 15 == 0;
    const int slots = std::uniform_int_distribution(1, long_plan ? 8760 : 200)(random);
    const TestPlan test = RandomPlan(random, slots, trial % 3 == 0 ? 15 : 60);
    TerminalStyle style{.width = width, .utf8 = trial % 2 == 0, .table = !long_plan};
    std::istringstream drawn(DrawPlan(test.problem, test.plan, *rome, style));
    for (std::string line; std::getline(drawn, line);) {
      ASSERT_LE(DisplayWidth(line), width) << "width " << width << ", " << slots << " slots: " << line;
      const bool ascii = std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < 0x7f; });
      ASSERT_TRUE(style.utf8 || ascii) << line;
    }
  }
}

TEST(DrawPlan, TextFromFilesCannotControlTheTerminal) {
  TestPlan test = SmallPlan();
  const std::string evil = "\x1b]0;owned\x07\x1b[2J\r\nnew line";
  test.plan.solver = evil;
  test.plan.baselines[0].name = evil;
  test.plan.baselines[1].note = evil;
  test.plan.levers[0].name = evil;
  test.plan.notes = {evil};
  for (PlanSlot& slot : test.plan.slots) slot.reason = evil;
  for (const PlanStatus status : {PlanStatus::kOptimal, PlanStatus::kInfeasible}) {
    test.plan.status = status;
    test.plan.infeasible_reason = evil;
    const std::string drawn = DrawPlan(test.problem, test.plan, TimeZone(), {.width = 120, .table = true});
    EXPECT_TRUE(std::none_of(drawn.begin(), drawn.end(), [](char c) { return c == '\x1b' || c == '\a' || c == '\r'; }));
  }
}

TEST(DrawPlan, AnInfeasiblePlanShowsItsReasonAndTheRulesThatRun) {
  TestPlan test = SmallPlan();
  test.plan.status = PlanStatus::kInfeasible;
  test.plan.slots.clear();
  test.plan.infeasible_reason = "4.2 h of GPU time short by 08:00: allow 18 h or raise the limit to 150 W";
  const std::string drawn = DrawPlan(test.problem, test.plan, TimeZone(), {.width = 100});
  EXPECT_THAT(drawn, HasSubstr("No plan exists: 4.2 h of GPU time short by 08:00: allow 18 h"));
  EXPECT_THAT(drawn, HasSubstr("best fixed limit from the grid (150 W)  0.200 EUR"));
  EXPECT_THAT(drawn, Not(HasSubstr("lowest limit")));
  EXPECT_THAT(drawn, Not(HasSubstr("GPU node")));
  EXPECT_THAT(drawn, Not(HasSubstr("Cost")));
}

TEST(DrawPlan, SaysHowFarAPlanIsFromItsBound) {
  TestPlan test = SmallPlan();
  test.plan.status = PlanStatus::kFeasible;
  test.plan.bound = test.plan.objective - Euros(0.015);
  EXPECT_THAT(
      DrawPlan(test.problem, test.plan, TimeZone(), {.width = 200}),
      HasSubstr("not proven optimal: no plan costs less than 0.005 EUR, so at most 0.015 EUR could still be saved"));
}

TEST(DrawPlan, ACarbonPlanIsProvenInCarbon) {
  TestPlan test = SmallPlan();
  test.problem.objective = Objective::kCarbon;
  test.plan.objective = ObjectiveOf(test.problem, test.plan.totals);
  test.plan.bound = test.plan.objective - Euros(2.0);  // 2 g at 1000 EUR/kg
  const std::string drawn = DrawPlan(test.problem, test.plan, TimeZone(), {.width = 200});
  EXPECT_THAT(drawn, HasSubstr("Carbon 100 g CO2, at a cost of 0.020 EUR, proven least carbon: no plan emits less than "
                               "98 g CO2"));
}

TEST(DrawPlan, WhatIsInTheObjectiveIsSaidInCarbonWhereThatIsMinimised) {
  TestPlan test = SmallPlan();
  test.problem.objective = Objective::kCarbon;
  test.plan.objective = test.plan.bound = ObjectiveOf(test.problem, test.plan.totals);
  test.plan.deadline_price = {Euros(-57.53), Euros(3.0)};  // grams
  test.plan.slots[1].stored_value = EurosPerKilowattHour(-0.2);
  test.plan.slots[2].stored_value = EurosPerKilowattHour(301.329);
  const std::string drawn = DrawPlan(test.problem, test.plan, TimeZone(), {.width = 200});
  EXPECT_THAT(drawn, HasSubstr("That is 50 g CO2 (33.3 %) less than the best simple rule"));
  EXPECT_THAT(drawn, HasSubstr("an hour later saves 58 g CO2; an hour earlier emits 3 g CO2 more"));
  EXPECT_THAT(drawn, HasSubstr("worth 0 g CO2/kWh to 301 g CO2/kWh"));
  EXPECT_THAT(drawn, HasSubstr("0.200 EUR         600 Wh  150 g CO2    50 g CO2  33.3 %"));
  EXPECT_THAT(drawn, HasSubstr("What each lever saves in money"));
}

TEST(DrawPlan, TheLadderHasNoCarbonWhereNoneIsKnown) {
  TestPlan test = SmallPlan();
  test.problem.carbon.assign(test.problem.carbon.size(), CarbonIntensity());
  EXPECT_THAT(DrawPlan(test.problem, test.plan, TimeZone(), {.width = 100}),
              HasSubstr("cost  from the grid  plan saves"));
}

TEST(DrawPlan, LeavesOutLanesOfWhatIsNotThere) {
  TestPlan test = SmallPlan();
  test.problem.battery.capacity = Energy();
  for (PlanSlot& slot : test.plan.slots) slot.decision.grid_export = Energy();
  const std::string drawn = DrawPlan(test.problem, test.plan, TimeZone(), {.width = 80});
  EXPECT_THAT(drawn, Not(HasSubstr("\nbattery")));
  EXPECT_THAT(drawn, Not(HasSubstr("\nexport")));
  EXPECT_THAT(drawn, HasSubstr("\nimport"));
}

TEST(DrawPlan, ASavingHasNoPercentageOfNothing) {
  TestPlan test = SmallPlan();
  test.plan.baselines[0].totals->cost = Money();
  EXPECT_THAT(DrawPlan(test.problem, test.plan, TimeZone(), {.width = 100}),
              HasSubstr("0.000 EUR         600 Wh  150 g CO2  -0.020 EUR\n"));
}

TEST(DrawPlan, TheHeadlineSaysTheSiteAndWhatIsOddAboutTheHorizon) {
  TestPlan test = SmallPlan();
  test.plan.notes = {"the last 30 minutes are not used", "other"};
  const std::string drawn =
      DrawPlan(test.problem, test.plan, TimeZone(), {.width = 200}, {"Turin", {"the last 30 minutes are not used"}});
  EXPECT_THAT(drawn, testing::StartsWith("Plan for the whole job at Turin: Wed 1 Jan 2025 22:00"));
  EXPECT_THAT(drawn, HasSubstr("clock UTC\nNote: the last 30 minutes are not used.\nCost"));
  EXPECT_THAT(drawn, testing::EndsWith("Notes\n- other\n"));
}

TEST(DrawPlan, ALeverBelowZeroSaysWhy) {
  TestPlan test = SmallPlan();
  Totals sells;
  sells.cost = Euros(-0.1), sells.export_revenue = Euros(0.2), sells.import_cost = Euros(0.1);
  Totals stores;
  stores.cost = Euros(-0.02), stores.export_revenue = Euros(0.08), stores.import_cost = Euros(0.06);
  test.plan.baselines = {{"best fixed limit + PV", sells, std::nullopt, ""},
                         {"best fixed limit + PV + battery (greedy)", stores, std::nullopt, ""}};
  test.plan.levers = {{"battery", Euros(-0.08)}, {"timing", Euros(-0.02) - test.plan.totals.cost}};
  const std::string drawn = DrawPlan(test.problem, test.plan, TimeZone(), {.width = 400});
  EXPECT_THAT(drawn, HasSubstr("battery is below zero (sales bring 0.120 EUR less, purchases cost 0.040 EUR less): its "
                               "simple rule stores spare PV instead of selling it"));
}

TEST(DrawPlan, TheLadderSaysWhichRuleLeavesTheBatteryEmpty) {
  TestPlan test = SmallPlan();
  test.plan.baselines.front().note = "leaves 0.0 of the 100.0 Wh asked for in the battery";
  EXPECT_THAT(DrawPlan(test.problem, test.plan, TimeZone(), {.width = 400}),
              HasSubstr(", leaves 0.0 of the 100.0 Wh asked for in the battery"));
}

}  // namespace
}  // namespace heliograd
