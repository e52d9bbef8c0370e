// A plan beside what came of it: per slot the levels, energy by source, money, carbon and work, and where the
// difference comes from.
//
// Enters: a plan, the books of the run per slot, what was settled, what happened. Leaves: this value, its text, table
// and figures. It knows no file.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/control/plan_runner.h"
#include "heliograd/plan/plan_json.h"
#include "heliograd/plan/settlement.h"
#include "heliograd/report/gnuplot.h"
#include "heliograd/report/run_savings.h"
#include "heliograd/report/terminal_style.h"

namespace heliograd {

/// One look of a run at itself.
struct RunPoint {
  Stamp at;
  double work_done = 0;  // parts of the whole job
  Energy energy;         // of the GPU since the run began, measured
  std::optional<Power> limit;
};

/// Flows of a slot at the node's bus, and what they came to.
struct NodeSlot {
  std::vector<double> level_s;  // seconds by level
  double unknown_s = 0;         // on top of them, at a limit that nobody could tell
  Energy load, pv_used, battery_charge, battery_discharge;
  Settlement settled;
  double work = 0;
};

/// A part of the difference between plan and actual, by what caused it.
struct Deviation {
  std::string cause;  // "draw while running", "progress", "forecast", or why levels ran for other times: "pause late",
                      // "full power", ...
  Energy load;        // more than planned
  double work = 0;    // more than planned
  Money cost;         // more than planned
};

struct ComparedSlot {
  NodeSlot planned, actual;
  Energy gpu_energy;  // measured
  double off_s = 0, unmeasured_s = 0;
  Energy gpu_energy_off;              // of it, while the job did not run
  bool entered = false;               // the run was within it at some time
  bool settled = false;               // it is over, or the run is: its money is known
  double part = 1;                    // of it that was over when the run ended; the actual is of that part
  std::vector<Deviation> deviations;  // of a settled slot; they sum to actual less planned
};

/// What a run spent on measuring its GPU's power curve before it had a plan. It is in no sum of plan and actual.
struct CurvePart {
  Stamp begin, end;         // of the job's first minutes, up to the plan
  double duration_s = 0;    // run time; less than what lies between, where the run was interrupted and resumed
  double units = 0;         // that the job had done in all at the end
  double work = 0;          // the same as parts of the whole job
  int windows = 0;          // measured
  Energy energy;            // of the GPU, measured
  double unmeasured_s = 0;  // of the duration: no energy is known of it
  std::optional<Money> cost =
      std::nullopt;       // modelled: all bought at the price of the plan's first slot, with the host
  std::string file = {};  // of the curve; empty while there is none
  friend bool operator==(const CurvePart&, const CurvePart&) = default;
};
/// "3 min, 8.1 Wh, 1.9 % of the job": what the measuring took.
std::string CurvePartText(const CurvePart& part);
/// docs/run.md says what each key means.
nlohmann::ordered_json CurvePartJson(const CurvePart& part);

/// How a run stands: what is known of it from its folder.
struct CarriedPlan {
  PlanFile plan;
  std::string folder, command, gpu;
  std::string status;  // "running" (or cut off), "finished", "failed", "interrupted", "stopped_late"
  Stamp begin, end;    // of the run so far
  double work_done = 0;
  double work_assumed = 0;        // of it: done because the job ended with 0, whatever the books say
  bool progress_is_told = false;  // by the job; else reckoned by time
  bool money_is_settled = false;  // by the run itself, with prices and PV as last known; else with those of the plan
  std::vector<ComparedSlot> slots;
  NodeSlot after;  // the time after the deadline
  Energy gpu_energy_after;
  Money terminal_value;  // of what the plan leaves in the battery; counted when the run has ended
  std::vector<RunEvent> events;
  std::vector<RunPoint> trail;
  std::optional<CurvePart> curve;  // measured before there was a plan
  RunSavings savings;              // of the settled slots

  bool has_ended() const { return status != "running"; }
};

/// Sums over the slots that are settled, and the time after the deadline once the run has ended.
struct CarriedTotals {
  int slots = 0;
  NodeSlot planned, actual;  // level_s left empty
  Energy gpu_energy;         // measured, of all slots
  double unmeasured_s = 0;
  std::vector<Deviation> deviations;  // by cause, largest money first
};
CarriedTotals SumUp(const CarriedPlan& run);

/// The slot's share in the plan: settled with the plan's own prices and flows.
NodeSlot PlannedSlot(const PlanFile& plan, int slot);

/// Splits the difference of a settled slot. Levels that ran for other times than planned come first, under the cause
/// that the events name; then the draw at those levels and while off, the work done at them, and what prices, PV and
/// later plans' flows changed. The parts sum to the difference.
std::vector<Deviation> Attribute(const CarriedPlan& run, int slot);

/// For people: totals, savings, deviations; a row per slot.
std::string CarriedPlanText(const CarriedPlan& run, const TerminalStyle& style);
/// One object, format "heliograd-run-report-1": docs/run.md.
std::string CarriedPlanJson(const CarriedPlan& run);
/// A row per slot, units in the titles.
std::string CarriedPlanCsv(const CarriedPlan& run);
/// One page, with its figures inside. Errors: gnuplot.
Result<std::string> CarriedPlanPage(const CarriedPlan& run);

/// Power, by its sources, against the plan, with limits; progress; what happened; price.
Figure CarriedPlanFigure(const CarriedPlan& run);
/// Money by cause: how the planned cost became the actual one.
Figure DeviationFigure(const CarriedPlan& run);

}  // namespace heliograd
