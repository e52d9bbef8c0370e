#include "heliograd/profile/dataset_cifar.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "heliograd/profile/dataset_testing.h"

namespace heliograd {
namespace {

using testing::StartsWith;

std::string Problem(const std::string& bytes) {
  const auto dataset = ParseCifar(bytes, "train.bin", CifarInfo());
  return dataset ? "none" : dataset.error().Message();
}

TEST(DatasetCifarTest, ReadsPlanesAndFineLabels) {
  const auto dataset =
      ParseCifar(CifarRecordBytes(19, 99, 1, 2, 3) + CifarRecordBytes(0, 7, 4, 5, 255), "train.bin", CifarInfo());
  ASSERT_TRUE(dataset);
  ASSERT_EQ((*dataset)->size(), 2u);
  EXPECT_EQ((*dataset)->Label(0), 99);
  EXPECT_EQ((*dataset)->Label(1), 7);
  std::vector<uint8_t> scratch;
  const ImageView image = (*dataset)->Image(1, scratch).value();
  EXPECT_EQ(image.channels, 3);
  EXPECT_EQ(image.height, 32);
  EXPECT_EQ(image.width, 32);
  EXPECT_EQ(image.pixels[0], 4);
  EXPECT_EQ(image.pixels[1024], 5);
  EXPECT_EQ(image.pixels[3071], 255);
}

TEST(DatasetCifarTest, EveryMistakeIsNamedWithItsByte) {
  const std::string good = CifarRecordBytes(1, 2, 3, 4, 5);
  EXPECT_THAT(Problem(""), StartsWith("train.bin: the file is empty: expected records of 3074 bytes"));
  EXPECT_THAT(Problem(good + good.substr(0, 100)), StartsWith("train.bin: byte 3174: the file ends 100 bytes into"));
  EXPECT_THAT(Problem(good + CifarRecordBytes(20, 2, 3, 4, 5)),
              StartsWith("train.bin: byte 3074: coarse label 20 of image 1: expected 0 to 19"));
  EXPECT_THAT(Problem(good + CifarRecordBytes(1, 100, 3, 4, 5)),
              StartsWith("train.bin: byte 3075: fine label 100 of image 1: expected 0 to 99"));
}

TEST(DatasetCifarTest, ReadsRecordsOfTheRealTestSet) {
  const char* folder = std::getenv("HELIOGRAD_REFERENCE_DATA");
  if (folder == nullptr) GTEST_SKIP() << "HELIOGRAD_REFERENCE_DATA does not name the folder of reference data";
  const auto dataset = ReadCifarDataset(std::string(folder) + "/models/cifar100_test_first100.bin", CifarInfo());
  ASSERT_TRUE(dataset) << dataset.error().Message();
  ASSERT_EQ((*dataset)->size(), 100u);
  EXPECT_EQ((*dataset)->Label(0), 49);  // mountain: the test set begins with one
  EXPECT_EQ((*dataset)->Label(1), 33);  // forest
  EXPECT_EQ((*dataset)->Label(2), 72);  // seal
}

}  // namespace
}  // namespace heliograd
