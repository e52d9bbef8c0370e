#include "heliograd/control/run_books.h"

#include <gtest/gtest.h>

#include <random>

namespace heliograd {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr size_t kLevels = 3;

Horizon FourHours() { return {.start = Stamp(std::chrono::hours(500'000)), .step = std::chrono::hours(1), .slots = 4}; }

// Whatever passes, in whichever pieces: no second, joule or part of the work is lost or counted twice.
TEST(RunBooks, RandomPassagesAreConserved) {
  const Horizon horizon = FourHours();
  std::mt19937 random(11);
  std::uniform_real_distribution<double> unit(0, 1);
  for (int run = 0; run < 100; ++run) {
    std::vector<SlotActual> slots;
    RunBooks books(horizon, kLevels, slots);
    double seconds_of_all = 0, known_s = 0, joules = 0, work = 0, off_joules = 0;
    Stamp now = horizon.start;
    for (int i = 0; i < 40; ++i) {
      const double elapsed_s = 1 + unit(random) * 1200;
      Passage passage{.elapsed_s = elapsed_s,
                      .ran = unit(random) < 0.7,
                      .level = std::nullopt,
                      .energy = Joules(elapsed_s * 200 * unit(random)),
                      .known_s = unit(random) < 0.8 ? elapsed_s : 0,
                      .work = 1e-4 * unit(random)};
      if (unit(random) < 0.8) passage.level = static_cast<size_t>(unit(random) * kLevels);
      const Stamp next = now + std::chrono::nanoseconds(std::llround(elapsed_s * 1e9));
      if (unit(random) < 0.1) {
        books.AddAt(next, passage);
      } else {
        books.Add(now, next, passage);
      }
      now = next;
      seconds_of_all += elapsed_s;
      known_s += passage.known_s;
      joules += InJoules(passage.energy);
      work += passage.work;
      if (!passage.ran) off_joules += InJoules(passage.energy);
    }
    ASSERT_EQ(slots.size(), 5u);
    double booked_s = 0, booked_unknown_s = 0, booked_joules = 0, booked_off = 0, booked_work = 0;
    for (const SlotActual& slot : slots) {
      booked_s += slot.running_s() + slot.off_s;
      booked_unknown_s += slot.unmeasured_s;
      booked_joules += InJoules(slot.energy);
      booked_off += InJoules(slot.energy_off);
      booked_work += slot.work;
      double of_levels = InJoules(slot.energy_off);
      for (const Energy energy : slot.level_energy) of_levels += InJoules(energy);
      EXPECT_LE(of_levels, InJoules(slot.energy) * (1 + 1e-12)) << "what is at no known level is the rest";
    }
    // Sums of some hundred doubles.
    EXPECT_NEAR(booked_s, seconds_of_all, 1e-9 * seconds_of_all);
    EXPECT_NEAR(booked_unknown_s, seconds_of_all - known_s, 1e-9 * seconds_of_all);
    EXPECT_NEAR(booked_joules, joules, 1e-9 * joules);
    EXPECT_NEAR(booked_off, off_joules, 1e-9 * joules);
    EXPECT_NEAR(booked_work, work, 1e-12);
  }
}

TEST(RunBooks, PassageOverAnEdgeIsSplitByTheClock) {
  const Horizon horizon = FourHours();
  std::vector<SlotActual> slots;
  RunBooks books(horizon, kLevels, slots);
  const Stamp from = horizon.SlotStart(1) - seconds(10);
  books.Add(from, from + seconds(40),
            {.elapsed_s = 40, .ran = true, .level = 2, .energy = Joules(4000), .known_s = 40, .work = 0.04});
  EXPECT_NEAR(slots[0].level_s[2], 10, 1e-9);
  EXPECT_NEAR(slots[1].level_s[2], 30, 1e-9);
  EXPECT_NEAR(InJoules(slots[1].level_energy[2]), 3000, 1e-6);
  EXPECT_NEAR(slots[1].work, 0.03, 1e-12);
  EXPECT_FALSE(slots[2].entered);
}

TEST(RunBooks, TimeBeforeTheHorizonIsNoOffTimeOfIt) {
  const Horizon horizon = FourHours();
  std::vector<SlotActual> slots;
  RunBooks books(horizon, kLevels, slots);
  books.Add(horizon.start - minutes(10), horizon.start - minutes(5),
            {.elapsed_s = 300, .level = std::nullopt, .energy = Joules(3000), .known_s = 300});
  EXPECT_EQ(slots[0].off_s, 0);
  EXPECT_FALSE(slots[0].entered);
  EXPECT_NEAR(InJoules(slots[0].energy_off), 3000, 1e-9);
}

TEST(RunBooks, WhatIsKnownAfterAllFillsTheLatestSlotsFirst) {
  const Horizon horizon = FourHours();
  std::vector<SlotActual> slots;
  RunBooks books(horizon, kLevels, slots);
  slots[0].unmeasured_s = 50, slots[1].unmeasured_s = 20;
  books.Fill(1, 30);
  EXPECT_EQ(slots[1].unmeasured_s, 0);
  EXPECT_EQ(slots[0].unmeasured_s, 40);
}

// Half of the first slot has passed: it keeps half of what was planned for it, and takes the new plan's second half.
TEST(RunBooks, FlowsOfAFinerPlanReplaceWhatIsLeft) {
  const Horizon whole = FourHours();
  SlotDecision hourly;
  hourly.grid_import = WattHours(100);
  hourly.battery_charge = WattHours(10);
  std::vector<SlotDecision> flows(4, hourly);
  const Horizon fine{.start = whole.start + minutes(30), .step = minutes(30), .slots = 7};
  SlotDecision half;
  half.grid_import = WattHours(7);
  TakeFlows(fine, std::vector<SlotDecision>(7, half), whole, flows);
  EXPECT_NEAR(InWattHours(flows[0].grid_import), 57, 1e-9);
  EXPECT_NEAR(InWattHours(flows[0].battery_charge), 5, 1e-9);
  EXPECT_NEAR(InWattHours(flows[1].grid_import), 14, 1e-9);
  EXPECT_NEAR(InWattHours(flows[3].battery_charge), 0, 1e-12);
}

}  // namespace
}  // namespace heliograd
