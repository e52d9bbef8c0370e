// What a run saved against the simple rules of the ladder, each reckoned anew with what really came: the prices and the
// sun of the run, the work that was done, the job's pace and what it drew.
//
// Enters: a run's books, its settlement and the world as last known. Leaves: a saving per rule, or one sentence that
// says why there is none. It knows no file and no device. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/control/plan_runner.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// A rule and what it would have cost.
struct RungSaving {
  std::string name;
  std::optional<Money> cost;   // up to the run's end, as the run's own cost is; nothing where the rule cannot finish
  std::optional<Money> saved;  // against the run
  std::string note;            // why there is no cost, or what the rule leaves undone
};

struct RunSavings {
  std::vector<RungSaving> rungs;
  std::string unknown;               // why nothing is known of them, one sentence; empty where it is
  std::vector<std::string> remarks;  // what whoever reads the figures must know, one sentence each
  double pace = 1;         // measured rate over the curve's, at the levels that ran; 1 where none was measured
  double draw = 1;         // measured draw of the running GPU over the curve's, likewise
  Energy battery_surplus;  // from the cells, more than they held by the plan and its flows
  Money battery_worth;     // of it; it is in no saving
};

/// What came of a run, or of its first slots.
struct WhatCame {
  const DispatchProblem& world;            // the plan's, with the prices and PV that the run is settled with
  const std::vector<SlotActual>& books;    // by slot; more than the horizon's are of the time after it
  const std::vector<SlotDecision>& flows;  // of the battery, by slot, as they were followed
  std::vector<Energy> loads;               // of the node by whole slot: after the run's end it is idle
  std::vector<Duration> job_times;         // by level, as measured; empty: the books tell the pace
  bool work_is_told = false;               // by the job; else it is reckoned by time
  double work_done = 0;                    // parts of the whole job
  double work_assumed = 0;                 // of it: done because the job ended with 0, whatever the books say
  bool missed_deadline = false;
  Stamp end;             // of the run
  Money cost;            // of the run, as its sums have it
  Money idle_cost;       // from its end to the horizon's, in no sum: the rules' idle time after the run costs the same
  Money terminal_value;  // that `cost` counts for what is left in the battery
};

/// Whether so little of the work was assumed (see WhatCame) that the rest tells how much was done. Below zero: more was
/// told than the work.
bool WorkIsKnown(double work, double assumed);

/// The rules do the work that was done, from the plan's start and by its deadline, at the measured job times and draw.
/// Levels that never ran are scaled by what is measured of the others. They stop when the work is done, whatever the
/// plan's formulation. Energy that the battery gave though neither the plan nor its flows had put it there counts to no
/// saving: its worth at the bus is added to the run's cost.
RunSavings CompareWithLadder(const WhatCame& came);

/// docs/run.md says what each key means.
nlohmann::ordered_json BaselinesJson(const RunSavings& savings);
nlohmann::ordered_json SavingsJson(const RunSavings& savings);

}  // namespace heliograd
