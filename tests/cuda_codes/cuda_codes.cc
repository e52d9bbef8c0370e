// A libcuda.so.1 of one GPU that answers what a test tells it to: any code at any call.
#include <chrono>
#include <cstring>
#include <thread>

#include "heliograd/meter/cuda_abi.h"

namespace cuda = heliograd::cuda;
using cuda::Status;

namespace {

char object;  // contexts, modules and functions are its address

}  // namespace

extern "C" {

// Set by the test.
int codes_failing_call = -1;  // number of the call, in the order below
Status codes_code = Status::kUnknown;
unsigned codes_last_loops = 0;
double codes_loops_per_s = 1e6;
int codes_open_contexts = 0;

static Status At(int call) { return call == codes_failing_call ? codes_code : Status::kSuccess; }

Status cuInit(unsigned) { return At(0); }
Status cuDeviceGetCount(int* count) { return *count = 1, At(1); }
Status cuDeviceGet(cuda::Device* device, int) { return *device = 0, At(2); }
Status cuDeviceGetUuid(cuda::Uuid* uuid, cuda::Device) {
  cuda::ParseUuid("GPU-00112233-4455-6677-8899-aabbccddeeff", *uuid);
  return At(3);
}
Status cuDeviceGetAttribute(int* value, int, cuda::Device) { return *value = 10, At(4); }
Status cuCtxCreate_v2(cuda::Context* context, unsigned, cuda::Device) {
  const Status status = At(5);
  if (status != Status::kSuccess) return status;
  ++codes_open_contexts;
  *context = reinterpret_cast<cuda::Context>(&object);
  return status;
}
Status cuCtxDestroy_v2(cuda::Context) { return --codes_open_contexts, Status::kSuccess; }
Status cuModuleLoadData(cuda::Module* module, const void*) {
  const Status status = At(6);
  if (status == Status::kSuccess) *module = reinterpret_cast<cuda::Module>(&object);
  return status;
}
Status cuModuleUnload(cuda::Module) { return Status::kSuccess; }
Status cuModuleGetFunction(cuda::Function* function, cuda::Module, const char*) {
  *function = reinterpret_cast<cuda::Function>(&object);
  return At(7);
}
Status cuLaunchKernel(cuda::Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                      cuda::Stream, void** parameters, void**) {
  std::memcpy(&codes_last_loops, parameters[0], sizeof codes_last_loops);
  return At(8);
}
Status cuEventCreate(cuda::Event* event, unsigned) {
  *event = reinterpret_cast<cuda::Event>(&object);
  return At(10);
}
Status cuEventRecord(cuda::Event, cuda::Stream) { return At(11); }
Status cuEventElapsedTime(float* milliseconds, cuda::Event, cuda::Event) {
  *milliseconds = static_cast<float>(1e3 * codes_last_loops / codes_loops_per_s);
  return At(12);
}
Status cuEventDestroy_v2(cuda::Event) { return Status::kSuccess; }
Status cuCtxSynchronize() {
  std::this_thread::sleep_for(std::chrono::duration<double>(codes_last_loops / codes_loops_per_s));
  return At(9);
}

}  // extern "C"
