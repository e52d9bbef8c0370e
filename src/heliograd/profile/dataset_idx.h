// Images and labels in IDX files, the format of MNIST and Fashion-MNIST, as they are or compressed with gzip.
//
// A file begins with two zero bytes, the type (8: unsigned bytes), the number of dimensions, then each dimension as a
// big-endian 32-bit number; the values follow. Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten
// digits", 1998. Byte offsets in messages count in the file after decompression, and say so.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/profile/dataset.h"

namespace heliograd {

inline constexpr uint32_t kIdxImagesMagic = 0x803;  // unsigned bytes in three dimensions
inline constexpr uint32_t kIdxLabelsMagic = 0x801;  // unsigned bytes in one
inline constexpr size_t kIdxImagesHeader = 16, kIdxLabelsHeader = 8;
/// No data set that is read into memory is larger than this, compressed or not.
inline constexpr size_t kLargestDatasetFile = size_t{2} << 30;

struct IdxImages {
  std::string bytes;  // the whole file, decompressed; the first image begins at kIdxImagesHeader
  size_t count = 0;
  int height = 0, width = 0;
};

/// The content of a gzip file, or `bytes` as they are when they are none. `largest` bounds what comes out.
Result<std::string> Decompressed(std::string bytes, const std::string& file, size_t largest = kLargestDatasetFile);

Result<IdxImages> ParseIdxImages(std::string bytes, const std::string& file, size_t largest = kLargestDatasetFile);
/// Labels, each below `classes` unless that is 0.
Result<std::vector<int64_t>> ParseIdxLabels(std::string bytes, const std::string& file, int classes,
                                            size_t largest = kLargestDatasetFile);

/// Both files as one data set: `info` less its size and channels; where `info.classes` is 0 they are counted, where it
/// has no normalisation, that of its pixels is taken. Fails too where one file holds more than the other.
Result<std::shared_ptr<const Dataset>> ReadIdxDataset(const std::string& images_file, const std::string& labels_file,
                                                      DatasetInfo info);

/// The mean and standard deviation of `count` one-channel values in 0 .. 1; the deviation of a constant counts as 1.
Normalisation NormalisationOf(const uint8_t* values, size_t count);

}  // namespace heliograd
