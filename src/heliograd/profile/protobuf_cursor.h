// Walks the fields of one protobuf message, without a schema and without copying. Bounded by the bytes it is given.
#pragma once

#include <cstdint>
#include <string_view>

namespace heliograd {

struct ProtobufField {
  uint64_t number = 0;
  uint64_t value = 0;      // of a varint or fixed field
  std::string_view bytes;  // of a text, bytes, message or packed field
  bool is_bytes = false;

  int64_t Signed() const { return static_cast<int64_t>(value); }
};

/// The wire format: https://protobuf.dev/programming-guides/encoding/. Groups, long out of use, are malformed here.
class ProtobufCursor {
 public:
  explicit ProtobufCursor(std::string_view message) : rest_(message) {}

  /// The next field; false at the end, or where the bytes are no protobuf message (malformed() then).
  bool Next(ProtobufField& field);
  /// A varint of a packed field; false at the end or where malformed.
  bool NextPacked(uint64_t& value);
  bool malformed() const { return malformed_; }

 private:
  bool Stop();
  bool ReadVarint(uint64_t& value);
  bool ReadFixed(int bytes, uint64_t& value);

  std::string_view rest_;
  bool malformed_ = false;
};

}  // namespace heliograd
