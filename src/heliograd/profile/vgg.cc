// VGG without batch norm (Simonyan and Zisserman, "Very deep convolutional networks", 2014), configurations A, B, D, E.
#include <fmt/format.h>

#include <array>

#include "heliograd/profile/architecture_builder.h"
#include "heliograd/profile/network_families.h"

namespace heliograd {
namespace {

/// Convolutions in each of the five stages; a pool ends each stage.
std::array<int, 5> ConvolutionsPerStage(int depth) {
  switch (depth) {
    case 11:
      return {1, 1, 2, 2, 2};
    case 13:
      return {2, 2, 2, 2, 2};
    case 16:
      return {2, 2, 3, 3, 3};
    default:
      return {2, 2, 4, 4, 4};
  }
}

constexpr std::array<int64_t, 5> kChannels = {64, 128, 256, 512, 512};

}  // namespace

Architecture MakeVgg(int depth, const NetworkOptions& options) {
  ArchitectureBuilder net(fmt::format("vgg{}", depth), options.channels);
  int x = kImage, position = 0;
  int64_t channels = options.channels;
  const auto next_name = [&] { return fmt::format("features.{}", position++); };
  const std::array<int, 5> convolutions = ConvolutionsPerStage(depth);
  for (size_t stage = 0; stage < kChannels.size(); ++stage) {
    for (int i = 0; i < convolutions[stage]; ++i) {
      x = net.Convolve(next_name(), x, {channels, kChannels[stage], 3, 1, 1});
      x = net.Rectify(next_name(), x);
      channels = kChannels[stage];
    }
    x = net.PoolMax(next_name(), x, {2, 2});
  }
  x = net.Flatten("flatten", net.PoolAverage("avgpool", x, 7));
  x = net.Rectify("classifier.1", net.Connect("classifier.0", x, 4096));
  x = net.Drop("classifier.2", x, 0.5);
  x = net.Rectify("classifier.4", net.Connect("classifier.3", x, 4096));
  x = net.Drop("classifier.5", x, 0.5);
  return net.Finish(net.Connect("classifier.6", x, options.classes));
}

}  // namespace heliograd
