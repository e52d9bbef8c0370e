// The steps of a training in loops, on a network of their own. Only for files of the torch part.
#pragma once

#include <memory>

#include "heliograd/profile/torch/network.h"
#include "heliograd/profile/training.h"

namespace heliograd {

/// `network` is on the device, in training mode, and lives as long as the loops. No loop changes its parameters: the
/// optimizer's rate is zero. Batch norms' running means move, as in training.
std::unique_ptr<StepLoops> MakeStepLoops(TorchNetwork& network, c10::Device device, int64_t batch, double momentum);
/// With a network of its own, of the seed's parameters.
std::unique_ptr<StepLoops> MakeStepLoops(const Architecture& architecture, c10::Device device,
                                         const StepLoopOptions& options);

}  // namespace heliograd
