#include "heliograd/profile/onnx_count.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "heliograd/base/text.h"
#include "heliograd/profile/onnx_model.h"
#include "heliograd/profile/onnx_shapes.h"

namespace heliograd {
namespace {

constexpr int64_t kMostElements = int64_t{1} << 36;  // of one tensor
constexpr int64_t kMostMacs = int64_t{1} << 45;      // of one node: half a minute of the fastest GPU there is
constexpr size_t kMostNodes = 100'000;               // so that sums cannot overflow

bool Sound(const Shape& shape) {
  int64_t elements = 1;
  for (const int64_t size : shape) {
    if (size < 0 || size > kMostElements || __builtin_mul_overflow(elements, size, &elements)) return false;
    if (elements > kMostElements) return false;
  }
  return shape.size() <= 16;
}

class Counter {
 public:
  Counter(const OnnxModel& model, std::string name) : model_(model), name_(std::move(name)) {}

  Result<FileCount> Count(const Shape& input) {
    if (model_.nodes.size() > kMostNodes) return Fail(fmt::format("{}: more than {} nodes", name_, kMostNodes));
    TakeInitializers();
    if (auto taken = TakeInputs(input); !taken) return Fail(taken.error());
    for (const OnnxNode& node : model_.nodes) {
      if (auto done = Take(node); !done) return Fail(done.error());
    }
    return std::move(count_);
  }

 private:
  void TakeInitializers() {
    for (const auto& [name, tensor] : model_.initializers) {
      values_[name] = {Sound(tensor.shape) ? std::optional(tensor.shape) : std::nullopt, tensor.integers, true};
      if (Sound(tensor.shape) && !tensor.integers && !tensor.shape.empty()) {
        count_.parameters += std::min(Elements(tensor.shape), kMostElements);
      }
    }
  }

  Result<void> TakeInputs(const Shape& given) {
    if (model_.inputs.empty()) return Fail(fmt::format("{}: the network has no input", name_));
    for (size_t i = 0; i < model_.inputs.size(); ++i) {
      const auto& [name, stated] = model_.inputs[i];
      Shape shape = stated;
      if (!shape.empty() && shape[0] == kOpenDimension) shape[0] = 1;
      if (i == 0 && !given.empty()) {
        if (!stated.empty() && !Fits(given, stated)) {
          return Fail(
              fmt::format("{}: its input {} is {}, not {}", name_, Quoted(name), StatedText(stated), ShapeText(given)),
              ErrorKind::kUsage);
        }
        shape = given;
      }
      const bool open = std::find(shape.begin(), shape.end(), kOpenDimension) != shape.end();
      if (open || !Sound(shape)) {
        return Fail(fmt::format("{}: its input {} has sizes that the file leaves open ({}): give them (--input)", name_,
                                Quoted(name), StatedText(stated)),
                    ErrorKind::kUsage);
      }
      if (i == 0) count_.input = shape;
      values_[name] = {shape, std::nullopt, false};
    }
    return {};
  }

  static bool Fits(const Shape& given, const Shape& stated) {
    if (given.size() != stated.size()) return false;
    for (size_t i = 0; i < given.size(); ++i) {
      if (stated[i] != kOpenDimension && stated[i] != given[i]) return false;
    }
    return true;
  }

  static std::string StatedText(const Shape& shape) {
    std::vector<std::string> sizes;
    for (const int64_t size : shape) sizes.push_back(size == kOpenDimension ? "?" : fmt::format("{}", size));
    return fmt::format("{}", fmt::join(sizes, "x"));
  }

  tl::unexpected<Error> FailAt(const OnnxNode& node, const std::string& what) const {
    return Fail(fmt::format("{}: node {} ({}): {}", name_, Quoted(node.Label()), Quoted(node.operation), what));
  }

