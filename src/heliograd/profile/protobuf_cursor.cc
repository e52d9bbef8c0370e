#include "heliograd/profile/protobuf_cursor.h"

namespace heliograd {

bool ProtobufCursor::Stop() {
  malformed_ = true;
  return false;
}

bool ProtobufCursor::ReadVarint(uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 70 && !rest_.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return Stop();
}

bool ProtobufCursor::ReadFixed(int bytes, uint64_t& value) {
  if (rest_.size() < static_cast<size_t>(bytes)) return Stop();
  value = 0;
  for (int i = bytes - 1; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(rest_[static_cast<size_t>(i)]);
  rest_.remove_prefix(static_cast<size_t>(bytes));
  return true;
}

bool ProtobufCursor::Next(ProtobufField& field) {
  if (malformed_ || rest_.empty()) return false;
  uint64_t tag = 0;
  if (!ReadVarint(tag)) return false;
  field = {tag >> 3, 0, {}, false};
  if (field.number == 0) return Stop();
  switch (tag & 7) {
    case 0:
      return ReadVarint(field.value);
    case 1:
      return ReadFixed(8, field.value);
    case 5:
      return ReadFixed(4, field.value);
    case 2: {
      uint64_t size = 0;
      if (!ReadVarint(size)) return false;
      if (size > rest_.size()) return Stop();
      field.is_bytes = true;
      field.bytes = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return true;
    }
    default:
      return Stop();
  }
}

bool ProtobufCursor::NextPacked(uint64_t& value) {
  if (malformed_ || rest_.empty()) return false;
  return ReadVarint(value);
}

}  // namespace heliograd
