// A campaign's file: which networks are trained on which data sets here, and how.
//
// Enters: TOML. Leaves: a Campaign, or every mistake at once. Knows no device.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd {

/// Keys of [campaign]; the study's networks and data sets where they are left out.
struct Campaign {
  std::string hardware;  // required: the name in figures, "RTX 4090"
  std::vector<std::string> networks, data;
  std::string device = "cpu", mode = "events";
  int64_t batch = 128;
  int64_t iterations = 0;  // 0: as many as take a minute
  double dither_percent = 5;
  int64_t workers = 1;
  std::vector<std::string> layers;  // networks whose layers are profiled too, on the first data set
  bool quick_layers = false;
};

/// One training of a campaign.
struct CampaignCell {
  std::string network, data;
  bool with_layers = false;

  std::string Name() const { return network + " on " + data; }
};

/// Networks within data sets, the layers' cell of a network among the first data set's.
std::vector<CampaignCell> CellsOf(const Campaign& campaign);

Result<Campaign> ParseCampaign(std::string_view content, const std::string& name);

/// A commented file to start from.
std::string CampaignTemplate();

}  // namespace heliograd
