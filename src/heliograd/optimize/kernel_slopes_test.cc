#include "heliograd/optimize/kernel_slopes.h"

#include <gtest/gtest.h>

#include <random>

#include "heliograd/optimize/random_problems.h"

namespace heliograd::kernel {
namespace {

class RandomNumbers {
 public:
  double Uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random_); }
  Modes AnyModes() { return static_cast<Modes>(std::uniform_int_distribution<int>(0, kAllModes)(random_)); }

 private:
  std::mt19937 random_{11};
};

void ExpectSame(const SlotList& list, const SlotList& other) {
  ASSERT_EQ(list.empty, other.empty);
  if (list.empty) return;
  EXPECT_EQ(list.z_low, other.z_low);
  EXPECT_EQ(list.cost_low, other.cost_low);
  EXPECT_EQ(list.work_low, other.work_low);
  ASSERT_EQ(list.count, other.count);
  for (size_t i = 0; i < list.count; ++i) {
    EXPECT_EQ(list.pieces()[i].slope, other.pieces()[i].slope);
    EXPECT_EQ(list.pieces()[i].length, other.pieces()[i].length);
    EXPECT_EQ(list.pieces()[i].work, other.pieces()[i].work);
  }
}

/// Slots alike share a list: whatever was asked for before, a list is what a new SlotLists gives.
TEST(SlotLists, GiveTheSameWhateverWasAskedBefore) {
  RandomProblems problems(29);
  RandomNumbers random;
  for (int i = 0; i < 100; ++i) {
    const DispatchProblem problem = problems.Next(i % 2 == 1, 24);
    const auto kernel = MakeProblem(problem, Formulation::kBlend);
    if (!kernel) continue;
    SlotLists lists(*kernel);
    double price = 0.5;
    Modes modes = kAllModes;
    for (const Slot& slot : kernel->slots) {
      if (random.Uniform(0, 1) < 0.3) price = random.Uniform(0, 2);
      if (random.Uniform(0, 1) < 0.3) modes = random.AnyModes();
      SlotLists anew(*kernel);
      ExpectSame(lists.Build(slot, price, modes), anew.Build(slot, price, modes));
    }
  }
}

TEST(SlotLists, SayAtOnePlaceWhatTheWholeListSays) {
  RandomProblems problems(31);
  RandomNumbers random;
  int compared = 0;
  for (int i = 0; i < 200; ++i) {
    SCOPED_TRACE(i);
    const DispatchProblem problem = problems.Next(i % 2 == 1, 24);
    const auto kernel = MakeProblem(problem, Formulation::kBlend);
    if (!kernel) continue;
    SlotLists lists(*kernel);
    for (const Slot& slot : kernel->slots) {
      const double price = random.Uniform(0, 2);
      const Modes modes = static_cast<Modes>(kAllModes & ~(random.Uniform(0, 1) < 0.5 ? kBuys : kSells) &
                                             ~(random.Uniform(0, 1) < 0.5 ? kCharges : kDischarges));
      const SlotList& list = lists.Build(slot, price, modes);
      if (list.empty) continue;
      double z = list.z_low, cost = list.cost_low, work = list.work_low;
      EXPECT_GT(lists.At(slot, price, modes, z - 1e-6).first, 1e300);
      for (const Piece& piece : list.pieces()) {
        const double step = random.Uniform(0, 1) * piece.length;
        const auto [cost_there, work_there] = lists.At(slot, price, modes, z + step);
        EXPECT_NEAR(cost_there, cost + piece.slope * step, 1e-9);  // ends may miss each other by 1e-10 kWh
        EXPECT_NEAR(work_there, work + piece.work * step, 1e-9);
        z += piece.length, cost += piece.slope * piece.length, work += piece.work * piece.length;
        ++compared;
      }
      EXPECT_GT(lists.At(slot, price, modes, z + 1e-6).first, 1e300);
    }
  }
  EXPECT_GT(compared, 1000);
}

}  // namespace
}  // namespace heliograd::kernel
