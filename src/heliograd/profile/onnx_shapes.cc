#include "heliograd/profile/onnx_shapes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

namespace heliograd {
namespace {

const std::map<std::string_view, OnnxWork>& Works() {
  static const std::map<std::string_view, OnnxWork> works = [] {
    std::map<std::string_view, OnnxWork> map;
    const auto add = [&map](OnnxWork work, std::initializer_list<std::string_view> names) {
      for (const std::string_view name : names) map[name] = work;
    };
    add(OnnxWork::kNone, {"Identity",    "Cast",    "Dropout",         "Concat",   "Flatten", "Reshape",
                          "Transpose",   "Squeeze", "Unsqueeze",       "Slice",    "Gather",  "Split",
                          "Shape",       "Size",    "ConstantOfShape", "Constant", "Expand",  "Tile",
                          "Pad",         "Where",   "Equal",           "Greater",  "Less",    "GreaterOrEqual",
                          "LessOrEqual", "Not",     "IsNaN",           "IsInf",    "Xor",     "And",
                          "Or"});
    add(OnnxWork::kOnce,
        {"Relu", "LeakyRelu", "PRelu",    "Elu",  "Selu", "Celu", "Gelu",    "Sigmoid",    "HardSigmoid", "HardSwish",
         "Mish", "Swish",     "Softplus", "Tanh", "Erf",  "Clip", "Softmax", "LogSoftmax", "Sqrt",        "Exp",
         "Log",  "Neg",       "Abs",      "Sin",  "Cos",  "Sign", "Floor",   "Ceil",       "Round",       "Reciprocal",
         "Add",  "Sub",       "Mul",      "Div",  "Pow",  "Min",  "Max",     "Mean",       "Sum",         "Mod"});
    add(OnnxWork::kTwice, {"BatchNormalization", "LayerNormalization", "InstanceNormalization", "GroupNormalization",
                           "RMSNormalization"});
    add(OnnxWork::kInput, {"MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceSum",
                           "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2"});
    add(OnnxWork::kConvolution, {"Conv", "ConvTranspose"});
    add(OnnxWork::kProduct, {"Gemm", "MatMul"});
    return map;
  }();
  return works;
}

Result<Shape> Broadcasted(const OnnxInputs& inputs) {
  Shape shape;
  for (const OnnxValue* input : inputs) {
    if (input == nullptr) continue;
    const std::optional<Shape> wider = Broadcast(shape, *input->shape);
    if (!wider) return Fail(fmt::format("{} and {} do not fit together", ShapeText(shape), ShapeText(*input->shape)));
    shape = *wider;
  }
  return shape;
}

/// Counted from the end where negative; nothing where there is no such axis.
std::optional<size_t> Axis(int64_t axis, size_t dimensions) {
  const auto count = static_cast<int64_t>(dimensions);
  if (axis < -count || axis >= count) return std::nullopt;
  return static_cast<size_t>(axis < 0 ? axis + count : axis);
}

/// Follows the shapes of one node. Inputs' shapes are known.
class Inference {
 public:
  Inference(const OnnxNode& node, const OnnxInputs& inputs) : node_(node), inputs_(inputs) {}

  Result<std::vector<Shape>> Run() const {
    if (node_.operation == "Split") return Split();
    const Result<Shape> first = First();
    if (!first) return Fail(first.error());
    return std::vector<Shape>{*first};
  }

