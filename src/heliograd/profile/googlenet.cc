// GoogLeNet (Szegedy et al., "Going deeper with convolutions", 2014) with batch norm, as torchvision has it, and nine
// modifications of this project's own:
//   mod1 no batch norm, no auxiliary heads       mod6 half-width stem (32, 32, 96)
//   mod2 only modules 3a, 4a, 4e, 5a             mod7 a second 4e
//   mod3 branches of 3/4 width, full stem        mod8 1.25 times the width throughout
//   mod4 without 3a and 3b                       mod9 3a, 4a, 5a at 3/4 width, no auxiliary heads
//   mod5 one module per stage: 3a, 4a, 5a        k5   5 x 5 in the third branch, as in the paper
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include "heliograd/profile/architecture_builder.h"
#include "heliograd/profile/network_families.h"

namespace heliograd {
namespace {

/// Output channels: 1x1; 3x3's reduction and 3x3; 5x5's reduction and 5x5; after the pool.
using Branches = std::array<int64_t, 6>;

struct Module {
  std::string name;
  Branches branches;
};

const std::vector<Module>& PaperModules() {
  static const std::vector<Module> modules = {
      {"3a", {64, 96, 128, 16, 32, 32}},     {"3b", {128, 128, 192, 32, 96, 64}},
      {"4a", {192, 96, 208, 16, 48, 64}},    {"4b", {160, 112, 224, 24, 64, 64}},
      {"4c", {128, 128, 256, 24, 64, 64}},   {"4d", {112, 144, 288, 32, 64, 64}},
      {"4e", {256, 160, 320, 32, 128, 128}}, {"5a", {256, 160, 320, 32, 128, 128}},
      {"5b", {384, 192, 384, 48, 128, 128}}};
  return modules;
}

struct Variant {
  std::vector<Module> modules = PaperModules();
  double width = 1, stem_width = 1;
  int64_t third_kernel = 3;
  bool batch_norm = true, auxiliary = true;

  void Keep(const std::vector<std::string>& names) {
    std::erase_if(modules, [&](const Module& module) {
      return std::find(names.begin(), names.end(), module.name) == names.end();
    });
  }
  void Repeat(const std::string& name, const std::string& copy) {
    const auto at = std::find_if(modules.begin(), modules.end(), [&](const Module& m) { return m.name == name; });
    const Branches branches = at->branches;
    modules.insert(at + 1, {copy, branches});
  }
};

Variant VariantOf(const std::string& name) {
  Variant variant;
  const std::string change = name == "googlenet" ? "" : name.substr(std::string("googlenet_").size());
  if (change == "mod1") variant.batch_norm = variant.auxiliary = false;
  if (change == "mod2") variant.Keep({"3a", "4a", "4e", "5a"});
  if (change == "mod3") variant.width = 0.75;
  if (change == "mod4") variant.Keep({"4a", "4b", "4c", "4d", "4e", "5a", "5b"});
  if (change == "mod5" || change == "mod9") variant.Keep({"3a", "4a", "5a"});
  if (change == "mod6") variant.stem_width = 0.5;
  if (change == "mod7") variant.Repeat("4e", "4f");
  if (change == "mod8") variant.width = variant.stem_width = 1.25;
  if (change == "mod9") variant.width = variant.stem_width = 0.75;
  if (change == "mod9") variant.auxiliary = false;
  if (change == "k5") variant.third_kernel = 5;
  return variant;
}

/// A multiple of 8, at least 8; halves go to the even multiple, as Python rounds.
int64_t Scaled(int64_t channels, double width) {
  const double eighths = std::nearbyint(static_cast<double>(channels) * width / 8);
  return std::max<int64_t>(8, 8 * static_cast<int64_t>(eighths));
}

class GoogLeNetBuilder {
 public:
  GoogLeNetBuilder(const std::string& name, const NetworkOptions& options)
      : options_(options), variant_(VariantOf(name)), net_(name, options.channels) {}

  Architecture Build() {
    int x = AddStem();
    char stage = '3';
    for (const Module& module : variant_.modules) {
      for (; stage != module.name[0]; ++stage) x = AddPoolAfter(stage, x);
      x = AddInception(module, x);
      if (variant_.auxiliary && (module.name == "4a" || module.name == "4d")) {
        AddAuxiliaryHead(module.name == "4a" ? "aux1" : "aux2", x);
      }
    }
    x = net_.Flatten("flatten", net_.PoolAverage("avgpool", x, 1));
    return net_.Finish(net_.Connect("fc", net_.Drop("dropout", x, 0.2), options_.classes));
  }

 private:
  /// Convolution, batch norm where the variant has it, ReLU.
  int AddConvolution(const std::string& name, int input, int64_t out_channels, int64_t kernel, int64_t stride = 1) {
    const Convolution convolution{net_.ChannelsOf(input), out_channels, kernel, stride, kernel / 2,
                                  !variant_.batch_norm};
    int x = net_.Convolve(name + ".conv", input, convolution);
    if (variant_.batch_norm) x = net_.NormalizeBatch(name + ".bn", x, 1e-3);
    return net_.Rectify(name + ".relu", x, CalledAs::kFunction);
  }

  int AddStem() {
    const auto width = [&](int64_t channels) { return Scaled(channels, variant_.stem_width); };
    int x = AddConvolution("conv1", kImage, width(64), 7, 2);
    x = net_.PoolMax("maxpool1", x, {3, 2, 0, true});
    x = AddConvolution("conv2", x, width(64), 1);
    x = AddConvolution("conv3", x, width(192), 3);
    return net_.PoolMax("maxpool2", x, {3, 2, 0, true});
  }

  int AddPoolAfter(char stage, int input) {
    return net_.PoolMax(fmt::format("stages.maxpool{}", stage), input, {stage == '3' ? 3 : 2, 2, 0, true});
  }

  int AddInception(const Module& module, int input) {
    const std::string name = "stages.inception" + module.name;
    const auto width = [&](size_t branch) { return Scaled(module.branches[branch], variant_.width); };
    const int first = AddConvolution(name + ".branch1", input, width(0), 1);
    int second = AddConvolution(name + ".branch2.0", input, width(1), 1);
    second = AddConvolution(name + ".branch2.1", second, width(2), 3);
    int third = AddConvolution(name + ".branch3.0", input, width(3), 1);
    third = AddConvolution(name + ".branch3.1", third, width(4), variant_.third_kernel);
    int fourth = net_.PoolMax(name + ".branch4.0", input, {3, 1, 1, true});
    fourth = AddConvolution(name + ".branch4.1", fourth, width(5), 1);
    return net_.Join(name + ".concatenate", {first, second, third, fourth});
  }

  void AddAuxiliaryHead(const std::string& name, int input) {
    net_.OnlyTraining(true);
    int x = net_.PoolAverage(name + ".pool", input, 4, CalledAs::kFunction);
    x = net_.Flatten(name + ".flatten", AddConvolution(name + ".conv", x, 128, 1));
    x = net_.Rectify(name + ".relu", net_.Connect(name + ".fc1", x, 1024), CalledAs::kFunction);
    x = net_.Connect(name + ".fc2", net_.Drop(name + ".dropout", x, 0.7), options_.classes);
    net_.AddAuxiliary(x);
    net_.OnlyTraining(false);
  }

  NetworkOptions options_;
  Variant variant_;
  ArchitectureBuilder net_;
};

}  // namespace

Architecture MakeGoogLeNet(const std::string& name, const NetworkOptions& options) {
  return GoogLeNetBuilder(name, options).Build();
}

}  // namespace heliograd