  Result<void> Take(const OnnxNode& node) {
    const OnnxWork work = WorkOf(node.operation);
    if (work == OnnxWork::kUnknown || !(node.domain.empty() || node.domain == "ai.onnx")) {
      return FailAt(node,
                    "this operator is not counted here; export the network from its framework's own operators "
                    "(TorchScript files count every operator that runs)");
    }
    OnnxInputs inputs;
    for (const std::string& input : node.inputs) {
      const auto found = values_.find(input);
      if (!input.empty() && found == values_.end()) return FailAt(node, "no node before it makes " + Quoted(input));
      inputs.push_back(input.empty() ? nullptr : &found->second);
      if (!input.empty() && !found->second.shape)
        return FailAt(node, "the shape of " + Quoted(input) + " is not known");
    }
    const Result<std::vector<Shape>> shapes = ShapesOf(node, inputs);
    if (!shapes) return Fail(shapes.error());
    const MacCount macs = MacsOf(node, work, inputs, shapes->front());
    if (macs.convolution_linear > kMostMacs || macs.attention > kMostMacs)
      return FailAt(node, "more work than is real");
    count_.macs += macs;
    if (!node.outputs.empty()) count_.layers.push_back({node.Label(), node.operation, shapes->front(), macs});
    StoreOutputs(node, work, inputs, *shapes);
    return {};
  }

  /// Inferred; else what the file states.
  Result<std::vector<Shape>> ShapesOf(const OnnxNode& node, const OnnxInputs& inputs) const {
    Result<std::vector<Shape>> shapes = InferShapes(node, inputs);
    if (!shapes) {
      std::vector<Shape> stated;
      for (const std::string& output : node.outputs) {
        const auto found = model_.stated.find(output);
        if (found == model_.stated.end()) break;
        stated.push_back(found->second);
      }
      if (stated.empty()) return FailAt(node, shapes.error().Message());
      shapes = std::move(stated);
    }
    if (shapes->empty()) return FailAt(node, "it has no output");
    for (const Shape& shape : *shapes) {
      if (!Sound(shape)) return FailAt(node, "its output's sizes are out of range");
    }
    return shapes;
  }

  void StoreOutputs(const OnnxNode& node, OnnxWork work, const OnnxInputs& inputs, const std::vector<Shape>& shapes) {
    const bool constant = std::all_of(inputs.begin(), inputs.end(),
                                      [](const OnnxValue* input) { return input == nullptr || input->constant; });
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      OnnxValue value;
      value.constant = constant;
      if (i < shapes.size()) value.shape = shapes[i];
      if (i == 0) value.integers = EvaluateIntegers(node, inputs, shapes[0]);
      value.product = work == OnnxWork::kProduct && i == 0 && IsLinear(inputs);
      values_[node.outputs[i]] = std::move(value);
    }
  }

  static bool IsLinear(const OnnxInputs& inputs) {
    return inputs.size() > 1 && inputs[0] != nullptr && inputs[1] != nullptr &&
           (inputs[0]->constant || inputs[1]->constant);
  }

  static MacCount MacsOf(const OnnxNode& node, OnnxWork work, const OnnxInputs& inputs, const Shape& output) {
    const int64_t elements = Elements(output);
    switch (work) {
      case OnnxWork::kConvolution:
        return Convolution(node, inputs, elements);
      case OnnxWork::kProduct:
        return Product(node, inputs, elements);
      case OnnxWork::kOnce:
        if (IsBias(node, inputs, output)) return {.bias = elements};
        return IsConstant(inputs) ? MacCount{} : MacCount{.elementwise = elements};
      case OnnxWork::kTwice:
        return {.elementwise = 2 * elements};
      case OnnxWork::kInput:
        return IsConstant(inputs) ? MacCount{} : MacCount{.elementwise = Elements(*inputs[0]->shape)};
      default:
        return {};
    }
  }

  /// Work on sizes and weights alone is done once, not per image; so is what computes with whole numbers.
  static bool IsConstant(const OnnxInputs& inputs) {
    return std::all_of(inputs.begin(), inputs.end(), [](const OnnxValue* input) {
      return input == nullptr || input->constant || input->integers.has_value();
    });
  }

