#include "heliograd/control/limitd_hardware.h"

#include <utility>

#include "heliograd/control/limit_lease.h"
#include "heliograd/meter/nvml_library.h"
#include "heliograd/meter/nvml_meter.h"

namespace heliograd::limitd {
namespace {

Power FromMilliwatts(int64_t milliwatts) { return Watts(static_cast<double>(milliwatts) / 1000); }

Result<std::unique_ptr<PowerCapper>> OpenIn(const std::shared_ptr<NvmlLibrary>& library, const std::string& uuid) {
  nvml::Device device = nullptr;
  const nvml::Return code = library->handle_by_uuid == nullptr ? nvml::Return::kFunctionNotFound
                                                               : library->handle_by_uuid(uuid.c_str(), &device);
  if (code != nvml::Return::kSuccess) return Fail(NvmlError(uuid + ": this GPU cannot be opened", code));
  return OpenNvmlCapper(library, device);
}

class NvmlHeldLimit : public HeldLimit {
 public:
  NvmlHeldLimit(std::unique_ptr<PowerCapper> capper, std::unique_ptr<LimitLease> lease)
      : capper_(std::move(capper)), lease_(std::move(lease)) {}

  Power Prior() const override { return FromMilliwatts(lease_->record().prior_mw); }
  Result<void> Set(Power limit) override { return lease_->Set(limit); }
  Result<Restored> Release() override { return lease_->Release(); }
  Result<Restored> ReleaseTo(Power limit) override { return lease_->ReleaseTo(limit); }

 private:
  std::unique_ptr<PowerCapper> capper_;  // outlives the lease
  std::unique_ptr<LimitLease> lease_;
};

class NvmlHardware : public LimitHardware {
 public:
  NvmlHardware(std::string folder, std::vector<std::string> guard)
      : folder_(std::move(folder)), guard_(std::move(guard)) {}

  Result<std::vector<Gpu>> Gpus() override {
    if (Result<void> loaded = Load(); !loaded) return Fail(loaded.error());
    const Result<std::vector<nvml::Device>> devices = library_->Devices();
    if (!devices) return Fail(devices.error());
    std::vector<Gpu> gpus;
    for (nvml::Device device : *devices) {
      if (device == nullptr) continue;
      const Result<std::unique_ptr<PowerCapper>> capper = OpenNvmlCapper(library_, device);
      if (!capper) continue;
      const Result<Gpu> gpu = Describe(**capper);
      if (gpu) gpus.push_back(*gpu);  // one that cannot be limited, or does not answer, is none of ours
    }
    return gpus;
  }

  Result<Gpu> Find(const std::string& uuid) override {
    if (Result<void> loaded = Load(); !loaded) return Fail(loaded.error());
    const Result<std::unique_ptr<PowerCapper>> capper = OpenIn(library_, uuid);
    if (!capper) return Fail(capper.error());
    return Describe(**capper);
  }

  Result<std::unique_ptr<HeldLimit>> Take(const std::string& uuid, pid_t pid, const std::string& holder,
                                          std::optional<Power> prior) override {
    if (Result<void> loaded = Load(); !loaded) return Fail(loaded.error());
    Result<std::unique_ptr<PowerCapper>> capper = OpenIn(library_, uuid);
    if (!capper) return Fail(capper.error());
    Result<std::unique_ptr<LimitLease>> lease =
        LimitLease::Take(**capper, {.folder = folder_, .command = holder, .guard = guard_, .pid = pid, .prior = prior});
    if (!lease) return Fail(lease.error());
    return std::make_unique<NvmlHeldLimit>(std::move(*capper), std::move(*lease));
  }

  void Reopen() override {
    if (library_ != nullptr) static_cast<void>(library_->Restart());  // what it comes to is seen by the next call
  }

 private:
  Result<void> Load() {
    if (library_ != nullptr) return {};
    Result<std::shared_ptr<NvmlLibrary>> library = NvmlLibrary::Load();
    if (!library) return Fail(library.error());
    library_ = std::move(*library);
    return {};
  }

  static Result<Gpu> Describe(PowerCapper& capper) {
    const Result<PowerLimitRange> range = capper.Range();
    if (!range) return Fail(range.error());
    const Result<Power> limit = capper.Limit();
    if (!limit) return Fail(limit.error());
    return Gpu{capper.Device().uuid, capper.Device().name, *range, *limit};
  }

  std::string folder_;
  std::vector<std::string> guard_;
  std::shared_ptr<NvmlLibrary> library_;
};

}  // namespace

std::unique_ptr<LimitHardware> MakeNvmlHardware(std::string folder, std::vector<std::string> guard) {
  return std::make_unique<NvmlHardware>(std::move(folder), std::move(guard));
}

Result<std::unique_ptr<PowerCapper>> OpenNvmlCapperOf(const std::string& uuid) {
  const Result<std::shared_ptr<NvmlLibrary>> library = NvmlLibrary::Load();
  if (!library) return Fail(library.error());
  return OpenIn(*library, uuid);
}

bool RestoreLeft(const std::string& folder, const std::function<void(const Change&)>& audit,
                 const std::function<void(std::string_view)>& tell) {
  const Result<std::vector<FoundLease>> leases = FindLeases(folder);
  if (!leases) {
    tell(leases.error().Message());
    return false;
  }
  bool all = true;
  for (const FoundLease& lease : *leases) {
    if (lease.held) continue;  // its holder or guard lives
    const LeaseRecord& record = lease.record;
    const Result<std::unique_ptr<PowerCapper>> capper = OpenNvmlCapperOf(record.uuid);
    const Result<Restored> restored = capper ? RestoreLease(folder, record, **capper) : Fail(capper.error());
    if (!restored) {
      tell(restored.error().Message());
      all = false;
    } else if (*restored == Restored::kPutBack) {
      audit({{static_cast<pid_t>(record.pid), 0, 0},
             record.uuid,
             FromMilliwatts(record.set_mw),
             FromMilliwatts(record.prior_mw),
             "left_over",
             record.command});
    }
  }
  return all;
}

}  // namespace heliograd::limitd
