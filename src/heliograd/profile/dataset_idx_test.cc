#include "heliograd/profile/dataset_idx.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include <algorithm>

#include "heliograd/profile/dataset_testing.h"

namespace heliograd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string Gzipped(const std::string& content) {
  const std::string path = TemporaryFolder().path() + ".gz";
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  gzclose(file);
  std::ifstream stream(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(stream)), {});
  std::filesystem::remove(path);
  return bytes;
}

std::string ImagesProblem(const std::string& bytes) {
  const auto images = ParseIdxImages(bytes, "images");
  return images ? "none" : images.error().Message();
}

std::string LabelsProblem(const std::string& bytes, int classes = 10) {
  const auto labels = ParseIdxLabels(bytes, "labels", classes);
  return labels ? "none" : labels.error().Message();
}

TEST(DatasetIdxTest, ReadsImagesAndLabelsPlainAndCompressed) {
  for (const bool compressed : {false, true}) {
    const std::string plain = IdxImagesBytes(3, 2, 4);
    const auto images = ParseIdxImages(compressed ? Gzipped(plain) : plain, "images");
    ASSERT_TRUE(images);
    EXPECT_EQ(images->count, 3u);
    EXPECT_EQ(images->height, 2);
    EXPECT_EQ(images->width, 4);
    EXPECT_EQ(images->bytes, plain);
    const std::string labels = IdxLabelsBytes({9, 0, 4});
    EXPECT_THAT(ParseIdxLabels(compressed ? Gzipped(labels) : labels, "labels", 10).value(), ElementsAre(9, 0, 4));
  }
}

TEST(DatasetIdxTest, EveryMistakeIsNamedWithItsByte) {
  std::string bytes = IdxImagesBytes(3, 2, 4);
  EXPECT_THAT(ImagesProblem(bytes.substr(0, 15)), StartsWith("images: byte 15: the file ends within its header"));
  EXPECT_THAT(ImagesProblem(bytes.substr(0, 39)),
              StartsWith("images: byte 39: the file ends there, but its header announces 3 images of 2x4 and so 40"));
  EXPECT_THAT(ImagesProblem(bytes + "ab"), StartsWith("images: byte 40: 2 bytes follow the 3 images of 2x4"));
  EXPECT_THAT(ImagesProblem(IdxLabelsBytes(std::vector<int>(16, 1))), HasSubstr("exchange them"));
  EXPECT_THAT(ImagesProblem(IdxImagesBytes(0, 2, 4)), StartsWith("images: byte 4: 0 images"));
  EXPECT_THAT(ImagesProblem(IdxImagesBytes(1, 0, 4)), StartsWith("images: byte 8: images of 0 rows"));
  EXPECT_THAT(ImagesProblem(IdxImagesBytes(1, 1, 5000)), StartsWith("images: byte 12: images of 5000 columns"));
  bytes[2] = 0x0d;
  EXPECT_THAT(ImagesProblem(bytes), StartsWith("images: byte 0: the magic number is 0x00000d03, expected 0x00000803"));
  EXPECT_THAT(LabelsProblem(IdxLabelsBytes({1, 2, 10})),
              StartsWith("labels: byte 10: label 10 of image 2: expected 0 to 9"));
  EXPECT_EQ(LabelsProblem(IdxLabelsBytes({1, 2, 10}), 0), "none");
  EXPECT_THAT(LabelsProblem(""), StartsWith("labels: the file is empty: expected labels"));
}

TEST(DatasetIdxTest, SizesThatOverflowAreRefused) {
  const std::string header =
      BigEndianBytes(0x803) + BigEndianBytes(0xffffffff) + BigEndianBytes(4096) + BigEndianBytes(4096);
  EXPECT_THAT(ImagesProblem(header), StartsWith("images: byte 16: the file ends there"));
}

TEST(DatasetIdxTest, ADamagedGzipStreamIsNamedWithItsByte) {
  const std::string compressed = Gzipped(IdxImagesBytes(50, 8, 8));
  const std::string cut = ImagesProblem(compressed.substr(0, compressed.size() / 2));
  EXPECT_THAT(cut, HasSubstr("it ends too early"));
  EXPECT_THAT(cut, StartsWith("images: byte " + std::to_string(compressed.size() / 2) + " of "));
  std::string changed = compressed;
  changed[changed.size() - 5] = static_cast<char>(changed[changed.size() - 5] ^ 0x55);  // in the checksum
  EXPECT_THAT(ImagesProblem(changed), HasSubstr("damaged"));
}

TEST(DatasetIdxTest, WhatDecompressesWithoutEndIsRefused) {
  const auto content = Decompressed(Gzipped(std::string(100000, 'a')), "bomb", 50000);
  ASSERT_FALSE(content);
  EXPECT_THAT(content.error().Message(), StartsWith("bomb: more than 50000 bytes"));
}

TEST(DatasetIdxTest, NormalisationIsTheMeanAndDeviation) {
  const std::vector<uint8_t> values = {0, 51, 102, 255};  // 0, 0.2, 0.4, 1: mean 0.4, squares 0, 0.04, 0.16, 1
  const Normalisation found = NormalisationOf(values.data(), values.size());
  EXPECT_FLOAT_EQ(found.mean[0], 0.4f);
  EXPECT_FLOAT_EQ(found.deviation[0], std::sqrt(0.3f - 0.16f));
  const std::vector<uint8_t> constant(7, 9);
  EXPECT_EQ(NormalisationOf(constant.data(), constant.size()).deviation[0], 1.0f);
}

TEST(DatasetIdxTest, FilesThatDoNotBelongTogetherAreRefused) {
  const TemporaryFolder folder;
  const std::string images = folder.Write("images", IdxImagesBytes(3, 2, 2));
  const std::string labels = folder.Write("labels", IdxLabelsBytes({1, 2}));
  const auto dataset = ReadIdxDataset(images, labels, {});
  ASSERT_FALSE(dataset);
  EXPECT_THAT(dataset.error().Message(), HasSubstr("3 images"));
  EXPECT_THAT(dataset.error().Message(), HasSubstr("2 labels"));
}

}  // namespace
}  // namespace heliograd
