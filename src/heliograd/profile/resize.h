// Images as networks take them: resized, normalised, in 32-bit floating point.
//
// Bilinear interpolation with pixel centres at half-integers, as torch.nn.functional.interpolate(mode="bilinear",
// align_corners=False, antialias=False) does on floating-point values: the output pixel x lies at (x + 0.5) in / out -
// 0.5 of the input, not left of its first pixel's centre, and is weighed between the two pixels beside it. Values are
// not rounded to bytes in between. Shrinking by more than two leaves pixels out (no antialiasing): the study's sets are
// enlarged. Since the weights of a pixel add up to 1, the input is normalised once before, not the output after.
#pragma once

#include <cstdint>
#include <vector>

#include "heliograd/profile/dataset.h"

namespace heliograd {

/// Resizes images of one size to another; the tables are made once. Const calls are safe from any thread, each with its
/// own scratch.
class Resizer {
 public:
  /// Preconditions: sides of 1 or more, one mean and one deviation above 0 per channel.
  Resizer(int channels, int height, int width, int to_height, int to_width, const Normalisation& normalisation);

  /// Whether it is for images of this size.
  bool Fits(const ImageView& image) const {
    return image.channels == channels_ && image.height == height_ && image.width == width_;
  }
  /// Writes channels x to_height x to_width values, planes of rows. Precondition: Fits(image).
  void Resize(const ImageView& image, float* out, std::vector<float>& scratch) const;

 private:
  /// Where an output row or column lies between two of the input.
  struct Place {
    int32_t low = 0, high = 0;
    float low_weight = 1, high_weight = 0;
  };
  static std::vector<Place> Places(int from, int to);
  void StretchRow(const uint8_t* pixels, const float* normalised, float* values, float* out) const;

  int channels_, height_, width_, to_height_, to_width_;
  std::vector<Place> rows_, columns_;
  std::vector<float> normalised_;  // 256 values for each channel
};

}  // namespace heliograd
