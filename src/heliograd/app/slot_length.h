// How long a plan's slots are where nobody said it.
//
// Enters: a scenario. Leaves: what the planner reads of it, with slots of which whole ones fill the time to the
// deadline nearly to its end: a deadline between two hours would else be planned as the hour before. May not know
// commands.
#pragma once

#include <array>
#include <chrono>

#include "heliograd/app/inputs.h"

namespace heliograd {

/// The lengths that divide an hour, in minutes.
inline constexpr std::array<int, 12> kSlotMinutes = {60, 30, 20, 15, 12, 10, 6, 5, 4, 3, 2, 1};

/// The longest length, a divisor of 60 and at most `asked`, whose whole slots leave no more than a hundredth of `left`,
/// and no more than 5 minutes, unused; the one that leaves least where none does. Lengths that make more than 384
/// slots (four days of quarter hours) are not taken in the place of `asked`.
int FittingSlotMinutes(std::chrono::seconds left, int asked);

/// ReadInputs() with `asked`, or, where nobody `gave` that length and the scenario has a deadline, with the one that
/// fits; a remark says so where it differs.
Result<NodeInputs> ReadFittingInputs(const Scenario& scenario, int asked, bool gave, InputCache& cache);

}  // namespace heliograd
