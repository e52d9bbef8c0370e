// Vision transformers (Dosovitskiy et al., "An image is worth 16x16 words", 2020) on 16 x 16 patches, with a class
// token, learned positions and explicit attention, so that every product is seen.
#include <fmt/format.h>

#include "heliograd/profile/architecture_builder.h"
#include "heliograd/profile/network_families.h"

namespace heliograd {
namespace {

struct Size {
  int64_t features, heads;
  int depth;
};

Size SizeOf(const std::string& name) {
  if (name == "vit_s16_d6") return {384, 6, 6};
  if (name == "vit_s16_d12") return {384, 6, 12};
  return {192, 3, 12};
}

int Block(ArchitectureBuilder& net, const std::string& name, int input, const Size& size) {
  int x = net.Connect(name + ".attn.qkv", net.NormalizeLayer(name + ".n1", input), 3 * size.features);
  x = net.Connect(name + ".attn.proj", net.Attend(name + ".attn", x, size.heads), size.features);
  const int attended = net.Sum(name + ".add1", input, x, false);
  x = net.Connect(name + ".mlp.0", net.NormalizeLayer(name + ".n2", attended), 4 * size.features);
  x = net.Connect(name + ".mlp.2", net.ApplyGelu(name + ".mlp.1", x), size.features);
  return net.Sum(name + ".add2", attended, x, false);
}

}  // namespace

Architecture MakeVisionTransformer(const std::string& name, const NetworkOptions& options) {
  const Size size = SizeOf(name);
  ArchitectureBuilder net(name, options.channels);
  int x = net.Convolve("patch", kImage, {options.channels, size.features, 16, 16, 0});
  x = net.AddTokensAndPositions("tokens", x);
  for (int block = 0; block < size.depth; ++block) x = Block(net, fmt::format("blocks.{}", block), x, size);
  x = net.TakeFirstToken("first_token", net.NormalizeLayer("norm", x));
  return net.Finish(net.Connect("head", x, options.classes));
}

}  // namespace heliograd
