// Which data set a name or folder means.
#include "heliograd/profile/dataset.h"

#include <gmock/gmock.h>

#include <tuple>

#include "heliograd/profile/dataset_cifar.h"
#include "heliograd/profile/dataset_testing.h"

namespace heliograd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Problem(const std::string& name, DatasetPart part = DatasetPart::kTrain) {
  const auto dataset = OpenDataset(name, part);
  return dataset ? "none" : dataset.error().Message();
}

TEST(DatasetTest, SyntheticIsKnownByName) {
  EXPECT_EQ(OpenDataset("synthetic", DatasetPart::kTrain).value()->info().classes, 100);
  EXPECT_EQ(OpenDataset("synthetic-fashion-mnist", DatasetPart::kTest).value()->size(), 10000u);
}

TEST(DatasetTest, AWrongNameNamesTheNearest) {
  EXPECT_THAT(Problem("fashion-mnits"), HasSubstr("Did you mean 'fashion-mnist'?"));
  EXPECT_EQ(OpenDataset("/nowhere", DatasetPart::kTrain).error().kind, ErrorKind::kUsage);
}

TEST(DatasetTest, WhatIsNotInstalledSaysHowToGetIt) {
  if (std::filesystem::exists(kFashionMnistFolder)) GTEST_SKIP() << "Fashion-MNIST is installed";
  EXPECT_THAT(Problem("fashion-mnist"), HasSubstr("sudo apt-get install dataset-fashion-mnist"));
}

TEST(DatasetTest, ReadsFashionMnist) {
  if (!std::filesystem::exists(kFashionMnistFolder)) GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  const auto train = OpenDataset("fashion-mnist", DatasetPart::kTrain);
  ASSERT_TRUE(train) << train.error().Message();
  EXPECT_EQ((*train)->size(), 60000u);
  EXPECT_EQ((*train)->Label(0), 9);  // an ankle boot
  EXPECT_EQ((*train)->info().class_names[9], "Ankle boot");
  // The normalisation is that of these very pixels.
  uint64_t sum = 0;
  std::vector<uint8_t> scratch;
  for (size_t i = 0; i < (*train)->size(); ++i) {
    const ImageView image = (*train)->Image(i, scratch).value();
    for (int p = 0; p < 28 * 28; ++p) sum += image.pixels[p];
  }
  EXPECT_NEAR(static_cast<double>(sum) / 255 / 60000 / 784, (*train)->info().normalisation.mean[0], 5e-5);
  EXPECT_EQ(OpenDataset("fashion-mnist", DatasetPart::kTest).value()->size(), 10000u);
}

TEST(DatasetTest, AFolderOfIdxFilesIsKnownByContent) {
  const TemporaryFolder folder;
  folder.Write("train-pictures", IdxImagesBytes(3, 2, 2));
  folder.Write("train-names", IdxLabelsBytes({0, 4, 1}));
  folder.Write("t10k-pictures", IdxImagesBytes(2, 2, 2));
  folder.Write("t10k-names", IdxLabelsBytes({1, 1}));
  folder.Write("README", "notes");
  const auto train = OpenDataset(folder.path(), DatasetPart::kTrain);
  ASSERT_TRUE(train) << train.error().Message();
  EXPECT_EQ((*train)->size(), 3u);
  EXPECT_EQ((*train)->info().classes, 5);
  EXPECT_EQ((*train)->Label(1), 4);
  EXPECT_EQ(OpenDataset(folder.path(), DatasetPart::kTest).value()->size(), 2u);
}

TEST(DatasetTest, AFolderOfCifarFilesIsKnownByContent) {
  const TemporaryFolder folder;
  folder.Write("train.bin", CifarRecordBytes(1, 2, 3, 4, 5));
  EXPECT_EQ(OpenDataset(folder.path(), DatasetPart::kTrain).value()->Label(0), 2);
  EXPECT_THAT(Problem(folder.path(), DatasetPart::kTest), HasSubstr("there are no test images in this folder"));
}

TEST(DatasetTest, TwoPairsOfFilesAreRefused) {
  const TemporaryFolder folder;
  for (const char* name : {"train-a", "train-b"}) folder.Write(name, IdxImagesBytes(1, 2, 2));
  folder.Write("train-labels", IdxLabelsBytes({0}));
  EXPECT_THAT(Problem(folder.path()), HasSubstr("2 IDX files of images, 1 of labels"));
}

