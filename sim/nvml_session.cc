#include "sim/nvml_session.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "sim/sensor.h"

namespace heliograd::sim {
namespace {

using nvml::Return;
using RealClock = std::chrono::steady_clock;

constexpr auto kSpinAtMost = std::chrono::microseconds(200);

/// Handles are addresses in here; the content means nothing.
char g_handles[kMostGpus];

struct Session {
  std::shared_mutex mutex;
  int openings = 0;
  std::shared_ptr<Driver> driver;
};

Session& TheSession() {
  static auto* session = new Session;  // never destroyed: calls may come while the program exits
  return *session;
}

std::shared_ptr<Driver> SessionDriver() {
  Session& session = TheSession();
  const std::shared_lock lock(session.mutex);
  return session.driver;
}

Return Complain(const Error& error) {
  fmt::print(stderr, "simulated NVML: {}\n", error.Message());
  return error.kind == ErrorKind::kDevice ? Return::kOperatingSystem : Return::kDriverNotLoaded;
}

std::optional<size_t> IndexOf(nvml::Device device, size_t gpus) {
  const auto* address = reinterpret_cast<const char*>(device);
  const bool known = address >= g_handles && address < g_handles + gpus;
  return known ? std::optional<size_t>(static_cast<size_t>(address - g_handles)) : std::nullopt;
}

/// Takes as long as a call into the driver does. Sleeping alone would add the timer's slack to short calls.
void SpendCallTime(double microseconds) {
  const auto end = RealClock::now() + std::chrono::nanoseconds(static_cast<int64_t>(microseconds * 1000));
  if (end - RealClock::now() > kSpinAtMost) std::this_thread::sleep_until(end - kSpinAtMost);
  while (RealClock::now() < end) {
  }
}

const FaultConfig* FaultOn(const GpuConfig& gpu, FaultKind kind, int64_t at_ns) {
  for (const FaultConfig& fault : gpu.faults) {
    if (fault.kind != kind || at_ns < SimNanoseconds(fault.at_s)) continue;
    if (at_ns < SimNanoseconds(fault.at_s + fault.lasts_s)) return &fault;
  }
  return nullptr;
}

void WaitWhileHung(const Driver& driver, const GpuConfig& gpu) {
  while (const FaultConfig* fault = FaultOn(gpu, FaultKind::kHang, driver.Now())) {
    const int64_t end_ns = SimNanoseconds(fault->at_s + fault->lasts_s);
    const double real_s = static_cast<double>(end_ns - driver.Now()) / kNanosecondsPerSecond / driver.config().speed;
    std::this_thread::sleep_for(std::chrono::duration<double>(std::clamp(real_s, 0.0, 1.0)));
  }
}

}  // namespace

Return BeginSession() {
  Session& session = TheSession();
  const std::unique_lock lock(session.mutex);
  if (session.openings == 0) {
    auto driver = ReadConfig().and_then([](const SimConfig& config) { return Driver::Open(config); });
    if (!driver) return Complain(driver.error());
    for (const GpuConfig& gpu : (*driver)->config().gpus) {
      if (IsOn(gpu, FaultKind::kDriverReload, (*driver)->Now())) return Return::kDriverNotLoaded;
    }
    session.driver = std::move(*driver);
  }
  ++session.openings;
  return Return::kSuccess;
}

Return EndSession() {
  Session& session = TheSession();
  const std::unique_lock lock(session.mutex);
  if (session.openings == 0) return Return::kUninitialized;
  if (--session.openings == 0) session.driver.reset();
  return Return::kSuccess;
}

Return InSession(const std::function<Return(Driver&)>& act) {
  const std::shared_ptr<Driver> driver = SessionDriver();
  return driver ? act(*driver) : Return::kUninitialized;
}

Return OnDevice(nvml::Device device, const std::function<Return(Driver&, size_t)>& act) {
  return InSession([&](Driver& driver) {
    const auto gpu = IndexOf(device, driver.config().gpus.size());
    if (!gpu) return Return::kInvalidArgument;
    const GpuConfig& config = driver.config().gpus[*gpu];
    SpendCallTime(config.call_latency_us);
    WaitWhileHung(driver, config);
    if (IsOn(config, FaultKind::kLost, driver.Now())) return Return::kGpuIsLost;
    if (IsOn(config, FaultKind::kDriverReload, driver.Now())) return Return::kDriverNotLoaded;
    return act(driver, *gpu);
  });
}

Return OnView(nvml::Device device, const std::function<Return(const GpuView&)>& look) {
  return OnDevice(device, [&](const Driver& driver, size_t gpu) {
    Return code = Return::kUnknown;
    driver.Look(gpu, [&](const GpuView& view) { code = look(view); });
    return code;
  });
}

nvml::Device HandleOf(size_t gpu) { return reinterpret_cast<nvml::Device>(&g_handles[gpu]); }

bool IsOn(const GpuConfig& gpu, FaultKind kind, int64_t at_ns) { return FaultOn(gpu, kind, at_ns) != nullptr; }

Return ReadingCode(const GpuConfig& gpu, int64_t at_ns) {
  if (IsOn(gpu, FaultKind::kNotSupported, at_ns)) return Return::kNotSupported;
  if (IsOn(gpu, FaultKind::kNoData, at_ns)) return Return::kNoData;
  return Return::kSuccess;
}

Return CopyText(std::string_view text, char* into, uint32_t length) {
  if (!into) return Return::kInvalidArgument;
  if (text.size() >= length) return Return::kInsufficientSize;
  std::memcpy(into, text.data(), text.size());
  into[text.size()] = '\0';
  return Return::kSuccess;
}

}  // namespace heliograd::sim
