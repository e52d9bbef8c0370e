#include "heliograd/profile/resize.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <random>

namespace heliograd {
namespace {

Normalisation Plain(size_t channels) {  // bytes stay as they are
  return {std::vector<float>(channels, 0.0f), std::vector<float>(channels, 1 / 255.0f)};
}

std::vector<float> Resized(const ImageView& image, int height, int width, const Normalisation& normalisation) {
  const Resizer resizer(image.channels, image.height, image.width, height, width, normalisation);
  std::vector<float> out(static_cast<size_t>(image.channels * height * width)), scratch;
  resizer.Resize(image, out.data(), scratch);
  return out;
}

// torch.nn.functional.interpolate(x, size=(4, 4), mode="bilinear") of [[0, 100], [200, 40]], PyTorch 2.13.
TEST(ResizeTest, EnlargesAsPyTorchDoes) {
  const uint8_t pixels[] = {0, 100, 200, 40};
  const std::vector<float> expected = {0,   25,      75,     100, 50,  58.75f, 76.25f, 85,
                                       150, 126.25f, 78.75f, 55,  200, 160,    80,     40};
  const auto found = Resized({1, 2, 2, pixels}, 4, 4, Plain(1));
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4) << i;
}

TEST(ResizeTest, TheSameSizeChangesNothing) {
  const uint8_t pixels[] = {3, 1, 4, 1, 5, 9};
  const auto found = Resized({1, 2, 3, pixels}, 2, 3, Plain(1));
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], pixels[i], 1e-5);
}

TEST(ResizeTest, NormalisesEachChannelByItsOwn) {
  const uint8_t pixels[] = {255, 51};
  const auto found = Resized({2, 1, 1, pixels}, 1, 1, {{0.5f, 0.1f}, {0.25f, 0.2f}});
  EXPECT_FLOAT_EQ(found[0], 2.0f);  // (1 - 0.5) / 0.25
  EXPECT_FLOAT_EQ(found[1], 0.5f);  // (0.2 - 0.1) / 0.2
}

std::vector<uint8_t> RandomPixels(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> pixels(count);
  for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>(random());
  return pixels;
}

// Each output pixel by its definition, in double precision, for many sizes up and down. Values up to 255 in float with
// three roundings: 1e-4.
TEST(ResizeTest, AgreesWithItsDefinition) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    const auto side = [&] { return static_cast<int>(1 + random() % 40); };
    const int height = side(), width = side(), to_height = side(), to_width = side();
    const auto pixels = RandomPixels(static_cast<size_t>(height * width), static_cast<unsigned>(round));
    const auto found = Resized({1, height, width, pixels.data()}, to_height, to_width, Plain(1));
    for (int y = 0; y < to_height; ++y) {
      for (int x = 0; x < to_width; ++x) {
        const double at_y = std::max(0.0, (y + 0.5) * height / to_height - 0.5);
        const double at_x = std::max(0.0, (x + 0.5) * width / to_width - 0.5);
        const auto pixel = [&](double py, double px) {
          const int row = std::min(static_cast<int>(py), height - 1),
                    column = std::min(static_cast<int>(px), width - 1);
          return static_cast<double>(pixels[static_cast<size_t>(row * width + column)]);
        };
        const double part_y = at_y - std::floor(at_y), part_x = at_x - std::floor(at_x);
        const double expected = (1 - part_y) * ((1 - part_x) * pixel(at_y, at_x) + part_x * pixel(at_y, at_x + 1)) +
                                part_y * ((1 - part_x) * pixel(at_y + 1, at_x) + part_x * pixel(at_y + 1, at_x + 1));
        ASSERT_NEAR(found[static_cast<size_t>(y * to_width + x)], expected, 1e-4);
      }
    }
  }
}

/// What PyTorch makes of the bytes 0, 7, 14 ... (modulo 251) as an image, normalised; empty where there is no PyTorch.
std::vector<float> FromPyTorch(int channels, int side, int to, const Normalisation& normalisation) {
  const std::string python = HELIOGRAD_SOURCE_DIR "/.venv-python/bin/python";
  if (!std::filesystem::exists(python)) return {};
  const std::string command = fmt::format(
      "{} -c \"import sys, torch\n"
      "x = (torch.arange({} * {} * {}) * 7 % 251).reshape(1, {}, {}, {}).float() / 255\n"
      "y = torch.nn.functional.interpolate(x, size=({}, {}), mode='bilinear', align_corners=False)\n"
      "y = (y - torch.tensor([{}]).reshape(1, -1, 1, 1)) / torch.tensor([{}]).reshape(1, -1, 1, 1)\n"
      "sys.stdout.buffer.write(bytes(y.contiguous().flatten().view(torch.uint8).tolist()))\" 2>/dev/null",
      python, channels, side, side, channels, side, side, to, to, fmt::join(normalisation.mean, ","),
      fmt::join(normalisation.deviation, ","));
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::vector<float> values(static_cast<size_t>(channels * to * to));
  const size_t read = fread(values.data(), sizeof(float), values.size(), pipe);
  const bool done = pclose(pipe) == 0 && read == values.size();
  return done ? values : std::vector<float>();
}

// Values of a few units; PyTorch weighs in another order: 2e-6 of 4 is what single precision gives.
TEST(ResizeTest, AgreesWithPyTorchOnTheStudysSizes) {
  for (const auto& [channels, side] : {std::pair(1, 28), std::pair(3, 32)}) {
    const Normalisation normalisation{std::vector<float>(static_cast<size_t>(channels), 0.45f),
                                      std::vector<float>(static_cast<size_t>(channels), 0.27f)};
    const auto expected = FromPyTorch(channels, side, 224, normalisation);
    if (expected.empty()) GTEST_SKIP() << "no PyTorch in .venv-python";
    std::vector<uint8_t> pixels(static_cast<size_t>(channels * side * side));
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 7 % 251);
    const auto found = Resized({channels, side, side, pixels.data()}, 224, 224, normalisation);
    for (size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 1e-5) << i;
  }
}

}  // namespace
}  // namespace heliograd
