#include "heliograd/trace/sample_codec.h"

#include <optional>

namespace heliograd {
namespace {

void PutUnsigned(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

/// Small differences of either sign become small unsigned numbers: 0, -1, 1, -2, ...
void PutSigned(std::string& out, int64_t value) {
  PutUnsigned(out, (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  bool AtEnd() const { return position_ == bytes_.size(); }

  std::optional<uint64_t> Unsigned() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && position_ < bytes_.size(); shift += 7) {
      const auto byte = static_cast<uint8_t>(bytes_[position_++]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  std::optional<int64_t> Signed() {
    const std::optional<uint64_t> raw = Unsigned();
    if (!raw) return std::nullopt;
    return static_cast<int64_t>((*raw >> 1) ^ (~(*raw & 1) + 1));
  }

 private:
  std::string_view bytes_;
  size_t position_ = 0;
};

// Sums wrap as unsigned numbers do, so that damaged bytes give wrong numbers and never undefined behaviour.
int64_t Add(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); }
int64_t Subtract(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
int64_t Nanoseconds(int64_t us) { return static_cast<int64_t>(static_cast<uint64_t>(us) * 1000u); }

// The lowest bits of a sample's length.
constexpr uint64_t kChanged = 1;
constexpr uint64_t kHasDriverStamp = 2;
constexpr int kFlagBits = 2;

/// What differences are taken against: the sample before, in microseconds.
struct Previous {
  int64_t last_us = 0;
  int64_t driver_us = 0;
  int64_t value = 0;
};

}  // namespace

std::string EncodeSamples(std::span<const Sample> samples) {
  std::string out;
  Previous previous;
  for (const Sample& sample : samples) {
    const int64_t first_us = sample.first_ns / 1000, last_us = sample.last_ns / 1000;
    PutSigned(out, Subtract(first_us, previous.last_us));
    const uint64_t flags = (sample.changed ? kChanged : 0) | (sample.driver_us != 0 ? kHasDriverStamp : 0);
    PutUnsigned(out, (static_cast<uint64_t>(Subtract(last_us, first_us)) << kFlagBits) | flags);
    if (sample.driver_us != 0) PutSigned(out, Subtract(sample.driver_us, previous.driver_us));
    PutSigned(out, Subtract(sample.value, previous.value));
    previous = {last_us, sample.driver_us == 0 ? previous.driver_us : sample.driver_us, sample.value};
  }
  return out;
}

Result<std::vector<Sample>> DecodeSamples(std::string_view bytes) {
  std::vector<Sample> samples;
  ByteReader reader(bytes);
  Previous previous;
  while (!reader.AtEnd()) {
    const std::optional<int64_t> first = reader.Signed();
    const std::optional<uint64_t> length = reader.Unsigned();
    const bool has_driver = length && (*length & kHasDriverStamp) != 0;
    const std::optional<int64_t> driver = has_driver ? reader.Signed() : 0;
    const std::optional<int64_t> value = reader.Signed();
    if (!first || !length || !driver || !value) return Fail("a block of samples is cut short or damaged");
    const int64_t first_us = Add(previous.last_us, *first);
    const int64_t last_us = Add(first_us, static_cast<int64_t>(*length >> kFlagBits));
    const int64_t driver_us = has_driver ? Add(previous.driver_us, *driver) : 0;
    const int64_t now = Add(previous.value, *value);
    samples.push_back({Nanoseconds(first_us), Nanoseconds(last_us), driver_us, now, (*length & kChanged) != 0});
    previous = {last_us, driver_us == 0 ? previous.driver_us : driver_us, now};
  }
  return samples;
}

}  // namespace heliograd
