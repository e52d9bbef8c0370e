// Host time of PyTorch's operators in training, as they run: which operator takes how much of forward and of backward.
//
// On the CPU that is the time of the work; on CUDA it is the time that handing the work out takes.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <vector>

#include "heliograd/profile/training.h"

namespace heliograd {

/// Runs `work` and adds up the time of outermost operators on all threads, those of autograd apart; most time first.
/// Exceptions of `work` pass.
std::vector<OperatorTime> TimeOperators(const std::function<void()>& work);

}  // namespace heliograd
