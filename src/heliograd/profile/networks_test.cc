#include "heliograd/profile/networks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace heliograd {
namespace {

using ::testing::HasSubstr;

TEST(Networks, EveryNetworkEndsInItsClasses) {
  for (const std::string& name : NetworkNames()) {
    for (const NetworkOptions options : {NetworkOptions{1, 10}, NetworkOptions{3, 1000}, NetworkOptions{3, 1}}) {
      const Architecture network = MakeNetwork(name, options).value();
      EXPECT_EQ(network.name, name);
      EXPECT_EQ(network.image, (Shape{options.channels, 224, 224}));
      EXPECT_EQ(network.OutputOf(network.result), Shape{options.classes}) << name;
      for (const int scores : network.auxiliary) EXPECT_EQ(network.OutputOf(scores), Shape{options.classes}) << name;
    }
  }
}

TEST(Networks, LayersReadEarlierLayersAlone) {
  for (const std::string& name : NetworkNames()) {
    const Architecture network = MakeNetwork(name).value();
    for (size_t i = 0; i < network.layers.size(); ++i) {
      for (const int input : network.layers[i].inputs) {
        ASSERT_GE(input, kImage);
        ASSERT_LT(input, static_cast<int>(i)) << name << " " << network.layers[i].name;
        if (input != kImage && network.layers[static_cast<size_t>(input)].only_training) {
          EXPECT_TRUE(network.layers[i].only_training) << network.layers[i].name;
        }
      }
    }
  }
}

// What works in place destroys its input: no later layer may read that.
TEST(Networks, WhatIsOverwrittenIsNotReadAgain) {
  for (const std::string& name : NetworkNames()) {
    const Architecture network = MakeNetwork(name).value();
    std::set<int> overwritten;
    for (const Layer& layer : network.layers) {
      for (const int input : layer.inputs) EXPECT_FALSE(overwritten.contains(input)) << name << " " << layer.name;
      if (layer.in_place) overwritten.insert(layer.inputs.front());
    }
    EXPECT_FALSE(overwritten.contains(kImage)) << name;
  }
}

TEST(Networks, ParameterNamesAreTheirLayersOwn) {
  for (const std::string& name : NetworkNames()) {
    const Architecture network = MakeNetwork(name).value();
    std::set<std::string> seen;
    for (const Layer& layer : network.layers) {
      for (const Parameter& parameter : ParametersOf(layer)) {
        EXPECT_TRUE(seen.insert(FullName(layer, parameter)).second) << name << " " << FullName(layer, parameter);
      }
    }
  }
}

TEST(Networks, NamesAreThoseOfAStateDict) {
  const auto names_of = [](const char* name) {
    std::set<std::string> names;
    const Architecture network = MakeNetwork(name).value();
    for (const Layer& layer : network.layers) {
      for (const Parameter& parameter : ParametersOf(layer)) names.insert(FullName(layer, parameter));
    }
    return names;
  };
  EXPECT_TRUE(names_of("resnet50").contains("layer1.0.downsample.1.weight"));
  EXPECT_TRUE(names_of("googlenet").contains("stages.inception3a.branch2.0.conv.weight"));
  EXPECT_TRUE(names_of("googlenet").contains("aux2.conv.bn.bias"));
  EXPECT_TRUE(names_of("googlenet_mod1").contains("conv1.conv.bias"));
  EXPECT_FALSE(names_of("googlenet").contains("conv1.conv.bias"));
  EXPECT_TRUE(names_of("vit_s16_d6").contains("blocks.5.mlp.2.bias"));
  EXPECT_TRUE(names_of("vit_s16_d6").contains("cls"));
}

TEST(Networks, AuxiliaryHeadsStayWhereTheirModulesStay) {
  const std::map<std::string, size_t> heads = {{"googlenet", 2},      {"googlenet_mod1", 0}, {"googlenet_mod2", 1},
                                               {"googlenet_mod3", 2}, {"googlenet_mod5", 1}, {"googlenet_mod9", 0},
                                               {"resnet18", 0}};
  for (const auto& [name, count] : heads) EXPECT_EQ(MakeNetwork(name).value().auxiliary.size(), count) << name;
}

TEST(Networks, NamesAreReadAsPeopleWriteThem) {
  const std::map<std::string, std::string> names = {{"ViT-S/16", "vit_s16_d6"},
                                                    {"ViT-S/16 d12", "vit_s16_d12"},
                                                    {"ViT-Ti/16", "vit_ti16_d12"},
                                                    {"ResNet-18", "resnet18"},
                                                    {"VGG-16", "vgg16"},
                                                    {"AlexNet", "alexnet"},
                                                    {"mod1", "googlenet_mod1"},
                                                    {"Mod9", "googlenet_mod9"},
                                                    {"GoogLeNet mod9", "googlenet_mod9"},
                                                    {"GoogLeNet-mod9", "googlenet_mod9"},
                                                    {"googlenet k5", "googlenet_k5"}};
  for (const auto& [written, name] : names) {
    EXPECT_EQ(NetworkNamed(written).value_or("none"), name) << written;
    EXPECT_EQ(MakeNetwork(written).value().name, name) << written;
  }
  for (const std::string& name : NetworkNames()) EXPECT_EQ(NetworkNamed(name).value_or("none"), name);
  for (const char* none : {"", "-", "mod", "mod0", "ViT", "resnet", "16"}) EXPECT_FALSE(NetworkNamed(none)) << none;
  EXPECT_THAT(NetworkNamed("Res-Net 81").error().Message(), HasSubstr("Did you mean 'resnet18'?"));
  EXPECT_THAT(NetworkNamed("ViT-B/16").error().Message(), HasSubstr("Did you mean 'vit_s16_d6'?"));
}

TEST(Networks, WrongRequestsAreOneSentence) {
  const auto unknown = MakeNetwork("resnet81");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(unknown.error().Message(), HasSubstr("Did you mean 'resnet18'?"));
  EXPECT_THAT(MakeNetwork("alexnet", {2, 10}).error().Message(), HasSubstr("2 channels: expected 1"));
  EXPECT_THAT(MakeNetwork("alexnet", {3, 0}).error().Message(), HasSubstr("0 classes: expected 1 to"));
  EXPECT_THAT(MakeNetwork("alexnet", {3, 1 << 30}).error().Message(), HasSubstr("classes: expected 1 to"));
}

}  // namespace
}  // namespace heliograd
