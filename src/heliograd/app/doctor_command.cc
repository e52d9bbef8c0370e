// `heliograd doctor`: what can be measured, limited and drawn on this machine, and the exact mend for what cannot.
#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/command_line.h"
#include "heliograd/app/sources.h"
#include "heliograd/base/clock.h"
#include "heliograd/meter/nvml_meter.h"
#include "heliograd/meter/rapl_meter.h"
#include "heliograd/meter/sampler.h"
#include "heliograd/optimize/solver.h"
#include "heliograd/report/gnuplot.h"
#include "heliograd/report/terminal_style.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds kWatch{1500};  // a sensor that averages over a second updates at least once in it

/// One thing that was looked at.
struct Finding {
  std::string what;
  bool usable = false;
  std::string detail;
  std::string mend;  // what to do where it is not usable; empty when nothing can be done
  Json facts = Json::object();
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

Finding CheckMeter(std::unique_ptr<PowerMeter> meter) {
  Finding finding;
  const DeviceRecord device = meter->Device();
  finding.what = device.name + " (" + device.uuid + ")";
  std::vector<std::unique_ptr<PowerMeter>> meters;
  meters.push_back(std::move(meter));
  Sampler sampler(std::move(meters), SteadyClock(), {});
  if (const Result<void> started = sampler.Start(); !started) {
    finding.detail = started.error().Message();
    return finding;
  }
  SteadyClock().SleepUntil(SteadyClock().Now() + kWatch);
  sampler.Stop();
  finding.usable = true;
  finding.facts["update_period_ms"] = UpdatePeriods(sampler);
  finding.detail = "gives " + InWords(finding.facts["update_period_ms"]) + "; " + device.driver;
  const double call_us = std::chrono::duration<double, std::micro>(sampler.Figures().time_in_polls).count() /
                         static_cast<double>(std::max<int64_t>(sampler.Figures().polls, 1));
  finding.facts["poll_us"] = call_us;
  finding.detail += fmt::format("; a poll takes {:.0f} us", call_us);
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
  finding.detail = fmt::format("{:.0f} to {:.0f} W, {:.0f} W by default", InWatts(range->lowest),
                               InWatts(range->highest), InWatts(range->standard));
  if (limit) finding.detail += fmt::format(", {:.0f} W now", InWatts(*limit));
  finding.facts = {{"lowest_w", InWatts(range->lowest)},
                   {"highest_w", InWatts(range->highest)},
                   {"default_w", InWatts(range->standard)},
                   {"limit_w", limit ? Json(InWatts(*limit)) : Json()}};
  finding.usable = MaySetLimits();
  if (!finding.usable) {
    finding.detail += "; setting it needs root";
    finding.mend = "run heliograd with sudo where it is to set limits; measuring and planning need no root";
  }
  return finding;
}

void CheckGpus(std::vector<Finding>& findings) {
  const Result<SelectedGpus> gpus = SelectGpus("");
  if (!gpus) {
    // The reason ends with the mend, after the last colon.
    findings.push_back({"NVIDIA GPU", false, gpus.error().Message(), "", Json::object()});
    return;
  }
  for (nvml::Device device : gpus->devices) {
    Result<std::unique_ptr<PowerMeter>> meter = OpenNvmlMeter(gpus->library, device);
    findings.push_back(meter ? CheckMeter(std::move(*meter))
                             : Finding{"NVIDIA GPU", false, meter.error().Message(), "", Json::object()});
    uint32_t current = 0, pending = 0;
    const bool mig = gpus->library->mig_mode != nullptr &&
                     gpus->library->mig_mode(device, &current, &pending) == nvml::Return::kSuccess && current != 0;
    if (mig) findings.back().detail += "; MIG is on: power is that of the whole board, never of one instance";
    findings.push_back(CheckLimit(gpus->library, device));
  }
}

void CheckProcessor(std::vector<Finding>& findings) {
  const std::vector<RaplZone> zones = FindRaplZones();
  if (zones.empty()) {
    findings.push_back({"processor's energy", false, "the kernel shows no counter under /sys/class/powercap",
                        "on a machine of one's own: `sudo modprobe intel_rapl_msr`; virtual machines have none",
                        Json::object()});
  }
  for (const RaplZone& zone : zones) {
    Result<std::unique_ptr<PowerMeter>> meter = OpenRaplMeter(zone);
    findings.push_back(meter ? CheckMeter(std::move(*meter))
                             : Finding{"processor's energy", false, meter.error().Message(), "", Json::object()});
  }
}

void CheckPrograms(std::vector<Finding>& findings) {
  findings.push_back({"planner", true, MakeAutoSolver()->Name(), "", Json::object()});
  const Result<std::string> drawn = RenderFigure({"plot 0", 200, 100}, FigureFormat::kSvg);
  findings.push_back(
      {"figures", drawn.has_value(), drawn ? "gnuplot draws" : drawn.error().Message(), "", Json::object()});
}

std::string AsJson(const std::vector<Finding>& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    Json json = {
        {"what", finding.what}, {"usable", finding.usable}, {"detail", finding.detail}, {"mend", finding.mend}};
    json.update(finding.facts);
    list.push_back(std::move(json));
  }
  return Json{{"findings", std::move(list)}}.dump(2) + "\n";
}

std::string AsText(const std::vector<Finding>& findings, const TerminalStyle& style) {
  std::string text;
  for (const Finding& finding : findings) {
    text += Paragraph((finding.usable ? "yes " : "no ") + finding.what + ": " + finding.detail, style, 4);
    if (!finding.mend.empty()) text += "    " + Paragraph("mend: " + finding.mend, style, 10);
  }
  return text + "Next: `heliograd measure -- COMMAND` measures, `heliograd plan builtin:paper` plans.\n";
}

}  // namespace

void AddDoctorCommand(CLI::App& program, Commands& commands) {
  CLI::App* app =
      AddCommand(program, "doctor", "Says what can be measured, limited and drawn here, and how to mend the rest",
                 {"heliograd doctor", "heliograd doctor --json"});
  auto json = std::make_shared<bool>(false);
  app->add_flag("--json", *json, "machine-readable output");
  commands.push_back({app, [json]() -> Result<int> {
                        std::vector<Finding> findings;
                        CheckGpus(findings);
                        CheckProcessor(findings);
                        CheckPrograms(findings);
                        if (Result<void> done = Print(*json ? AsJson(findings) : AsText(findings, DetectTerminal(1)));
                            !done) {
                          return Fail(done.error());
                        }
                        return kExitOk;
                      }});
}

}  // namespace heliograd
