// Work repeated back to back with short random pauses, as `LayerLoops` and `StepLoops` promise it.
//
// Only for files of the torch part.
#pragma once

#include <torch/torch.h>

#include <functional>

#include "heliograd/profile/training.h"

namespace heliograd {

/// Until all work handed out to the device is done; on the CPU it is.
void WaitForDevice(c10::Device device);

/// Runs of 50 to 250 ms, one repetition at least, with pauses of 0 to 10 ms between them, until the time is over.
Result<void> RunBackToBack(const std::function<void()>& repetition, c10::Device device, const LoopOptions& options);

}  // namespace heliograd
