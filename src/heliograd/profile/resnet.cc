// Residual networks (He et al., "Deep residual learning", 2015); the stride lies on the 3 x 3 convolution, as in
// torchvision.
#include <fmt/format.h>

#include <array>

#include "heliograd/profile/architecture_builder.h"
#include "heliograd/profile/network_families.h"

namespace heliograd {
namespace {

Convolution WithoutBias(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding) {
  return {in, out, kernel, stride, padding, false};
}

/// The input itself, or brought to the block's size by a 1 x 1 convolution. In PyTorch it runs after the main path.
int Shortcut(ArchitectureBuilder& net, const std::string& name, int input, int64_t out_channels, int64_t stride) {
  const int64_t in_channels = net.ChannelsOf(input);
  if (stride == 1 && in_channels == out_channels) return input;
  const int x = net.Convolve(name + ".downsample.0", input, WithoutBias(in_channels, out_channels, 1, stride, 0));
  return net.NormalizeBatch(name + ".downsample.1", x);
}

int Close(ArchitectureBuilder& net, const std::string& name, int main_path, int input, int64_t channels,
          int64_t stride) {
  const int shortcut = Shortcut(net, name, input, channels, stride);
  return net.Rectify(name + ".relu", net.Sum(name + ".add", main_path, shortcut, true));
}

int BasicBlock(ArchitectureBuilder& net, const std::string& name, int input, int64_t channels, int64_t stride) {
  int x = net.Convolve(name + ".conv1", input, WithoutBias(net.ChannelsOf(input), channels, 3, stride, 1));
  x = net.Rectify(name + ".relu", net.NormalizeBatch(name + ".bn1", x));
  x = net.Convolve(name + ".conv2", x, WithoutBias(channels, channels, 3, 1, 1));
  return Close(net, name, net.NormalizeBatch(name + ".bn2", x), input, channels, stride);
}

int Bottleneck(ArchitectureBuilder& net, const std::string& name, int input, int64_t channels, int64_t stride) {
  int x = net.Convolve(name + ".conv1", input, WithoutBias(net.ChannelsOf(input), channels, 1, 1, 0));
  x = net.Rectify(name + ".relu", net.NormalizeBatch(name + ".bn1", x));
  x = net.Convolve(name + ".conv2", x, WithoutBias(channels, channels, 3, stride, 1));
  x = net.Rectify(name + ".relu", net.NormalizeBatch(name + ".bn2", x));
  x = net.Convolve(name + ".conv3", x, WithoutBias(channels, 4 * channels, 1, 1, 0));
  return Close(net, name, net.NormalizeBatch(name + ".bn3", x), input, 4 * channels, stride);
}

std::array<int, 4> BlocksPerStage(int depth) {
  return depth == 18 ? std::array<int, 4>{2, 2, 2, 2} : std::array<int, 4>{3, 4, 6, 3};
}

}  // namespace

Architecture MakeResNet(int depth, const NetworkOptions& options) {
  ArchitectureBuilder net(fmt::format("resnet{}", depth), options.channels);
  int x = net.Convolve("conv1", kImage, WithoutBias(options.channels, 64, 7, 2, 3));
  x = net.Rectify("relu", net.NormalizeBatch("bn1", x));
  x = net.PoolMax("maxpool", x, {3, 2, 1});
  const std::array<int, 4> blocks = BlocksPerStage(depth);
  for (int stage = 0; stage < 4; ++stage) {
    for (int block = 0; block < blocks[static_cast<size_t>(stage)]; ++block) {
      const std::string name = fmt::format("layer{}.{}", stage + 1, block);
      const int64_t channels = int64_t{64} << stage, stride = stage > 0 && block == 0 ? 2 : 1;
      x = depth == 50 ? Bottleneck(net, name, x, channels, stride) : BasicBlock(net, name, x, channels, stride);
    }
  }
  x = net.Flatten("flatten", net.PoolAverage("avgpool", x, 1));
  return net.Finish(net.Connect("fc", x, options.classes));
}

}  // namespace heliograd
