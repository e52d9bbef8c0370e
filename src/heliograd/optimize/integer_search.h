// Linear models with integer columns, solved by the mixed-integer solver on as few of them as the proof allows.
//
// The linear relaxation (optimum z) has a reduced cost for each integer column: a plan in which such a column leaves
// its bound costs at least z + |reduced cost|. So the search first holds all columns whose reduced cost exceeds a
// threshold. What it finds is proven for the whole model where z + threshold is no better; else the threshold rises to
// what is needed. With power levels a few columns of each slot remain, and `paper` takes half the time.
#pragma once

#include "heliograd/optimize/exclusive_search.h"

namespace heliograd {

/// Minimises `model` within `gap`. With a deadline the best point so far comes back, with its bound. The duals that
/// come with it are those of the linear program that remains when the integer columns stay as found.
Result<HighsRun> SolveWithIntegers(const LinearModel& model, double gap, const SolveDeadline& deadline);

}  // namespace heliograd
