#include "heliograd/profile/torch/network.h"

#include <cmath>
#include <memory>
#include <utility>

namespace heliograd {
namespace {

using torch::Tensor;
namespace nn = torch::nn;
namespace functional = torch::nn::functional;

/// The module at a dotted path below `root`, made where it is missing: "layer1.0" is "0" in "layer1".
nn::Module& ContainerAt(nn::Module& root, const std::string& path) {
  if (path.empty()) return root;
  const size_t dot = path.rfind('.');
  nn::Module& parent = ContainerAt(root, dot == std::string::npos ? "" : path.substr(0, dot));
  const std::string name = dot == std::string::npos ? path : path.substr(dot + 1);
  const auto children = parent.named_children();
  if (const auto* child = children.find(name)) return **child;
  return *parent.register_module(name, std::make_shared<nn::Module>());
}

template <typename Holder>
Holder Register(nn::Module& root, const std::string& path, Holder module) {
  const size_t dot = path.rfind('.');
  nn::Module& parent = ContainerAt(root, dot == std::string::npos ? "" : path.substr(0, dot));
  parent.register_module(dot == std::string::npos ? path : path.substr(dot + 1), module);
  return module;
}

/// {batch, tokens, 3 heads features} -> {3, batch, heads, tokens, features}: queries, keys, values. A view.
Tensor SplitHeads(const Tensor& queries_keys_values, int64_t heads, int64_t features) {
  const int64_t batch = queries_keys_values.size(0), tokens = queries_keys_values.size(1);
  return queries_keys_values.reshape({batch, tokens, 3, heads, features}).permute({2, 0, 3, 1, 4});
}

std::vector<size_t> LastUses(const Architecture& network) {
  std::vector<size_t> last(network.layers.size());
  for (size_t i = 0; i < network.layers.size(); ++i) {
    last[i] = i;
    for (const int input : network.layers[i].inputs) {
      if (input != kImage) last[static_cast<size_t>(input)] = i;
    }
  }
  const auto keep = [&](int layer) { last[static_cast<size_t>(layer)] = network.layers.size(); };
  keep(network.result);
  for (const int layer : network.auxiliary) keep(layer);
  return last;
}

}  // namespace

/// What runs a layer: one function per operation. Modules with parameters are registered below the network.
struct StepOf {
  using Inputs = TorchNetwork::Inputs;
  using Step = TorchNetwork::Step;

  TorchNetwork& network;
  const Layer& layer;

