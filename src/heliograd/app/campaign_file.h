// A campaign's file: which networks are trained on which data sets here, and how; and one network under several power
// limits.
//
// Enters: TOML. Leaves: a Campaign, or every mistake at once. Knows no device.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd {

/// Keys of [sweep]: one network at each of several power limits. Every cell of it begins with the same parameters.
struct LimitSweepPlan {
  std::string network = "resnet18", data = "fashion-mnist";
  std::vector<double> limits_w;  // ascending
  int64_t rounds = 1;            // over all limits
};

/// Keys of [campaign]; the study's networks and data sets where they are left out.
struct Campaign {
  std::string hardware;  // required: the name in figures, "RTX 4090"
  std::vector<std::string> networks, data;
  std::string device = "cpu";
  std::string mode;  // empty: as the sensor asks for it
  std::string gpu;   // whose power is measured and limited; empty: the device's own
  int64_t batch = 128;
  int64_t iterations = 0;  // 0: as many as take a minute
  double dither_percent = 5;
  int64_t workers = 1;
  std::vector<std::string> layers;  // networks whose layers are profiled too, on the first data set
  bool quick_layers = false;
  std::optional<LimitSweepPlan> sweep;  // off where the file has no [sweep]
};

/// One training of a campaign.
struct CampaignCell {
  std::string network, data;
  bool with_layers = false;
  double limit_w = 0;  // of a sweep; 0: the GPU as it is
  int64_t round = 0;   // of a sweep, from 1 on

  std::string Name() const;
  bool IsOfSweep() const { return limit_w > 0; }
};

/// Networks within data sets, the layers' cell of a network among the first data set's; then the sweep's limits within
/// rounds, up in one and down in the next, so that a drift meets all limits alike.
std::vector<CampaignCell> CellsOf(const Campaign& campaign);

Result<Campaign> ParseCampaign(std::string_view content, const std::string& name);

/// A commented file to start from.
std::string CampaignTemplate();

}  // namespace heliograd
