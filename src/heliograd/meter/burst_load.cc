#include "heliograd/meter/burst_load.h"

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "heliograd/base/clock.h"
#include "heliograd/base/text.h"

namespace heliograd {

// Constants 0.99998474 and 0.1: the sums settle near 6554 and never overflow. Nobody reads `sink`; without it the loop
// would be compiled away.
const char* const kBurstPtx = R"(.version 6.0
.target sm_50
.address_size 64
.global .f32 sink;
.visible .entry heliograd_burst(.param .u32 loops) {
  .reg .pred %more, %never;
  .reg .u32 %left, %thread;
  .reg .f32 %a<8>, %sum;
  ld.param.u32 %left, [loops];
  mov.u32 %thread, %tid.x;
  cvt.rn.f32.u32 %a0, %thread;
  add.f32 %a1, %a0, 0f3F800000;
  add.f32 %a2, %a0, 0f40000000;
  add.f32 %a3, %a0, 0f40400000;
  add.f32 %a4, %a0, 0f40800000;
  add.f32 %a5, %a0, 0f40A00000;
  add.f32 %a6, %a0, 0f40C00000;
  add.f32 %a7, %a0, 0f40E00000;
again:
  fma.rn.f32 %a0, %a0, 0f3F7FFF00, 0f3DCCCCCD;
  fma.rn.f32 %a1, %a1, 0f3F7FFF00, 0f3DCCCCCD;
  fma.rn.f32 %a2, %a2, 0f3F7FFF00, 0f3DCCCCCD;
  fma.rn.f32 %a3, %a3, 0f3F7FFF00, 0f3DCCCCCD;
  fma.rn.f32 %a4, %a4, 0f3F7FFF00, 0f3DCCCCCD;
  fma.rn.f32 %a5, %a5, 0f3F7FFF00, 0f3DCCCCCD;
  fma.rn.f32 %a6, %a6, 0f3F7FFF00, 0f3DCCCCCD;
  fma.rn.f32 %a7, %a7, 0f3F7FFF00, 0f3DCCCCCD;
  fma.rn.f32 %a0, %a0, 0f3F7FFF00, 0f3DCCCCCD;
  fma.rn.f32 %a1, %a1, 0f3F7FFF00, 0f3DCCCCCD;
  fma.rn.f32 %a2, %a2, 0f3F7FFF00, 0f3DCCCCCD;
  fma.rn.f32 %a3, %a3, 0f3F7FFF00, 0f3DCCCCCD;
  fma.rn.f32 %a4, %a4, 0f3F7FFF00, 0f3DCCCCCD;
  fma.rn.f32 %a5, %a5, 0f3F7FFF00, 0f3DCCCCCD;
  fma.rn.f32 %a6, %a6, 0f3F7FFF00, 0f3DCCCCCD;
  fma.rn.f32 %a7, %a7, 0f3F7FFF00, 0f3DCCCCCD;
  sub.u32 %left, %left, 1;
  setp.ne.u32 %more, %left, 0;
  @%more bra again;
  add.f32 %sum, %a0, %a1;
  add.f32 %sum, %sum, %a2;
  add.f32 %sum, %sum, %a3;
  add.f32 %sum, %sum, %a4;
  add.f32 %sum, %sum, %a5;
  add.f32 %sum, %sum, %a6;
  add.f32 %sum, %sum, %a7;
  setp.lt.f32 %never, %sum, 0f00000000;
  @%never st.global.f32 [sink], %sum;
  ret;
}
)";

