#include "heliograd/profile/networks.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

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

/// What of a name counts: "ViT-S/16" becomes "vits16".
std::string Bare(std::string_view name) {
  std::string bare;
  for (const char c : ToLower(name)) {
    if (std::string_view(" \t-/_").find(c) == std::string_view::npos) bare += c;
  }
  return bare;
}

/// Shorter names that people write, without what does not count.
const std::vector<std::pair<std::string, std::string>>& ShortNames() {
  static const std::vector<std::pair<std::string, std::string>> names = [] {
    std::vector<std::pair<std::string, std::string>> made = {{"vits16", "vit_s16_d6"}, {"vitti16", "vit_ti16_d12"}};
    for (const std::string& name : NetworkNames()) {
      constexpr std::string_view kModified = "googlenet_mod";
      if (name.starts_with(kModified)) made.emplace_back("mod" + name.substr(kModified.size()), name);
    }
    return made;
  }();
  return names;
}

/// " Did you mean 'resnet18'?", by what of the names counts.
std::string Nearest(std::string_view written) {
  std::vector<std::string> bare;
  for (const std::string& name : NetworkNames()) bare.push_back(Bare(name));
  for (const auto& [short_name, name] : ShortNames()) bare.push_back(short_name);
  const auto nearest = NearestName(Bare(written), bare);
  return nearest ? fmt::format(" Did you mean '{}'?", NetworkNamed(*nearest).value()) : std::string();
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

Result<std::string> NetworkNamed(std::string_view written) {
  const std::string bare = Bare(written);
  for (const std::string& name : NetworkNames()) {
    if (Bare(name) == bare) return name;
  }
  for (const auto& [short_name, name] : ShortNames()) {
    if (short_name == bare) return name;
  }
  return Fail(
      fmt::format("no network is named {}.{} `heliograd profile --list` shows all", Quoted(written), Nearest(written)),
      ErrorKind::kUsage);
}

Result<Architecture> MakeNetwork(std::string_view name, const NetworkOptions& options) {
  const Result<std::string> known = NetworkNamed(name);
  if (!known) return Fail(known.error());
  if (options.channels != 1 && options.channels != 3) {
    return Fail(fmt::format("{} channels: expected 1 (grey) or 3 (colour)", options.channels), ErrorKind::kUsage);
  }
  if (options.classes < 1 || options.classes > kMostClasses) {
    return Fail(fmt::format("{} classes: expected 1 to {}", options.classes, kMostClasses), ErrorKind::kUsage);
  }
  return Make(*known, options);
}

}  // namespace heliograd
