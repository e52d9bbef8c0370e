#include "heliograd/profile/dataset_idx.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "heliograd/base/file.h"

namespace heliograd {
namespace {

constexpr int kLargestSide = 4096;
constexpr size_t kInflateStep = size_t{1} << 20;

uint32_t BigEndian(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

bool IsGzip(const std::string& bytes) { return bytes.size() >= 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b'; }

/// A zlib stream that reads gzip and is always closed.
class Inflater {
 public:
  Inflater() { ready_ = inflateInit2(&stream_, 15 + 16) == Z_OK; }
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  bool ready() const { return ready_; }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

/// What stands at the start of an IDX file, or what is wrong with it.
Result<void> CheckHeader(const std::string& bytes, const std::string& file, uint32_t magic, size_t header,
                         const char* what) {
  if (bytes.empty()) return Fail(fmt::format("{}: the file is empty: expected {}; copy it again.", file, what));
  if (bytes.size() < header) {
    return Fail(fmt::format("{}: byte {}: the file ends within its header of {} bytes: copy it again.", file,
                            bytes.size(), header));
  }
  const uint32_t found = BigEndian(bytes, 0);
  if (found == magic) return {};
  const bool other = found == kIdxImagesMagic || found == kIdxLabelsMagic;
  return Fail(fmt::format(
      "{}: byte 0: the magic number is 0x{:08x}, expected 0x{:08x} for {}{}.", file, found, magic, what,
      other ? ": this is the other of the two files, exchange them" : ": this is no IDX file of unsigned bytes"));
}

/// Whether just `expected` bytes follow the header.
Result<void> CheckSize(const std::string& bytes, const std::string& file, uint64_t expected, const std::string& what) {
  if (bytes.size() < expected) {
    return Fail(
        fmt::format("{}: byte {}: the file ends there, but its header announces {} and so {} bytes: copy it "
                    "again.",
                    file, bytes.size(), what, expected));
  }
  if (bytes.size() > expected) {
    return Fail(fmt::format("{}: byte {}: {} bytes follow the {} that the header announces: copy it again.", file,
                            expected, bytes.size() - expected, what));
  }
  return {};
}

}  // namespace

Result<std::string> Decompressed(std::string bytes, const std::string& file, size_t largest) {
  if (!IsGzip(bytes)) return bytes;
  Inflater inflater;
  if (!inflater.ready()) return Fail(fmt::format("{}: zlib has no memory to decompress it.", file));
  z_stream& stream = inflater.stream();
  size_t read = 0;
  std::string content;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    const size_t filled = content.size();
    if (filled >= largest) {
      return Fail(
          fmt::format("{}: more than {} bytes when decompressed: no data set of that size is read.", file, largest));
    }
    content.resize(std::min(largest, std::max(filled * 2, filled + std::min(kInflateStep, bytes.size() * 4 + 1024))));
    const size_t room = std::min<size_t>(content.size() - filled, UINT32_MAX);
    const size_t left = std::min<size_t>(bytes.size() - read, UINT32_MAX);
    stream.next_in = reinterpret_cast<Bytef*>(bytes.data() + read);
    stream.avail_in = static_cast<uInt>(left);
    stream.next_out = reinterpret_cast<Bytef*>(content.data() + filled);
    stream.avail_out = static_cast<uInt>(room);
    status = inflate(&stream, Z_NO_FLUSH);
    read += left - stream.avail_in;
    content.resize(filled + room - stream.avail_out);
    if (status == Z_STREAM_END && read < bytes.size() && bytes[read] == '\x1f') {  // gzip files may be joined
      if (inflateReset(&stream) == Z_OK) status = Z_OK;
    }
    const bool stuck = status == Z_BUF_ERROR || (status == Z_OK && read == bytes.size() && stream.avail_out > 0);
    if (stuck || (status != Z_OK && status != Z_STREAM_END)) {
      const std::string reason = stuck ? "it ends too early" : stream.msg ? stream.msg : "no gzip data";
      return Fail(fmt::format("{}: byte {} of {}, compressed: the gzip stream is damaged ({}): copy the file again.",
                              file, read, bytes.size(), reason));
    }
  }
  return content;
}

Result<IdxImages> ParseIdxImages(std::string bytes, const std::string& file, size_t largest) {
  Result<std::string> content = Decompressed(std::move(bytes), file, largest);
  if (!content) return Fail(content.error());
  const auto header =
      CheckHeader(*content, file, kIdxImagesMagic, kIdxImagesHeader, "images (unsigned bytes in three dimensions)");
  if (!header) return Fail(header.error());
  const uint64_t count = BigEndian(*content, 4), height = BigEndian(*content, 8), width = BigEndian(*content, 12);
  if (count == 0) return Fail(fmt::format("{}: byte 4: 0 images: expected 1 or more.", file));
  for (const auto& [at, side] : {std::pair(8, height), std::pair(12, width)}) {
    if (side >= 1 && side <= kLargestSide) continue;
    return Fail(fmt::format("{}: byte {}: images of {} {}: expected 1 to {} pixels.", file, at, side,
                            at == 8 ? "rows" : "columns", kLargestSide));
  }
  const auto size = CheckSize(*content, file, kIdxImagesHeader + count * height * width,
                              fmt::format("{} images of {}x{}", count, height, width));
  if (!size) return Fail(size.error());
  return IdxImages{std::move(*content), count, static_cast<int>(height), static_cast<int>(width)};
}

Result<std::vector<int64_t>> ParseIdxLabels(std::string bytes, const std::string& file, int classes, size_t largest) {
  const Result<std::string> content = Decompressed(std::move(bytes), file, largest);
  if (!content) return Fail(content.error());
  const auto header =
      CheckHeader(*content, file, kIdxLabelsMagic, kIdxLabelsHeader, "labels (unsigned bytes in one dimension)");
  if (!header) return Fail(header.error());
  const uint64_t count = BigEndian(*content, 4);
  if (count == 0) return Fail(fmt::format("{}: byte 4: 0 labels: expected 1 or more.", file));
  const auto size = CheckSize(*content, file, kIdxLabelsHeader + count, fmt::format("{} labels", count));
  if (!size) return Fail(size.error());
  std::vector<int64_t> labels(count);
  for (size_t i = 0; i < count; ++i) {
    labels[i] = static_cast<uint8_t>((*content)[kIdxLabelsHeader + i]);
    if (classes > 0 && labels[i] >= classes) {
      return Fail(fmt::format("{}: byte {}: label {} of image {}: expected 0 to {}.", file, kIdxLabelsHeader + i,
                              labels[i], i, classes - 1));
    }
  }
  return labels;
}

Result<std::shared_ptr<const Dataset>> ReadIdxDataset(const std::string& images_file, const std::string& labels_file,
                                                      DatasetInfo info) {
  Result<IdxImages> images = ReadFile(images_file, kLargestDatasetFile).and_then([&](std::string bytes) {
    return ParseIdxImages(std::move(bytes), images_file);
  });
  if (!images) return Fail(images.error());
  Result<std::vector<int64_t>> labels = ReadFile(labels_file, kLargestDatasetFile).and_then([&](std::string bytes) {
    return ParseIdxLabels(std::move(bytes), labels_file, info.classes);
  });
  if (!labels) return Fail(labels.error());
  if (images->count != labels->size()) {
    return Fail(
        fmt::format("{} holds {} images, but {} holds {} labels: expected as many of each, so the two files "
                    "do not belong together.",
                    images_file, images->count, labels_file, labels->size()));
  }
  info.channels = 1;
  info.height = images->height;
  info.width = images->width;
  if (info.classes == 0) {
    info.classes = static_cast<int>(*std::max_element(labels->begin(), labels->end())) + 1;
    info.classes_counted = true;
  }
  const size_t stride = static_cast<size_t>(images->height) * static_cast<size_t>(images->width);
  if (info.normalisation.mean.empty()) {
    info.normalisation = NormalisationOf(reinterpret_cast<const uint8_t*>(images->bytes.data()) + kIdxImagesHeader,
                                         images->count * stride);
  }
  return std::make_shared<MemoryDataset>(std::move(info), std::move(images->bytes), kIdxImagesHeader, stride,
                                         std::move(*labels));
}

Normalisation NormalisationOf(const uint8_t* values, size_t count) {
  std::array<uint64_t, 256> histogram{};
  for (size_t i = 0; i < count; ++i) ++histogram[values[i]];
  double sum = 0, squares = 0;
  for (size_t value = 0; value < histogram.size(); ++value) {
    const double share = static_cast<double>(histogram[value]) / static_cast<double>(std::max<size_t>(count, 1));
    const double scaled = static_cast<double>(value) / 255;
    sum += share * scaled;
    squares += share * scaled * scaled;
  }
  const double deviation = std::sqrt(std::max(0.0, squares - sum * sum));
  return {{static_cast<float>(sum)}, {deviation > 1e-6 ? static_cast<float>(deviation) : 1.0f}};
}

}  // namespace heliograd