namespace {

using cuda::Status;

constexpr unsigned kThreads = 256;                // of a block
constexpr unsigned kBlocksPerMultiprocessor = 4;  // 1024 threads, which every card since 2014 holds at once
// Of a slow card, so that the first burst is too short rather than too long.
constexpr double kFirstLoopsPerSecond = 2e6;
constexpr double kLongestFirstS = 0.002;
constexpr double kLongestBurstS = 1, kShortestBurstS = 1e-5;

const char* Advice(Status status) {
  switch (static_cast<int>(status)) {
    case 2:  // OUT_OF_MEMORY
      return "the GPU's memory is taken: end what else runs on it (`nvidia-smi` lists it)";
    case 3:    // NOT_INITIALIZED
    case 100:  // NO_DEVICE
    case 101:  // INVALID_DEVICE
      return "CUDA shows no such GPU: unset CUDA_VISIBLE_DEVICES, and in a container start it with `docker run --gpus "
             "all`";
    case 34:  // STUB_LIBRARY
      return "a stub of the CUDA toolkit was found in place of the driver: take its folder out of LD_LIBRARY_PATH";
    case 36:   // CALL_REQUIRES_NEWER_DRIVER
    case 209:  // NO_BINARY_FOR_GPU
    case 218:  // INVALID_PTX
    case 221:  // JIT_COMPILER_NOT_FOUND
    case 222:  // UNSUPPORTED_PTX_VERSION
      return "the driver cannot compile the load: install NVIDIA's driver whole (libnvidia-ptxjitcompiler.so.1 is part "
             "of it), or a newer one";
    case 223:  // JIT_COMPILATION_DISABLED
      return "compiling at run time is switched off: unset CUDA_DISABLE_PTX_JIT";
    case 46:  // DEVICE_UNAVAILABLE
      return "another program holds the GPU for itself: end it, or see `nvidia-smi -q -d COMPUTE`";
    case 102:  // DEVICE_NOT_LICENSED
      return "this virtual GPU has no licence";
    case 214:  // ECC_UNCORRECTABLE
    case 220:  // NVLINK_UNCORRECTABLE
    case 226:  // CONTAINED
      return "the hardware reports an error: see `dmesg`, then `sudo nvidia-smi --gpu-reset` or reboot";
    case 304:  // OPERATING_SYSTEM
      return "the operating system refuses, as in a container without the device: pass the GPU into the container";
    case 702:  // LAUNCH_TIMEOUT
      return "the display's watchdog ended the load: calibrate while no desktop runs on this GPU";
    case 700:  // ILLEGAL_ADDRESS
    case 715:  // ILLEGAL_INSTRUCTION
    case 719:  // LAUNCH_FAILED
    case 999:  // UNKNOWN
      return "the GPU failed under the load: see `dmesg`, then `sudo nvidia-smi --gpu-reset` or reboot";
    case 800:  // NOT_PERMITTED
      return "this user may not compute on the GPU: add it to the group of /dev/nvidia0";
    case 802:  // SYSTEM_NOT_READY
      return "the GPUs' fabric is not up: `sudo systemctl start nvidia-fabricmanager`";
    case 803:  // SYSTEM_DRIVER_MISMATCH
    case 804:  // COMPAT_NOT_SUPPORTED_ON_DEVICE
      return "library and kernel driver are of different versions, as after an update: reboot, or take the CUDA "
             "compatibility library out of LD_LIBRARY_PATH";
    case 805:  // MPS_...
    case 806:
    case 807:
    case 808:
    case 809:
    case 810:
      return "the multi-process service is in the way: stop it (`echo quit | nvidia-cuda-mps-control`) while "
             "calibrating";
    default:
      return "this is not expected here: see `dmesg` for NVRM lines and report it with `heliograd doctor --json`";
  }
}

int64_t NowNs() { return SteadyClock().Now().time_since_epoch().count(); }

}  // namespace

Error CudaError(const std::string& what, Status status) {
  const bool forbidden = static_cast<int>(status) == 800;
  return {forbidden ? ErrorKind::kPermission : ErrorKind::kDevice,
          {what + " (" + cuda::StatusName(status) + " " + std::to_string(static_cast<int>(status)) +
           "): " + Advice(status)}};
}

/// The functions that are called, all found or none.
struct BurstLoad::Library {
  ~Library() {
    if (handle != nullptr) dlclose(handle);
  }

  template <typename Function>
  void Find(const char* name, Function*& function) {
    function = reinterpret_cast<Function*>(dlsym(handle, name));
    if (function == nullptr && missing.empty()) missing = name;
  }

