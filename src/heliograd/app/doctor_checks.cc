#include "heliograd/app/doctor_checks.h"

#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include "heliograd/app/calibration_store.h"
#include "heliograd/app/command_line.h"
#include "heliograd/app/sources.h"
#include "heliograd/base/clock.h"
#include "heliograd/control/limit_lease.h"
#include "heliograd/control/limitd_client.h"
#include "heliograd/meter/burst_load.h"
#include "heliograd/meter/nvml_meter.h"
#include "heliograd/meter/rapl_meter.h"
#include "heliograd/meter/sampler.h"
#include "heliograd/optimize/solver.h"
#include "heliograd/report/gnuplot.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds kWatch{1500};  // a sensor that averages over a second updates at least once in it
constexpr std::chrono::seconds kDriverIsSlow{8};

/// Says so once when the driver lets a call hang, as a broken one does: the wait has no end that the program could set.
class SlowDriverNotice {
 public:
  explicit SlowDriverNotice(std::string what)
      : thread_([this, what = std::move(what)] {
          std::unique_lock lock(mutex_);
          if (done_changed_.wait_for(lock, kDriverIsSlow, [this] { return done_; })) return;
          PrintMessage(what +
                       ": NVIDIA's driver has not answered for 8 s; waiting goes on until Ctrl-C. See `sudo dmesg "
                       "| grep -i nvrm`; what mends a hung driver is a reboot");
        }) {}
  ~SlowDriverNotice() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    done_changed_.notify_one();
    thread_.join();
  }
  SlowDriverNotice(const SlowDriverNotice&) = delete;
  SlowDriverNotice& operator=(const SlowDriverNotice&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable done_changed_;
  bool done_ = false;
  std::thread thread_;
};

bool MaySetLimits() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (syscall(SYS_capget, &header, data) != 0) return geteuid() == 0;
  return (data[0].effective & (1u << CAP_SYS_ADMIN)) != 0;
}

/// Median time between two changes of each channel, in ms; null where it changed fewer than three times.
Json UpdatePeriods(Sampler& sampler) {
  const RunBatch batch = sampler.Take(true);
  Json periods = Json::object();
  for (size_t i = 0; i < sampler.Channels().size(); ++i) {
    const std::string name(ChannelName(sampler.Channels()[i].kind));
    periods[name] = nullptr;
    for (const auto& [channel, samples] : batch.samples) {
      if (channel != static_cast<int>(i) || samples.size() < 4) continue;
      std::vector<int64_t> gaps;
      for (size_t k = 2; k < samples.size(); ++k) gaps.push_back(samples[k].first_ns - samples[k - 1].first_ns);
      std::nth_element(gaps.begin(), gaps.begin() + static_cast<long>(gaps.size() / 2), gaps.end());
      periods[name] = static_cast<double>(gaps[gaps.size() / 2]) * 1e-6;
    }
  }
  return periods;
}

std::string InWords(const Json& periods) {
  std::string text;
  for (const auto& [name, period] : periods.items()) {
    if (!text.empty()) text += ", ";
    text += period.is_null() ? name : fmt::format("{} (updates each {:.0f} ms)", name, period.get<double>());
  }
  return text;
}

/// What a GPU does not give though measuring wants it.
std::string Missing(const std::vector<ChannelKind>& channels) {
  const auto gives = [&](ChannelKind kind) {
    return std::find(channels.begin(), channels.end(), kind) != channels.end();
  };
  std::string text;
  if (!gives(ChannelKind::kEnergy)) text += "; no energy counter, so readings are integrated";
  if (!gives(ChannelKind::kPowerInstant) && !gives(ChannelKind::kPowerAverage)) {
    text += "; no power readings for the moment: if that lasts, peaks are not known and it cannot be calibrated";
  }
  return text;
}

