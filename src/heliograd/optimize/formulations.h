// The dispatch problem written as a linear model, and the model's values read back as decisions.
//
// Enters: a sound DispatchProblem (Defects is empty). Leaves: a LinearModel in kWh, EUR and h, with a map from slots to
// columns and rows; from a solver's values, decisions that hold to rounding. This is the one place that scales units.
//
// Bus of slot t (docs/notation.md):  pv_used = load + r + grid_export - grid_import - beta d,   0 <= pv_used <= pv
// Cells:                             E(t+1) = rho (E(t) - d + alpha r)
// `paper` is Yin, Chen, Vallero, Meo, MSWiM 2025, section VI, equations (1)-(16) less (15), on the same bus: its split
// of the flows exists exactly when grid_export <= pv + beta d and r <= pv + grid_import.
#pragma once

#include <optional>
#include <vector>

#include "heliograd/optimize/linear_model.h"
#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// Columns of one slot; nothing where the flow cannot exist (no battery, no surplus to sell).
struct SlotColumns {
  std::optional<int> grid_import, grid_export, charge, discharge;
  std::optional<int> stored;  // E at the start of the slot
  int first_level = 0;        // the columns of DispatchModel::levels follow one another
};

struct DispatchModel {
  LinearModel linear;
  std::vector<size_t> levels;  // indices into Gpu::levels that have a column in each slot
  std::vector<SlotColumns> slots;
  std::vector<int> stored_rows;  // balance of the cells over slot t; empty without a battery
  int work_row = 0;
};

DispatchModel BuildDispatchModel(const DispatchProblem& problem, Formulation formulation);

/// Decisions from the values of the model's columns. What the solver's tolerance leaves is removed: negative flows,
/// import beside export, charge beside discharge (where the formulation forbids them), cells a hair beyond full or
/// empty.
std::vector<SlotDecision> ReadDecisions(const DispatchProblem& problem, Formulation formulation,
                                        const DispatchModel& model, const std::vector<double>& values);

/// Worth of one more unit stored at the start of each slot, from the duals (change of the objective per unit of a row's
/// or column's bound). Empty without a battery.
std::vector<EnergyPrice> ReadStoredValues(const DispatchModel& model, const std::vector<double>& column_duals,
                                          const std::vector<double>& row_duals);

/// Cost of one more whole job at the margin, from the dual of the work row.
Money ReadWorkPrice(const DispatchModel& model, const std::vector<double>& row_duals);

}  // namespace heliograd