 private:
  Result<Shape> First() const {
    const std::string& operation = node_.operation;
    if (operation == "Constant") return Constant();
    if (Input(0) == nullptr) return Fail("its input is missing");
    if (operation == "ConstantOfShape") return SizesFrom(0);
    if (operation == "Conv" || operation == "ConvTranspose") return Convolved();
    if (operation == "MaxPool" || operation == "AveragePool") return Pooled();
    if (operation == "GlobalAveragePool" || operation == "GlobalMaxPool") return PooledToOne();
    if (operation.starts_with("Reduce")) return Reduced();
    if (operation == "Gemm") return Gemm();
    if (operation == "MatMul") return MatMul();
    if (operation == "Concat") return Concat();
    if (operation == "Flatten") return Flatten();
    if (operation == "Reshape") return Reshape();
    if (operation == "Transpose") return Transpose();
    if (operation == "Squeeze") return Squeeze();
    if (operation == "Unsqueeze") return Unsqueeze();
    if (operation == "Slice") return Slice();
    if (operation == "Gather") return Gather();
    if (operation == "Shape") return ShapeOfShape();
    if (operation == "Size") return Shape{};
    if (operation == "Expand") return Expand();
    if (operation == "Tile") return Tile();
    if (operation == "Pad") return Pad();
    static const std::set<std::string_view> kMeeting = {
        "Add",   "Sub",   "Mul",   "Div", "Pow", "Min",     "Max",  "Mean",           "Sum",
        "Mod",   "Where", "Equal", "And", "Or",  "Greater", "Less", "GreaterOrEqual", "LessOrEqual",
        "PRelu", "Xor"};
    if (kMeeting.contains(operation)) return Broadcasted(inputs_);
    return In(0);
  }

  const OnnxValue* Input(size_t index) const { return index < inputs_.size() ? inputs_[index] : nullptr; }
  const Shape& In(size_t index) const { return *Input(index)->shape; }

  /// Whole numbers of an input; an error where they are computed from what is not known.
  Result<std::vector<int64_t>> Integers(size_t index) const {
    if (Input(index) == nullptr) return Fail(fmt::format("its input {} is missing", index + 1));
    if (!Input(index)->integers) return Fail("its sizes are computed from values that are not known");
    return *Input(index)->integers;
  }

  /// As an attribute in old files, as an input in new ones; nothing where neither.
  Result<std::optional<std::vector<int64_t>>> AxesAt(size_t index) const {
    if (node_.attributes.contains("axes")) return node_.Integers("axes", {});
    if (Input(index) == nullptr) return std::nullopt;
    const auto axes = Integers(index);
    if (!axes) return Fail(axes.error());
    return *axes;
  }

  Result<Shape> SizesFrom(size_t index) const {
    const auto sizes = Integers(index);
    if (!sizes) return Fail(sizes.error());
    return *sizes;
  }

  Result<Shape> Constant() const {
    const auto value = node_.attributes.find("value");
    if (value != node_.attributes.end() && value->second.tensor) return value->second.tensor->shape;
    if (node_.attributes.contains("value_ints")) {
      return Shape{static_cast<int64_t>(node_.Integers("value_ints", {}).size())};
    }
    if (node_.attributes.contains("value_int") || node_.attributes.contains("value_float")) return Shape{};
    return Fail("a constant of this form is not read");
  }

  /// One direction of a window that moves over `size` elements.
  struct Window {
    int64_t kernel = 1, stride = 1, dilation = 1, pad_begin = 0, pad_end = 0;
    int64_t Reach() const { return dilation * (kernel - 1) + 1; }
  };

  Result<std::vector<Window>> Windows(const Shape& kernel) const {
    const size_t count = kernel.size();
    const auto strides = node_.Integers("strides", std::vector<int64_t>(count, 1));
    const auto dilations = node_.Integers("dilations", std::vector<int64_t>(count, 1));
    const auto pads = node_.Integers("pads", std::vector<int64_t>(2 * count, 0));
    if (strides.size() != count || dilations.size() != count || pads.size() != 2 * count) {
      return Fail("strides, dilations or pads are not as many as its kernel has directions");
    }
    std::vector<Window> windows(count);
    constexpr int64_t kMost = int64_t{1} << 24;
    for (size_t i = 0; i < count; ++i) {
      windows[i] = {kernel[i], strides[i], dilations[i], pads[i], pads[count + i]};
      const Window& w = windows[i];
      const bool sound = w.kernel >= 1 && w.kernel <= kMost && w.stride >= 1 && w.stride <= kMost && w.dilation >= 1 &&
                         w.dilation <= kMost && w.pad_begin >= 0 && w.pad_begin <= kMost && w.pad_end >= 0 &&
                         w.pad_end <= kMost;
      if (!sound) return Fail("kernel, stride, dilation or padding out of range");
    }
    return windows;
  }