  Result<void> Load(const std::string& file) {
    handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      const char* reason = dlerror();
      return Fail("no CUDA driver library: " + std::string(reason == nullptr ? file : reason) +
                      ": install NVIDIA's driver with its compute part (libcuda.so.1; on Debian and Ubuntu "
                      "libcuda1 or libnvidia-compute-*), or start the container with `docker run --gpus all -e "
                      "NVIDIA_DRIVER_CAPABILITIES=compute,utility`",
                  ErrorKind::kDevice);
    }
    Find("cuInit", init);
    Find("cuDeviceGetCount", count);
    Find("cuDeviceGet", device);
    Find("cuDeviceGetUuid", uuid);
    Find("cuDeviceGetAttribute", attribute);
    Find("cuCtxCreate_v2", create_context);
    Find("cuCtxDestroy_v2", destroy_context);
    Find("cuModuleLoadData", load_module);
    Find("cuModuleUnload", unload_module);
    Find("cuModuleGetFunction", get_function);
    Find("cuEventCreate", create_event);
    Find("cuEventRecord", record_event);
    Find("cuEventElapsedTime", elapsed);
    Find("cuEventDestroy_v2", destroy_event);
    Find("cuLaunchKernel", launch);
    Find("cuCtxSynchronize", synchronize);
    if (!missing.empty()) {
      return Fail(file + ": has no " + missing + ": NVIDIA's driver must be 396 or later", ErrorKind::kDevice);
    }
    return {};
  }

  /// The device of this UUID among those that CUDA shows.
  Result<cuda::Device> FindDevice(const std::string& text) {
    cuda::Uuid wanted{};
    if (!cuda::ParseUuid(text, wanted)) {
      return Fail("CUDA cannot find the GPU " + Quoted(text) + ": expected a UUID such as GPU-8f3a1c2e-...",
                  ErrorKind::kDevice);
    }
    int devices = 0;
    if (const Status status = count(&devices); status != Status::kSuccess) {
      return Fail(CudaError("CUDA cannot count the GPUs", status));
    }
    for (int i = 0; i < devices; ++i) {
      cuda::Device found = 0;
      cuda::Uuid its{};
      if (device(&found, i) != Status::kSuccess || uuid(&its, found) != Status::kSuccess) continue;
      if (std::memcmp(its.bytes, wanted.bytes, sizeof its.bytes) == 0) return found;
    }
    return Fail("CUDA shows " + std::to_string(devices) + " GPUs, but not " + text +
                    ": run it as `CUDA_VISIBLE_DEVICES=" + text + " heliograd calibrate --gpu " + text + "`",
                ErrorKind::kDevice);
  }

  void* handle = nullptr;
  std::string missing;
  cuda::InitFunction* init = nullptr;
  cuda::NumberFunction* count = nullptr;
  cuda::DeviceFunction* device = nullptr;
  cuda::UuidFunction* uuid = nullptr;
  cuda::AttributeFunction* attribute = nullptr;
  cuda::CreateContextFunction* create_context = nullptr;
  cuda::ContextFunction* destroy_context = nullptr;
  cuda::LoadModuleFunction* load_module = nullptr;
  cuda::ModuleFunction* unload_module = nullptr;
  cuda::GetFunctionFunction* get_function = nullptr;
  cuda::CreateEventFunction* create_event = nullptr;
  cuda::RecordEventFunction* record_event = nullptr;
  cuda::ElapsedFunction* elapsed = nullptr;
  cuda::EventFunction* destroy_event = nullptr;
  cuda::LaunchFunction* launch = nullptr;
  cuda::SynchronizeFunction* synchronize = nullptr;
};

Result<void> BurstLoad::Check(const std::string& file) { return Library().Load(file); }

BurstLoad::BurstLoad(std::unique_ptr<Library> library) : library_(std::move(library)) {}

