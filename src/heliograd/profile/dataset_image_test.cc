#include "heliograd/profile/dataset_image.h"

#include <gmock/gmock.h>
#include <jpeglib.h>
#include <png.h>

#include <cstdio>
#include <cstdlib>

namespace heliograd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string Png(uint32_t width, uint32_t height, uint32_t format, const std::vector<uint8_t>& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = format;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0, nullptr);
  bytes.resize(size);
  return bytes;
}

std::string Jpeg(int width, int height, uint8_t grey) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = 1;
  info.in_color_space = JCS_GRAYSCALE;
  jpeg_set_defaults(&info);
  jpeg_start_compress(&info, TRUE);
  std::vector<uint8_t> row(static_cast<size_t>(width), grey);
  JSAMPROW rows[] = {row.data()};
  for (int y = 0; y < height; ++y) jpeg_write_scanlines(&info, rows, 1);
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string bytes(reinterpret_cast<char*>(buffer), size);
  std::free(buffer);
  return bytes;
}

std::string Problem(const std::string& bytes) {
  const auto picture = DecodePicture(bytes, "cat");
  return picture ? "none" : picture.error().Message();
}

TEST(DatasetImageTest, ReadsPngAsPlanes) {
  const auto picture = DecodePicture(Png(2, 1, PNG_FORMAT_RGB, {1, 2, 3, 4, 5, 6}), "cat");
  ASSERT_TRUE(picture);
  EXPECT_EQ(picture->width, 2);
  EXPECT_EQ(picture->height, 1);
  EXPECT_THAT(picture->pixels, ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(DatasetImageTest, GreyPicturesHaveThreePlanesAlike) {
  EXPECT_THAT(DecodePicture(Png(2, 1, PNG_FORMAT_GRAY, {7, 200}), "cat")->pixels, ElementsAre(7, 200, 7, 200, 7, 200));
  EXPECT_THAT(DecodePicture("P5\n# made by hand\n2 1 255\n\x07\x09", "cat")->pixels, ElementsAre(7, 9, 7, 9, 7, 9));
}

TEST(DatasetImageTest, ReadsPpm) {
  EXPECT_THAT(DecodePicture("P6 1 2 255\nabcdef", "cat")->pixels, ElementsAre('a', 'd', 'b', 'e', 'c', 'f'));
}

// A picture of one grey keeps it, but for JPEG's rounding.
TEST(DatasetImageTest, ReadsJpeg) {
  const auto picture = DecodePicture(Jpeg(11, 5, 100), "cat");
  ASSERT_TRUE(picture);
  EXPECT_EQ(picture->width, 11);
  EXPECT_EQ(picture->height, 5);
  ASSERT_EQ(picture->pixels.size(), 165u);
  for (const uint8_t pixel : picture->pixels) EXPECT_NEAR(pixel, 100, 2);
}

TEST(DatasetImageTest, DamagedPicturesAreRefused) {
  const std::string png = Png(9, 9, PNG_FORMAT_GRAY, std::vector<uint8_t>(81, 5)), jpeg = Jpeg(64, 64, 40);
  EXPECT_THAT(Problem(png.substr(0, png.size() / 2)), StartsWith("cat: the PNG picture of"));
  EXPECT_THAT(Problem(jpeg.substr(0, jpeg.size() / 2)), StartsWith("cat: the JPEG picture of"));
  EXPECT_THAT(Problem(jpeg.substr(0, 3)), StartsWith("cat: the JPEG picture of 3 bytes"));
  EXPECT_THAT(Problem("P6 1 2 255\nabcde"), StartsWith("cat: byte 16: the file ends there, but 1x2 pixels need 17"));
  EXPECT_THAT(Problem("P5 1 2 65535\nabcd"), HasSubstr("largest value is 65535: expected 255"));
  EXPECT_THAT(Problem("P5 1 x"), StartsWith("cat: byte 5: expected width"));
  EXPECT_THAT(Problem("P5 99999 1 255\n"), HasSubstr("99999x1: expected sides of 1 to 8192"));
  EXPECT_THAT(Problem("GIF89a"), StartsWith("cat: byte 0: 'GIF8' begins no picture"));
  EXPECT_THAT(Problem(""), StartsWith("cat: byte 0:"));
}

TEST(DatasetImageTest, KnowsNamesOfPictures) {
  EXPECT_TRUE(HasPictureName("a.PNG"));
  EXPECT_TRUE(HasPictureName("b.jpeg"));
  EXPECT_FALSE(HasPictureName(".png"));
  EXPECT_FALSE(HasPictureName("notes.txt"));
}

}  // namespace
}  // namespace heliograd
