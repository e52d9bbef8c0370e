// Networks measured on one machine with one data set, as a file: what the energy law is fitted to.
//
//     [law]
//     hardware = "NVIDIA GeForce RTX 4070"
//     driver = "580.00"                 # optional
//     dataset = "cifar100"
//     batch = 128
//     power_source = "measured"         # or "simulated"
//     power_limit_w = 200               # optional: in force while it was measured
//     gain_half_width_percent = 5       # optional: 95 %, one factor common to all energies
//     [[points]]
//     name = "resnet18"
//     macs = 1813613568                 # of one image's forward pass, as `heliograd profile --list` counts
//     traffic_bytes = 156784640         # optional: of the same
//     energy_j_per_image = 0.0584       # of training: forward, backward, update
//     energy_j_per_image_low = 0.0579   # optional, both or none: 95 %, without the gain
//     energy_j_per_image_high = 0.0589
//     seconds_per_image = 0.00031       # optional
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/model/energy_law.h"

namespace heliograd {

struct EnergyLawFile {
  std::string hardware, driver, dataset;
  int batch = 0;
  bool simulated = false;
  std::optional<Power> power_limit;
  double gain_half_width = 0;  // relative
  std::vector<LawPoint> points;
};

/// Reads a file's content; all mistakes at once. `name` appears in messages. Whether the points decide a law is not
/// looked at: FitEnergyLaw says it.
Result<EnergyLawFile> ParseEnergyLaw(std::string_view content, const std::string& name);
Result<EnergyLawFile> ReadEnergyLaw(const std::string& path);

/// What ParseEnergyLaw reads back as the same, to nine digits.
std::string EnergyLawToml(const EnergyLawFile& file);

}  // namespace heliograd
