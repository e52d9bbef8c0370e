// Synthetic images of the size and number of a real data set, where that is not at hand or must not matter.
//
// Each class has a pattern of its own, a sum of waves in each channel; an image is its class's pattern, moved and
// brightened a little, with noise on every pixel. So the classes can be learnt, but accuracy on them says nothing about
// photographs; energy and time of training hardly depend on what an image shows. Image i is the same for the same seed
// on every machine, and is computed when it is asked for: no memory.
#pragma once

#include <memory>

#include "heliograd/profile/dataset.h"

namespace heliograd {

struct SyntheticFormat {
  std::string name;
  int channels = 1, height = 28, width = 28, classes = 10;
  size_t train_images = 60000, test_images = 10000;
};

/// One channel, 28x28, 10 classes, 60000 and 10000 images.
SyntheticFormat FashionMnistFormat();
/// Three channels, 32x32, 100 classes, 50000 and 10000 images.
SyntheticFormat Cifar100Format();

/// Train and test images of one seed share their patterns and no image. Labels go round: each class equally often.
std::shared_ptr<const Dataset> SyntheticDataset(const SyntheticFormat& format, DatasetPart part, uint64_t seed);

}  // namespace heliograd
