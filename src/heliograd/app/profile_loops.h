// Energy of the steps of a training on a sensor that averages over a second: steps in loops, as docs/attribution.md has
// it.
//
// Enters: a profile whose steps have their times, loops of the steps, and a meter. Leaves: the steps' energies in it.
#pragma once

#include "heliograd/app/loop_rounds.h"
#include "heliograd/app/profile_steps.h"
#include "heliograd/base/result.h"
#include "heliograd/profile/training.h"
#include "heliograd/report/training_profile.h"

namespace heliograd {

/// To Device, Forward and Optimizer are mean power in a loop times the step's own time within the training; Loss and
/// Backward are differences of loops over two and three steps. Their sum against the energy of a whole iteration within
/// the training is the closure, where that energy is known. Errors: PyTorch's own, too few readings, an interruption
/// (kInterrupted) before two whole rounds; the profile is as it was then.
Result<void> ProfileStepLoops(StepLoops& loops, StepMeter& meter, const LoopRoundOptions& options,
                              TrainingProfile& profile);

}  // namespace heliograd
