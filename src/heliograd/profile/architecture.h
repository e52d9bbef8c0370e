// A neural network as shapes: its layers in the order in which they run, without weights.
//
// In: the network's family, the image's channels, the number of classes. Out: a list of layers that counting
// (mac_count.h) and the optional PyTorch part read alike. May not know: PyTorch, devices, data, energy.
//
// The dotted names ("features.0", "layer1.0.conv1") are the tree: they name modules and parameters as a PyTorch state
// dict does. Images are 224 x 224. All functions here are pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace heliograd {

/// Sizes of one sample, without the batch: {channels, height, width}, {tokens, features} or {features}.
using Shape = std::vector<int64_t>;

int64_t Elements(const Shape& shape);
/// "64x55x55".
std::string ShapeText(const Shape& shape);

/// Square kernels, the same stride and padding in both directions, no dilation, no groups.
struct Convolution {
  int64_t in_channels = 0, out_channels = 0, kernel = 1, stride = 1, padding = 0;
  bool bias = true;
};
/// Works on the last dimension.
struct Linear {
  int64_t in_features = 0, out_features = 0;
};
struct BatchNorm {
  int64_t channels = 0;
  double epsilon = 1e-5;
};
struct LayerNorm {
  int64_t features = 0;
};
struct Relu {};
struct Gelu {};
struct MaxPool {
  int64_t kernel = 2, stride = 2, padding = 0;
  bool ceil_mode = false;  // the last window may reach over the edge
};
struct AdaptiveAveragePool {
  int64_t size = 1;  // of the result, in both directions
};
struct Dropout {
  double probability = 0.5;
};
struct Flatten {};
/// Patches {features, h, w} -> {h w + 1, features}: a learned token in front, a learned position added to each. Its
/// parameters are `cls` {1, 1, features} and `pos` {1, h w + 1, features} of the network itself.
struct TokensAndPositions {
  int64_t tokens = 0, features = 0;  // with the learned token
};
/// {tokens, 3 heads head_features} (queries, keys, values side by side) -> {heads, tokens, tokens}: products of queries
/// and keys, divided by the root of head_features.
struct AttentionScores {
  int64_t heads = 1, head_features = 1;
};
/// Over the last dimension.
struct Softmax {};
/// Inputs: the weights {heads, tokens, tokens} and what AttentionScores read -> {tokens, heads head_features}.
struct AttentionValues {
  int64_t heads = 1, head_features = 1;
};
/// Sum of two inputs.
struct Add {};
/// Inputs side by side along the channels.
struct Concatenate {};
/// {tokens, features} -> {features} of the first token.
struct FirstToken {};

using Operation =
    std::variant<Convolution, Linear, BatchNorm, LayerNorm, Relu, Gelu, MaxPool, AdaptiveAveragePool, Dropout, Flatten,
                 TokensAndPositions, AttentionScores, Softmax, AttentionValues, Add, Concatenate, FirstToken>;

/// How the network's PyTorch definition calls a layer. Counters that watch modules, functions or both differ by it.
enum class CalledAs { kModule, kFunction, kOperator };

struct Layer {
  std::string name;
  Operation operation;
  std::vector<int> inputs;  // earlier layers; kImage: the network's input
  Shape output;
  CalledAs called_as = CalledAs::kModule;
  bool in_place = false;       // its result takes the place of its first input
  bool only_training = false;  // part of an auxiliary head, which runs in training alone
};

inline constexpr int kImage = -1;

/// A layer's parameter (or buffer), named below the layer: "weight", "bias".
struct Parameter {
  std::string name;
  Shape shape;
};

struct Architecture {
  std::string name;
  Shape image;
  std::vector<Layer> layers;
  int result = 0;              // the layer whose output are the class scores
  std::vector<int> auxiliary;  // layers whose outputs are class scores of auxiliary heads, first to last

  const Shape& OutputOf(int layer) const { return layer == kImage ? image : layers[static_cast<size_t>(layer)].output; }
};

/// "Conv2d", "Linear": the name of PyTorch's module, or of the function where there is none.
std::string_view KindName(const Operation& operation);
/// What training changes, in PyTorch's order.
std::vector<Parameter> ParametersOf(const Layer& layer);
/// The parameter's full name in a state dict: "features.0.weight"; "cls" and "pos" stand alone.
std::string FullName(const Layer& layer, const Parameter& parameter);

}  // namespace heliograd
