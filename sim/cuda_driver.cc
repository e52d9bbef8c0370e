// The simulated CUDA driver: as much of libcuda.so.1 as one load needs, so that heliograd's own bursts run on a
// simulated GPU as they do on a real one. Its only kernel is heliograd's: a loop takes one simulated microsecond of the
// whole GPU at full clock.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <string_view>
#include <thread>

#include "heliograd/meter/cuda_abi.h"
#include "sim/driver.h"
#include "sim/load.h"

/// A function that programs find under its CUDA name.
#define CUDA_EXPORT extern "C" __attribute__((visibility("default")))

namespace cuda = heliograd::cuda;
using cuda::Status;
using heliograd::sim::Driver;
using heliograd::sim::FaultConfig;
using heliograd::sim::FaultKind;
using heliograd::sim::GpuView;
using heliograd::sim::Load;

namespace {

constexpr double kSecondsPerLoop = 1e-6;
constexpr double kAliveSeconds =
    60;  // simulated; a kernel that is on the GPU ends by itself, whatever its process does
constexpr int kMultiprocessors = 46;  // of an RTX 4070
constexpr auto kSpinAtMost = std::chrono::microseconds(300);

/// One context on one GPU, as many as a process needs here. An event that is recorded while nothing runs passes when
/// the next kernel starts, one that is recorded while a kernel runs when that ends.
struct State {
  std::unique_ptr<Driver> driver;
  size_t gpu = 0;
  uint64_t load = 0;  // 0 = no kernel runs
  int64_t* before_next = nullptr;
  int64_t* after_this = nullptr;
};

State& TheState() {
  static auto* state = new State;  // never destroyed: calls may come while the program exits
  return *state;
}

char g_object;  // contexts, modules and functions are addresses of it; the content means nothing

bool IsOn(const FaultConfig& fault, int64_t now_ns) {
  const double now_s = static_cast<double>(now_ns) / heliograd::sim::kNanosecondsPerSecond;
  return now_s >= fault.at_s && now_s < fault.at_s + fault.lasts_s;
}

/// What a fault that is on makes of every call.
Status Health(const State& state, size_t gpu) {
  for (const FaultConfig& fault : state.driver->config().gpus[gpu].faults) {
    if (!IsOn(fault, state.driver->Now())) continue;
    if (fault.kind == FaultKind::kLost) return Status::kUnknown;
    if (fault.kind == FaultKind::kDriverReload) return Status::kLaunchFailed;
  }
  return Status::kSuccess;
}

bool Knows(const State& state, int device) {
  return state.driver && device >= 0 && static_cast<size_t>(device) < state.driver->config().gpus.size();
}

/// Sleeps, then spins, until a real instant `seconds` from now.
void WaitFor(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(std::llround(seconds * 1e9));
  if (end - std::chrono::steady_clock::now() > kSpinAtMost) std::this_thread::sleep_until(end - kSpinAtMost);
  while (std::chrono::steady_clock::now() < end) {
  }
}

}  // namespace

CUDA_EXPORT Status cuInit(unsigned flags) {
  if (flags != 0) return Status::kInvalidValue;
  State& state = TheState();
  if (state.driver) return Status::kSuccess;
  auto driver = heliograd::sim::ReadConfig().and_then([](const auto& config) { return Driver::Open(config); });
  if (!driver) {
    fmt::print(stderr, "simulated CUDA: {}\n", driver.error().Message());
    return Status::kNoDevice;
  }
  state.driver = std::move(*driver);
  return Status::kSuccess;
}

CUDA_EXPORT Status cuDeviceGetCount(int* count) {
  if (!TheState().driver) return Status::kNotInitialized;
  if (!count) return Status::kInvalidValue;
  *count = static_cast<int>(TheState().driver->config().gpus.size());
  return Status::kSuccess;
}

CUDA_EXPORT Status cuDeviceGet(cuda::Device* device, int ordinal) {
  if (!TheState().driver) return Status::kNotInitialized;
  if (!device || !Knows(TheState(), ordinal)) return Status::kInvalidDevice;
  *device = ordinal;
  return Status::kSuccess;
}

CUDA_EXPORT Status cuDeviceGetUuid(cuda::Uuid* uuid, cuda::Device device) {
  if (!Knows(TheState(), device)) return Status::kInvalidDevice;
  const std::string& text = TheState().driver->config().gpus[static_cast<size_t>(device)].uuid;
  return uuid && cuda::ParseUuid(text, *uuid) ? Status::kSuccess : Status::kInvalidValue;
}

CUDA_EXPORT Status cuDeviceGetAttribute(int* value, int which, cuda::Device device) {
  if (!Knows(TheState(), device)) return Status::kInvalidDevice;
  if (!value || which != cuda::kAttributeMultiprocessorCount) return Status::kInvalidValue;
  *value = kMultiprocessors;
  return Status::kSuccess;
}

