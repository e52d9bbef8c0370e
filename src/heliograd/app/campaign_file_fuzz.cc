// Any bytes as a campaign's file: cells that can be run, or a list of problems.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "heliograd/app/campaign_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace heliograd;
  const auto campaign = ParseCampaign({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
  if (!campaign) {
    if (campaign.error().problems.empty()) std::abort();
    return 0;
  }
  if (campaign->sweep && campaign->sweep->limits_w.size() < 2) std::abort();
  for (const CampaignCell& cell : CellsOf(*campaign)) {
    if (cell.network.empty() || cell.Name().empty()) std::abort();
    if (cell.IsOfSweep() && !(cell.limit_w >= 1 && cell.round >= 1)) std::abort();
  }
  return 0;
}
