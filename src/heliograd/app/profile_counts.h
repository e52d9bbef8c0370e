// What networks compute, counted without training them: `heliograd profile --list`, `NETWORK --macs`, `--model FILE`.
#pragma once

#include <string>

#include "heliograd/base/result.h"
#include "heliograd/profile/networks.h"

namespace heliograd {

struct CountFlags {
  std::string network_name;
  std::string model_file, input;  // an ONNX or TorchScript file and its input's sizes, "1x3x224x224"
  NetworkOptions network;
  bool json = false;
};

/// Every network that is known by name. Prints; gives the exit code, as the next two.
Result<int> CountNetworks(const CountFlags& flags);
/// One of them, layer by layer.
Result<int> CountLayers(const CountFlags& flags);
/// A file's network. Errors: the file, or no PyTorch for a TorchScript file.
Result<int> CountFile(const CountFlags& flags);

}  // namespace heliograd