  int64_t Moved(int64_t size, const Window& w, bool ceil) const {
    const std::string pad = node_.Text("auto_pad", "NOTSET");
    if (pad == "SAME_UPPER" || pad == "SAME_LOWER") return (size + w.stride - 1) / w.stride;
    const int64_t pads = pad == "VALID" ? 0 : w.pad_begin + w.pad_end;
    const int64_t room = size + pads - w.Reach() + (ceil ? w.stride - 1 : 0);
    if (room < 0) return 0;
    int64_t count = room / w.stride + 1;
    // A window may not begin in the padding beyond the edge.
    if (ceil && (count - 1) * w.stride >= size + w.pad_begin) --count;
    return count;
  }

  /// An empty result would count as no work.
  Result<Shape> WithoutEmpty(const Shape& shape) const {
    if (std::any_of(shape.begin(), shape.end(), [](int64_t size) { return size < 1; })) {
      return Fail(fmt::format("its kernel is larger than its input {}", ShapeText(In(0))));
    }
    return shape;
  }

  Result<Shape> Convolved() const {
    if (Input(1) == nullptr || In(0).size() < 3 || In(1).size() != In(0).size()) {
      return Fail("expected an input {batch, channels, ...} and a weight of as many dimensions");
    }
    const Shape kernel(In(1).begin() + 2, In(1).end());
    const auto windows = Windows(kernel);
    if (!windows) return Fail(windows.error());
    const int64_t group = node_.Integer("group", 1);
    if (group < 1 || group > (1 << 24)) return Fail("group is out of range");
    const bool transposed = node_.operation == "ConvTranspose";
    const int64_t expected_channels = transposed ? In(1)[0] : In(1)[1] * group;
    if (In(0)[1] != expected_channels) {
      return Fail(fmt::format("its weight {} does not fit its input {}", ShapeText(In(1)), ShapeText(In(0))));
    }
    Shape shape = {In(0)[0], transposed ? In(1)[1] * group : In(1)[0]};
    const auto extra = node_.Integers("output_padding", std::vector<int64_t>(kernel.size(), 0));
    if (extra.size() != kernel.size()) return Fail("output_padding is not as long as its kernel");
    for (size_t i = 0; i < kernel.size(); ++i) {
      const Window& w = (*windows)[i];
      const int64_t size = In(0)[i + 2];
      shape.push_back(transposed ? (size - 1) * w.stride + w.Reach() + extra[i] % (1 << 24) - w.pad_begin - w.pad_end
                                 : Moved(size, w, false));
    }
    return WithoutEmpty(shape);
  }

  Result<Shape> Pooled() const {
    const std::vector<int64_t> kernel = node_.Integers("kernel_shape", {});
    if (kernel.empty() || In(0).size() != kernel.size() + 2) return Fail("its kernel does not fit its input");
    const auto windows = Windows(kernel);
    if (!windows) return Fail(windows.error());
    Shape shape = {In(0)[0], In(0)[1]};
    const bool ceil = node_.Integer("ceil_mode", 0) != 0;
    for (size_t i = 0; i < kernel.size(); ++i) shape.push_back(Moved(In(0)[i + 2], (*windows)[i], ceil));
    return WithoutEmpty(shape);
  }

  Result<Shape> PooledToOne() const {
    Shape shape = In(0);
    for (size_t i = 2; i < shape.size(); ++i) shape[i] = 1;
    return shape;
  }

  Result<Shape> Reduced() const {
    const auto axes = AxesAt(1);
    if (!axes) return Fail(axes.error());
    const bool keep = node_.Integer("keepdims", 1) != 0;
    const bool none = !*axes || (*axes)->empty();
    if (none && node_.Integer("noop_with_empty_axes", 0) != 0) return In(0);
    std::set<size_t> reduced;
    for (size_t i = 0; none && i < In(0).size(); ++i) reduced.insert(i);
    for (size_t i = 0; !none && i < (*axes)->size(); ++i) {
      const auto axis = Axis((**axes)[i], In(0).size());
      if (!axis) return NoAxis((**axes)[i]);
      reduced.insert(*axis);
    }
    Shape shape;
    for (size_t i = 0; i < In(0).size(); ++i) {
      if (!reduced.contains(i)) shape.push_back(In(0)[i]);
      if (reduced.contains(i) && keep) shape.push_back(1);
    }
    return shape;
  }

