// A run beside its plan: energy, money and work per slot, what was saved, what went otherwise. As JSON and for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/app/run_folder.h"
#include "heliograd/control/plan_runner.h"
#include "heliograd/plan/plan_json.h"
#include "heliograd/plan/settlement.h"

namespace heliograd {

/// A slot of the plan as it came out.
struct SettledSlot {
  Energy gpu_energy;    // measured
  Energy planned_load;  // of the node
  Energy load;          // of the node: measured GPU, assumed host and, where nobody looked, assumed idle power
  Energy pv_used;       // what the balance at the bus leaves for PV
  Settlement planned, actual;
};

struct SettledRun {
  std::vector<SettledSlot> slots;
  Money cost;        // over the whole horizon, terminal value as planned, and of the time after it
  Money cost_after;  // of the time after it: all bought, at the last slot's price
  Energy load, grid_import, grid_export;
};

/// Books to money; `world` has PV and prices as last known. PV and the battery's flows are as planned (nobody measured
/// them); time of the horizon outside the run is idle.
SettledRun SettleRun(const PlanFile& plan, const DispatchProblem& world, const std::vector<SlotActual>& books,
                     const std::vector<SlotDecision>& decisions);

struct RunSummary {
  const PlanFile& plan;
  const DispatchProblem& world;  // the plan's problem with PV and prices as last known
  const RunFacts& facts;
  const RunOutcome& outcome;
  const std::vector<RunEvent>& events;
  std::string status;  // "running", "finished", "failed", "interrupted", "stopped_late"
  std::optional<int> exit_code;
};

/// What happened, as it stands in a summary.
nlohmann::ordered_json EventsJson(const std::vector<RunEvent>& events);
/// docs/run.md says what each key means.
std::string RunSummaryJson(const RunSummary& run);
std::string RunSummaryText(const RunSummary& run);

}  // namespace heliograd
