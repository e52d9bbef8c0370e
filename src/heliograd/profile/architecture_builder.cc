#include "heliograd/profile/architecture_builder.h"

#include <cassert>
#include <utility>

namespace heliograd {
namespace {

constexpr int64_t kImageSize = 224;

int64_t ConvolvedSize(int64_t size, const Convolution& c) { return (size + 2 * c.padding - c.kernel) / c.stride + 1; }

int64_t PooledSize(int64_t size, const MaxPool& pool) {
  const int64_t room = size + 2 * pool.padding - pool.kernel;
  int64_t pooled = (pool.ceil_mode ? room + pool.stride - 1 : room) / pool.stride + 1;
  // A window may not begin in the padding beyond the edge.
  if (pool.ceil_mode && (pooled - 1) * pool.stride >= size + pool.padding) --pooled;
  return pooled;
}

}  // namespace

ArchitectureBuilder::ArchitectureBuilder(std::string name, int64_t channels) {
  architecture_.name = std::move(name);
  architecture_.image = {channels, kImageSize, kImageSize};
}

int ArchitectureBuilder::Append(Layer layer) {
  layer.only_training = only_training_;
  assert(Elements(layer.output) > 0);
  architecture_.layers.push_back(std::move(layer));
  return static_cast<int>(architecture_.layers.size()) - 1;
}

int ArchitectureBuilder::Convolve(const std::string& name, int input, Convolution convolution) {
  const Shape& in = architecture_.OutputOf(input);
  assert(in.size() == 3 && in[0] == convolution.in_channels);
  Shape out = {convolution.out_channels, ConvolvedSize(in[1], convolution), ConvolvedSize(in[2], convolution)};
  return Append({name, convolution, {input}, std::move(out)});
}

int ArchitectureBuilder::Connect(const std::string& name, int input, int64_t out_features) {
  Shape out = architecture_.OutputOf(input);
  const int64_t in_features = std::exchange(out.back(), out_features);
  return Append({name, Linear{in_features, out_features}, {input}, std::move(out)});
}

int ArchitectureBuilder::NormalizeBatch(const std::string& name, int input, double epsilon) {
  const Shape& in = architecture_.OutputOf(input);
  return Append({name, BatchNorm{in[0], epsilon}, {input}, in});
}

int ArchitectureBuilder::NormalizeLayer(const std::string& name, int input) {
  const Shape& in = architecture_.OutputOf(input);
  return Append({name, LayerNorm{in.back()}, {input}, in});
}

int ArchitectureBuilder::Rectify(const std::string& name, int input, CalledAs called_as) {
  return Append({name, Relu{}, {input}, architecture_.OutputOf(input), called_as, true});
}

int ArchitectureBuilder::ApplyGelu(const std::string& name, int input) {
  return Append({name, Gelu{}, {input}, architecture_.OutputOf(input)});
}

int ArchitectureBuilder::PoolMax(const std::string& name, int input, MaxPool pool) {
  const Shape& in = architecture_.OutputOf(input);
  assert(in.size() == 3);
  return Append({name, pool, {input}, {in[0], PooledSize(in[1], pool), PooledSize(in[2], pool)}});
}

int ArchitectureBuilder::PoolAverage(const std::string& name, int input, int64_t size, CalledAs called_as) {
  const Shape& in = architecture_.OutputOf(input);
  assert(in.size() == 3);
  return Append({name, AdaptiveAveragePool{size}, {input}, {in[0], size, size}, called_as});
}

int ArchitectureBuilder::Drop(const std::string& name, int input, double probability) {
  return Append({name, Dropout{probability}, {input}, architecture_.OutputOf(input)});
}

int ArchitectureBuilder::Flatten(const std::string& name, int input) {
  const int64_t elements = Elements(architecture_.OutputOf(input));
  return Append({name, heliograd::Flatten{}, {input}, {elements}, CalledAs::kFunction});
}

int ArchitectureBuilder::AddTokensAndPositions(const std::string& name, int input) {
  const Shape& in = architecture_.OutputOf(input);
  assert(in.size() == 3);
  const TokensAndPositions tokens{in[1] * in[2] + 1, in[0]};
  return Append({name, tokens, {input}, {tokens.tokens, tokens.features}, CalledAs::kOperator});
}

int ArchitectureBuilder::Attend(const std::string& name, int input, int64_t heads) {
  const Shape in = architecture_.OutputOf(input);
  assert(in.size() == 2 && in[1] % (3 * heads) == 0);
  const int64_t tokens = in[0], head_features = in[1] / 3 / heads;
  const Shape square = {heads, tokens, tokens};
  const int scores =
      Append({name + ".scores", AttentionScores{heads, head_features}, {input}, square, CalledAs::kFunction});
  const int weights = Append({name + ".softmax", Softmax{}, {scores}, square, CalledAs::kFunction});
  return Append({name + ".values",
                 AttentionValues{heads, head_features},
                 {weights, input},
                 {tokens, heads * head_features},
                 CalledAs::kFunction});
}

int ArchitectureBuilder::Sum(const std::string& name, int a, int b, bool in_place) {
  assert(architecture_.OutputOf(a) == architecture_.OutputOf(b));
  return Append({name, Add{}, {a, b}, architecture_.OutputOf(a), CalledAs::kOperator, in_place});
}

int ArchitectureBuilder::Join(const std::string& name, std::vector<int> inputs) {
  Shape out = architecture_.OutputOf(inputs.front());
  out[0] = 0;
  for (const int input : inputs) out[0] += architecture_.OutputOf(input)[0];
  return Append({name, Concatenate{}, std::move(inputs), std::move(out), CalledAs::kFunction});
}

int ArchitectureBuilder::TakeFirstToken(const std::string& name, int input) {
  return Append({name, FirstToken{}, {input}, {architecture_.OutputOf(input).back()}, CalledAs::kOperator});
}

Architecture ArchitectureBuilder::Finish(int result) {
  architecture_.result = result;
  return std::move(architecture_);
}

}  // namespace heliograd
