// A network that runs: an architecture's layers as PyTorch modules.
//
// In: an architecture. Out: class scores of a batch, and a call around every layer. May not know: data, training,
// energy. Parameters and buffers bear the architecture's names and PyTorch's default initial values. Errors of PyTorch
// are exceptions here (c10::Error); plugin.cc turns them into sentences.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <string>
#include <vector>

#include "heliograd/profile/architecture.h"

namespace heliograd {

/// Called around every layer of a forward pass, on the thread that runs it. `index` counts the architecture's layers.
class LayerProbe {
 public:
  virtual ~LayerProbe() = default;
  virtual void Before(const Layer& layer, size_t index) = 0;
  virtual void After(const Layer& layer, size_t index, const torch::Tensor& output) = 0;
};

/// One thread at a time.
class TorchNetwork : public torch::nn::Module {
 public:
  explicit TorchNetwork(Architecture architecture);

  struct Scores {
    torch::Tensor classes;                 // {batch, classes}
    std::vector<torch::Tensor> auxiliary;  // the same of each auxiliary head; empty unless training
  };

  /// images: {batch, channels, 224, 224}. Auxiliary heads and dropout run while is_training().
  Scores Forward(const torch::Tensor& images, LayerProbe* probe = nullptr);

  /// One layer alone, on inputs of the shapes that it has in the network.
  torch::Tensor RunLayer(size_t index, const std::vector<torch::Tensor>& inputs) { return steps_[index](inputs); }

  const Architecture& architecture() const { return architecture_; }

 private:
  using Inputs = std::vector<torch::Tensor>;
  using Step = std::function<torch::Tensor(const Inputs&)>;

  friend struct StepOf;
  torch::Tensor Run(size_t index, std::vector<torch::Tensor>& outputs, const torch::Tensor& images);

  Architecture architecture_;
  std::vector<Step> steps_;
  std::vector<size_t> last_use_;  // of each layer's output: the layer that reads it last
};

}  // namespace heliograd