  /// The addition of a list of constants to a product with constants.
  static bool IsBias(const OnnxNode& node, const OnnxInputs& inputs, const Shape& output) {
    if (node.operation != "Add" || inputs.size() != 2 || inputs[0] == nullptr || inputs[1] == nullptr) return false;
    const auto is_pair = [&](const OnnxValue& product, const OnnxValue& list) {
      return product.product && list.constant && list.shape->size() == 1 && !output.empty() &&
             list.shape->front() == output.back() && *product.shape == output;
    };
    return is_pair(*inputs[0], *inputs[1]) || is_pair(*inputs[1], *inputs[0]);
  }

  /// Saturates above what is refused.
  static int64_t Times(int64_t a, int64_t b) {
    int64_t product = 0;
    return __builtin_mul_overflow(a, b, &product) || product > kMostMacs ? kMostMacs + 1 : product;
  }

  static MacCount Convolution(const OnnxNode& node, const OnnxInputs& inputs, int64_t elements) {
    if (inputs.size() < 2 || inputs[1] == nullptr) return {};
    // Each output element (transposed: input element) meets one filter: all of the weight but its first dimension.
    const Shape& weight = *inputs[1]->shape;
    const int64_t filter = Elements(Shape(weight.begin() + (weight.empty() ? 0 : 1), weight.end()));
    const int64_t meeting = node.operation == "ConvTranspose" ? Elements(*inputs[0]->shape) : elements;
    const bool bias = inputs.size() > 2 && inputs[2] != nullptr;
    return {.convolution_linear = Times(meeting, filter), .bias = bias ? elements : 0};
  }

  static MacCount Product(const OnnxNode& node, const OnnxInputs& inputs, int64_t elements) {
    if (inputs.empty() || inputs[0] == nullptr || inputs[0]->shape->empty()) return {};
    const Shape& a = *inputs[0]->shape;
    const bool turned = node.operation == "Gemm" && node.Integer("transA", 0) != 0;
    const int64_t macs = Times(elements, turned ? a.front() : a.back());
    const bool bias = inputs.size() > 2 && inputs[2] != nullptr;
    MacCount count{.bias = bias ? elements : 0};
    (IsLinear(inputs) ? count.convolution_linear : count.attention) = macs;
    return count;
  }

  const OnnxModel& model_;
  std::string name_;
  std::map<std::string, OnnxValue> values_;
  FileCount count_;
};

/// A file's bytes in memory as long as this lives, read as they are looked at: weights never are.
class MappedFile {
 public:
  static Result<MappedFile> Open(const std::string& path) {
    const auto fail = [&] { return Fail(fmt::format("{}: {}", path, std::strerror(errno))); };
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return fail();
    struct stat status {};
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
      close(file);
      return Fail(fmt::format("{}: this is no file: expected an ONNX model", path));
    }
    MappedFile mapped;
    mapped.size_ = static_cast<size_t>(status.st_size);
    if (mapped.size_ > 0) mapped.bytes_ = mmap(nullptr, mapped.size_, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (mapped.bytes_ == MAP_FAILED) return fail();
    return mapped;
  }
  MappedFile(MappedFile&& other) noexcept
      : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile() {
    if (bytes_ != nullptr && bytes_ != MAP_FAILED) munmap(bytes_, size_);
  }
  std::string_view Bytes() const { return {static_cast<const char*>(bytes_), size_}; }

 private:
  MappedFile() = default;
  void* bytes_ = nullptr;
  size_t size_ = 0;
};

}  // namespace

Result<FileCount> CountOnnx(std::string_view bytes, const std::string& name, const Shape& input) {
  const Result<OnnxModel> model = ParseOnnx(bytes, name);
  if (!model) return Fail(model.error());
  return Counter(*model, name).Count(input);
}

Result<FileCount> CountOnnxFile(const std::string& path, const Shape& input) {
  const Result<MappedFile> file = MappedFile::Open(path);
  if (!file) return Fail(file.error());
  return CountOnnx(file->Bytes(), path, input);
}

}  // namespace heliograd
