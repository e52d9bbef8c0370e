// Values in an ONNX graph while shapes are followed, and arithmetic on small whole-number tensors, with which graphs
// compute sizes. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "heliograd/profile/onnx_model.h"

namespace heliograd {

struct OnnxValue {
  std::optional<Shape> shape;                    // unknown: nothing
  std::optional<std::vector<int64_t>> integers;  // where known
  bool constant = false;                         // follows from the file alone
  bool product = false;                          // a matrix product with a constant, to which a bias may be added
};

/// Numpy's broadcasting; nothing where the shapes do not fit.
std::optional<Shape> Broadcast(const Shape& a, const Shape& b);

/// The whole-number result of a node whose inputs are known, where it is one of the operators that compute sizes.
std::optional<std::vector<int64_t>> EvaluateIntegers(const OnnxNode& node, const std::vector<const OnnxValue*>& inputs,
                                                     const Shape& output);

}  // namespace heliograd
