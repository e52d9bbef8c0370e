// Counts MACs of whatever PyTorch runs, from the sizes that its operators are called with.
//
// Unlike profile/mac_count.h this knows nothing of the network: it watches the operators, so it serves files of unknown
// content, and as a check of the structural count.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/profile/torch_backend.h"

namespace heliograd {

/// Runs `forward` on this thread and counts its convolutions, linear layers and matrix products. A product with one of
/// `parameters` (or a view of one) counts as convolution_linear, one between activations as attention. Fails where an
/// operator ran whose products cannot be seen (fused recurrent layers, quantised ones), naming it.
Result<ForwardCount> CountOperators(const std::vector<torch::Tensor>& parameters, const std::function<void()>& forward);

}  // namespace heliograd
