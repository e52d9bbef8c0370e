#include "heliograd/profile/dataset_image.h"

#include <fmt/format.h>
#include <jpeglib.h>  // after cstdio, whose FILE it names
#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <optional>

#include "heliograd/base/text.h"

namespace heliograd {
namespace {

/// Red, green, blue one after the other for each pixel -> three planes.
Picture Planes(int height, int width, const std::vector<uint8_t>& interleaved) {
  const size_t plane = static_cast<size_t>(height) * static_cast<size_t>(width);
  Picture picture{height, width, std::vector<uint8_t>(3 * plane)};
  for (size_t i = 0; i < plane; ++i) {
    for (size_t channel = 0; channel < 3; ++channel) picture.pixels[channel * plane + i] = interleaved[3 * i + channel];
  }
  return picture;
}

Result<void> CheckSides(uint64_t height, uint64_t width, const std::string& file) {
  if (height >= 1 && width >= 1 && height <= kLargestPictureSide && width <= kLargestPictureSide) return {};
  return Fail(fmt::format("{}: a picture of {}x{}: expected sides of 1 to {} pixels.", file, width, height,
                          kLargestPictureSide));
}

Result<Picture> DecodePng(std::string_view bytes, const std::string& file) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  const auto damaged = [&] {
    const std::string reason = Quoted(image.message);
    png_image_free(&image);
    return Fail(fmt::format("{}: the PNG picture of {} bytes is damaged: {}: copy the file again.", file, bytes.size(),
                            reason));
  };
  if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size())) return damaged();
  if (const auto sides = CheckSides(image.height, image.width, file); !sides) {
    png_image_free(&image);
    return Fail(sides.error());
  }
  image.format = PNG_FORMAT_RGB;
  std::vector<uint8_t> interleaved(PNG_IMAGE_SIZE(image));
  const png_color black{0, 0, 0};
  if (!png_image_finish_read(&image, &black, interleaved.data(), 0, nullptr)) return damaged();
  return Planes(static_cast<int>(image.height), static_cast<int>(image.width), interleaved);
}

/// libjpeg reports by a callback that must not return: it jumps back to where decoding began.
struct JpegFailure {
  jpeg_error_mgr manager;  // first, for libjpeg gives back a pointer to it
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
};

void OnJpegError(j_common_ptr info) {
  auto* failure = reinterpret_cast<JpegFailure*>(info->err);
  (*info->err->format_message)(info, failure->message);
  std::longjmp(failure->back, 1);
}

/// A warning means missing or wrong data that libjpeg would fill with grey: a damaged picture all the same.
void OnJpegMessage(j_common_ptr info, int level) {
  if (level < 0) OnJpegError(info);
}

/// Where both variables hold something that must be freed live outside of the function that is jumped into.
struct JpegReading {
  jpeg_decompress_struct info{};
  JpegFailure failure{};
  std::vector<uint8_t> interleaved;
  bool too_large = false;
};

/// Fills `reading`; false with a message in it. Holds no object with a destructor, since it is left by a jump.
bool ReadJpeg(JpegReading& reading, std::string_view bytes) {
  jpeg_decompress_struct& info = reading.info;
  info.err = jpeg_std_error(&reading.failure.manager);
  reading.failure.manager.error_exit = OnJpegError;
  reading.failure.manager.emit_message = OnJpegMessage;
  if (setjmp(reading.failure.back) != 0) return false;
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&info, TRUE);
  reading.too_large = info.image_width > kLargestPictureSide || info.image_height > kLargestPictureSide;
  if (reading.too_large) return false;
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  const size_t row = static_cast<size_t>(info.output_width) * 3;
  reading.interleaved.resize(row * info.output_height);
  while (info.output_scanline < info.output_height) {
    JSAMPROW out = reading.interleaved.data() + row * info.output_scanline;
    jpeg_read_scanlines(&info, &out, 1);
  }
  jpeg_finish_decompress(&info);
  return true;
}

