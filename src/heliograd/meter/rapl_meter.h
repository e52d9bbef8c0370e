// Reads the energy counters of the processor (RAPL) that Linux shows under /sys/class/powercap.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "heliograd/meter/meter.h"

namespace heliograd {

/// One counter, found but not yet opened.
struct RaplZone {
  std::string folder;  // "/sys/class/powercap/intel-rapl:0"
  std::string name;    // "package-0", "psys", "dram"
};

/// The outermost zones (packages and the whole platform, which contains them), in order of their folder's name. Zones
/// inside another are left out: their energy is in the outer one's.
std::vector<RaplZone> FindRaplZones(const std::string& root = "/sys/class/powercap");

/// A meter with one kEnergy channel. The kernel's counter wraps at max_energy_range_uj; the value given here goes on
/// rising. Errors: kPermission (the files need root since 2020, CVE-2020-8694) with the command that opens them.
Result<std::unique_ptr<PowerMeter>> OpenRaplMeter(const RaplZone& zone);

}  // namespace heliograd