  Step operator()(const Convolution& c) const {
    auto module = Register(network, layer.name,
                           nn::Conv2d(nn::Conv2dOptions(c.in_channels, c.out_channels, c.kernel)
                                          .stride(c.stride)
                                          .padding(c.padding)
                                          .bias(c.bias)));
    return [module](const Inputs& x) mutable { return module->forward(x[0]); };
  }
  Step operator()(const Linear& l) const {
    auto module = Register(network, layer.name, nn::Linear(l.in_features, l.out_features));
    // As Python does it: the module's own forward adds the bias by itself when there are tokens.
    return [module](const Inputs& x) { return torch::linear(x[0], module->weight, module->bias); };
  }
  Step operator()(const BatchNorm& b) const {
    auto module = Register(network, layer.name, nn::BatchNorm2d(nn::BatchNorm2dOptions(b.channels).eps(b.epsilon)));
    return [module](const Inputs& x) mutable { return module->forward(x[0]); };
  }
  Step operator()(const LayerNorm& n) const {
    auto module = Register(network, layer.name, nn::LayerNorm(nn::LayerNormOptions({n.features})));
    return [module](const Inputs& x) mutable { return module->forward(x[0]); };
  }
  Step operator()(const Relu&) const {
    if (layer.in_place) return [](const Inputs& x) { return torch::relu_(const_cast<Tensor&>(x[0])); };
    return [](const Inputs& x) { return torch::relu(x[0]); };
  }
  Step operator()(const Gelu&) const {
    return [](const Inputs& x) { return functional::gelu(x[0]); };
  }
  Step operator()(const MaxPool& pool) const {
    return [pool](const Inputs& x) {
      return torch::max_pool2d(x[0], pool.kernel, pool.stride, pool.padding, /*dilation=*/1, pool.ceil_mode);
    };
  }
  Step operator()(const AdaptiveAveragePool& pool) const {
    return [size = pool.size](const Inputs& x) { return torch::adaptive_avg_pool2d(x[0], {size, size}); };
  }
  Step operator()(const Dropout& dropout) const {
    return [this_network = &network, probability = dropout.probability](const Inputs& x) {
      return torch::dropout(x[0], probability, this_network->is_training());
    };
  }
  Step operator()(const Flatten&) const {
    return [](const Inputs& x) { return torch::flatten(x[0], 1); };
  }
  Step operator()(const TokensAndPositions& t) const {
    const Tensor token = network.register_parameter("cls", torch::zeros({1, 1, t.features}));
    const Tensor positions = network.register_parameter("pos", torch::zeros({1, t.tokens, t.features}));
    // Moving the network to a device changes these tensors' data, not the tensors.
    return [token, positions](const Inputs& x) {
      const Tensor patches = x[0].flatten(2).transpose(1, 2);
      return torch::cat({token.expand({patches.size(0), -1, -1}), patches}, 1) + positions;
    };
  }
  Step operator()(const AttentionScores& s) const {
    return [s](const Inputs& x) {
      const Tensor split = SplitHeads(x[0], s.heads, s.head_features);
      return torch::matmul(split[0], split[1].transpose(-2, -1)) *
             (1 / std::sqrt(static_cast<double>(s.head_features)));
    };
  }
  Step operator()(const Softmax&) const {
    return [](const Inputs& x) { return torch::softmax(x[0], -1); };
  }
  Step operator()(const AttentionValues& v) const {
    return [v](const Inputs& x) {
      const Tensor values = SplitHeads(x[1], v.heads, v.head_features)[2];
      return torch::matmul(x[0], values).transpose(1, 2).flatten(2);
    };
  }
  Step operator()(const Add&) const {
    if (layer.in_place) return [](const Inputs& x) { return const_cast<Tensor&>(x[0]).add_(x[1]); };
    return [](const Inputs& x) { return x[0] + x[1]; };
  }
  Step operator()(const Concatenate&) const {
    return [](const Inputs& x) { return torch::cat(x, 1); };
  }
  Step operator()(const FirstToken&) const {
    return [](const Inputs& x) { return x[0].select(1, 0); };
  }
};

TorchNetwork::TorchNetwork(Architecture architecture)
    : torch::nn::Module(architecture.name), architecture_(std::move(architecture)), last_use_(LastUses(architecture_)) {
  steps_.reserve(architecture_.layers.size());
  for (const Layer& layer : architecture_.layers) {
    steps_.push_back(std::visit(StepOf{*this, layer}, layer.operation));
  }
}

TorchNetwork::Scores TorchNetwork::Forward(const torch::Tensor& images, LayerProbe* probe) {
  std::vector<Tensor> outputs(steps_.size());
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Layer& layer = architecture_.layers[i];
    if (layer.only_training && !is_training()) continue;
    if (probe != nullptr) probe->Before(layer, i);
    outputs[i] = Run(i, outputs, images);
    if (probe != nullptr) probe->After(layer, i, outputs[i]);
  }
  Scores scores{outputs[static_cast<size_t>(architecture_.result)], {}};
  for (const int layer : architecture_.auxiliary) {
    if (is_training()) scores.auxiliary.push_back(outputs[static_cast<size_t>(layer)]);
  }
  return scores;
}

/// Runs one layer and lets go of inputs that no later layer reads.
torch::Tensor TorchNetwork::Run(size_t index, std::vector<torch::Tensor>& outputs, const torch::Tensor& images) {
  Inputs inputs;
  for (const int input : architecture_.layers[index].inputs) {
    if (input == kImage) {
      inputs.push_back(images);
      continue;
    }
    Tensor& output = outputs[static_cast<size_t>(input)];
    inputs.push_back(output);
    if (last_use_[static_cast<size_t>(input)] == index) output.reset();
  }
  return steps_[index](inputs);
}

}  // namespace heliograd