Result<Picture> DecodeJpeg(std::string_view bytes, const std::string& file) {
  JpegReading reading;
  const bool done = ReadJpeg(reading, bytes);
  const int height = static_cast<int>(reading.info.image_height), width = static_cast<int>(reading.info.image_width);
  jpeg_destroy_decompress(&reading.info);
  if (reading.too_large) return Fail(CheckSides(height, width, file).error());
  if (!done) {
    return Fail(
        fmt::format("{}: the JPEG picture of {} bytes cannot be read: {}: copy the file again, or save it as "
                    "PNG.",
                    file, bytes.size(), Quoted(reading.failure.message)));
  }
  return Planes(height, width, reading.interleaved);
}

/// The next number of a PGM or PPM header; blanks and comments before it are passed over.
std::optional<uint64_t> HeaderNumber(std::string_view bytes, size_t& at) {
  while (at < bytes.size()) {
    const char c = bytes[at];
    if (c == '#') {
      while (at < bytes.size() && bytes[at] != '\n') ++at;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++at;
    } else {
      break;
    }
  }
  uint64_t number = 0;
  const size_t first = at;
  while (at < bytes.size() && bytes[at] >= '0' && bytes[at] <= '9' && at - first < 9) {
    number = 10 * number + static_cast<uint64_t>(bytes[at++] - '0');
  }
  return at > first ? std::optional(number) : std::nullopt;
}

/// Binary PGM (P5) and PPM (P6) of 8 bits.
Result<Picture> DecodeNetpbm(std::string_view bytes, const std::string& file) {
  const size_t channels = bytes[1] == '5' ? 1 : 3;
  std::array<uint64_t, 3> header{};  // width, height, largest value
  size_t at = 2;
  for (uint64_t& number : header) {
    const auto found = HeaderNumber(bytes, at);
    if (!found) return Fail(fmt::format("{}: byte {}: expected width, height and largest value in digits.", file, at));
    number = *found;
  }
  const auto [width, height, largest] = header;
  if (const auto sides = CheckSides(height, width, file); !sides) return Fail(sides.error());
  if (largest != 255) {
    return Fail(fmt::format("{}: byte {}: the largest value is {}: expected 255.", file, at, largest));
  }
  ++at;  // the one blank that ends the header
  const size_t plane = static_cast<size_t>(width * height);
  if (bytes.size() < at + channels * plane) {
    return Fail(fmt::format("{}: byte {}: the file ends there, but {}x{} pixels need {} bytes: copy it again.", file,
                            bytes.size(), width, height, at + channels * plane));
  }
  Picture picture{static_cast<int>(height), static_cast<int>(width), std::vector<uint8_t>(3 * plane)};
  for (size_t i = 0; i < plane; ++i) {
    for (size_t channel = 0; channel < 3; ++channel) {
      picture.pixels[channel * plane + i] = static_cast<uint8_t>(bytes[at + (channels == 3 ? 3 * i + channel : i)]);
    }
  }
  return picture;
}

}  // namespace

Result<Picture> DecodePicture(std::string_view bytes, const std::string& file) {
  if (bytes.substr(0, 4) == "\x89PNG") return DecodePng(bytes, file);
  if (bytes.substr(0, 2) == "\xff\xd8") return DecodeJpeg(bytes, file);
  if (bytes.substr(0, 2) == "P5" || bytes.substr(0, 2) == "P6") return DecodeNetpbm(bytes, file);
  return Fail(fmt::format("{}: byte 0: {} begins no picture that is read: expected PNG, JPEG, or PGM or PPM in binary.",
                          file, Quoted(bytes.substr(0, 4))));
}

bool HasPictureName(std::string_view name) {
  const std::string lower = ToLower(name);
  for (const std::string_view end : {".png", ".jpg", ".jpeg", ".pgm", ".ppm"}) {
    if (lower.size() > end.size() && std::string_view(lower).substr(lower.size() - end.size()) == end) return true;
  }
  return false;
}

}  // namespace heliograd
