// One picture in a file of its own: PNG (libpng), JPEG (libjpeg) or binary PGM and PPM, told apart by content.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd {

/// No picture with a longer side is read: it would fill memory.
inline constexpr int kLargestPictureSide = 8192;

/// Three planes (red, green, blue) of height x width bytes; grey pictures have three alike, transparency is laid on
/// black, 16-bit values are cut to 8.
struct Picture {
  int height = 0, width = 0;
  std::vector<uint8_t> pixels;
};

/// Fails in one sentence with the file and, where the format has one, the byte. Safe from any thread.
Result<Picture> DecodePicture(std::string_view bytes, const std::string& file);

/// Whether the name ends as that of a picture that is read: .png, .jpg, .jpeg, .pgm, .ppm, in any case.
bool HasPictureName(std::string_view name);

}  // namespace heliograd
