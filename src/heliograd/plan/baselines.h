// The ladder of baselines: what simple rules would cost, each starting when the plan may start.
//
// Enters: a dispatch problem. Leaves: four rungs with their totals, or the reason why a rung cannot run, and the saving
// of a plan split by rung. It knows no solver: the rules decide slot by slot without looking ahead.
#pragma once

#include <vector>

#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// The rungs, in order:
///   "full power from the grid"                  the fastest level; no PV, battery untouched
///   "best fixed limit from the grid"            one level for the whole job, the best that finishes in time
///   "best fixed limit + PV"                     PV feeds the GPU first; what is left is sold
///   "best fixed limit + PV + battery (greedy)"  self-consumption: spare PV fills the battery first, the battery serves
///                                               what PV cannot before the grid does, and never charges from the grid
/// The level is chosen anew on each rung, by what the problem minimises. All run from the first slot on and are counted
/// over the whole horizon. PV is sold only at a positive price and within the export limit; the rest is curtailed.
///
/// In `blend` the last slot runs for the fraction that the work needs. In `levels` and `paper` a slot is run whole or
/// not at all, as those plans must; after the work the GPU is off (also in `paper`, whose plans may not switch off,
/// because so does the study's own baseline, 230 W for 14 h). In `blend` and `levels` each rung is therefore itself a
/// plan that the optimiser might have chosen, and no optimal plan costs more; but for `final_min`, which only the
/// battery rung is held to: the note of another rung says what it leaves.
///
/// A rung may cost more than the one before: a greedy battery keeps PV that could have been sold and that nobody uses
/// before the horizon ends. The step is then a negative saving, and shows what foresight is worth. On rungs without a
/// battery the energy stored at the start stays in the cells and counts at its terminal value. A rung that cannot
/// finish, or that needs more import than the grid's limit, has a note instead of totals. Precondition:
/// Defects(problem) is empty. Pure; safe from any thread.
std::vector<Baseline> MakeBaselines(const DispatchProblem& problem, Formulation formulation);

/// The saving of the plan against the first rung that can run, split into steps: "levels", "PV", "battery", "timing".
/// Where a rung in between cannot run, its step is joined to the next: "PV + battery". Empty when no rung can run.
std::vector<Lever> SplitSaving(const std::vector<Baseline>& baselines, Money plan_cost);

}  // namespace heliograd
