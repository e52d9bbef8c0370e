#include "heliograd/app/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "heliograd/base/text.h"
#include "heliograd/meter/nvml_meter.h"
#include "heliograd/meter/rapl_meter.h"
#include "heliograd/meter/visible_devices.h"

namespace heliograd {
namespace {

Result<std::vector<std::string>> Uuids(const NvmlLibrary& library, const std::vector<nvml::Device>& devices) {
  std::vector<std::string> uuids;
  for (nvml::Device device : devices) {
    // A GPU that cannot be opened keeps its place, so that numbers stay the driver's.
    const Result<DeviceRecord> record =
        device == nullptr ? Result<DeviceRecord>(DeviceRecord{}) : DescribeNvmlDevice(library, device);
    uuids.push_back(record ? record->uuid : "");
  }
  return uuids;
}

/// --gpu is ours and strict: a number that does not exist is a mistake, where CUDA's variable ends its list in silence.
Result<std::vector<int>> SelectByFlag(const std::string& list, const std::vector<std::string>& uuids) {
  for (const std::string& item : SplitCsvLine(list)) {
    const std::optional<long> number = ParseInteger(item);
    if (number && (*number < 0 || *number >= static_cast<long>(uuids.size()))) {
      return Fail("--gpu " + Quoted(item) + ": there " +
                      (uuids.size() == 1 ? "is one GPU, number 0"
                                         : "are " + std::to_string(uuids.size()) + " GPUs, counted from 0"),
                  ErrorKind::kUsage);
    }
  }
  Result<std::vector<int>> selected = SelectVisibleDevices(list, uuids);
  if (!selected) {
    return Fail("--gpu " + Quoted(list) + ": expected numbers or starts of UUIDs, as `heliograd doctor` lists them",
                ErrorKind::kUsage);
  }
  return selected;
}

void AddProcessors(OpenedSources& sources, bool& forbidden) {
  const std::vector<RaplZone> zones = FindRaplZones();
  if (zones.empty())
    sources.absent.push_back("processor: the kernel shows no energy counter under /sys/class/powercap");
  for (const RaplZone& zone : zones) {
    Result<std::unique_ptr<PowerMeter>> meter = OpenRaplMeter(zone);
    if (meter) {
      sources.meters.push_back(std::move(*meter));
    } else {
      forbidden = forbidden || meter.error().kind == ErrorKind::kPermission;
      sources.absent.push_back("processor: " + meter.error().Message());
    }
  }
}

}  // namespace

Result<SelectedGpus> SelectGpus(const std::string& gpus) {
  Result<std::shared_ptr<NvmlLibrary>> library = NvmlLibrary::Load();
  if (!library) return Fail(library.error());
  const Result<std::vector<nvml::Device>> devices = (*library)->Devices();
  if (!devices) return Fail(devices.error());
  const Result<std::vector<std::string>> uuids = Uuids(**library, *devices);
  if (!uuids) return Fail(uuids.error());
  SelectedGpus selected = {*library, {}};
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (gpus.empty() && visible == nullptr) {
    selected.devices = *devices;
  } else {
    const Result<std::vector<int>> indices =
        gpus.empty() ? SelectVisibleDevices(visible, *uuids) : SelectByFlag(gpus, *uuids);
    if (!indices) return Fail(indices.error());
    for (int index : *indices) selected.devices.push_back((*devices)[static_cast<size_t>(index)]);
  }
  std::erase(selected.devices, nullptr);
  if (selected.devices.empty()) {
    return Fail(gpus.empty() && visible != nullptr ? "CUDA_VISIBLE_DEVICES selects no GPU" : "the driver shows no GPU",
                ErrorKind::kDevice);
  }
  return selected;
}

Result<OpenedSources> OpenSources(const SourceSelection& selection) {
  OpenedSources sources;
  bool forbidden = false;
  const Result<SelectedGpus> gpus = SelectGpus(selection.gpus);
  if (gpus) {
    for (nvml::Device device : gpus->devices) {
      Result<std::unique_ptr<PowerMeter>> meter = OpenNvmlMeter(gpus->library, device, selection.with_clocks);
      if (meter) {
        sources.meters.push_back(std::move(*meter));
      } else {
        sources.absent.push_back("GPU: " + meter.error().Message());
      }
    }
  } else if (gpus.error().kind == ErrorKind::kUsage || !selection.gpus.empty()) {
    return Fail(gpus.error());  // GPUs were asked for by name
  } else {
    sources.absent.push_back("GPU: " + gpus.error().Message());
  }
  if (selection.with_processor) AddProcessors(sources, forbidden);
  if (sources.meters.empty()) {
    std::vector<std::string> problems = {"nothing can be measured on this machine (`heliograd doctor` says more):"};
    problems.insert(problems.end(), sources.absent.begin(), sources.absent.end());
    return Fail(problems, forbidden ? ErrorKind::kPermission : ErrorKind::kDevice);
  }
  return sources;
}

Result<std::string> GpuOfDevice(const std::string& device) {
  const size_t colon = device.find(':');
  const long number = colon == std::string::npos ? 0 : ParseInteger(device.substr(colon + 1)).value_or(0);
  const auto gpus = SelectGpus("");
  if (!gpus) return Fail(gpus.error());
  if (number < 0 || static_cast<size_t>(number) >= gpus->devices.size()) {
    return Fail(fmt::format("device {}: the driver shows {} GPUs: name the one that it is with --gpu", device,
                            gpus->devices.size()),
                ErrorKind::kDevice);
  }
  const Result<std::vector<std::string>> uuids = Uuids(*gpus->library, gpus->devices);
  if (!uuids) return Fail(uuids.error());
  return (*uuids)[static_cast<size_t>(number)];
}

Result<std::unique_ptr<PowerCapper>> OpenCapper(const std::string& uuid) {
  Result<std::shared_ptr<NvmlLibrary>> library = NvmlLibrary::Load();
  if (!library) return Fail(library.error());
  nvml::Device device = nullptr;
  const nvml::Return code = (*library)->handle_by_uuid == nullptr ? nvml::Return::kFunctionNotFound
                                                                  : (*library)->handle_by_uuid(uuid.c_str(), &device);
  if (code != nvml::Return::kSuccess) return Fail(NvmlError(uuid + ": this GPU cannot be opened", code));
  return OpenNvmlCapper(*library, device);
}

}  // namespace heliograd
