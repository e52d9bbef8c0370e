#include "heliograd/control/dwell_schedule.h"

#include <gtest/gtest.h>

#include <random>

#include "heliograd/plan/test_problems.h"

namespace heliograd {
namespace {

SlotDecision At(std::vector<LevelShare> levels) {
  SlotDecision decision;
  decision.levels = std::move(levels);
  return decision;
}

using std::chrono::seconds;

std::vector<std::pair<std::optional<size_t>, long>> Shape(const DwellSchedule& schedule) {
  std::vector<std::pair<std::optional<size_t>, long>> shape;
  for (const Dwell& dwell : schedule.dwells) {
    shape.emplace_back(dwell.level, std::chrono::duration_cast<seconds>(dwell.end - dwell.begin).count());
  }
  return shape;
}

DispatchProblem Slots(int slots) { return StudyProblem(20, slots); }

TEST(DwellSchedule, LevelAtTheEdgeGoesOn) {
  const DispatchProblem problem = Slots(2);
  const std::vector<SlotDecision> decisions = {At({{2, 0.25}, {5, 0.75}}), At({{2, 0.5}, {5, 0.5}})};
  using Shapes = std::vector<std::pair<std::optional<size_t>, long>>;
  EXPECT_EQ(Shape(MakeDwells(problem, decisions, 2, seconds(60))), (Shapes{{2, 900}, {5, 2700}, {5, 1800}, {2, 1800}}));
  EXPECT_EQ(Shape(MakeDwells(problem, decisions, 5, seconds(60))), (Shapes{{5, 2700}, {2, 900}, {2, 1800}, {5, 1800}}));
}

TEST(DwellSchedule, WhatIsLeftOfASlotIsOff) {
  const DispatchProblem problem = Slots(2);
  const auto shape = Shape(MakeDwells(problem, {At({{3, 0.5}}), {}}, std::nullopt, seconds(60)));
  // Off at the end, so that the second slot needs no change.
  ASSERT_EQ(shape.size(), 3u);
  EXPECT_EQ(shape[0], std::pair(std::optional<size_t>(3), 1800L));
  EXPECT_EQ(shape[1], std::pair(std::optional<size_t>(), 1800L));
  EXPECT_EQ(shape[2], std::pair(std::optional<size_t>(), 3600L));
}

TEST(DwellSchedule, AtFindsTheDwell) {
  const DispatchProblem problem = Slots(1);
  const DwellSchedule schedule = MakeDwells(problem, {At({{3, 0.5}})}, 3, seconds(60));
  EXPECT_EQ(schedule.At(problem.horizon.start)->level, std::optional<size_t>(3));
  EXPECT_EQ(schedule.At(problem.horizon.start + seconds(1799))->level, std::optional<size_t>(3));
  EXPECT_EQ(schedule.At(problem.horizon.start + seconds(1800))->level, std::nullopt);
  EXPECT_EQ(schedule.At(problem.horizon.start - seconds(1)), nullptr);
  EXPECT_EQ(schedule.At(problem.horizon.end()), nullptr);
}

// Over random mixes: the horizon is covered, seconds are whole, dwells are long enough, and no more work is owed than
// half a shortest dwell (docs/run.md) and the rounding of one edge.
TEST(DwellSchedule, RandomMixesKeepTheWork) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> unit(0, 1);
  for (int run = 0; run < 300; ++run) {
    const int slots = 1 + static_cast<int>(unit(random) * 40);
    const DispatchProblem problem = Slots(slots);
    const size_t levels = problem.gpu.levels.size();
    std::vector<SlotDecision> decisions;
    for (int t = 0; t < slots; ++t) {
      const double kind = unit(random), share = kind < 0.3 ? unit(random) * 0.02 : unit(random);
      const auto low = static_cast<size_t>(unit(random) * static_cast<double>(levels - 1));
      if (kind < 0.1) {
        decisions.push_back({});
      } else if (kind < 0.5) {
        decisions.push_back(At({{low, share}, {low + 1, 1 - share}}));
      } else if (kind < 0.75) {
        decisions.push_back(At({{low, share}}));
      } else {
        decisions.push_back(At({{low, 1}}));
      }
    }
    const seconds shortest(unit(random) < 0.5 ? 60 : 300);
    const DwellSchedule schedule = MakeDwells(problem, decisions, std::nullopt, shortest);
    Stamp end = problem.horizon.start;
    double planned = 0, done = 0;
    for (const Dwell& dwell : schedule.dwells) {
      EXPECT_EQ(dwell.begin, end);
      EXPECT_LT(dwell.begin, dwell.end);
      end = dwell.end;
      EXPECT_EQ((dwell.begin - problem.horizon.start) % seconds(1), std::chrono::nanoseconds(0));
      if (dwell.level)
        done += InSeconds(Between(dwell.begin, dwell.end)) / InSeconds(problem.gpu.levels[*dwell.level].job_time);
    }
    EXPECT_EQ(end, problem.horizon.end());
    for (const SlotDecision& decision : decisions) {
      for (const auto& [level, share] : decision.levels)
        planned += share * 3600 / InSeconds(problem.gpu.levels[level].job_time);
    }
    EXPECT_NEAR(schedule.owed, planned - done, 1e-9);
    EXPECT_NEAR(WorkBetween(schedule, problem.gpu, problem.horizon.start, problem.horizon.end()), done, 1e-9);
    double of_shares = 0;
    for (const SlotDecision& decision : SharesOf(schedule, problem.horizon, levels)) {
      for (const auto& [level, share] : decision.levels)
        of_shares += share * 3600 / InSeconds(problem.gpu.levels[level].job_time);
    }
    EXPECT_NEAR(of_shares, done, 1e-9);
    const double fastest = 1 / InSeconds(problem.gpu.levels.back().job_time);
    EXPECT_LE(std::abs(schedule.owed), fastest * (static_cast<double>(shortest.count()) / 2 + 1)) << "run " << run;
    // Joined with equal neighbours no dwell is shorter than the minimum, but for those at the ends of the horizon.
    for (size_t i = 0; i < schedule.dwells.size();) {
      size_t j = i;
      while (j < schedule.dwells.size() && schedule.dwells[j].level == schedule.dwells[i].level) ++j;
      const double length = InSeconds(Between(schedule.dwells[i].begin, schedule.dwells[j - 1].end));
      if (i > 0 && j < schedule.dwells.size()) {
        EXPECT_GE(length, static_cast<double>(shortest.count()) - 1) << "run " << run;
      }
      i = j;
    }
  }
}

}  // namespace
}  // namespace heliograd
