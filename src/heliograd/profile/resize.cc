#include "heliograd/profile/resize.h"

#include <algorithm>

namespace heliograd {
namespace {

/// out = low_weight * low + high_weight * high: the inner loop of everything here, which the compiler makes vector
/// instructions of.
void Blend(const float* __restrict low, const float* __restrict high, float low_weight, float high_weight,
           float* __restrict out, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] = low_weight * low[i] + high_weight * high[i];
}

}  // namespace

Resizer::Resizer(int channels, int height, int width, int to_height, int to_width, const Normalisation& normalisation)
    : channels_(channels),
      height_(height),
      width_(width),
      to_height_(to_height),
      to_width_(to_width),
      rows_(Places(height, to_height)),
      columns_(Places(width, to_width)) {
  for (size_t channel = 0; channel < static_cast<size_t>(channels); ++channel) {
    for (int value = 0; value < 256; ++value) {
      normalised_.push_back((static_cast<float>(value) / 255.0f - normalisation.mean[channel]) /
                            normalisation.deviation[channel]);
    }
  }
}

std::vector<Resizer::Place> Resizer::Places(int from, int to) {
  std::vector<Place> places(static_cast<size_t>(to));
  const double scale = static_cast<double>(from) / to;
  for (size_t i = 0; i < places.size(); ++i) {
    const double at = std::max(0.0, (static_cast<double>(i) + 0.5) * scale - 0.5);
    Place& place = places[i];
    place.low = std::min(static_cast<int32_t>(at), from - 1);
    place.high = std::min(place.low + 1, from - 1);
    place.high_weight = static_cast<float>(at - place.low);
    place.low_weight = 1 - place.high_weight;
  }
  return places;
}

void Resizer::StretchRow(const uint8_t* pixels, const float* normalised, float* values, float* out) const {
  for (int x = 0; x < width_; ++x) values[x] = normalised[pixels[x]];
  for (size_t x = 0; x < columns_.size(); ++x) {
    const Place& place = columns_[x];
    out[x] = place.low_weight * values[place.low] + place.high_weight * values[place.high];
  }
}

/// Each input row that is needed is stretched once, kept in one of two places by the parity of its number, and two
/// stretched rows are blended to each output row: 2 loads from the cache, 3 operations and 1 store for each value.
void Resizer::Resize(const ImageView& image, float* out, std::vector<float>& scratch) const {
  const auto width = static_cast<size_t>(width_), to_width = static_cast<size_t>(to_width_);
  scratch.resize(width + 2 * to_width);
  float* values = scratch.data();
  float* stretched[2] = {values + width, values + width + to_width};
  for (int channel = 0; channel < channels_; ++channel) {
    const uint8_t* plane = image.pixels + static_cast<size_t>(channel) * static_cast<size_t>(height_) * width;
    const float* normalised = normalised_.data() + 256 * static_cast<size_t>(channel);
    int32_t held[2] = {-1, -1};
    const auto row = [&](int32_t y) -> const float* {
      const int parity = y & 1;
      if (held[parity] != y) {
        StretchRow(plane + static_cast<size_t>(y) * width, normalised, values, stretched[parity]);
        held[parity] = y;
      }
      return stretched[parity];
    };
    for (const Place& place : rows_) {
      const float* low = row(place.low);
      const float* high = row(place.high);
      Blend(low, high, place.low_weight, place.high_weight, out, to_width);
      out += to_width;
    }
  }
}

}  // namespace heliograd
