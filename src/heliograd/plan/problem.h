// The dispatch problem: everything a planner must know, per slot and once, and nothing about how it is solved.
//
// Enters: PV energy, prices and limits as numbers with units. Leaves: this value, read by the optimiser (`optimize`),
// by the baselines and by the checker. It knows no file, no solver and no clock.
//
// One bus at the node, per slot of h hours (docs/notation.md):
//   pv_used + grid_import + beta d = load + r + grid_export,     0 <= pv_used <= pv
//   E' = (1 - theta)^h (E - d + alpha r),   0 <= E, E' <= E_max,   d <= E
// d leaves the cells, r arrives at the charger.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/time.h"

namespace heliograd {

/// One power level of the GPU.
struct Level {
  Power limit;        // what the driver is told
  Power draw;         // mean power drawn while the job runs at that limit; the study takes it equal to the limit
  Duration job_time;  // time of the whole job at that limit
};

/// The GPU node as a load. While the job runs at level k the node draws level.draw + host; while it does not run, idle.
struct Gpu {
  std::vector<Level> levels;  // ascending draw, strictly descending job time (see DropDominated)
  Power idle;                 // the whole node while the job is paused or done
  Power host;                 // the rest of the machine while the job runs, on top of the level

  Power DrawAt(size_t level) const { return levels[level].draw + host; }
};

struct Battery {
  Energy capacity;                       // E_max; zero means there is no battery
  double charge_efficiency = 1.0;        // alpha, in (0, 1]
  double discharge_efficiency = 1.0;     // beta, in (0, 1]
  double self_discharge_per_hour = 0.0;  // theta, in [0, 1)
  std::optional<Power> max_charge;       // limit of r
  std::optional<Power> max_discharge;    // limit of d
  Energy initial;                        // E at the start of the horizon
  Energy final_min;                      // E at the end must be at least this
  EnergyPrice terminal_value;            // worth of what is left in the cells at the end
  EnergyPrice wear_cost;                 // per energy d that leaves the cells
};

struct Grid {
  std::optional<Power> import_limit;
  std::optional<Power> export_limit;
};

enum class Formulation {
  kPaper,   // equations (1)-(16) of the study less (15)
  kLevels,  // one level or off per slot
  kBlend    // levels mix within a slot
};

enum class Objective { kCost, kCarbon };

struct DispatchProblem {
  Horizon horizon;
  std::vector<Energy> pv;                 // available, per slot
  std::vector<EnergyPrice> import_price;  // per slot
  std::vector<EnergyPrice> export_price;  // per slot
  std::vector<CarbonIntensity> carbon;    // of imported energy, per slot; zeros when unknown
  CarbonPrice carbon_price;               // added to the cost of what is imported
  Objective objective = Objective::kCost;
  Battery battery;
  Grid grid;
  Gpu gpu;
  double work = 1.0;  // part of the whole job still to do, 1 = all of it
};

/// Names as they stand in files and on the command line: "paper", "levels", "blend".
std::string_view FormulationName(Formulation formulation);
std::optional<Formulation> FormulationFromName(std::string_view name);

/// rho = (1 - theta)^h: the share of the stored energy that is left after one slot.
double RetentionPerSlot(const DispatchProblem& problem);

/// What one unit of imported energy costs in the objective, in EUR: import price plus priced carbon. With
/// Objective::kCarbon the carbon is priced at kCarbonWeight instead, so that cost only decides between plans of equal
/// carbon.
EnergyPrice ObjectiveImportPrice(const DispatchProblem& problem, int slot);
/// Weight of carbon when it is the objective: one gram outweighs what any plan can shift in money.
inline constexpr CarbonPrice kCarbonWeight = EurosPerKilogram(1000.0);

/// A level that another beats: it draws more and takes at least as long.
struct DominatedLevel {
  Level level;
  Level by;
};

struct PrunedLevels {
  std::vector<Level> kept;  // ascending draw, strictly descending job time
  std::vector<DominatedLevel> dominated;
};

/// Sorts the levels by draw and drops those that another beats.
PrunedLevels DropDominated(std::vector<Level> levels);

/// Indices of the levels on the upper concave hull of work rate against draw, the idle point included in the hull but
/// not in the answer: no mix of levels needs any other. Ascending.
std::vector<size_t> ConcaveHull(const Gpu& gpu);

/// What is wrong with the problem as data (sizes that differ, values out of range), one sentence each; empty when
/// sound.
std::vector<std::string> Defects(const DispatchProblem& problem);

}  // namespace heliograd
