#include "heliograd/profile/dataset.h"

#include <utility>

namespace heliograd {

MemoryDataset::MemoryDataset(DatasetInfo info, std::string bytes, size_t first, size_t stride,
                             std::vector<int64_t> labels)
    : info_(std::move(info)), bytes_(std::move(bytes)), first_(first), stride_(stride), labels_(std::move(labels)) {}

Result<ImageView> MemoryDataset::Image(size_t index, std::vector<uint8_t>&) const {
  const auto* pixels = reinterpret_cast<const uint8_t*>(bytes_.data()) + first_ + index * stride_;
  return ImageView{info_.channels, info_.height, info_.width, pixels};
}

std::string_view PartName(DatasetPart part) { return part == DatasetPart::kTrain ? "train" : "test"; }

}  // namespace heliograd
