#include "heliograd/profile/torch/layer_loops.h"

#include <algorithm>
#include <functional>

#include "heliograd/profile/torch/back_to_back.h"

namespace heliograd {
namespace {

using torch::Tensor;

/// A layer in a loop gets the same input again and again, so it must not take its place.
Architecture WithoutPlaceTaking(Architecture architecture) {
  for (Layer& layer : architecture.layers) layer.in_place = false;
  return architecture;
}

bool IsView(const Operation& operation) {
  return std::holds_alternative<Flatten>(operation) || std::holds_alternative<FirstToken>(operation);
}

class Loops final : public LayerLoops {
 public:
  Loops(Architecture architecture, c10::Device device, int64_t batch)
      : network_(WithoutPlaceTaking(std::move(architecture))), device_(device), batch_(batch) {
    network_.to(device_);
    network_.train();
  }

  bool DoesWork(const LoopItem& item) const override {
    if (item.layer == kWholeNetwork) return true;
    const Layer& layer = LayerAt(item.layer);
    if (IsView(layer.operation)) return false;
    const bool reads_only_images =
        std::all_of(layer.inputs.begin(), layer.inputs.end(), [](int input) { return input == kImage; });
    return !item.backward || !reads_only_images || !ParametersOf(layer).empty();
  }

  Result<void> Loop(const LoopItem& item, const LoopOptions& options) override {
    torch::manual_seed(static_cast<uint64_t>(options.seed));
    return RunBackToBack(item.backward ? Backward(item) : Forward(item), device_, options);
  }

 private:
  const Layer& LayerAt(int index) const { return network_.architecture().layers[static_cast<size_t>(index)]; }

  Tensor RandomOf(const Shape& shape) const {
    std::vector<int64_t> sizes = shape;
    sizes.insert(sizes.begin(), batch_);
    return torch::rand(sizes, torch::TensorOptions().device(device_));
  }

  std::vector<Tensor> InputsOf(const Layer& layer, bool with_gradients) const {
    std::vector<Tensor> inputs;
    for (const int input : layer.inputs) {
      Tensor made = RandomOf(network_.architecture().OutputOf(input));
      // Nothing asks for the gradient of images.
      if (with_gradients && input != kImage) made.requires_grad_(true);
      inputs.push_back(std::move(made));
    }
    return inputs;
  }

  std::vector<Tensor> ParametersBelow(const Layer& layer) const {
    std::vector<Tensor> found;
    for (const auto& item : network_.named_parameters()) {
      for (const Parameter& parameter : ParametersOf(layer)) {
        if (FullName(layer, parameter) == item.key()) found.push_back(item.value());
      }
    }
    return found;
  }

  std::function<void()> Forward(const LoopItem& item) {
    if (item.layer == kWholeNetwork) {
      return [this, images = RandomOf(network_.architecture().image)] { network_.Forward(images); };
    }
    return [this, item, inputs = InputsOf(LayerAt(item.layer), /*with_gradients=*/true)] {
      network_.RunLayer(static_cast<size_t>(item.layer), inputs);
    };
  }

  /// One forward pass is kept, and its gradients are worked out again and again.
  std::function<void()> Backward(const LoopItem& item) {
    std::vector<Tensor> outputs, wanted;
    if (item.layer == kWholeNetwork) {
      const TorchNetwork::Scores scores = network_.Forward(RandomOf(network_.architecture().image));
      outputs = scores.auxiliary;
      outputs.insert(outputs.begin(), scores.classes);
      wanted = network_.parameters();
    } else {
      const Layer& layer = LayerAt(item.layer);
      const std::vector<Tensor> inputs = InputsOf(layer, /*with_gradients=*/true);
      outputs = {network_.RunLayer(static_cast<size_t>(item.layer), inputs)};
      wanted = ParametersBelow(layer);
      for (const Tensor& input : inputs) {
        if (input.requires_grad()) wanted.push_back(input);
      }
    }
    std::vector<Tensor> gradients;
    for (const Tensor& output : outputs) gradients.push_back(torch::rand_like(output));
    return [outputs, wanted, gradients] { torch::autograd::grad(outputs, wanted, gradients, /*retain_graph=*/true); };
  }

  TorchNetwork network_;
  const c10::Device device_;
  const int64_t batch_;
};

}  // namespace

std::unique_ptr<LayerLoops> MakeLayerLoops(Architecture architecture, c10::Device device, int64_t batch) {
  return std::make_unique<Loops>(std::move(architecture), device, batch);
}

}  // namespace heliograd
