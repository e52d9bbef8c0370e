// A plan gathered into equal columns of time, for lanes on a terminal and panels of a figure.
#pragma once

#include <string>
#include <vector>

#include "heliograd/plan/plan.h"
#include "heliograd/report/time_axis.h"

namespace heliograd {

/// Energies below this are not worth a mark.
inline constexpr Energy kVisibleEnergy = WattHours(0.05);

/// What one column stands for: means over its slots.
struct PlanColumn {
  Power gpu, pv, grid_import, grid_export;
  Power gpu_from_pv, gpu_from_battery, gpu_from_grid;
  Energy stored;      // mean of the battery's content at the ends of the slots
  Energy stored_end;  // at the end of the column
  EnergyPrice import_price, export_price;
  std::string limit;  // in W: "150", "150*" for part of the time, "mix" of several, "off"
};

/// Precondition: one plan slot per slot of the horizon.
std::vector<PlanColumn> GatherColumns(const DispatchProblem& problem, const Plan& plan, const TimeColumns& columns);

/// The node's draw at the highest level, the full height of charts of its power.
Power HighestDraw(const DispatchProblem& problem);

}  // namespace heliograd