TEST(DatasetTest, AFileThatIsNotWhatItsNamePromisesIsNamed) {
  const std::string images = IdxImagesBytes(2, 2, 2), labels = IdxLabelsBytes({0, 1});
  std::string wrong = images;
  wrong[2] = 9;
  for (const auto& [first, second, words] :
       {std::tuple(wrong, labels,
                   "train-images-idx3-ubyte: byte 0: the magic number is 0x00000903, expected 0x00000803"),
        std::tuple(std::string(), labels, "train-images-idx3-ubyte: the file is empty"),
        std::tuple(images, std::string(), "train-labels-idx1-ubyte: the file is empty"),
        std::tuple(wrong, std::string(), "train-images-idx3-ubyte: byte 0")}) {
    const TemporaryFolder folder;
    folder.Write("train-images-idx3-ubyte", first);
    folder.Write("train-labels-idx1-ubyte", second);
    folder.Write("t10k-images-idx3-ubyte", images);
    folder.Write("t10k-labels-idx1-ubyte", labels);
    EXPECT_THAT(Problem(folder.path()), HasSubstr(words));
    EXPECT_EQ(Problem(folder.path(), DatasetPart::kTest), "none");
  }
  const TemporaryFolder folder;
  folder.Write("train-pictures", wrong);
  folder.Write("train-names", labels);
  EXPECT_THAT(Problem(folder.path()), HasSubstr("'train-names' of IDX labels to train with stand alone"));
  EXPECT_THAT(Problem(folder.path()), HasSubstr("begins with 00 00 08 03 ('train-pictures' is none"));
}

TEST(DatasetTest, ACifarFolderTellsWhatItsFileTells) {
  const std::string good = CifarRecordBytes(1, 2, 3, 4, 5);
  for (const std::string& bytes : {CifarRecordBytes(1, 100, 3, 4, 5) + good, CifarRecordBytes(20, 2, 3, 4, 5),
                                   std::string(), good.substr(0, 100), "\x89PNG" + good}) {
    const TemporaryFolder folder;
    const std::string file = folder.Write("train.bin", bytes);
    folder.Write("README", "notes");
    EXPECT_EQ(Problem(folder.path()), ParseCifar(bytes, file, CifarInfo()).error().Message());
  }
}

TEST(DatasetTest, LabelsBeyondFashionMnistsAreRefused) {
  const TemporaryFolder folder;
  for (const char* pair : {"train-", "train-my-"}) {
    folder.Write(std::string(pair) + "images-idx3-ubyte", IdxImagesBytes(3, 2, 2));
    folder.Write(std::string(pair) + "labels-idx1-ubyte", IdxLabelsBytes({1, 12, 3}));
    const auto opened = OpenDataset(folder.path(), DatasetPart::kTrain);
    if (pair == std::string("train-")) {
      EXPECT_THAT(
          opened ? "none" : opened.error().Message(),
          HasSubstr("train-labels-idx1-ubyte: byte 9: label 12 of image 1: expected 0 to 9. Files of these names"));
    } else {  // nothing says what it is
      ASSERT_TRUE(opened);
      EXPECT_EQ((*opened)->info().classes, 13);
      EXPECT_TRUE((*opened)->info().classes_counted);
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) std::filesystem::remove(entry);
  }
}

TEST(DatasetTest, PicturesInFoldersOfTheirClasses) {
  const TemporaryFolder folder;
  folder.Write("dog/2.ppm", "P6 1 1 255\nabc");
  folder.Write("cat/1.pgm", "P5 2 1 255\nxy");
  folder.Write("cat/notes.txt", "x");
  const auto dataset = OpenDataset(folder.path(), DatasetPart::kTrain);
  ASSERT_TRUE(dataset) << dataset.error().Message();
  ASSERT_EQ((*dataset)->size(), 2u);
  EXPECT_THAT((*dataset)->info().class_names, ElementsAre("cat", "dog"));
  EXPECT_EQ((*dataset)->Label(1), 1);
  std::vector<uint8_t> scratch;
  const ImageView image = (*dataset)->Image(0, scratch).value();
  EXPECT_EQ(image.width, 2);
  EXPECT_EQ(image.pixels[1], 'y');
  EXPECT_THAT(Problem(folder.path(), DatasetPart::kTest), HasSubstr("there are no pictures to test with"));
}

TEST(DatasetTest, ClassesOfTrainHoldForTest) {
  const TemporaryFolder folder;
  for (const char* name : {"train/a/1.pgm", "train/b/1.pgm", "test/b/1.pgm"}) folder.Write(name, "P5 1 1 255\nx");
  EXPECT_EQ(OpenDataset(folder.path(), DatasetPart::kTrain).value()->size(), 2u);
  EXPECT_THAT(Problem(folder.path(), DatasetPart::kTest), HasSubstr("test/a"));
  folder.Write("test/a/1.pgm", "P5 1 1 255\nx");
  const auto test = OpenDataset(folder.path(), DatasetPart::kTest);
  ASSERT_TRUE(test);
  EXPECT_EQ((*test)->Label(1), 1);
}

TEST(DatasetTest, EmptyFoldersAndClassesAreRefused) {
  const TemporaryFolder folder;
  EXPECT_THAT(Problem(folder.path()), HasSubstr("there are no train images in this folder"));
  folder.Write("cat/notes.txt", "x");
  EXPECT_THAT(Problem(folder.path()), HasSubstr("there is no picture in this class"));
}

}  // namespace
}  // namespace heliograd
