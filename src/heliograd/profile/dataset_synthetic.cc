#include "heliograd/profile/dataset_synthetic.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace heliograd {
namespace {

constexpr int kWaves = 3;               // in the pattern of each class and channel
constexpr double kAmplitude = 28;       // of each wave, in steps of a byte
constexpr int kMiddle = 128;            // mean value
constexpr int kLargestShift = 2;        // pixels that a pattern is moved
constexpr int kBrightness = 16;         // largest change of brightness
constexpr int kNoise = 40;              // largest noise on a pixel
constexpr double kNoiseVariance = 280;  // of the sum of two uniform values, -20 to 20 each, in the noise

/// A number that depends on every bit of its argument: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom
/// number generators", 2014 (SplitMix64).
uint64_t Mixed(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

/// From `low` to `high`, from 16 bits of a random number.
int Between(uint64_t bits, int low, int high) {
  return low + static_cast<int>((bits & 0xffff) * static_cast<uint64_t>(high - low + 1) >> 16);
}

class Synthetic final : public Dataset {
 public:
  Synthetic(const SyntheticFormat& format, DatasetPart part, uint64_t seed)
      : size_(part == DatasetPart::kTrain ? format.train_images : format.test_images),
        stream_(Mixed(Mixed(seed) + (part == DatasetPart::kTrain ? 1 : 2))) {
    info_.name = fmt::format("synthetic {} {}", format.name, PartName(part));
    info_.origin = fmt::format("synthetic, seed {}", seed);
    info_.channels = format.channels;
    info_.height = format.height;
    info_.width = format.width;
    info_.classes = format.classes;
    info_.synthetic = true;
    // Waves of random direction have half their squared amplitude as variance.
    const double variance = kWaves * kAmplitude * kAmplitude / 2 + kNoiseVariance;
    const auto channels = static_cast<size_t>(format.channels);
    info_.normalisation.mean.assign(channels, static_cast<float>(kMiddle / 255.0));
    info_.normalisation.deviation.assign(channels, static_cast<float>(std::sqrt(variance) / 255));
    DrawPatterns(seed);
  }

  const DatasetInfo& info() const override { return info_; }
  size_t size() const override { return size_; }
  int64_t Label(size_t index) const override {
    return static_cast<int64_t>(index % static_cast<size_t>(info_.classes));
  }

  Result<ImageView> Image(size_t index, std::vector<uint8_t>& scratch) const override {
    scratch.resize(PlaneSize() * static_cast<size_t>(info_.channels));
    const uint64_t image = Mixed(stream_ + index);
    const int shift_y = Between(image, 0, 2 * kLargestShift), shift_x = Between(image >> 16, 0, 2 * kLargestShift);
    const int brightness = Between(image >> 32, -kBrightness, kBrightness);
    uint8_t* out = scratch.data();
    const int16_t* pattern = patterns_.data() + static_cast<size_t>(Label(index)) * PatternSize();
    uint64_t random = 0, drawn = 0;
    for (int channel = 0; channel < info_.channels; ++channel) {
      for (int y = 0; y < info_.height; ++y) {
        const int16_t* row =
            pattern +
            (static_cast<size_t>(channel) * PatternHeight() + static_cast<size_t>(y + shift_y)) * PatternWidth() +
            static_cast<size_t>(shift_x);
        for (int x = 0; x < info_.width; ++x, random >>= 16) {
          if (x % 4 == 0) random = Mixed(image + ++drawn);
          const int noise =
              static_cast<int>((random & 0xff) * 41 >> 8) + static_cast<int>((random >> 8 & 0xff) * 41 >> 8);
          *out++ = static_cast<uint8_t>(std::clamp(row[x] + brightness + noise - kNoise, 0, 255));
        }
      }
    }
    return ImageView{info_.channels, info_.height, info_.width, scratch.data()};
  }

 private:
  size_t PlaneSize() const { return static_cast<size_t>(info_.height) * static_cast<size_t>(info_.width); }
  size_t PatternHeight() const { return static_cast<size_t>(info_.height + 2 * kLargestShift); }
  size_t PatternWidth() const { return static_cast<size_t>(info_.width + 2 * kLargestShift); }
  size_t PatternSize() const { return static_cast<size_t>(info_.channels) * PatternHeight() * PatternWidth(); }

  void DrawPatterns(uint64_t seed) {
    patterns_.reserve(static_cast<size_t>(info_.classes) * PatternSize());
    uint64_t state = Mixed(seed) + 3;
    for (int plane = 0; plane < info_.classes * info_.channels; ++plane) {
      struct Wave {
        double along_y, along_x, phase;
      };
      Wave waves[kWaves];
      for (Wave& wave : waves) {
        const uint64_t bits = Mixed(state++);
        wave = {Between(bits, -4, 4) * 2 * std::numbers::pi / info_.height,
                Between(bits >> 16, 1, 4) * 2 * std::numbers::pi / info_.width,
                Between(bits >> 32, 0, 359) * std::numbers::pi / 180};
      }
      for (size_t y = 0; y < PatternHeight(); ++y) {
        for (size_t x = 0; x < PatternWidth(); ++x) {
          double value = kMiddle;
          for (const Wave& wave : waves) {
            value += kAmplitude * std::sin(wave.along_y * static_cast<double>(y) +
                                           wave.along_x * static_cast<double>(x) + wave.phase);
          }
          patterns_.push_back(static_cast<int16_t>(std::lround(value)));
        }
      }
    }
  }

  DatasetInfo info_;
  size_t size_;
  uint64_t stream_;
  std::vector<int16_t> patterns_;  // class, channel, rows, columns, with room to be moved
};

}  // namespace

SyntheticFormat FashionMnistFormat() { return {"fashion-mnist", 1, 28, 28, 10, 60000, 10000}; }
SyntheticFormat Cifar100Format() { return {"cifar100", 3, 32, 32, 100, 50000, 10000}; }

std::shared_ptr<const Dataset> SyntheticDataset(const SyntheticFormat& format, DatasetPart part, uint64_t seed) {
  return std::make_shared<Synthetic>(format, part, seed);
}

}  // namespace heliograd
