// A plan's slots as stretches of one level each, as a GPU can be told: whole seconds, none shorter than a minimum.
//
// Enters: the shares of levels per slot. Leaves: dwells in order of time, with as few changes as the shares allow: the
// order within a slot is chosen so that the level at its edge goes on. It knows no clock, no GPU and no reason.
//
// A part of a slot that would be shorter than the minimum is left out or made as long as the minimum, whichever owes
// the least work; what is owed is paid in the next slots that mix levels. So work is kept over the whole, to half a
// minimum dwell, and with it the energy. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "heliograd/base/time.h"
#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// A stretch [begin, end) at one level, or off.
struct Dwell {
  Stamp begin, end;
  std::optional<size_t> level;  // index into Gpu::levels; nothing = off
  int slot = 0;

  friend bool operator==(const Dwell&, const Dwell&) = default;
};

struct DwellSchedule {
  std::vector<Dwell> dwells;  // end to end over the horizon; neighbours of one slot differ in level
  double owed = 0;            // work of the plan less work of the dwells, in parts of the whole job

  /// The dwell at an instant; nothing outside the horizon.
  const Dwell* At(Stamp stamp) const;
};

/// `running` is the level before the first slot. Precondition: one decision per slot of the horizon.
DwellSchedule MakeDwells(const DispatchProblem& problem, const std::vector<SlotDecision>& decisions,
                         std::optional<size_t> running, std::chrono::seconds shortest);

/// The work that the schedule does between two instants at the GPU's job times, in parts of the whole job.
double WorkBetween(const DwellSchedule& schedule, const Gpu& gpu, Stamp from, Stamp to);

/// The schedule as shares of the horizon's slots: levels alone, without flows.
std::vector<SlotDecision> SharesOf(const DwellSchedule& schedule, const Horizon& horizon, size_t levels);

}  // namespace heliograd