/// Watches a meter for a while.
Finding CheckMeter(std::unique_ptr<PowerMeter> meter) {
  Finding finding;
  const DeviceRecord device = meter->Device();
  finding.what = device.name + " (" + device.uuid + ")";
  const std::vector<ChannelKind> channels = meter->Channels();
  std::vector<std::unique_ptr<PowerMeter>> meters;
  meters.push_back(std::move(meter));
  Sampler sampler(std::move(meters), SteadyClock(), {.cpu = {}, .rest = PollRest::kNever});
  if (const Result<void> started = sampler.Start(); !started) {
    finding.detail = started.error().Message();
    return finding;
  }
  SteadyClock().SleepUntil(SteadyClock().Now() + kWatch);
  sampler.Stop();
  finding.facts["update_period_ms"] = UpdatePeriods(sampler);
  const std::vector<ChannelReading> latest = sampler.Latest();
  const bool lost = std::all_of(latest.begin(), latest.end(),
                                [](const ChannelReading& reading) { return reading.state == ReadingState::kLost; });
  if (lost && device.source == "nvml") {
    const auto code = static_cast<nvml::Return>(latest.front().code);
    finding.detail = NvmlError("went away while it was watched", code).Message();
    return finding;
  }
  finding.usable = true;
  finding.detail = "gives " + InWords(finding.facts["update_period_ms"]);
  if (device.source == "nvml") finding.detail += Missing(channels);
  const double call_us = std::chrono::duration<double, std::micro>(sampler.Figures().time_in_polls).count() /
                         static_cast<double>(std::max<int64_t>(sampler.Figures().polls, 1));
  finding.facts["poll_us"] = call_us;
  finding.detail += fmt::format("; {}; a poll takes {:.0f} us", device.driver, call_us);
  return finding;
}

Finding CheckLimit(const std::shared_ptr<NvmlLibrary>& library, nvml::Device device) {
  Finding finding;
  Result<std::unique_ptr<PowerCapper>> capper = OpenNvmlCapper(library, device);
  finding.what = "power limit" + (capper ? " of " + (*capper)->Device().name : std::string());
  const Result<PowerLimitRange> range = capper ? (*capper)->Range() : Fail(capper.error());
  if (!range) {
    finding.detail = range.error().Message();
    return finding;
  }
  const Result<Power> limit = (*capper)->Limit();
  const Result<Power> enforced = (*capper)->EnforcedLimit();
  finding.detail = fmt::format("{:.0f} to {:.0f} W, {:.0f} W by default", InWatts(range->lowest),
                               InWatts(range->highest), InWatts(range->standard));
  if (limit) finding.detail += fmt::format(", {:.0f} W now", InWatts(*limit));
  if (limit && enforced && *enforced < *limit) {
    finding.detail +=
        fmt::format("; {:.0f} W is in force, set out of band (by the chassis or its manager)", InWatts(*enforced));
  }
  finding.facts = {{"lowest_w", InWatts(range->lowest)},
                   {"highest_w", InWatts(range->highest)},
                   {"default_w", InWatts(range->standard)},
                   {"limit_w", limit ? Json(InWatts(*limit)) : Json()},
                   {"enforced_w", enforced ? Json(InWatts(*enforced)) : Json()}};
  finding.usable = MaySetLimits();
  if (!finding.usable) {
    finding.detail += "; setting it needs root";
    finding.mend =
        "run heliograd with sudo where it is to set limits, or let heliograd-limitd set them (below); measuring and "
        "planning need no root";
  }
  return finding;
}

std::string InWords(const DeviceCalibration& calibration) {
  const SensorTiming& timing = calibration.power.timing;
  const std::string window =
      timing.contiguous ? "the whole period" : fmt::format("{:.1f} ms of it", 1e3 * timing.window_s);
  const std::string counter = !calibration.counter                                  ? "no counter to compare"
                              : calibration.counter_sight == CounterSight::kBlind   ? "the counter is blind outside it"
                              : calibration.counter_sight == CounterSight::kSeesAll ? "the counter sees all"
                              : timing.Duty() < 1 ? "what the counter sees is undecided"
                                                  : "the counter misses nothing";
  return fmt::format("made {}: updates each {:.1f} ms, averages over {}, lag {:.1f} ms, low pass {:.1f} ms; {}",
                     FormatStamp(calibration.made).substr(0, 10), 1e3 * timing.period_s,
                     calibration.power.long_average ? fmt::format("{:.0f} ms", 1e3 * timing.window_s) : window,
                     1e3 * timing.lag_s, 1e3 * timing.low_pass_s, counter);
}

Finding CheckCalibration(const DeviceRecord& device, const std::vector<DeviceCalibration>& calibrations,
                         const Result<void>& cuda) {
  Finding finding;
  finding.what = "calibration of " + device.name;
  const DeviceCalibration* calibration = FindCalibration(calibrations, device);
  if (calibration == nullptr) {
    finding.detail = "none: lag and window of its sensor are assumed";
  } else {
    const CalibrationUse use = JudgeCalibration(*calibration, device, SystemClock().Now());
    finding.usable = use.used;
    finding.detail = InWords(*calibration);
    if (!use.stale.empty()) finding.detail += "; " + use.stale;
    finding.facts = {{"made", FormatStamp(use.made)}, {"used", use.used}, {"stale", !use.stale.empty()}};
    if (use.stale.empty()) return finding;
  }
  finding.mend = "`heliograd calibrate --gpu " + device.uuid + "` (a minute and a half, with nothing else on the card)";
  if (!cuda) finding.mend = cuda.error().Message() + "; then " + finding.mend;
  return finding;
}

