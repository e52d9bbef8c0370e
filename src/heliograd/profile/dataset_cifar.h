// CIFAR-100's binary files: records of 3074 bytes, each a coarse label (0 to 19), a fine label (0 to 99), then 32x32
// bytes of red, of green, of blue, row after row. A. Krizhevsky, "Learning Multiple Layers of Features from Tiny
// Images", 2009. Labels are the fine ones.
#pragma once

#include <memory>
#include <string>

#include "heliograd/base/result.h"
#include "heliograd/profile/dataset.h"

namespace heliograd {

inline constexpr int kCifarSide = 32, kCifarChannels = 3, kCifarClasses = 100, kCifarCoarseClasses = 20;
inline constexpr size_t kCifarRecord = 2 + 3 * 32 * 32;

/// What the data set is, less name and origin; its normalisation is the mean and the deviation of the training images
/// that is commonly used: 0.5071, 0.4865, 0.4409 and 0.2673, 0.2564, 0.2762 for red, green, blue.
DatasetInfo CifarInfo();

/// One or more whole records with labels in range; messages give the byte.
Result<std::shared_ptr<const Dataset>> ParseCifar(std::string bytes, const std::string& file, DatasetInfo info);
Result<std::shared_ptr<const Dataset>> ReadCifarDataset(const std::string& file, DatasetInfo info);

}  // namespace heliograd
