#include "heliograd/profile/mac_count.h"

namespace heliograd {
namespace {

int64_t InputElements(const Architecture& network, const Layer& layer) {
  int64_t sum = 0;
  for (const int input : layer.inputs) sum += Elements(network.OutputOf(input));
  return sum;
}

struct Macs {
  int64_t in, out;  // elements

  MacCount operator()(const Convolution& c) const {
    return {.convolution_linear = out * c.in_channels * c.kernel * c.kernel, .bias = c.bias ? out : 0};
  }
  MacCount operator()(const Linear& l) const { return {.convolution_linear = out * l.in_features, .bias = out}; }
  MacCount operator()(const AttentionScores& s) const {
    return {.attention = out * s.head_features, .elementwise = out};
  }
  /// `in` holds the weights {heads, tokens, tokens} and the values' source {tokens, 3 heads head_features}.
  MacCount operator()(const AttentionValues& v) const {
    const int64_t tokens = out / (v.heads * v.head_features);
    return {.attention = out * tokens};
  }
  MacCount operator()(const BatchNorm&) const { return {.elementwise = 2 * out}; }
  MacCount operator()(const LayerNorm&) const { return {.elementwise = 2 * out}; }
  MacCount operator()(const Relu&) const { return {.elementwise = out}; }
  MacCount operator()(const Gelu&) const { return {.elementwise = out}; }
  MacCount operator()(const Softmax&) const { return {.elementwise = out}; }
  MacCount operator()(const Add&) const { return {.elementwise = out}; }
  MacCount operator()(const TokensAndPositions&) const { return {.elementwise = out}; }
  MacCount operator()(const MaxPool&) const { return {.elementwise = in}; }
  MacCount operator()(const AdaptiveAveragePool&) const { return {.elementwise = in}; }
  MacCount operator()(const Dropout&) const { return {}; }
  MacCount operator()(const Flatten&) const { return {}; }
  MacCount operator()(const Concatenate&) const { return {}; }
  MacCount operator()(const FirstToken&) const { return {}; }
};

/// What ptflops counts beside MACs and bias: `module` where it watches the module, `function` where it watches the
/// function that the module calls in turn.
struct PtflopsExtra {
  int64_t module = 0, function = 0;
};

struct ExtraOfPtflops {
  int64_t in, out;

  PtflopsExtra operator()(const BatchNorm&) const { return {2 * in, 0}; }
  PtflopsExtra operator()(const LayerNorm&) const { return {in, 0}; }
  PtflopsExtra operator()(const Relu&) const { return {out, out}; }
  PtflopsExtra operator()(const Gelu&) const { return {out, out}; }
  PtflopsExtra operator()(const Softmax&) const { return {out, out}; }
  PtflopsExtra operator()(const MaxPool&) const { return {in, in}; }
  PtflopsExtra operator()(const AdaptiveAveragePool&) const { return {in, in}; }
  template <typename NotCounted>
  PtflopsExtra operator()(const NotCounted&) const {
    return {};
  }
};

}  // namespace

MacCount& MacCount::operator+=(const MacCount& other) {
  convolution_linear += other.convolution_linear;
  attention += other.attention;
  bias += other.bias;
  elementwise += other.elementwise;
  return *this;
}

PtflopsCount& PtflopsCount::operator+=(const PtflopsCount& other) {
  pytorch += other.pytorch;
  without_functional += other.without_functional;
  aten += other.aten;
  return *this;
}

MacCount CountMacs(const Architecture& network, const Layer& layer) {
  return std::visit(Macs{InputElements(network, layer), Elements(layer.output)}, layer.operation);
}

PtflopsCount CountAsPtflops(const Architecture& network, const Layer& layer) {
  const MacCount macs = CountMacs(network, layer);
  const PtflopsExtra extra =
      std::visit(ExtraOfPtflops{InputElements(network, layer), Elements(layer.output)}, layer.operation);
  const int64_t by_module = layer.called_as == CalledAs::kModule ? extra.module : 0;
  const int64_t with_bias = macs.convolution_linear + macs.bias;
  return {with_bias + macs.attention + by_module + extra.function, with_bias + by_module, with_bias + macs.attention};
}

int64_t CountParameters(const Layer& layer) {
  int64_t sum = 0;
  for (const Parameter& parameter : ParametersOf(layer)) sum += Elements(parameter.shape);
  return sum;
}

int64_t EstimateForwardBytes(const Architecture& network, const Layer& layer, int64_t batch) {
  constexpr int64_t kBytesPerElement = 4;
  const int64_t elements = batch * (InputElements(network, layer) + Elements(layer.output)) + CountParameters(layer);
  const bool reads_twice = std::holds_alternative<BatchNorm>(layer.operation);
  return kBytesPerElement * elements * (reads_twice ? 3 : 2) / 2;
}

double EstimateForwardBytesPerImage(const Architecture& network, int64_t batch) {
  double bytes = 0;
  for (const Layer& layer : network.layers) bytes += static_cast<double>(EstimateForwardBytes(network, layer, batch));
  return bytes / static_cast<double>(batch);
}

NetworkCount CountNetwork(const Architecture& network) {
  NetworkCount count;
  count.layers.reserve(network.layers.size());
  for (const Layer& layer : network.layers) {
    const LayerCount one{&layer, CountMacs(network, layer), CountAsPtflops(network, layer), CountParameters(layer)};
    count.training_macs += one.macs;
    count.training_ptflops += one.ptflops;
    count.parameters += one.parameters;
    if (!layer.only_training) {
      count.macs += one.macs;
      count.ptflops += one.ptflops;
      count.parameters_without_auxiliary += one.parameters;
    }
    count.layers.push_back(one);
  }
  return count;
}

}  // namespace heliograd
