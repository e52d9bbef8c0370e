// The training loop of training.h on a network of PyTorch. Only for files of the torch part.
#pragma once

#include <torch/torch.h>

#include "heliograd/profile/torch/network.h"
#include "heliograd/profile/training.h"

namespace heliograd {

/// Cross entropy of the scores, auxiliary heads included.
torch::Tensor TrainingLoss(const TorchNetwork::Scores& scores, const torch::Tensor& labels);

/// Trains until the options say so; the network is on the device and in training mode. Errors: those of `next_batch`.
/// PyTorch's own are exceptions.
Result<TrainingOutcome> RunTraining(TorchNetwork& network, c10::Device device, const TrainingOptions& options);

}  // namespace heliograd
