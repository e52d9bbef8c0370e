#include "heliograd/app/campaign_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

using ::testing::ElementsAre;

// Written in two ways, a network would else be two cells.
TEST(CampaignFile, NetworksHaveOneNameHoweverTheyAreWritten) {
  const auto campaign = ParseCampaign(
      "[campaign]\nhardware = \"a card\"\nnetworks = [\"ResNet-18\", \"ViT-S/16\", \"mod3\"]\nlayers = "
      "[\"resnet 18\"]\n[sweep]\nnetwork = \"ResNet18\"\ndata = \"synthetic\"\nlimits_w = [100, 200]\n",
      "campaign.toml");
  ASSERT_TRUE(campaign) << campaign.error().Message();
  EXPECT_THAT(campaign->networks, ElementsAre("resnet18", "vit_s16_d6", "googlenet_mod3"));
  EXPECT_THAT(campaign->layers, ElementsAre("resnet18"));
  ASSERT_TRUE(campaign->sweep);
  EXPECT_EQ(campaign->sweep->network, "resnet18");
}

}  // namespace
}  // namespace heliograd
