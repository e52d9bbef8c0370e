// Labelled images that networks are trained on.
//
// Enters: files of Fashion-MNIST, of CIFAR-100, or of the user's own, or a seed for synthetic images. Leaves: images as
// unsigned bytes, one plane per channel, with their labels. It knows nothing of networks, of resizing (resize.h) or of
// batches (loader.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd {

/// What pixels are made to before a network sees them: (value / 255 - mean) / deviation, per channel.
struct Normalisation {
  std::vector<float> mean;
  std::vector<float> deviation;  // above 0
};

struct DatasetInfo {
  std::string name;    // "Fashion-MNIST train"
  std::string origin;  // the file or folder, or "synthetic, seed 0"
  int channels = 0;
  int height = 0, width = 0;             // 0 where images differ in size
  int classes = 0;                       // labels are 0 .. classes - 1
  bool classes_counted = false;          // from labels or folders, for nothing says how many there are
  std::vector<std::string> class_names;  // empty where the files give none
  bool synthetic = false;                // no photographs: energy and time can be measured, accuracy means nothing
  Normalisation normalisation;
};

/// One image: `channels` planes of height x width bytes, row after row.
struct ImageView {
  int channels = 0, height = 0, width = 0;
  const uint8_t* pixels = nullptr;
};

/// Everything is safe from any number of threads at once.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual const DatasetInfo& info() const = 0;
  virtual size_t size() const = 0;
  /// Precondition of both: index < size().
  virtual int64_t Label(size_t index) const = 0;
  /// The image is valid as long as the data set and `scratch` are, and until `scratch` is used again. Fails where a
  /// file that is only now read is damaged.
  virtual Result<ImageView> Image(size_t index, std::vector<uint8_t>& scratch) const = 0;
};

/// Images that lie in memory: one block of bytes, as files hold them.
class MemoryDataset final : public Dataset {
 public:
  /// Image i begins at bytes[first + i * stride]. Precondition: `bytes` holds labels.size() of them.
  MemoryDataset(DatasetInfo info, std::string bytes, size_t first, size_t stride, std::vector<int64_t> labels);

  const DatasetInfo& info() const override { return info_; }
  size_t size() const override { return labels_.size(); }
  int64_t Label(size_t index) const override { return labels_[index]; }
  Result<ImageView> Image(size_t index, std::vector<uint8_t>& scratch) const override;

 private:
  DatasetInfo info_;
  std::string bytes_;
  size_t first_, stride_;
  std::vector<int64_t> labels_;
};

enum class DatasetPart { kTrain, kTest };

/// "train", "test".
std::string_view PartName(DatasetPart part);

/// Fashion-MNIST in H. Xiao's IDX files, as the Debian package dataset-fashion-mnist installs them.
inline constexpr std::string_view kFashionMnistFolder = "/usr/share/datasets/fashion-mnist";

/// Opens a data set by name: "fashion-mnist", "cifar100", "synthetic" (as CIFAR-100), "synthetic-fashion-mnist",
/// "synthetic-cifar100"; or a folder, whose kind is told by its content: IDX files, CIFAR-100's binary files, or
/// CLASS/IMAGE.png|jpg|pgm|ppm with or without train/ and test/ above. `seed` is of synthetic images alone. Fails in
/// one sentence that says what was looked for and how to get it.
Result<std::shared_ptr<const Dataset>> OpenDataset(const std::string& name_or_folder, DatasetPart part,
                                                   uint64_t seed = 0);

}  // namespace heliograd
