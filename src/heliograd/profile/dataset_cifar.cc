#include "heliograd/profile/dataset_cifar.h"

#include <fmt/format.h>

#include <utility>

#include "heliograd/base/file.h"
#include "heliograd/profile/dataset_idx.h"

namespace heliograd {

DatasetInfo CifarInfo() {
  DatasetInfo info;
  info.channels = kCifarChannels;
  info.height = info.width = kCifarSide;
  info.classes = kCifarClasses;
  info.normalisation = {{0.5071f, 0.4865f, 0.4409f}, {0.2673f, 0.2564f, 0.2762f}};
  return info;
}

Result<std::shared_ptr<const Dataset>> ParseCifar(std::string bytes, const std::string& file, DatasetInfo info) {
  const size_t count = bytes.size() / kCifarRecord, rest = bytes.size() % kCifarRecord;
  if (bytes.empty()) {
    return Fail(
        fmt::format("{}: the file is empty: expected records of {} bytes (50000 to train, 10000 to test); copy "
                    "it again.",
                    file, kCifarRecord));
  }
  if (count == 0 || rest != 0) {
    return Fail(
        fmt::format("{}: byte {}: the file ends {} bytes into a record of {}: expected whole records (50000 to "
                    "train, 10000 to test); copy it again, or this is not CIFAR-100's binary version.",
                    file, bytes.size(), rest, kCifarRecord));
  }
  std::vector<int64_t> labels(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t at = i * kCifarRecord;
    const int coarse = static_cast<uint8_t>(bytes[at]), fine = static_cast<uint8_t>(bytes[at + 1]);
    if (coarse >= kCifarCoarseClasses) {
      return Fail(fmt::format("{}: byte {}: coarse label {} of image {}: expected 0 to {}.", file, at, coarse, i,
                              kCifarCoarseClasses - 1));
    }
    if (fine >= kCifarClasses) {
      return Fail(fmt::format("{}: byte {}: fine label {} of image {}: expected 0 to {}.", file, at + 1, fine, i,
                              kCifarClasses - 1));
    }
    labels[i] = fine;
  }
  return std::make_shared<MemoryDataset>(std::move(info), std::move(bytes), 2, kCifarRecord, std::move(labels));
}

Result<std::shared_ptr<const Dataset>> ReadCifarDataset(const std::string& file, DatasetInfo info) {
  return ReadFile(file, kLargestDatasetFile).and_then([&](std::string bytes) {
    return ParseCifar(std::move(bytes), file, std::move(info));
  });
}

}  // namespace heliograd
