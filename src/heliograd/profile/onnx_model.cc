#include "heliograd/profile/onnx_model.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "heliograd/base/text.h"
#include "heliograd/profile/protobuf_cursor.h"

namespace heliograd {
namespace {

// Field numbers of onnx.proto (version 3 of the format; unchanged since 2017).
namespace model_field {
constexpr uint64_t kGraph = 7;
}
namespace graph_field {
constexpr uint64_t kNode = 1, kInitializer = 5, kInput = 11, kOutput = 12, kValueInfo = 13;
}
namespace node_field {
constexpr uint64_t kInput = 1, kOutput = 2, kName = 3, kOperation = 4, kAttribute = 5, kDomain = 7;
}
namespace attribute_field {
constexpr uint64_t kName = 1, kNumber = 2, kInteger = 3, kText = 4, kTensor = 5, kIntegers = 8;
}
namespace tensor_field {
constexpr uint64_t kDimensions = 1, kType = 2, kInt32 = 5, kInt64 = 7, kName = 8, kRaw = 9;
}
namespace tensor_type {
constexpr uint64_t kInt32 = 6, kInt64 = 7, kBool = 9;
}

constexpr int64_t kMostIntegers = 1024;
constexpr int64_t kLargestDimension = int64_t{1} << 31;
constexpr size_t kMostDimensions = 16;

/// Everything below reports malformed bytes through this one flag.
class Parser {
 public:
  std::optional<OnnxModel> Parse(std::string_view bytes) {
    std::optional<OnnxModel> model;
    Each(bytes, [&](const ProtobufField& field) {
      if (field.number == model_field::kGraph && field.is_bytes) model = Graph(field.bytes);
    });
    if (malformed_) return std::nullopt;
    return model;
  }

 private:
  template <typename Visit>
  void Each(std::string_view message, const Visit& visit) {
    ProtobufCursor cursor(message);
    ProtobufField field;
    while (!malformed_ && cursor.Next(field)) visit(field);
    malformed_ |= cursor.malformed();
  }

  /// A repeated whole-number field comes packed or one by one.
  void AppendIntegers(const ProtobufField& field, std::vector<int64_t>& to, size_t most) {
    if (!field.is_bytes) {
      if (to.size() < most) to.push_back(field.Signed());
      return;
    }
    ProtobufCursor cursor(field.bytes);
    uint64_t value = 0;
    while (to.size() < most && cursor.NextPacked(value)) to.push_back(static_cast<int64_t>(value));
    malformed_ |= cursor.malformed();
  }

  OnnxModel Graph(std::string_view bytes) {
    OnnxModel model;
    Each(bytes, [&](const ProtobufField& field) {
      if (!field.is_bytes) return;
      if (field.number == graph_field::kNode) model.nodes.push_back(Node(field.bytes));
      if (field.number == graph_field::kInitializer) {
        auto [name, tensor] = Tensor(field.bytes);
        model.initializers.insert_or_assign(std::move(name), std::move(tensor));
      }
      if (field.number == graph_field::kInput) model.inputs.push_back(ValueInfo(field.bytes));
      if (field.number == graph_field::kOutput || field.number == graph_field::kValueInfo) {
        auto [name, shape] = ValueInfo(field.bytes);
        const bool open = std::find(shape.begin(), shape.end(), kOpenDimension) != shape.end();
        if (!open && has_shape_) model.stated.insert_or_assign(std::move(name), std::move(shape));
      }
    });
    std::erase_if(model.inputs, [&](const auto& input) { return model.initializers.contains(input.first); });
    return model;
  }

  OnnxNode Node(std::string_view bytes) {
    OnnxNode node;
    Each(bytes, [&](const ProtobufField& field) {
      const std::string text(field.bytes);
      if (field.number == node_field::kInput) node.inputs.push_back(text);
      if (field.number == node_field::kOutput) node.outputs.push_back(text);
      if (field.number == node_field::kName) node.name = text;
      if (field.number == node_field::kOperation) node.operation = text;
      if (field.number == node_field::kDomain) node.domain = text;
      if (field.number == node_field::kAttribute) {
        auto [name, attribute] = Attribute(field.bytes);
        node.attributes.insert_or_assign(std::move(name), std::move(attribute));
      }
    });
    return node;
  }

  std::pair<std::string, OnnxAttribute> Attribute(std::string_view bytes) {
    std::string name;
    OnnxAttribute attribute;
    Each(bytes, [&](const ProtobufField& field) {
      if (field.number == attribute_field::kName) name = std::string(field.bytes);
      if (field.number == attribute_field::kInteger) attribute.integer = field.Signed();
      if (field.number == attribute_field::kText) attribute.text = std::string(field.bytes);
      if (field.number == attribute_field::kIntegers) AppendIntegers(field, attribute.integers, kMostIntegers);
      if (field.number == attribute_field::kTensor) attribute.tensor = Tensor(field.bytes).second;
      if (field.number == attribute_field::kNumber) {
        attribute.number = std::bit_cast<float>(static_cast<uint32_t>(field.value));
      }
    });
    return {std::move(name), std::move(attribute)};
  }

