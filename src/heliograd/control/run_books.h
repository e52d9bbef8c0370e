// The books of a run: what was really done within each slot of its plan.
//
// Enters: what went on between two looks. Leaves: time, energy and work by slot and level, and the flows of the plans
// that were followed. It knows no GPU, no job and no clock. One thread.
#pragma once

#include <optional>
#include <vector>

#include "heliograd/base/time.h"
#include "heliograd/plan/plan.h"

namespace heliograd {

/// What was really done within one slot of the plan.
struct SlotActual {
  std::vector<double> level_s;       // seconds that the job ran, by level
  double unknown_s = 0;              // seconds that it ran at a limit that nobody could tell
  double off_s = 0;                  // seconds that it did not
  Energy energy;                     // of the GPU, measured
  Energy energy_off;                 // the part of it while the job did not run
  std::vector<Energy> level_energy;  // the parts of it at each level; empty in books of an earlier version
  double unmeasured_s = 0;           // seconds of which no energy is known
  double work = 0;                   // parts of the whole job
  bool entered = false;              // the run was within the slot at some time

  double running_s() const;
};

/// What went on between two looks.
struct Passage {
  double elapsed_s = 0;
  bool ran = false;             // the job
  std::optional<size_t> level;  // at which it ran; nothing where its limit could not be told throughout
  Energy energy;                // of the GPU
  double known_s = 0;           // the part of the time whose energy is known
  double work = 0;              // parts of the whole job
};

/// The slot of the horizon that holds this instant; the first before it, their number after its end.
int SlotAt(const Horizon& horizon, Stamp stamp);

/// Of one slot more than the horizon has: the last is the time after its end.
class RunBooks {
 public:
  /// Writes to `slots`, which may hold the books of an earlier part of the run and is read elsewhere.
  RunBooks(const Horizon& horizon, size_t levels, std::vector<SlotActual>& slots);

  /// Spread over the slots by the clock.
  void Add(Stamp from, Stamp to, const Passage& passage);
  /// All of it in the slot of `at`: the clock before is not comparable.
  void AddAt(Stamp at, const Passage& passage);
  /// The energy of so many of the latest seconds up to this slot is known after all.
  void Fill(int last_slot, double seconds);

 private:
  void AddTo(int slot, Stamp now, double part, const Passage& passage);

  const Horizon& horizon_;
  std::vector<SlotActual>& slots_;
};

/// The flows of a plan for the rest of the horizon, whose slots may be parts of the whole's, into those of the slots. A
/// slot that has begun keeps what was planned for it before, as far as it has passed.
void TakeFlows(const Horizon& fine, const std::vector<SlotDecision>& decisions, const Horizon& whole,
               std::vector<SlotDecision>& flows);

}  // namespace heliograd
