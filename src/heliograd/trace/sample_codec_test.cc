#include "heliograd/trace/sample_codec.h"

#include <gtest/gtest.h>

#include <random>

namespace heliograd {
namespace {

constexpr int64_t kStart = 1764000000000000000;

/// What a sensor with a period of 100 ms, polled each 2 ms, looks like.
std::vector<Sample> SteadySensor(int count) {
  std::mt19937 random(7);
  std::vector<Sample> samples;
  int64_t tick_us = kStart / 1000;
  for (int i = 0; i < count; ++i) {
    const int64_t first = tick_us + static_cast<int64_t>(random() % 2000);
    samples.push_back(
        {first * 1000, (first + 98'000) * 1000, tick_us, 153'000 + static_cast<int64_t>(random() % 9000), i > 0});
    tick_us += 100'000;
  }
  return samples;
}

TEST(SampleCodec, GivesBackWhatItWasGiven) {
  const std::vector<Sample> samples = SteadySensor(1000);
  const Result<std::vector<Sample>> decoded = DecodeSamples(EncodeSamples(samples));
  ASSERT_TRUE(decoded) << decoded.error().Message();
  EXPECT_EQ(*decoded, samples);
}

TEST(SampleCodec, KeepsAMissingDriverStampApartFromAnUnchangedOne) {
  const std::vector<Sample> samples = {{kStart, kStart, 0, 5, false},
                                       {kStart + 2'000'000, kStart + 2'000'000, 77, 6, true},
                                       {kStart + 4'000'000, kStart + 4'000'000, 77, 7, true},
                                       {kStart + 6'000'000, kStart + 6'000'000, 0, 8, true},
                                       {kStart + 8'000'000, kStart + 8'000'000, 78, -9, true}};
  EXPECT_EQ(*DecodeSamples(EncodeSamples(samples)), samples);
}

TEST(SampleCodec, TakesUnderTwelveBytesAChange) {
  // Three of the four differences are near 100 000 us or a few watts in mW: three bytes each at seven bits a byte.
  const size_t bytes = EncodeSamples(SteadySensor(10'000)).size();
  EXPECT_LT(static_cast<double>(bytes) / 10'000, 12.0);
}

TEST(SampleCodec, RefusesBytesThatAreCutShort) {
  std::string bytes = EncodeSamples(SteadySensor(3));
  bytes.pop_back();
  EXPECT_FALSE(DecodeSamples(bytes));
}

}  // namespace
}  // namespace heliograd