  std::pair<std::string, OnnxTensor> Tensor(std::string_view bytes) {
    std::string name;
    OnnxTensor tensor;
    uint64_t type = 0;
    std::string_view raw;
    std::vector<int64_t> listed;
    Each(bytes, [&](const ProtobufField& field) {
      if (field.number == tensor_field::kName) name = std::string(field.bytes);
      if (field.number == tensor_field::kDimensions) AppendIntegers(field, tensor.shape, kMostDimensions);
      if (field.number == tensor_field::kType) type = field.value;
      if (field.number == tensor_field::kRaw) raw = field.bytes;
      if (field.number == tensor_field::kInt32 || field.number == tensor_field::kInt64) {
        AppendIntegers(field, listed, kMostIntegers + 1);
      }
    });
    CheckShape(tensor.shape);
    if (malformed_) return {};
    int64_t elements = 1;
    for (const int64_t size : tensor.shape) elements = elements > kMostIntegers ? elements : elements * size;
    if (elements <= kMostIntegers) tensor.integers = IntegersOf(type, raw, listed, static_cast<size_t>(elements));
    return {std::move(name), std::move(tensor)};
  }

  static std::optional<std::vector<int64_t>> IntegersOf(uint64_t type, std::string_view raw,
                                                        const std::vector<int64_t>& listed, size_t elements) {
    const size_t width = type == tensor_type::kInt64 ? 8 : type == tensor_type::kInt32 ? 4 : 1;
    if (type != tensor_type::kInt64 && type != tensor_type::kInt32 && type != tensor_type::kBool) return std::nullopt;
    if (raw.empty() && listed.size() == elements) return listed;
    if (raw.size() != elements * width) return std::nullopt;
    std::vector<int64_t> values(elements);
    for (size_t i = 0; i < elements; ++i) {
      int64_t wide = 0;
      int32_t narrow = 0;
      if (width == 8) std::memcpy(&wide, raw.data() + 8 * i, 8);
      if (width == 4) std::memcpy(&narrow, raw.data() + 4 * i, 4);
      values[i] = width == 8 ? wide : width == 4 ? narrow : static_cast<unsigned char>(raw[i]);
    }
    return values;
  }

  void CheckShape(const Shape& shape) {
    for (const int64_t size : shape) malformed_ |= size < 0 || size > kLargestDimension;
  }

  /// ValueInfoProto: name = 1, type = 2 { tensor = 1 { shape = 2 { dimension = 1 { value = 1, or a name = 2 } } } }.
  std::pair<std::string, Shape> ValueInfo(std::string_view bytes) {
    std::string name;
    Shape shape;
    has_shape_ = false;
    const auto dimension = [&](std::string_view message) {
      shape.push_back(kOpenDimension);
      Each(message, [&](const ProtobufField& field) {
        const bool sound = field.Signed() >= 0 && field.Signed() <= kLargestDimension;
        if (field.number == 1 && !field.is_bytes && sound) shape.back() = field.Signed();
      });
    };
    const auto dimensions = [&](std::string_view message) {
      has_shape_ = true;
      Each(message, [&](const ProtobufField& field) {
        if (field.number == 1 && shape.size() < kMostDimensions) dimension(field.bytes);
      });
    };
    const auto tensor = [&](std::string_view message) {
      Each(message, [&](const ProtobufField& field) {
        if (field.number == 2 && field.is_bytes) dimensions(field.bytes);
      });
    };
    Each(bytes, [&](const ProtobufField& field) {
      if (field.number == 1) name = std::string(field.bytes);
      if (field.number != 2) return;
      Each(field.bytes, [&](const ProtobufField& type) {
        if (type.number == 1 && type.is_bytes) tensor(type.bytes);
      });
    });
    return {std::move(name), std::move(shape)};
  }

  bool malformed_ = false;
  bool has_shape_ = false;  // of the value read last
};

}  // namespace

std::string OnnxNode::Label() const { return name.empty() && !outputs.empty() ? outputs.front() : name; }

int64_t OnnxNode::Integer(const std::string& attribute, int64_t otherwise) const {
  const auto found = attributes.find(attribute);
  return found == attributes.end() ? otherwise : found->second.integer;
}

std::vector<int64_t> OnnxNode::Integers(const std::string& attribute, const std::vector<int64_t>& otherwise) const {
  const auto found = attributes.find(attribute);
  return found == attributes.end() ? otherwise : found->second.integers;
}

std::string OnnxNode::Text(const std::string& attribute, const std::string& otherwise) const {
  const auto found = attributes.find(attribute);
  return found == attributes.end() ? otherwise : found->second.text;
}

Result<OnnxModel> ParseOnnx(std::string_view bytes, const std::string& name) {
  std::optional<OnnxModel> model = Parser().Parse(bytes);
  if (!model || model->nodes.empty()) {
    return Fail(fmt::format("{}: this is no ONNX model: expected what torch.onnx.export and others write", name));
  }
  return *std::move(model);
}

}  // namespace heliograd