CUDA_EXPORT Status cuCtxCreate_v2(cuda::Context* context, unsigned, cuda::Device device) {
  State& state = TheState();
  if (!Knows(state, device)) return Status::kInvalidDevice;
  if (!context) return Status::kInvalidValue;
  const Status health = Health(state, static_cast<size_t>(device));
  if (health != Status::kSuccess) return health;
  state.gpu = static_cast<size_t>(device);
  *context = reinterpret_cast<cuda::Context>(&g_object);
  return Status::kSuccess;
}

CUDA_EXPORT Status cuCtxDestroy_v2(cuda::Context context) {
  return context ? Status::kSuccess : Status::kInvalidContext;
}

CUDA_EXPORT Status cuModuleLoadData(cuda::Module* module, const void* image) {
  if (!module || !image) return Status::kInvalidValue;
  if (!std::string_view(static_cast<const char*>(image)).starts_with(".version")) return Status::kInvalidPtx;
  *module = reinterpret_cast<cuda::Module>(&g_object);
  return Status::kSuccess;
}

CUDA_EXPORT Status cuModuleUnload(cuda::Module module) { return module ? Status::kSuccess : Status::kInvalidValue; }

CUDA_EXPORT Status cuModuleGetFunction(cuda::Function* function, cuda::Module module, const char* name) {
  if (!function || !module || !name) return Status::kInvalidValue;
  if (std::string_view(name) != heliograd::cuda::kBurstKernel) return Status::kNotFound;
  *function = reinterpret_cast<cuda::Function>(&g_object);
  return Status::kSuccess;
}

CUDA_EXPORT Status cuLaunchKernel(cuda::Function function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                                  unsigned, cuda::Stream, void** parameters, void**) {
  State& state = TheState();
  if (!state.driver || !function || !parameters) return Status::kInvalidValue;
  const Status health = Health(state, state.gpu);
  if (health != Status::kSuccess) return health;
  uint32_t loops = 0;
  std::memcpy(&loops, parameters[0], sizeof loops);
  heliograd::sim::LoadRequest request;
  request.pid = static_cast<uint32_t>(getpid());
  request.phases = {{loops * kSecondsPerLoop, 1, 0}};
  request.iterations = 1;
  state.driver->Change(state.gpu, [&](GpuView& gpu) {
    state.load = heliograd::sim::StartLoad(request, kAliveSeconds, gpu.state).value_or(0);
    if (state.before_next) *state.before_next = gpu.state.now_ns;
  });
  return state.load != 0 ? Status::kSuccess : Status::kOutOfMemory;
}

CUDA_EXPORT Status cuEventCreate(cuda::Event* event, unsigned) {
  if (!event) return Status::kInvalidValue;
  *event = reinterpret_cast<cuda::Event>(new int64_t{0});
  return Status::kSuccess;
}

CUDA_EXPORT Status cuEventDestroy_v2(cuda::Event event) {
  delete reinterpret_cast<int64_t*>(event);
  return Status::kSuccess;
}

CUDA_EXPORT Status cuEventRecord(cuda::Event event, cuda::Stream) {
  if (!event) return Status::kInvalidValue;
  State& state = TheState();
  (state.load == 0 ? state.before_next : state.after_this) = reinterpret_cast<int64_t*>(event);
  return Status::kSuccess;
}

CUDA_EXPORT Status cuEventElapsedTime(float* milliseconds, cuda::Event begin, cuda::Event end) {
  if (!milliseconds || !begin || !end) return Status::kInvalidValue;
  const int64_t ns = *reinterpret_cast<int64_t*>(end) - *reinterpret_cast<int64_t*>(begin);
  *milliseconds = static_cast<float>(static_cast<double>(ns) / 1e6);
  return Status::kSuccess;
}

CUDA_EXPORT Status cuCtxSynchronize() {
  State& state = TheState();
  if (!state.driver) return Status::kNotInitialized;
  while (state.load != 0) {
    double left_s = 0;
    state.driver->Look(state.gpu, [&](const GpuView& view) {
      const Load* load = FindLoad(view.state, state.load);
      left_s = load && IsRunning(*load) ? load->left_s * load->points[load->phase].slowdown : 0;
    });
    const Status health = Health(state, state.gpu);
    if (left_s > 0 && health == Status::kSuccess) {
      WaitFor(left_s / state.driver->config().speed);
      continue;
    }
    state.driver->Change(state.gpu, [&](GpuView& view) {
      Load* load = FindLoad(view.state, state.load);
      if (!load) return;
      if (state.after_this) *state.after_this = std::min(load->finished_ns, view.state.now_ns);
      *load = Load{};
    });
    state.load = 0;
    if (health != Status::kSuccess) return health;
  }
  return Status::kSuccess;
}
