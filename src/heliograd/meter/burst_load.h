// A load of our own on a real GPU: bursts of arithmetic of a given length, stamped by the host.
//
// Enters: the UUID of a GPU as NVML tells it. Leaves: when each burst ran. Needs the CUDA driver (libcuda.so.1, which
// comes with NVIDIA's driver) at run time and nothing of CUDA at build time. Sets no limit, clock or mode.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "heliograd/base/result.h"
#include "heliograd/meter/cuda_abi.h"

namespace heliograd {

/// The kernel in PTX, which every driver compiles for its card: on each thread eight independent chains of fused
/// multiply-adds, 16 of them a loop.
extern const char* const kBurstPtx;

/// Nanoseconds on SteadyClock, as samples' stamps. The kernel starts while the host is in its launch, some 10 us; how
/// long it ran is told by the GPU's own events, so that a host that looks late does not lengthen it.
struct Burst {
  int64_t begin_ns = 0;   // middle of the launch
  int64_t end_ns = 0;     // begin and the GPU's time
  int64_t launch_ns = 0;  // length of the launch: how well begin and end are known
};

/// One GPU and a context on it. One thread at a time, always the one that opened it: CUDA's context is bound to it.
class BurstLoad {
 public:
  /// `uuid` as NVML writes it ("GPU-8f3a..."). Errors (kDevice, kPermission) say what is missing and what mends it: no
  /// CUDA driver, no such GPU among those that CUDA shows, the context, the kernel.
  static Result<std::unique_ptr<BurstLoad>> Open(const std::string& uuid, const std::string& file = "libcuda.so.1");
  /// Whether the library is here, with all that a load needs. Starts nothing on any GPU.
  static Result<void> Check(const std::string& file = "libcuda.so.1");
  ~BurstLoad();
  BurstLoad(const BurstLoad&) = delete;
  BurstLoad& operator=(const BurstLoad&) = delete;

  /// Keeps every multiprocessor busy for about `length` (10 us to 1 s), and returns when it is idle again. The length
  /// is met within some percent after the first bursts, from whose speed the number of loops follows.
  Result<Burst> Run(std::chrono::nanoseconds length);

 private:
  struct Library;
  explicit BurstLoad(std::unique_ptr<Library> library);
  cuda::Status Launch(uint32_t loops, Burst& burst, double& gpu_s);

  std::unique_ptr<Library> library_;
  cuda::Context context_ = nullptr;
  cuda::Module module_ = nullptr;
  cuda::Function kernel_ = nullptr;
  cuda::Event started_ = nullptr, ended_ = nullptr;
  unsigned multiprocessors_ = 1;
  double loops_per_s_ = 0;  // 0 before the first burst
};

/// What a CUDA failure means for the user: the kind of error, the sentence `what`, the code with its name, and what to
/// do about it.
Error CudaError(const std::string& what, cuda::Status status);

}  // namespace heliograd