  tl::unexpected<Error> NoAxis(int64_t axis) const {
    return Fail(fmt::format("its input {} has no axis {}", ShapeText(In(0)), axis));
  }

  Result<Shape> Gemm() const {
    if (Input(1) == nullptr || In(0).size() != 2 || In(1).size() != 2) return Fail("expected two matrices");
    const bool turn_a = node_.Integer("transA", 0) != 0, turn_b = node_.Integer("transB", 0) != 0;
    if (In(0)[turn_a ? 0 : 1] != In(1)[turn_b ? 1 : 0]) return DoNotMultiply();
    return Shape{In(0)[turn_a ? 1 : 0], In(1)[turn_b ? 0 : 1]};
  }

  Result<Shape> MatMul() const {
    if (Input(1) == nullptr || In(0).empty() || In(1).empty()) return Fail("expected two matrices");
    Shape a = In(0), b = In(1);
    const bool row = a.size() == 1, column = b.size() == 1;
    if (row) a.insert(a.begin(), 1);
    if (column) b.push_back(1);
    if (a.back() != b[b.size() - 2]) return DoNotMultiply();
    auto shape = Broadcast(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
    if (!shape) return DoNotMultiply();
    if (!row) shape->push_back(a[a.size() - 2]);
    if (!column) shape->push_back(b.back());
    return *shape;
  }

  tl::unexpected<Error> DoNotMultiply() const {
    return Fail(fmt::format("{} and {} do not multiply", ShapeText(In(0)), ShapeText(In(1))));
  }

  Result<Shape> Concat() const {
    const auto axis = Axis(node_.Integer("axis", 1), In(0).size());
    if (!axis) return NoAxis(node_.Integer("axis", 1));
    Shape shape = In(0);
    for (size_t i = 1; i < inputs_.size(); ++i) {
      if (Input(i) == nullptr || In(i).size() != shape.size()) return Fail("its inputs do not fit together");
      for (size_t d = 0; d < shape.size(); ++d) {
        if (d != *axis && shape[d] != In(i)[d]) return Fail("its inputs do not fit together");
      }
      shape[*axis] += In(i)[*axis];
    }
    return shape;
  }

  Result<Shape> Flatten() const {
    const int64_t given = node_.Integer("axis", 1);
    const auto axis = given == static_cast<int64_t>(In(0).size()) ? In(0).size() : Axis(given, In(0).size());
    if (!axis) return NoAxis(given);
    const auto middle = In(0).begin() + static_cast<std::ptrdiff_t>(*axis);
    return Shape{Elements(Shape(In(0).begin(), middle)), Elements(Shape(middle, In(0).end()))};
  }

  Result<Shape> Reshape() const {
    auto sizes = SizesFrom(1);
    if (!sizes) return sizes;
    int64_t known = 1, open = -1;
    for (size_t i = 0; i < sizes->size(); ++i) {
      int64_t& size = (*sizes)[i];
      if (size == 0 && node_.Integer("allowzero", 0) == 0) {
        if (i >= In(0).size()) return Fail("its sizes copy a dimension that is not there");
        size = In(0)[i];
      }
      if (size == -1 && open >= 0) return Fail("its sizes leave more than one dimension open");
      if (size == -1) {
        open = static_cast<int64_t>(i);
      } else if (size < 0 || __builtin_mul_overflow(known, size, &known)) {
        return Fail("its sizes are out of range");
      }
    }
    const int64_t elements = Elements(In(0));
    if (open >= 0 && known > 0) (*sizes)[static_cast<size_t>(open)] = elements / known;
    if (open >= 0 && known == 0) (*sizes)[static_cast<size_t>(open)] = 0;
    if (open >= 0 ? known != 0 && elements % known != 0 : known != elements) {
      return Fail(fmt::format("{} elements do not fill its sizes", elements));
    }
    return sizes;
  }

  Result<Shape> Transpose() const {
    std::vector<int64_t> order = node_.Integers("perm", {});
    if (order.empty()) {
      for (size_t i = In(0).size(); i > 0; --i) order.push_back(static_cast<int64_t>(i) - 1);
    }
    Shape shape;
    std::set<size_t> seen;
    for (const int64_t from : order) {
      const auto axis = Axis(from, In(0).size());
      if (!axis || !seen.insert(*axis).second) return NoAxis(from);
      shape.push_back(In(0)[*axis]);
    }
    if (shape.size() != In(0).size()) return Fail("its order names too few axes");
    return shape;
  }

  Result<Shape> Squeeze() const {
    const auto axes = AxesAt(1);
    if (!axes) return Fail(axes.error());
    std::set<size_t> gone;
    for (size_t i = 0; i < In(0).size(); ++i) {
      if (!*axes && In(0)[i] == 1) gone.insert(i);
    }
    for (const int64_t given : axes->value_or(std::vector<int64_t>())) {
      const auto axis = Axis(given, In(0).size());
      if (!axis || In(0)[*axis] != 1) return NoAxis(given);
      gone.insert(*axis);
    }
    Shape shape;
    for (size_t i = 0; i < In(0).size(); ++i) {
      if (!gone.contains(i)) shape.push_back(In(0)[i]);
    }
    return shape;
  }

  Result<Shape> Unsqueeze() const {
    const auto axes = AxesAt(1);
    if (!axes) return Fail(axes.error());
    if (!*axes) return Fail("its axes are missing");
    std::set<size_t> added;
    const size_t dimensions = In(0).size() + (*axes)->size();
    for (const int64_t given : **axes) {
      const auto axis = Axis(given, dimensions);
      if (!axis || !added.insert(*axis).second) return NoAxis(given);
    }
    Shape shape;
    size_t next = 0;
    for (size_t i = 0; i < dimensions; ++i) shape.push_back(added.contains(i) ? 1 : In(0)[next++]);
    return shape;
  }

  Result<Shape> Slice() const {
    const bool attributes = node_.attributes.contains("starts");
    auto starts = attributes ? node_.Integers("starts", {}) : Integers(1);
    auto ends = attributes ? node_.Integers("ends", {}) : Integers(2);
    if (!starts) return Fail(starts.error());
    if (!ends) return Fail(ends.error());
    std::vector<int64_t> axes, steps(starts->size(), 1);
    for (size_t i = 0; i < starts->size(); ++i) axes.push_back(static_cast<int64_t>(i));
    if (attributes) axes = node_.Integers("axes", axes);
    if (!attributes && Input(3) != nullptr) {
      const auto given = Integers(3);
      if (!given) return Fail(given.error());
      axes = *given;
    }
    if (!attributes && Input(4) != nullptr) {
      const auto given = Integers(4);
      if (!given) return Fail(given.error());
      steps = *given;
    }
    if (ends->size() != starts->size() || axes.size() != starts->size() || steps.size() != starts->size()) {
      return Fail("its starts, ends, axes and steps are not equally many");
    }
    Shape shape = In(0);
    for (size_t i = 0; i < axes.size(); ++i) {
      const auto axis = Axis(axes[i], shape.size());
      if (!axis) return NoAxis(axes[i]);
      shape[*axis] = SlicedSize(shape[*axis], (*starts)[i], (*ends)[i], steps[i]);
    }
    return shape;
  }

  static int64_t SlicedSize(int64_t size, int64_t start, int64_t end, int64_t step) {
    if (step == 0) return 0;
    const auto bound = [size](int64_t index, int64_t low, int64_t high) {
      return std::clamp(index < 0 ? index + size : index, low, high);
    };
    if (step > 0) {
      const int64_t begin = bound(start, 0, size), stop = bound(end, 0, size);
      return stop <= begin ? 0 : (stop - begin - 1) / step + 1;
    }
    const int64_t begin = bound(start, -1, size - 1), stop = end < -size ? -1 : bound(end, -1, size - 1);
    if (step < -size) step = -size - 1;
    return begin <= stop ? 0 : (begin - stop - 1) / -step + 1;
  }

  Result<Shape> Gather() const {
    const auto axis = Axis(node_.Integer("axis", 0), In(0).size());
    if (!axis || Input(1) == nullptr) return NoAxis(node_.Integer("axis", 0));
    Shape shape(In(0).begin(), In(0).begin() + static_cast<std::ptrdiff_t>(*axis));
    shape.insert(shape.end(), In(1).begin(), In(1).end());
    shape.insert(shape.end(), In(0).begin() + static_cast<std::ptrdiff_t>(*axis) + 1, In(0).end());
    return shape;
  }

  Result<Shape> ShapeOfShape() const {
    const auto size = static_cast<int64_t>(In(0).size());
    const auto bound = [size](int64_t index) { return std::clamp<int64_t>(index < 0 ? index + size : index, 0, size); };
    const int64_t begin = bound(node_.Integer("start", 0)), end = bound(node_.Integer("end", size));
    return Shape{std::max<int64_t>(0, end - begin)};
  }

  Result<Shape> Expand() const {
    const auto sizes = SizesFrom(1);
    if (!sizes) return sizes;
    const auto shape = Broadcast(In(0), *sizes);
    if (!shape) return Fail(fmt::format("{} does not widen to {}", ShapeText(In(0)), ShapeText(*sizes)));
    return *shape;
  }

  Result<Shape> Tile() const {
    const auto repeats = Integers(1);
    if (!repeats) return Fail(repeats.error());
    if (repeats->size() != In(0).size()) return Fail("its repeats are not as many as its dimensions");
    Shape shape = In(0);
    for (size_t i = 0; i < shape.size(); ++i) {
      if (__builtin_mul_overflow(shape[i], (*repeats)[i], &shape[i])) return Fail("its repeats are out of range");
    }
    return shape;
  }

  Result<Shape> Pad() const {
    const auto pads = node_.attributes.contains("pads") ? node_.Integers("pads", {}) : Integers(1);
    if (!pads) return Fail(pads.error());
    Shape shape = In(0);
    if (pads->size() != 2 * shape.size()) return Fail("its pads are not two for each dimension");
    for (size_t i = 0; i < shape.size(); ++i) {
      if (__builtin_add_overflow(shape[i], (*pads)[i], &shape[i]) ||
          __builtin_add_overflow(shape[i], (*pads)[shape.size() + i], &shape[i])) {
        return Fail("its pads are out of range");
      }
    }
    return shape;
  }

  Result<std::vector<Shape>> Split() const {
    if (Input(0) == nullptr) return Fail("its input is missing");
    const auto axis = Axis(node_.Integer("axis", 0), In(0).size());
    if (!axis) return NoAxis(node_.Integer("axis", 0));
    const auto count = static_cast<int64_t>(node_.outputs.size()), size = In(0)[*axis];
    std::vector<int64_t> parts = node_.Integers("split", {});
    if (parts.empty() && Input(1) != nullptr) {
      const auto given = Integers(1);
      if (!given) return Fail(given.error());
      parts = *given;
    }
    if (parts.empty() && count > 0) {
      const int64_t each = (size + count - 1) / count;
      for (int64_t i = 0; i < count; ++i) parts.push_back(std::clamp<int64_t>(size - i * each, 0, each));
    }
    if (static_cast<int64_t>(parts.size()) != count) return Fail("its parts are not as many as its outputs");
    std::vector<Shape> shapes;
    for (const int64_t part : parts) {
      shapes.push_back(In(0));
      shapes.back()[*axis] = part;
    }
    return shapes;
  }

  const OnnxNode& node_;
  const OnnxInputs& inputs_;
};

}  // namespace

OnnxWork WorkOf(const std::string& operation) {
  const auto found = Works().find(operation);
  return found == Works().end() ? OnnxWork::kUnknown : found->second;
}

Result<std::vector<Shape>> InferShapes(const OnnxNode& node, const OnnxInputs& inputs) {
  return Inference(node, inputs).Run();
}

}  // namespace heliograd
