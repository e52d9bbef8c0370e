// The C interface: include/heliograd.h says what each function means. Nothing is thrown over its edge.
#include <heliograd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <limits>
#include <string>

#include "heliograd/app/measuring_session.h"
#include "heliograd/app/window_json.h"

namespace {

using heliograd::DeviceEnergy;
using heliograd::Error;
using heliograd::ErrorKind;
using heliograd::MeasuringSession;
using heliograd::Result;

std::string& LastError() {
  thread_local std::string text;
  return text;
}

int StatusOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
      return HELIOGRAD_USAGE;
    case ErrorKind::kPermission:
      return HELIOGRAD_PERMISSION;
    case ErrorKind::kDevice:
      return HELIOGRAD_DEVICE;
    default:
      return HELIOGRAD_FAILED;
  }
}

int Refused(const Error& error) {
  LastError() = error.Message();
  std::replace(LastError().begin(), LastError().end(), '\n', ' ');
  return StatusOf(error.kind);
}

int Misused(const char* what) {
  LastError() = what;
  return HELIOGRAD_USAGE;
}

/// Runs `body`; what it throws becomes `otherwise` and a sentence.
template <typename Value, typename Body>
Value Guarded(Value otherwise, Body body) {
  try {
    return body();
  } catch (const std::exception& exception) {
    LastError() = exception.what();
    return otherwise;
  }
}

/// The caller's struct, of which an older caller knows only the first part.
template <typename Struct>
Struct Widened(const Struct* given) {
  Struct whole{};
  if (given != nullptr) std::memcpy(&whole, given, std::min(given->size, sizeof whole));
  whole.size = sizeof whole;
  return whole;
}

heliograd::SessionOptions OptionsOf(const heliograd_options& given) {
  heliograd::SessionOptions options;
  if (given.gpus != nullptr) options.sources.gpus = given.gpus;
  options.sources.with_processor = given.without_processor == 0;
  if (given.output != nullptr) options.recording.path = given.output;
  if (given.period_ms > 0) {
    options.recording.sampler.period = std::chrono::nanoseconds(static_cast<int64_t>(given.period_ms * 1e6));
  }
  if (given.pin_cpu > 0) options.recording.sampler.cpu = given.pin_cpu - 1;
  options.recording.facts = {{"command", "libheliograd"}, {"heliograd", HELIOGRAD_VERSION}};
  return options;
}

heliograd_energy AsStruct(const DeviceEnergy& energy) {
  heliograd_energy filled{};
  const double nothing = std::numeric_limits<double>::quiet_NaN();
  const bool resolved = energy.unresolved.empty();
  filled.energy_j = resolved ? InJoules(energy.energy) : nothing;
  filled.energy_low_j = resolved ? InJoules(energy.low) : nothing;
  filled.energy_high_j = resolved ? InJoules(energy.high) : nothing;
  filled.duration_s = InSeconds(energy.duration);
  filled.mean_power_w = resolved ? InWatts(energy.mean) : nothing;
  filled.peak_power_w = InWatts(energy.peak);
  filled.gain_half_width = energy.gain_half_width;
  filled.samples = energy.samples;
  filled.resolved = resolved ? 1 : 0;
  return filled;
}

}  // namespace

struct heliograd_meter {
  std::unique_ptr<MeasuringSession> session;
};

int heliograd_abi(void) { return HELIOGRAD_ABI; }

const char* heliograd_version(void) { return HELIOGRAD_VERSION; }

const char* heliograd_last_error(void) { return LastError().c_str(); }

int heliograd_open(const heliograd_options* options, heliograd_meter** meter) {
  if (meter == nullptr) return Misused("heliograd_open: `meter` must point to a heliograd_meter*");
  *meter = nullptr;
  if (options != nullptr && options->size < sizeof options->size) {
    return Misused("heliograd_open: set options.size to sizeof(heliograd_options)");
  }
  return Guarded(static_cast<int>(HELIOGRAD_FAILED), [&]() -> int {
    const heliograd_options given = Widened(options);
    if (given.period_ms != 0 && !(given.period_ms >= 0.1 && given.period_ms <= 1000)) {
      return Misused("heliograd_open: options.period_ms must be 0, or 0.1 to 1000");
    }
    Result<std::unique_ptr<MeasuringSession>> session = MeasuringSession::Open(OptionsOf(given));
    if (!session) return Refused(session.error());
    *meter = new heliograd_meter{std::move(*session)};
    return HELIOGRAD_OK;
  });
}

