// Layers alone in loops (training.h) with PyTorch. Only for files of the torch part.
#pragma once

#include <memory>

#include "heliograd/profile/torch/network.h"
#include "heliograd/profile/training.h"

namespace heliograd {

/// Random inputs of `batch` samples are made when a layer's turn comes. PyTorch's errors are exceptions, also from
/// Loop; the caller turns them into sentences.
std::unique_ptr<LayerLoops> MakeLayerLoops(Architecture architecture, c10::Device device, int64_t batch);

}  // namespace heliograd
