// What is true of a whole plan, gathered once so that the rules for reasons can ask. Private to the room.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// Energy below this prints as zero.
inline constexpr double kShown_wh = 0.05;

/// Where the energy in the cells came from, in Wh. Discharge and self-discharge take from all in proportion.
struct StoreOrigin {
  double start_wh = 0;  // held when the plan began
  double pv_wh = 0;
  double grid_wh = 0;
  double lowest_price = 0, highest_price = 0;  // EUR/kWh of the purchases since the cells were last empty

  double total_wh() const { return start_wh + pv_wh + grid_wh; }
  /// True when at least a hundredth of the store came from there; less does not deserve a word.
  bool Counts(double part_wh) const { return part_wh >= 0.01 * total_wh(); }
};

struct SlotFacts {
  double load_wh, pv_to_gpu_wh, pv_to_battery_wh, pv_to_grid_wh, grid_to_gpu_wh, grid_to_battery_wh, battery_to_gpu_wh,
      battery_to_grid_wh, curtailed_wh, stored_wh, export_wh;
  double import_price, export_price;  // EUR/kWh
  bool runs;
  bool done_before;                      // the work was done when the slot began
  StoreOrigin origin;                    // of what the cells hold at the slot's start
  std::optional<size_t> next_discharge;  // first later slot in which the battery gives
  std::optional<size_t> next_sun;        // first later slot in which PV feeds the running job
};

struct PlanFacts {
  std::vector<SlotFacts> slots;
  double lowest_price = 0, highest_price = 0, mean_price = 0;  // import, over the horizon, EUR/kWh
  std::optional<double> dearest_run;       // highest import price at which the running job is fed from the grid
  std::optional<size_t> thriftiest_level;  // least energy for the work among the levels that finish it in the horizon
};

PlanFacts GatherFacts(const DispatchProblem& problem, const Plan& plan);

}  // namespace heliograd
