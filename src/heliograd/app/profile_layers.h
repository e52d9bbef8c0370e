// Energy of single layers: each alone in a loop, in rounds of random order, as docs/attribution.md has it.
//
// Enters: a network's layers that can be run in loops, and a meter. Leaves: the layers of a TrainingProfile, gross and
// above idle, and the ratio of their sum to the whole network, which is published and never used to rescale.
#pragma once

#include "heliograd/app/loop_rounds.h"
#include "heliograd/app/profile_steps.h"
#include "heliograd/base/result.h"
#include "heliograd/profile/architecture.h"
#include "heliograd/profile/training.h"
#include "heliograd/report/training_profile.h"

namespace heliograd {

struct LayerOptions {
  LoopRoundOptions rounds_of;
  int64_t batch = 128;
};

/// Errors: PyTorch's own, an interruption before two whole rounds.
Result<void> ProfileLayers(const Architecture& network, LayerLoops& loops, StepMeter& meter,
                           const LayerOptions& options, TrainingProfile& profile);

}  // namespace heliograd
