#include "heliograd/profile/architecture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace heliograd {
namespace {

struct KindNames {
  std::string_view operator()(const Convolution&) const { return "Conv2d"; }
  std::string_view operator()(const Linear&) const { return "Linear"; }
  std::string_view operator()(const BatchNorm&) const { return "BatchNorm2d"; }
  std::string_view operator()(const LayerNorm&) const { return "LayerNorm"; }
  std::string_view operator()(const Relu&) const { return "ReLU"; }
  std::string_view operator()(const Gelu&) const { return "GELU"; }
  std::string_view operator()(const MaxPool&) const { return "MaxPool2d"; }
  std::string_view operator()(const AdaptiveAveragePool&) const { return "AdaptiveAvgPool2d"; }
  std::string_view operator()(const Dropout&) const { return "Dropout"; }
  std::string_view operator()(const Flatten&) const { return "flatten"; }
  std::string_view operator()(const TokensAndPositions&) const { return "tokens"; }
  std::string_view operator()(const AttentionScores&) const { return "attention scores"; }
  std::string_view operator()(const Softmax&) const { return "softmax"; }
  std::string_view operator()(const AttentionValues&) const { return "attention values"; }
  std::string_view operator()(const Add&) const { return "add"; }
  std::string_view operator()(const Concatenate&) const { return "concatenate"; }
  std::string_view operator()(const FirstToken&) const { return "first token"; }
};

struct Parameters {
  std::vector<Parameter> operator()(const Convolution& c) const {
    std::vector<Parameter> parameters = {{"weight", {c.out_channels, c.in_channels, c.kernel, c.kernel}}};
    if (c.bias) parameters.push_back({"bias", {c.out_channels}});
    return parameters;
  }
  std::vector<Parameter> operator()(const Linear& l) const {
    return {{"weight", {l.out_features, l.in_features}}, {"bias", {l.out_features}}};
  }
  std::vector<Parameter> operator()(const BatchNorm& b) const {
    return {{"weight", {b.channels}}, {"bias", {b.channels}}};
  }
  std::vector<Parameter> operator()(const LayerNorm& n) const {
    return {{"weight", {n.features}}, {"bias", {n.features}}};
  }
  std::vector<Parameter> operator()(const TokensAndPositions& t) const {
    return {{"cls", {1, 1, t.features}}, {"pos", {1, t.tokens, t.features}}};
  }
  template <typename WithoutParameters>
  std::vector<Parameter> operator()(const WithoutParameters&) const {
    return {};
  }
};

}  // namespace

int64_t Elements(const Shape& shape) {
  int64_t product = 1;
  for (const int64_t size : shape) product *= size;
  return product;
}

std::string ShapeText(const Shape& shape) { return fmt::format("{}", fmt::join(shape, "x")); }

std::string_view KindName(const Operation& operation) { return std::visit(KindNames{}, operation); }

std::vector<Parameter> ParametersOf(const Layer& layer) { return std::visit(Parameters{}, layer.operation); }

std::string FullName(const Layer& layer, const Parameter& parameter) {
  if (std::holds_alternative<TokensAndPositions>(layer.operation)) return parameter.name;
  return layer.name + "." + parameter.name;
}

}  // namespace heliograd