int heliograd_close(heliograd_meter* meter) {
  if (meter == nullptr) return Misused("heliograd_close: there is no meter");
  return Guarded(static_cast<int>(HELIOGRAD_FAILED), [&]() -> int {
    const std::unique_ptr<heliograd_meter> closed(meter);
    const Result<void> done = closed->session->Close();
    return done ? HELIOGRAD_OK : Refused(done.error());
  });
}

int64_t heliograd_now(const heliograd_meter* meter) { return meter == nullptr ? 0 : meter->session->NowNs(); }

int64_t heliograd_begin(heliograd_meter* meter, const char* name) {
  if (meter == nullptr || name == nullptr) {
    Misused("heliograd_begin: there is no meter, or no name");
    return -1;
  }
  return Guarded(int64_t{-1}, [&]() -> int64_t {
    const Result<int64_t> window = meter->session->Begin(name);
    if (window) return *window;
    Refused(window.error());
    return -1;
  });
}

int heliograd_end(heliograd_meter* meter, int64_t window) {
  if (meter == nullptr) return Misused("heliograd_end: there is no meter");
  return Guarded(static_cast<int>(HELIOGRAD_FAILED), [&]() -> int {
    const Result<void> ended = meter->session->End(window);
    return ended ? HELIOGRAD_OK : Refused(ended.error());
  });
}

int64_t heliograd_add(heliograd_meter* meter, const char* name, int64_t begin_ns, int64_t end_ns, int depth) {
  if (meter == nullptr || name == nullptr) {
    Misused("heliograd_add: there is no meter, or no name");
    return -1;
  }
  return Guarded(int64_t{-1}, [&]() -> int64_t {
    const Result<int64_t> window = meter->session->Add(name, begin_ns, end_ns, depth);
    if (window) return *window;
    Refused(window.error());
    return -1;
  });
}

int heliograd_depth(heliograd_meter* meter) { return meter == nullptr ? 0 : meter->session->Depth(); }

double heliograd_rest(heliograd_meter* meter, double fraction) {
  if (meter == nullptr) {
    Misused("heliograd_rest: there is no meter");
    return 0;
  }
  return Guarded(0.0, [&]() -> double {
    const Result<std::chrono::nanoseconds> slept = meter->session->Rest(fraction);
    if (slept) return static_cast<double>(slept->count()) * 1e-9;
    Refused(slept.error());
    return 0;
  });
}

int heliograd_device_count(const heliograd_meter* meter) {
  return meter == nullptr ? 0 : static_cast<int>(meter->session->Devices().size());
}

const char* heliograd_device_name(const heliograd_meter* meter, int device) {
  if (device < 0 || device >= heliograd_device_count(meter)) return nullptr;
  return meter->session->Devices()[static_cast<size_t>(device)].name.c_str();
}

const char* heliograd_device_uuid(const heliograd_meter* meter, int device) {
  if (device < 0 || device >= heliograd_device_count(meter)) return nullptr;
  return meter->session->Devices()[static_cast<size_t>(device)].uuid.c_str();
}

int heliograd_window_energy(heliograd_meter* meter, int64_t window, int device, heliograd_energy* energy) {
  if (meter == nullptr || energy == nullptr) return Misused("heliograd_window_energy: there is no meter, or no energy");
  if (energy->size < sizeof energy->size) {
    return Misused("heliograd_window_energy: set energy.size to sizeof(heliograd_energy)");
  }
  return Guarded(static_cast<int>(HELIOGRAD_FAILED), [&]() -> int {
    const Result<DeviceEnergy> found = meter->session->WindowEnergy(window, device);
    if (!found) return Refused(found.error());
    LastError() = found->unresolved;
    heliograd_energy filled = AsStruct(*found);
    filled.size = energy->size;
    std::memcpy(energy, &filled, std::min(energy->size, sizeof filled));
    return HELIOGRAD_OK;
  });
}

char* heliograd_summary(heliograd_meter* meter) {
  if (meter == nullptr) {
    Misused("heliograd_summary: there is no meter");
    return nullptr;
  }
  return Guarded(static_cast<char*>(nullptr), [&]() -> char* {
    const auto summary = meter->session->Summary();
    if (summary) return strdup(heliograd::WindowsAsJson(*summary).c_str());
    Refused(summary.error());
    return nullptr;
  });
}

void heliograd_free(char* text) { std::free(text); }
