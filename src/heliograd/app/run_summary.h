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
#include "heliograd/report/run_savings.h"

namespace heliograd {

/// A slot of the plan as it came out.
struct SettledSlot {
  Energy gpu_energy;    // measured
  Energy planned_load;  // of the node
  double part = 1;      // of the slot that was over when the run ended; flows and money are of that part
  Energy load;          // of the node: measured GPU, assumed host and, where nobody looked, assumed idle power
  Energy pv_used;       // what the balance at the bus leaves for PV
  Energy battery_charge, battery_discharge;  // as last planned
  Settlement planned, actual;
};

struct SettledRun {
  std::vector<SettledSlot> slots;
  Money cost;        // up to the end of the run, terminal value as planned, and of the time after the horizon
  Money cost_after;  // of the time after it: all bought, at the last slot's price
  Energy load, grid_import, grid_export;
  Energy idle_load;  // from the end of the run to the horizon's: the node idle, the battery as last planned. In no sum
  Money idle_cost;
};

/// Books to money, up to `end`, where the run ended or stands; `world` has PV and prices as last known. PV and the
/// battery's flows are as planned (nobody measured them); time of the horizon before the end without the run is idle.
SettledRun SettleRun(const PlanFile& plan, const DispatchProblem& world, const std::vector<SlotActual>& books,
                     const std::vector<SlotDecision>& decisions, Stamp end);

/// Loads by whole slot, the node idle after the run's end.
std::vector<Energy> WholeLoads(const DispatchProblem& problem, const SettledRun& settled);

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
