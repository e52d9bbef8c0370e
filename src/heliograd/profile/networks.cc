#include "heliograd/profile/networks.h"

#include <fmt/format.h>

#include <algorithm>

#include "heliograd/base/text.h"
#include "heliograd/profile/network_families.h"

namespace heliograd {
namespace {

constexpr int64_t kMostClasses = 1'000'000;

Architecture Make(const std::string& name, const NetworkOptions& options) {
  if (name == "alexnet") return MakeAlexNet(options);
  if (name.starts_with("vgg")) return MakeVgg(std::stoi(name.substr(3)), options);
  if (name.starts_with("resnet")) return MakeResNet(std::stoi(name.substr(6)), options);
  if (name.starts_with("vit_")) return MakeVisionTransformer(name, options);
  return MakeGoogLeNet(name, options);
}

}  // namespace

const std::vector<std::string>& NetworkNames() {
  static const std::vector<std::string> names = {
      "alexnet",        "vgg11",          "vgg13",          "vgg16",          "vgg19",          "resnet18",
      "resnet34",       "resnet50",       "googlenet",      "googlenet_mod1", "googlenet_mod2", "googlenet_mod3",
      "googlenet_mod4", "googlenet_mod5", "googlenet_mod6", "googlenet_mod7", "googlenet_mod8", "googlenet_mod9",
      "googlenet_k5",   "vit_s16_d6",     "vit_s16_d12",    "vit_ti16_d12"};
  return names;
}

Result<Architecture> MakeNetwork(std::string_view name, const NetworkOptions& options) {
  const std::vector<std::string>& names = NetworkNames();
  const auto known = std::find(names.begin(), names.end(), name);
  if (known == names.end()) {
    return Fail(fmt::format("no network is named {}.{} `heliograd profile --list` shows all", Quoted(name),
                            DidYouMean(name, names)),
                ErrorKind::kUsage);
  }
  if (options.channels != 1 && options.channels != 3) {
    return Fail(fmt::format("{} channels: expected 1 (grey) or 3 (colour)", options.channels), ErrorKind::kUsage);
  }
  if (options.classes < 1 || options.classes > kMostClasses) {
    return Fail(fmt::format("{} classes: expected 1 to {}", options.classes, kMostClasses), ErrorKind::kUsage);
  }
  return Make(*known, options);
}

}  // namespace heliograd
