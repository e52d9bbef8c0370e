// What one more of something would be worth: an hour of the deadline, energy in the battery, work.
//
// Enters: a solved problem. Leaves: money per unit, from the solver's duals where it has them, else from solving again
// with a little more or less. Differences of two costs carry the tolerances of both.
#pragma once

#include <optional>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/optimize/resize.h"
#include "heliograd/optimize/solver.h"

namespace heliograd {

/// The same node in the same hours with nothing to do: what it earns and pays anyway. Solvers take it; Defects() does
/// not.
DispatchProblem WithoutJob(DispatchProblem problem);

/// Change of what the job costs when the deadline moves by an hour: the plan's cost less that of the node without the
/// job in the same hours, because sun that an added hour sells anyway is not the deadline's doing. Both by solving
/// again. A side without a plan that is proven in time, or whose data ends, is left out. A gain or loss below the
/// tolerance reads as zero. Precondition: `solution` has a plan.
Result<DeadlinePrice> PriceDeadline(const DispatchProblem& problem, Formulation formulation, const Solution& solution,
                                    const DispatchSolver& solver, const SolveOptions& options,
                                    const ProblemForSlots& problem_for_slots);

/// Worth of one more unit stored at the start of each slot. Without duals only the first slot is known: the difference
/// of two costs whose initial energies lie a hundredth of the capacity apart.
Result<std::vector<std::optional<EnergyPrice>>> StoredValues(const DispatchProblem& problem, Formulation formulation,
                                                             const Solution& solution, const DispatchSolver& solver,
                                                             const SolveOptions& options);

/// Cost of one more whole job, at the margin: the dual, or a twentieth of the work left less, solved again. With whole
/// levels the cost climbs in steps, and this is the mean slope over that twentieth.
Result<std::optional<Money>> WorkPrice(const DispatchProblem& problem, Formulation formulation,
                                       const Solution& solution, const DispatchSolver& solver,
                                       const SolveOptions& options);

}  // namespace heliograd
