// The shape of an ONNX operator's result from those of its inputs. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/profile/onnx_values.h"

namespace heliograd {

using OnnxInputs = std::vector<const OnnxValue*>;  // nullptr: left out

/// How an operator's elementwise work is counted (mac_count.h).
enum class OnnxWork {
  kUnknown,      // no operator that is known here
  kNone,         // moves elements
  kOnce,         // 1 per output element
  kTwice,        // 2 per output element: norms
  kInput,        // 1 per input element: pools and other reductions
  kConvolution,  // the others: MACs
  kProduct,
};

OnnxWork WorkOf(const std::string& operation);

/// Of every output, in order; the shapes of optional outputs may be missing. Fails with what does not fit, without
/// naming the node; "unknown" sizes are an error too, which the caller may answer with what the file states.
Result<std::vector<Shape>> InferShapes(const OnnxNode& node, const OnnxInputs& inputs);

}  // namespace heliograd
