// Answers torch_backend.h with PyTorch. Nothing thrown leaves it.
#pragma once

#include "heliograd/profile/torch_backend.h"

namespace heliograd {

/// The one object, which lives until the program ends.
TorchBackend& TorchBackendHere();

}  // namespace heliograd
