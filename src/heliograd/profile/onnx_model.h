// What an ONNX file says, as far as counting needs it: nodes, shapes, and small whole-number tensors. Weights are never
// read, only their shapes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/profile/architecture.h"

namespace heliograd {

/// A dimension that the file leaves open ("batch").
inline constexpr int64_t kOpenDimension = -1;

struct OnnxTensor {
  Shape shape;
  std::optional<std::vector<int64_t>> integers;  // of whole-number (and truth) tensors of at most 1024 elements
};

struct OnnxAttribute {
  int64_t integer = 0;
  std::string text;
  std::vector<int64_t> integers;
  std::optional<OnnxTensor> tensor;
  std::optional<float> number;
};

struct OnnxNode {
  std::string name, operation, domain;
  std::vector<std::string> inputs, outputs;  // an empty name: left out
  std::map<std::string, OnnxAttribute> attributes;

  /// Called by messages: its name, else that of its first output.
  std::string Label() const;
  int64_t Integer(const std::string& attribute, int64_t otherwise) const;
  std::vector<int64_t> Integers(const std::string& attribute, const std::vector<int64_t>& otherwise) const;
  std::string Text(const std::string& attribute, const std::string& otherwise) const;
};

struct OnnxModel {
  std::vector<OnnxNode> nodes;
  std::map<std::string, OnnxTensor> initializers;
  std::vector<std::pair<std::string, Shape>> inputs;  // without those that are initializers; open dimensions possible
  std::map<std::string, Shape> stated;                // shapes that the file states for values, all dimensions known
};

/// Parses the bytes of a file; `name` is for messages. Fails for what is no ONNX model, in one sentence.
Result<OnnxModel> ParseOnnx(std::string_view bytes, const std::string& name);

}  // namespace heliograd
