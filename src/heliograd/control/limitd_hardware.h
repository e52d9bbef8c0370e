// The GPUs of heliograd-limitd: NVML, and leases with their records and guards on disk.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "heliograd/control/limitd_service.h"

namespace heliograd::limitd {

/// `folder` holds the records; `guard` is what LimitLease::Options says. The driver is loaded when it is first needed,
/// and again where it was not there. One thread.
std::unique_ptr<LimitHardware> MakeNvmlHardware(std::string folder, std::vector<std::string> guard);

/// The capper of the GPU with this UUID, with NVML loaded for it alone; for guards.
Result<std::unique_ptr<PowerCapper>> OpenNvmlCapperOf(const std::string& uuid);

/// Puts back what dead holders left. Every success is audited. False while one could not be put back; `tell` says why,
/// one sentence each.
bool RestoreLeft(const std::string& folder, const std::function<void(const Change&)>& audit,
                 const std::function<void(std::string_view)>& tell);

}  // namespace heliograd::limitd