Result<std::unique_ptr<BurstLoad>> BurstLoad::Open(const std::string& uuid, const std::string& file) {
  auto library = std::make_unique<Library>();
  if (Result<void> loaded = library->Load(file); !loaded) return Fail(loaded.error());
  Library& cuda = *library;
  if (const Status status = cuda.init(0); status != Status::kSuccess) {
    return Fail(CudaError("CUDA does not start", status));
  }
  const Result<cuda::Device> device = cuda.FindDevice(uuid);
  if (!device) return Fail(device.error());
  std::unique_ptr<BurstLoad> load(new BurstLoad(std::move(library)));
  int multiprocessors = 0;
  Status status = cuda.attribute(&multiprocessors, cuda::kAttributeMultiprocessorCount, *device);
  if (status != Status::kSuccess) return Fail(CudaError(uuid + ": its multiprocessors cannot be counted", status));
  load->multiprocessors_ = static_cast<unsigned>(std::max(1, multiprocessors));
  status = cuda.create_context(&load->context_, cuda::kScheduleSpin, *device);
  if (status != Status::kSuccess) return Fail(CudaError(uuid + ": no load can be started on it", status));
  status = cuda.load_module(&load->module_, kBurstPtx);
  if (status == Status::kSuccess) status = cuda.get_function(&load->kernel_, load->module_, cuda::kBurstKernel);
  if (status == Status::kSuccess) status = cuda.create_event(&load->started_, cuda::kEventDefault);
  if (status == Status::kSuccess) status = cuda.create_event(&load->ended_, cuda::kEventDefault);
  if (status != Status::kSuccess) return Fail(CudaError(uuid + ": the load's kernel cannot be loaded", status));
  return load;
}

BurstLoad::~BurstLoad() {
  for (const cuda::Event event : {started_, ended_}) {
    if (event != nullptr) library_->destroy_event(event);
  }
  if (module_ != nullptr) library_->unload_module(module_);
  if (context_ != nullptr) library_->destroy_context(context_);
}

Status BurstLoad::Launch(uint32_t loops, Burst& burst, double& gpu_s) {
  void* parameters[] = {&loops};
  Status status = library_->record_event(started_, nullptr);
  const int64_t before_ns = NowNs();
  if (status == Status::kSuccess) {
    status = library_->launch(kernel_, multiprocessors_ * kBlocksPerMultiprocessor, 1, 1, kThreads, 1, 1, 0, nullptr,
                              parameters, nullptr);
  }
  burst.launch_ns = NowNs() - before_ns;
  burst.begin_ns = before_ns + burst.launch_ns / 2;
  if (status == Status::kSuccess) status = library_->record_event(ended_, nullptr);
  if (status == Status::kSuccess) status = library_->synchronize();
  float milliseconds = 0;
  if (status == Status::kSuccess) status = library_->elapsed(&milliseconds, started_, ended_);
  gpu_s = static_cast<double>(milliseconds) * 1e-3;
  burst.end_ns = burst.begin_ns + std::llround(gpu_s * 1e9);
  return status;
}

Result<Burst> BurstLoad::Run(std::chrono::nanoseconds length) {
  const bool first = loops_per_s_ == 0;
  const double asked_s = std::clamp(static_cast<double>(length.count()) * 1e-9, kShortestBurstS, kLongestBurstS);
  const double wanted_s = first ? std::min(asked_s, kLongestFirstS) : asked_s;
  const double expected = first ? kFirstLoopsPerSecond : loops_per_s_;
  const auto loops = static_cast<uint32_t>(std::clamp(wanted_s * expected, 1.0, 4e9));
  Burst burst;
  double gpu_s = 0;
  if (const Status status = Launch(loops, burst, gpu_s); status != Status::kSuccess) {
    return Fail(CudaError("the load was ended", status));
  }
  // The clock wanders with temperature and limit; the last bursts tell the next one's speed.
  const double speed = loops / std::max(gpu_s, 1e-6);
  loops_per_s_ = first ? speed : std::clamp(0.5 * (loops_per_s_ + speed), 0.25 * loops_per_s_, 4 * loops_per_s_);
  return burst;
}

}  // namespace heliograd