/// Modes that make a difference, where they are not as they should be.
void CheckModes(const NvmlLibrary& library, nvml::Device device, const DeviceRecord& record,
                std::vector<Finding>& findings) {
  uint32_t current = 0, pending = 0, persistence = 1;
  if (library.mig_mode != nullptr && library.mig_mode(device, &current, &pending) == nvml::Return::kSuccess &&
      current != 0) {
    findings.push_back(
        {"MIG of " + record.name, true,
         "is on: power and energy are those of the whole board, never of one instance, and the limit "
         "holds for all instances together",
         "where one job is to be measured, give it the board: `sudo nvidia-smi -i " + record.uuid + " -mig 0`",
         Json{{"mig", true}}});
  }
  if (library.persistence_mode != nullptr && library.persistence_mode(device, &persistence) == nvml::Return::kSuccess &&
      persistence == 0) {
    findings.push_back({"persistence mode of " + record.name, false,
                        "is off: when the last program lets go of the GPU, the driver forgets power limits and starts "
                        "its energy counter again",
                        "`sudo nvidia-smi -i " + record.uuid + " -pm 1`", Json{{"persistence", false}}});
  }
}

Finding NoGpu(const Error& error, const Surroundings& here) {
  Finding finding{"NVIDIA GPU", false, error.Message(), MendForMissingGpu(here), Json::object()};
  const std::string container = ContainerName(here.container);
  if (!container.empty()) finding.detail += "; this is inside " + container;
  if (container.empty() && here.nvidia_cards == 0 && !here.windows_subsystem && !here.kernel_driver) {
    finding.detail += "; no NVIDIA card is on the PCI bus";
  }
  finding.facts = {{"container", container},
                   {"nvidia_cards", here.nvidia_cards},
                   {"card_driver", here.card_driver},
                   {"kernel_driver", here.kernel_driver}};
  return finding;
}

void CheckGpu(const std::shared_ptr<NvmlLibrary>& library, nvml::Device device,
              const std::vector<DeviceCalibration>& calibrations, const Result<void>& cuda,
              std::vector<Finding>& findings) {
  const Result<DeviceRecord> record = DescribeNvmlDevice(*library, device);
  if (!record) {
    findings.push_back({"NVIDIA GPU", false, record.error().Message(), "", Json::object()});
    return;
  }
  const SlowDriverNotice notice(record->name);
  Result<std::unique_ptr<PowerMeter>> meter = OpenNvmlMeter(library, device);
  const bool measures = meter.has_value();
  findings.push_back(measures ? CheckMeter(std::move(*meter))
                              : Finding{"NVIDIA GPU", false, meter.error().Message(), "", Json::object()});
  findings.push_back(CheckLimit(library, device));
  if (measures) findings.push_back(CheckCalibration(*record, calibrations, cuda));
  CheckModes(*library, device, *record, findings);
}

/// A device that the driver counts but does not open is one too.
void CheckUnopened(const NvmlLibrary& library, std::vector<Finding>& findings) {
  uint32_t count = 0;
  if (library.count(&count) != nvml::Return::kSuccess) return;
  for (uint32_t i = 0; i < count; ++i) {
    nvml::Device device = nullptr;
    const nvml::Return code = library.handle_by_index(i, &device);
    if (code == nvml::Return::kSuccess) continue;
    findings.push_back(
        {fmt::format("GPU {}", i), false, NvmlError("cannot be opened", code).Message(), "", Json::object()});
  }
}

}  // namespace

