#include "heliograd/plan/problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "heliograd/plan/test_problems.h"

namespace heliograd {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<double> LimitsW(const std::vector<Level>& levels) {
  std::vector<double> limits;
  for (const Level& level : levels) limits.push_back(InWatts(level.limit));
  return limits;
}

TEST(DropDominated, StudysLevelsAbove280AreBeatenBy280) {
  const PrunedLevels pruned = DropDominated(StudyTable());
  std::vector<double> beaten;
  for (const DominatedLevel& entry : pruned.dominated) {
    beaten.push_back(InWatts(entry.level.limit));
    if (entry.level.limit > Watts(280)) {
      EXPECT_EQ(entry.by.limit, Watts(280));
    }
  }
  EXPECT_THAT(beaten, ElementsAre(270, 290, 300, 310, 320));  // 260 W read as 13.75 h beats 270 W, also 13.75 h
  EXPECT_EQ(pruned.kept.size(), 18u);
  EXPECT_EQ(pruned.kept.back().limit, Watts(280));
}

TEST(DropDominated, SortsAndKeepsTheFasterOfEqualDraw) {
  const auto level = [](double draw_w, double hours) { return Level{Watts(draw_w), Watts(draw_w), Hours(hours)}; };
  const PrunedLevels pruned = DropDominated({level(200, 5), level(100, 9), level(200, 4), level(150, 9)});
  EXPECT_THAT(LimitsW(pruned.kept), ElementsAre(100, 200));
  EXPECT_EQ(pruned.kept[1].job_time, Hours(4));
  EXPECT_EQ(pruned.dominated.size(), 2u);
}

TEST(DropDominated, NothingInNothingOut) { EXPECT_THAT(DropDominated({}).kept, IsEmpty()); }

TEST(ConcaveHull, OfTheStudysTable) {
  const DispatchProblem problem = StudyProblem(20, 19);
  std::vector<double> limits;
  for (const size_t level : ConcaveHull(problem.gpu)) limits.push_back(InWatts(problem.gpu.levels[level].limit));
  EXPECT_THAT(limits, ElementsAre(150, 160, 170, 180, 190, 200, 210, 230, 240, 280));
}

TEST(ConcaveHull, NoMixOfLevelsOffTheHullIsBetter) {
  std::mt19937 random(2);
  for (int round = 0; round < 500; ++round) {
    Gpu gpu;
    gpu.idle = Watts(static_cast<double>(random() % 30));
    std::vector<Level> levels;
    for (int i = 0; i < 8; ++i) {
      const Power draw = Watts(50.0 + static_cast<double>(random() % 250));
      levels.push_back({draw, draw, Hours(1.0 + static_cast<double>(random() % 1000) / 50)});
    }
    gpu.levels = DropDominated(levels).kept;
    const auto hull = ConcaveHull(gpu);
    ASSERT_FALSE(hull.empty());
    // Work rate of the hull at a draw, by linear interpolation from the idle point on.
    const auto rate_at = [&](double draw_w) {
      double left_w = InWatts(gpu.idle), left_rate = 0;
      for (const size_t k : hull) {
        const double w = InWatts(gpu.levels[k].draw), rate = 1 / InHours(gpu.levels[k].job_time);
        if (draw_w <= w) return left_rate + (rate - left_rate) * (draw_w - left_w) / (w - left_w);
        left_w = w, left_rate = rate;
      }
      return left_rate;
    };
    for (const Level& level : gpu.levels) {
      EXPECT_LE(1 / InHours(level.job_time), rate_at(InWatts(level.draw)) + 1e-12);
    }
  }
}

TEST(RetentionPerSlot, IsSelfDischargePerHourScaledToTheSlot) {
  DispatchProblem problem = StudyProblem(20, 19);
  EXPECT_DOUBLE_EQ(RetentionPerSlot(problem), 0.995);
  problem.horizon.step = std::chrono::minutes(15);
  EXPECT_DOUBLE_EQ(std::pow(RetentionPerSlot(problem), 4), 0.995);
  problem.horizon.step = std::chrono::hours(2);
  EXPECT_DOUBLE_EQ(RetentionPerSlot(problem), 0.995 * 0.995);
}

TEST(ObjectiveImportPrice, HoldsThePriceOfCarbon) {
  DispatchProblem problem = RichProblem();
  EXPECT_NEAR(InEurosPerKilowattHour(ObjectiveImportPrice(problem, 2)), 0.45 + 0.220 * 0.1, 1e-12);
  problem.objective = Objective::kCarbon;
  EXPECT_NEAR(InEurosPerKilowattHour(ObjectiveImportPrice(problem, 2)), 0.45 + 0.220 * 1000, 1e-9);
}

TEST(FormulationName, ComesBack) {
  for (const Formulation f : {Formulation::kPaper, Formulation::kLevels, Formulation::kBlend}) {
    EXPECT_EQ(FormulationFromName(FormulationName(f)), f);
  }
  EXPECT_EQ(FormulationFromName("paper "), std::nullopt);
}

TEST(Defects, ASoundProblemHasNone) {
  EXPECT_THAT(Defects(StudyProblem(20, 19)), IsEmpty());
  EXPECT_THAT(Defects(RichProblem()), IsEmpty());
}

TEST(Defects, EachIsFoundAndNamed) {
  using Change = std::function<void(DispatchProblem&)>;
  const std::vector<std::pair<Change, const char*>> cases = {
      {[](auto& p) { p.horizon.slots = 0; }, "the horizon is empty"},
      {[](auto& p) { p.horizon.slots = -3; }, "the horizon is empty"},
      {[](auto& p) { p.horizon.step = std::chrono::seconds(0); }, "a slot must last longer than nothing"},
      {[](auto& p) { p.pv.pop_back(); }, "PV has 23 values for 24 slots"},
      {[](auto& p) { p.export_price.push_back({}); }, "export price has 25 values for 24 slots"},
      {[](auto& p) { p.carbon.clear(); }, "carbon has 0 values"},
      {[](auto& p) { p.pv[3] = WattHours(std::nan("")); }, "not a finite number"},
      {[](auto& p) { p.import_price[3] = EurosPerKilowattHour(INFINITY); }, "not a finite number"},
      {[](auto& p) { p.pv[3] = WattHours(-1); }, "a PV energy is negative"},
      {[](auto& p) { p.gpu.levels.clear(); }, "the GPU has no power level"},
      {[](auto& p) { p.gpu.levels[0].draw = Watts(0); }, "level 0 needs a positive power and a positive time"},
      {[](auto& p) { std::swap(p.gpu.levels[2], p.gpu.levels[3]); }, "level 3 is dominated or out of order"},
      {[](auto& p) { p.gpu.levels[2].draw = Watts(std::nan("")); }, "level 2 needs"},
      {[](auto& p) { p.gpu.levels[2].job_time = Hours(INFINITY); }, "level 2 needs"},
      {[](auto& p) { p.gpu.idle = Watts(-1); }, "idle and host power"},
      {[](auto& p) { p.gpu.host = Watts(INFINITY); }, "idle and host power"},
      {[](auto& p) { p.battery.capacity = WattHours(-1); }, "the battery's capacity"},
      {[](auto& p) { p.battery.capacity = WattHours(INFINITY); }, "the battery's capacity"},
      {[](auto& p) { p.battery.charge_efficiency = 0; }, "efficiencies lie in (0, 1]"},
      {[](auto& p) { p.battery.discharge_efficiency = 1.1; }, "efficiencies lie in (0, 1]"},
      {[](auto& p) { p.battery.self_discharge_per_hour = 1; }, "self-discharge lies in [0, 1)"},
      {[](auto& p) { p.battery.initial = WattHours(300); }, "the initial stored energy"},
      {[](auto& p) { p.battery.final_min = WattHours(-1); }, "the final stored energy"},
      {[](auto& p) { p.battery.wear_cost = EurosPerKilowattHour(-1); }, "wear cost and terminal value"},
      {[](auto& p) { p.battery.terminal_value = EurosPerKilowattHour(INFINITY); }, "wear cost and terminal value"},
      {[](auto& p) { p.carbon_price = EurosPerKilogram(std::nan("")); }, "the carbon price"},
      {[](auto& p) { p.grid.import_limit = Watts(-1); }, "a power limit"},
      {[](auto& p) { p.grid.export_limit = Watts(std::nan("")); }, "a power limit"},
      {[](auto& p) { p.work = 0; }, "the work still to do"},
      {[](auto& p) { p.work = 1.01; }, "the work still to do"},
      {[](auto& p) { p.work = std::nan(""); }, "the work still to do"},
  };
  for (const auto& [change, sentence] : cases) {
    DispatchProblem problem = RichProblem();
    change(problem);
    EXPECT_THAT(Defects(problem), Contains(HasSubstr(sentence))) << sentence;
  }
}

}  // namespace
}  // namespace heliograd
