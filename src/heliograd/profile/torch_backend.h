// What heliograd asks of PyTorch, as an interface that knows nothing of it, and the loader of the library that answers.
//
// libheliograd_torch.so is opened when a command needs it and stays open until the program ends: no other command loads
// PyTorch. Both are built from one source tree by one compiler; a library of another version is refused.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/profile/architecture.h"
#include "heliograd/profile/training.h"

namespace heliograd {

/// MACs that PyTorch's operators did in one forward pass, from the sizes of their inputs; for the whole batch.
struct OperatorCount {
  std::string name;  // "aten::convolution"
  int64_t calls = 0, macs = 0;
};

struct ForwardCount {
  int64_t convolution_linear = 0;  // products with a parameter
  int64_t attention = 0;           // products between activations
  int64_t bias = 0;
  int64_t parameters = 0;
  std::vector<OperatorCount> operators;  // those that count, most MACs first
};

/// One thread at a time.
class TorchBackend {
 public:
  virtual ~TorchBackend() = default;

  /// "2.13.0".
  virtual std::string TorchVersion() const = 0;
  virtual bool HasCuda() const = 0;
  /// Fails (kUsage, kDevice) where networks cannot run on a device of that name: "cpu", "cuda", "cuda:1".
  virtual Result<void> CheckDevice(const std::string& name) const = 0;

  /// Runs a built-in network forward once on random images, and counts what its operators did.
  virtual Result<ForwardCount> CountForward(const Architecture& network, int64_t batch) = 0;
  /// The same for a TorchScript file; `input` is the whole input's shape, the batch first. Running a file runs what its
  /// author wrote: trust it as you trust a program.
  virtual Result<ForwardCount> CountScript(const std::string& file, const Shape& input) = 0;

  /// Trains a built-in network, from PyTorch's initial parameters of the options' seed. Errors: no such device.
  virtual Result<TrainingOutcome> Train(const Architecture& network, const TrainingOptions& options) = 0;
  /// Its layers, to be run in loops on batches of that size.
  virtual Result<std::unique_ptr<LayerLoops>> MakeLoops(const Architecture& network, const std::string& device,
                                                        int64_t batch) = 0;
  /// The steps of its training, to be run in loops.
  virtual Result<std::unique_ptr<StepLoops>> MakeStepLoops(const Architecture& network, const std::string& device,
                                                           const StepLoopOptions& options) = 0;
};

/// Raised with every change of what the library and the program share.
inline constexpr int kTorchBackendVersion = 5;

/// Names of the library's two C functions: `int ()` and `TorchBackend* ()`, which gives one object for ever.
inline constexpr const char* kTorchVersionSymbol = "heliograd_torch_backend_version";
inline constexpr const char* kTorchBackendSymbol = "heliograd_torch_backend";

/// Where libheliograd_torch.so is looked for: HELIOGRAD_TORCH_BACKEND alone where it is set, else beside the program,
/// then in ../lib/heliograd and ../lib/*/heliograd of it.
std::vector<std::string> TorchBackendFiles();

/// Opens the library. Where it is missing, one sentence says where it was looked for and what installs it.
Result<TorchBackend*> OpenTorchBackend();

}  // namespace heliograd
