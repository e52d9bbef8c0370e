#include "heliograd/profile/onnx_values.h"

#include <algorithm>
#include <functional>
#include <map>

namespace heliograd {
namespace {

using Integers = std::vector<int64_t>;
using Inputs = std::vector<const OnnxValue*>;

constexpr int64_t kMostIntegers = 1024;

bool Known(const Inputs& inputs, size_t index) {
  return index < inputs.size() && inputs[index] != nullptr && inputs[index]->integers.has_value();
}

/// Element by element; a single number meets every element.
std::optional<Integers> Combine(const Inputs& inputs, const std::function<int64_t(int64_t, int64_t)>& combine) {
  if (!Known(inputs, 0) || !Known(inputs, 1)) return std::nullopt;
  const Integers &a = *inputs[0]->integers, &b = *inputs[1]->integers;
  if (a.size() != b.size() && a.size() != 1 && b.size() != 1) return std::nullopt;
  if (a.empty() || b.empty()) return Integers();
  Integers result(std::max(a.size(), b.size()));
  for (size_t i = 0; i < result.size(); ++i) {
    result[i] = combine(a[a.size() == 1 ? 0 : i], b[b.size() == 1 ? 0 : i]);
  }
  return result;
}

// Sizes never come near the limits; what wraps in a malicious file is refused as a shape later.
int64_t Plus(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); }
int64_t Minus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
int64_t Times(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}
/// With the divisor's sign.
int64_t Remainder(int64_t a, int64_t b) {
  if (b == 0 || b == -1) return 0;
  const int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
int64_t Over(int64_t a, int64_t b) { return b == 0 || b == -1 ? Minus(0, a) : a / b; }

std::optional<Integers> Arithmetic(const std::string& operation, const Inputs& inputs) {
  if (operation == "Add") return Combine(inputs, Plus);
  if (operation == "Sub") return Combine(inputs, Minus);
  if (operation == "Mul") return Combine(inputs, Times);
  if (operation == "Div") return Combine(inputs, Over);
  if (operation == "Mod") return Combine(inputs, Remainder);
  if (operation == "Min") return Combine(inputs, [](int64_t a, int64_t b) { return std::min(a, b); });
  if (operation == "Max") return Combine(inputs, [](int64_t a, int64_t b) { return std::max(a, b); });
  if (operation == "Equal") return Combine(inputs, [](int64_t a, int64_t b) -> int64_t { return a == b; });
  if (operation == "Greater") return Combine(inputs, [](int64_t a, int64_t b) -> int64_t { return a > b; });
  if (operation == "Less") return Combine(inputs, [](int64_t a, int64_t b) -> int64_t { return a < b; });
  return std::nullopt;
}

std::optional<Integers> Choose(const Inputs& inputs) {
  if (!Known(inputs, 0) || !Known(inputs, 1) || !Known(inputs, 2)) return std::nullopt;
  const Integers &condition = *inputs[0]->integers, &yes = *inputs[1]->integers, &no = *inputs[2]->integers;
  if (condition.empty() || (yes.size() != condition.size() && yes.size() != 1) ||
      (no.size() != condition.size() && no.size() != 1)) {
    return std::nullopt;
  }
  Integers result(condition.size());
  for (size_t i = 0; i < result.size(); ++i) {
    result[i] = condition[i] != 0 ? yes[yes.size() == 1 ? 0 : i] : no[no.size() == 1 ? 0 : i];
  }
  return result;
}

/// Along the only axis of a list.
std::optional<Integers> Pick(const Inputs& inputs) {
  if (!Known(inputs, 0) || !Known(inputs, 1) || !inputs[0]->shape || inputs[0]->shape->size() != 1) return std::nullopt;
  const Integers& list = *inputs[0]->integers;
  const auto size = static_cast<int64_t>(list.size());
  Integers result;
  for (int64_t index : *inputs[1]->integers) {
    if (index < 0) index = Plus(index, size);
    if (index < 0 || index >= size) return std::nullopt;
    result.push_back(list[static_cast<size_t>(index)]);
  }
  return result;
}

std::optional<Integers> Join(const Inputs& inputs) {
  Integers result;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!Known(inputs, i)) return std::nullopt;
    result.insert(result.end(), inputs[i]->integers->begin(), inputs[i]->integers->end());
    if (result.size() > kMostIntegers) return std::nullopt;
  }
  return result;
}

/// The positions along an axis of `size` elements that a slice takes, as numpy's.
Integers SlicedPositions(int64_t size, int64_t start, int64_t end, int64_t step) {
  const auto bound = [size](int64_t index, int64_t low, int64_t high) {
    return std::clamp(index < 0 ? Plus(index, size) : index, low, high);
  };
  Integers positions;
  if (step > 0) {
    const int64_t begin = bound(start, 0, size), stop = bound(end, 0, size);
    for (int64_t i = begin; i < stop; i += std::min(step, size)) positions.push_back(i);
  } else if (step < 0) {
    const int64_t begin = bound(start, -1, size - 1), stop = end < -size ? -1 : bound(end, -1, size - 1);
    for (int64_t i = begin; i > stop; i += std::max(step, -size)) positions.push_back(i);
  }
  return positions;
}