void CheckGpus(const Surroundings& here, std::vector<Finding>& findings) {
  std::unique_ptr<SlowDriverNotice> notice = std::make_unique<SlowDriverNotice>("starting");
  const Result<std::shared_ptr<NvmlLibrary>> library = NvmlLibrary::Load();
  if (!library) {
    findings.push_back(NoGpu(library.error(), here));
    return;
  }
  const Result<SelectedGpus> gpus = SelectGpus("");
  notice.reset();
  if (!gpus) {
    const bool hidden = std::getenv("CUDA_VISIBLE_DEVICES") != nullptr;
    findings.push_back(NoGpu(gpus.error(), here));
    if (hidden) findings.back().mend = "`unset CUDA_VISIBLE_DEVICES`, or name a GPU that `nvidia-smi -L` lists";
  } else {
    const std::vector<DeviceCalibration> calibrations = LoadCalibrations().usable;
    const Result<void> cuda = BurstLoad::Check();
    for (nvml::Device device : gpus->devices) CheckGpu(*library, device, calibrations, cuda, findings);
  }
  CheckUnopened(**library, findings);
}

void CheckProcessor(const Surroundings& here, std::vector<Finding>& findings) {
  const std::vector<RaplZone> zones = FindRaplZones();
  if (zones.empty()) {
    findings.push_back({"processor's energy", false, "the kernel shows no counter under /sys/class/powercap",
                        MendForMissingProcessor(here), Json::object()});
  }
  for (const RaplZone& zone : zones) {
    Result<std::unique_ptr<PowerMeter>> meter = OpenRaplMeter(zone);
    if (meter) {
      findings.push_back(CheckMeter(std::move(*meter)));
      continue;
    }
    const bool forbidden = meter.error().kind == ErrorKind::kPermission;
    findings.push_back({"processor's energy", false, meter.error().Message(),
                        forbidden
                            ? "for good: `echo 'SUBSYSTEM==\"powercap\", RUN+=\"/bin/chmod a+r "
                              "/sys/class/powercap/%k/energy_uj\"' | sudo tee /etc/udev/rules.d/"
                              "70-heliograd.rules && sudo udevadm trigger -s powercap` (any user may then read it, "
                              "which CVE-2020-8694 warns of)"
                            : "",
                        Json::object()});
  }
}

void CheckLimitService(std::vector<Finding>& findings) {
  const std::string socket = limitd::SocketPath();
  Finding finding{"heliograd-limitd", false, "", "", Json{{"socket", socket}}};
  const auto gpus = limitd::ListGpus(socket);
  const auto leases = gpus ? limitd::ShowLeases(socket) : Fail(gpus.error());
  if (leases) {
    finding.usable = true;
    finding.detail = fmt::format("serves on {}: sets the limits of {} GPU{} without root, {} held now", socket,
                                 gpus->size(), gpus->size() == 1 ? "" : "s", leases->size());
    finding.facts["gpus"] = gpus->size();
    finding.facts["leases"] = leases->size();
  } else {
    const std::string message = leases.error().Message();
    finding.detail = message.substr(0, message.find(": `"));
    if (leases.error().kind == ErrorKind::kPermission) {
      finding.mend = "`sudo usermod -aG heliograd $USER`, then log in again";
    } else {
      finding.mend = "only where limits are to be set without root: `sudo systemctl enable --now heliograd-limitd`";
    }
  }
  findings.push_back(std::move(finding));
}

void CheckRecords(std::vector<Finding>& findings) {
  const Result<std::string> folder = LeaseFolder();
  const Result<std::vector<FoundLease>> leases =
      folder ? FindLeases(*folder) : Result<std::vector<FoundLease>>(std::vector<FoundLease>());
  if (!leases) findings.push_back({"power limits on loan", false, leases.error().Message(), "", Json::object()});
  for (const FoundLease& lease : leases ? *leases : std::vector<FoundLease>()) {
    findings.push_back(
        {"power limit on loan", lease.held,
         fmt::format("{}: {:.0f} W was set and {:.0f} W is to come back; {} process {} ({})", lease.record.uuid,
                     static_cast<double>(lease.record.set_mw) / 1000, static_cast<double>(lease.record.prior_mw) / 1000,
                     lease.held ? "held by" : "left by", lease.record.pid, lease.record.command),
         lease.held ? "" : "`sudo heliograd limits restore`", Json::object()});
  }
  for (const std::string& problem : LoadCalibrations().problems) {
    findings.push_back({"calibration file", false, problem, "", Json::object()});
  }
}

void CheckPrograms(std::vector<Finding>& findings) {
  findings.push_back({"planner", true, MakeAutoSolver()->Name(), "", Json::object()});
  const Result<std::string> drawn = RenderFigure({"plot 0", 200, 100}, FigureFormat::kSvg);
  findings.push_back(
      {"figures", drawn.has_value(), drawn ? "gnuplot draws" : drawn.error().Message(), "", Json::object()});
}

}  // namespace heliograd
