#include "heliograd/app/held_limits.h"

#include <fmt/format.h>

#include "heliograd/app/command_line.h"
#include "heliograd/app/left_limits.h"
#include "heliograd/app/sources.h"
#include "heliograd/control/limitd_client.h"
#include "heliograd/meter/nvml_meter.h"

namespace heliograd {
namespace {

Result<std::unique_ptr<PowerLimits>> LimitsOf(PowerCapper& capper, const std::string& command) {
  const Result<std::string> folder = LeaseFolder();
  if (!folder) return Fail(folder.error());
  return MakePowerLimits(
      capper, {.folder = *folder, .command = command, .guard = {"/proc/self/exe", "limits", "guard"}}, PrintMessage);
}

}  // namespace

Result<HeldLimits> HeldLimits::Set(const std::string& gpus, Power limit, const std::string& command) {
  const Result<SelectedGpus> selected = SelectGpus(gpus);
  if (!selected) return Fail(selected.error());
  HeldLimits held;
  for (nvml::Device device : selected->devices) {
    Result<std::unique_ptr<PowerCapper>> capper = OpenNvmlCapper(selected->library, device);
    if (!capper) return Fail(capper.error());
    held.cappers_.push_back(std::move(*capper));
    Result<std::unique_ptr<PowerLimits>> limits = LimitsOf(*held.cappers_.back(), command);
    if (!limits) return Fail(limits.error());
    held.limits_.push_back(std::move(*limits));
    if (Result<void> set = held.limits_.back()->Set(limit); !set) return Fail(set.error());
  }
  return held;
}

void HeldLimits::Release() {
  for (size_t i = 0; i < limits_.size(); ++i) ReleaseLimits(*limits_[i], cappers_[i]->Device().uuid);
}

Result<void> CheckLimits(const std::string& gpu, const std::vector<Power>& limits, const std::string& command) {
  const Result<SelectedGpus> selected = SelectGpus(gpu);
  if (!selected) return Fail(selected.error());
  if (selected->devices.size() != 1) {
    return Fail(fmt::format("{} GPUs are selected: expected one", selected->devices.size()), ErrorKind::kUsage);
  }
  const auto capper = OpenNvmlCapper(selected->library, selected->devices.front());
  if (!capper) return Fail(capper.error());
  const Result<PowerLimitRange> range = (*capper)->Range();
  if (!range) return Fail(range.error());
  for (const Power limit : limits) {
    if (limit >= range->lowest && limit <= range->highest) continue;
    return Fail(fmt::format("{}: a limit of {:g} W is outside the GPU's range, {:g} to {:g} W",
                            (*capper)->Device().uuid, InWatts(limit), InWatts(range->lowest), InWatts(range->highest)),
                ErrorKind::kUsage);
  }
  const Result<Power> now = (*capper)->Limit();
  if (!now) return Fail(now.error());
  const auto held = LimitsOf(**capper, command);
  if (!held) return Fail(held.error());
  if (Result<void> set = (*held)->Set(*now); !set) return set;
  const Result<Restored> released = (*held)->Release();
  return released ? Result<void>{} : Fail(released.error());
}

}  // namespace heliograd