/// The elements of a tensor at every combination of `positions`, one list for each axis; its axes are read in `order`.
Integers Collect(const OnnxValue& from, const std::vector<Integers>& positions, const std::vector<size_t>& order) {
  const Shape& shape = *from.shape;
  Integers strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  Integers offsets = {0};
  for (const size_t axis : order) {
    Integers further;
    for (const int64_t offset : offsets) {
      for (const int64_t position : positions[axis]) further.push_back(offset + position * strides[axis]);
    }
    offsets = std::move(further);
  }
  for (int64_t& offset : offsets) offset = (*from.integers)[static_cast<size_t>(offset)];
  return offsets;
}

std::vector<Integers> AllPositions(const Shape& shape) {
  std::vector<Integers> positions;
  for (const int64_t size : shape) positions.push_back(SlicedPositions(size, 0, size, 1));
  return positions;
}

/// Small whole-number tensors keep as many numbers as their shape says.
bool IsWhole(const Inputs& inputs, size_t index) {
  return Known(inputs, index) && inputs[index]->shape &&
         static_cast<int64_t>(inputs[index]->integers->size()) == Elements(*inputs[index]->shape);
}

std::optional<Integers> Cut(const Inputs& inputs) {
  if (!IsWhole(inputs, 0) || !Known(inputs, 1) || !Known(inputs, 2)) return std::nullopt;
  const Shape& shape = *inputs[0]->shape;
  const Integers &starts = *inputs[1]->integers, &ends = *inputs[2]->integers;
  Integers axes, steps(starts.size(), 1);
  for (size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  for (const size_t index : {size_t{3}, size_t{4}}) {
    if (index >= inputs.size() || inputs[index] == nullptr) continue;
    if (!Known(inputs, index)) return std::nullopt;
    (index == 3 ? axes : steps) = *inputs[index]->integers;
  }
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    return std::nullopt;
  std::vector<Integers> positions = AllPositions(shape);
  std::vector<size_t> order(shape.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto count = static_cast<int64_t>(shape.size());
    if (axes[i] < -count || axes[i] >= count) return std::nullopt;
    const auto axis = static_cast<size_t>(axes[i] < 0 ? axes[i] + count : axes[i]);
    positions[axis] = SlicedPositions(shape[axis], starts[i], ends[i], steps[i]);
  }
  return Collect(*inputs[0], positions, order);
}

/// The node's order has been checked when its shape was inferred.
std::optional<Integers> Turn(const OnnxNode& node, const Inputs& inputs) {
  if (!IsWhole(inputs, 0)) return std::nullopt;
  const Shape& shape = *inputs[0]->shape;
  std::vector<size_t> order;
  for (const int64_t axis : node.Integers("perm", {})) {
    order.push_back(static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(shape.size()) : axis));
  }
  for (size_t i = shape.size(); order.size() < shape.size() && i-- > 0;) order.push_back(i);
  for (const size_t axis : order) {
    if (axis >= shape.size()) return std::nullopt;
  }
  return Collect(*inputs[0], AllPositions(shape), order);
}

}  // namespace

std::optional<Shape> Broadcast(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()));
  for (size_t from_end = 1; from_end <= result.size(); ++from_end) {
    const int64_t in_a = from_end <= a.size() ? a[a.size() - from_end] : 1;
    const int64_t in_b = from_end <= b.size() ? b[b.size() - from_end] : 1;
    if (in_a != in_b && in_a != 1 && in_b != 1) return std::nullopt;
    result[result.size() - from_end] = in_a == 1 ? in_b : in_a;
  }
  return result;
}

std::optional<Integers> EvaluateIntegers(const OnnxNode& node, const Inputs& inputs, const Shape& output) {
  const std::string& operation = node.operation;
  std::optional<Integers> result;
  if (operation == "Shape" && !inputs.empty() && inputs[0] != nullptr && inputs[0]->shape) result = inputs[0]->shape;
  if (operation == "Shape" && (node.attributes.contains("start") || node.attributes.contains("end")))
    return std::nullopt;
  if (operation == "Constant" && node.attributes.contains("value") && node.attributes.at("value").tensor) {
    result = node.attributes.at("value").tensor->integers;
  }
  if (operation == "Constant" && node.attributes.contains("value_int")) result = {node.Integer("value_int", 0)};
  if (operation == "Constant" && node.attributes.contains("value_ints")) result = node.Integers("value_ints", {});
  if (operation == "ConstantOfShape" && Elements(output) <= kMostIntegers) {
    const auto value = node.attributes.find("value");
    const bool given = value != node.attributes.end() && value->second.tensor && value->second.tensor->integers &&
                       !value->second.tensor->integers->empty();
    if (given) result = Integers(static_cast<size_t>(Elements(output)), value->second.tensor->integers->front());
  }
  const bool keeps = operation == "Cast" || operation == "Identity" || operation == "Squeeze" ||
                     operation == "Unsqueeze" || operation == "Reshape" || operation == "Flatten";
  if (keeps && Known(inputs, 0)) result = inputs[0]->integers;
  if (operation == "Gather") result = Pick(inputs);
  if (operation == "Concat") result = Join(inputs);
  if (operation == "Slice") result = Cut(inputs);
  if (operation == "Transpose") result = Turn(node, inputs);
  if (operation == "Where") result = Choose(inputs);
  if (!result) result = Arithmetic(operation, inputs);
  // What is kept must be the whole of the value.
  if (result && static_cast<int64_t>(result->size()) != Elements(output)) return std::nullopt;
  return result;
}

}  // namespace heliograd
