// The two functions by which the program finds what is in this library.
#include "heliograd/profile/torch/backend.h"

extern "C" {

__attribute__((visibility("default"))) int heliograd_torch_backend_version() { return heliograd::kTorchBackendVersion; }

__attribute__((visibility("default"))) heliograd::TorchBackend* heliograd_torch_backend() {
  return &heliograd::TorchBackendHere();
}
}
