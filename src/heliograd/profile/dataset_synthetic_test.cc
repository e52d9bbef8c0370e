#include "heliograd/profile/dataset_synthetic.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace heliograd {
namespace {

std::vector<uint8_t> Pixels(const Dataset& dataset, size_t index) {
  std::vector<uint8_t> scratch;
  const ImageView image = dataset.Image(index, scratch).value();
  const size_t count = static_cast<size_t>(image.channels) * static_cast<size_t>(image.height * image.width);
  return {image.pixels, image.pixels + count};
}

TEST(DatasetSyntheticTest, HasTheSizeOfTheRealSets) {
  const auto fashion = SyntheticDataset(FashionMnistFormat(), DatasetPart::kTrain, 0);
  EXPECT_EQ(fashion->size(), 60000u);
  EXPECT_EQ(Pixels(*fashion, 59999).size(), 28u * 28);
  const auto cifar = SyntheticDataset(Cifar100Format(), DatasetPart::kTest, 0);
  EXPECT_EQ(cifar->size(), 10000u);
  EXPECT_EQ(cifar->info().classes, 100);
  EXPECT_TRUE(cifar->info().synthetic);
  EXPECT_EQ(Pixels(*cifar, 0).size(), 3u * 32 * 32);
}

TEST(DatasetSyntheticTest, ASeedGivesTheSameImagesAndAnotherSeedOthers) {
  const auto one = SyntheticDataset(Cifar100Format(), DatasetPart::kTrain, 7);
  const auto same = SyntheticDataset(Cifar100Format(), DatasetPart::kTrain, 7);
  const auto other = SyntheticDataset(Cifar100Format(), DatasetPart::kTrain, 8);
  const auto test = SyntheticDataset(Cifar100Format(), DatasetPart::kTest, 7);
  EXPECT_EQ(Pixels(*one, 123), Pixels(*same, 123));
  EXPECT_NE(Pixels(*one, 123), Pixels(*other, 123));
  EXPECT_NE(Pixels(*one, 123), Pixels(*test, 123));
  EXPECT_NE(Pixels(*one, 123), Pixels(*one, 223));  // of the same class
}

TEST(DatasetSyntheticTest, LabelsAreBalanced) {
  const auto dataset = SyntheticDataset(Cifar100Format(), DatasetPart::kTrain, 0);
  std::vector<int> counts(100);
  for (size_t i = 0; i < dataset->size(); ++i) ++counts[static_cast<size_t>(dataset->Label(i))];
  for (const int count : counts) EXPECT_EQ(count, 500);
}

// The plainest learner, the nearest mean image of each class, must tell the classes of images that it has not seen
// apart; by chance it would be right in 1 of 10 and 1 of 100.
TEST(DatasetSyntheticTest, ClassesCanBeLearnt) {
  for (const SyntheticFormat& format : {FashionMnistFormat(), Cifar100Format()}) {
    const auto train = SyntheticDataset(format, DatasetPart::kTrain, 3);
    const auto test = SyntheticDataset(format, DatasetPart::kTest, 3);
    const auto classes = static_cast<size_t>(format.classes);
    std::vector<std::vector<double>> means(classes, std::vector<double>(Pixels(*train, 0).size()));
    for (size_t i = 0; i < 20 * classes; ++i) {
      const auto pixels = Pixels(*train, i);
      for (size_t p = 0; p < pixels.size(); ++p) means[static_cast<size_t>(train->Label(i))][p] += pixels[p] / 20.0;
    }
    int right = 0;
    constexpr int kTries = 300;
    for (size_t i = 0; i < kTries; ++i) {
      const auto pixels = Pixels(*test, i);
      size_t best = 0;
      double least = std::numeric_limits<double>::infinity();
      for (size_t c = 0; c < classes; ++c) {
        double distance = 0;
        for (size_t p = 0; p < pixels.size(); ++p) distance += (pixels[p] - means[c][p]) * (pixels[p] - means[c][p]);
        if (distance < least) least = distance, best = c;
      }
      right += best == static_cast<size_t>(test->Label(i));
    }
    EXPECT_GT(right, kTries / 2) << format.name;
  }
}

// The stated mean and deviation hold over many images: normalised pixels have mean 0 and deviation 1. Patterns of ten
// classes are few, so a tenth is allowed.
TEST(DatasetSyntheticTest, NormalisationFits) {
  const auto dataset = SyntheticDataset(Cifar100Format(), DatasetPart::kTrain, 1);
  double sum = 0, squares = 0, count = 0;
  for (size_t i = 0; i < 500; ++i) {
    for (const uint8_t pixel : Pixels(*dataset, i)) {
      const double value =
          (pixel / 255.0 - dataset->info().normalisation.mean[0]) / dataset->info().normalisation.deviation[0];
      sum += value;
      squares += value * value;
      ++count;
    }
  }
  EXPECT_NEAR(sum / count, 0, 0.1);
  EXPECT_NEAR(std::sqrt(squares / count), 1, 0.1);
}

}  // namespace
}  // namespace heliograd
