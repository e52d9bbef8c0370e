#include "heliograd/profile/torch/backend.h"

#include <torch/script.h>
#include <torch/torch.h>

#include <filesystem>
#include <optional>

#include "heliograd/base/text.h"
#include "heliograd/profile/torch/layer_loops.h"
#include "heliograd/profile/torch/network.h"
#include "heliograd/profile/torch/operator_count.h"
#include "heliograd/profile/torch/step_loops.h"
#include "heliograd/profile/torch/training_loop.h"

namespace heliograd {
namespace {

/// Runs `work`, and turns what PyTorch throws into one sentence that begins with `what`.
template <typename Work>
auto Guarded(const std::string& what, const Work& work) -> decltype(work()) {
  // An error in a TorchScript file ends with what went wrong, after the way there.
  const auto in_short = [](std::string text) {
    if (const size_t reason = text.rfind("RuntimeError: "); reason != std::string::npos)
      text = text.substr(reason + 14);
    return text.substr(0, text.find('\n'));
  };
  try {
    return work();
  } catch (const c10::Error& error) {
    return Fail(what + ": PyTorch says: " + in_short(error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return Fail(what + ": PyTorch says: " + in_short(error.what()));
  }
}

int64_t ElementsOf(const std::vector<torch::Tensor>& tensors) {
  int64_t sum = 0;
  for (const torch::Tensor& tensor : tensors) sum += tensor.numel();
  return sum;
}

/// The device of that name, if PyTorch has it.
Result<c10::Device> DeviceNamed(const std::string& name) {
  std::optional<c10::Device> device;
  try {
    device.emplace(name);
  } catch (const c10::Error&) {
  }
  if (!device || !(device->is_cpu() || device->is_cuda())) {
    return Fail("there is no device " + Quoted(name) + ": expected cpu, cuda or cuda:1", ErrorKind::kUsage);
  }
  if (device->is_cpu()) return *device;
  if (!torch::cuda::is_available()) {
    return Fail(
        "device " + name + ": PyTorch " TORCH_VERSION " sees no CUDA device here; --device cpu trains on the CPU",
        ErrorKind::kDevice);
  }
  if (device->has_index() && device->index() >= static_cast<int>(torch::cuda::device_count())) {
    return Fail("device " + name + ": there are " + std::to_string(torch::cuda::device_count()) +
                    " CUDA devices, counted from 0",
                ErrorKind::kDevice);
  }
  return c10::Device(device->type(), device->has_index() ? device->index() : 0);
}

/// What PyTorch throws in a loop becomes a sentence.
class GuardedLoops : public LayerLoops {
 public:
  explicit GuardedLoops(std::unique_ptr<LayerLoops> loops) : loops_(std::move(loops)) {}
  bool DoesWork(const LoopItem& item) const override { return loops_->DoesWork(item); }
  Result<void> Loop(const LoopItem& item, const LoopOptions& options) override {
    return Guarded("layer " + std::to_string(item.layer), [&] { return loops_->Loop(item, options); });
  }

 private:
  std::unique_ptr<LayerLoops> loops_;
};

class GuardedStepLoops : public StepLoops {
 public:
  explicit GuardedStepLoops(std::unique_ptr<StepLoops> loops) : loops_(std::move(loops)) {}
  Result<void> Loop(LoopedSteps steps, const LoopOptions& options) override {
    return Guarded("steps in a loop", [&] { return loops_->Loop(steps, options); });
  }

 private:
  std::unique_ptr<StepLoops> loops_;
};

class Backend : public TorchBackend {
 public:
  std::string TorchVersion() const override { return TORCH_VERSION; }
  bool HasCuda() const override { return torch::cuda::is_available(); }
  Result<void> CheckDevice(const std::string& name) const override {
    const auto device = DeviceNamed(name);
    if (!device) return Fail(device.error());
    return {};
  }

  Result<ForwardCount> CountForward(const Architecture& network, int64_t batch) override {
    return Guarded(network.name, [&]() -> Result<ForwardCount> {
      const torch::NoGradGuard no_gradients;
      TorchNetwork module(network);
      module.eval();
      std::vector<int64_t> sizes = network.image;
      sizes.insert(sizes.begin(), batch);
      const torch::Tensor images = torch::rand(sizes);
      Result<ForwardCount> count = CountOperators(module.parameters(), [&] { module.Forward(images); });
      if (count) count->parameters = ElementsOf(module.parameters());
      return count;
    });
  }

  Result<ForwardCount> CountScript(const std::string& file, const Shape& input) override {
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return Fail(file + ": no such file");
    return Guarded(file, [&]() -> Result<ForwardCount> {
      const torch::NoGradGuard no_gradients;
      torch::jit::script::Module module = torch::jit::load(file, torch::kCPU);
      module.eval();
      std::vector<torch::Tensor> parameters;
      for (const torch::Tensor& parameter : module.parameters()) parameters.push_back(parameter);
      const int64_t trainable = ElementsOf(parameters);
      for (const torch::Tensor& buffer : module.buffers()) parameters.push_back(buffer);
      const torch::Tensor sample = torch::rand(input);
      // The interpreter as it is written: fused code would hide its operators.
      torch::jit::GraphOptimizerEnabledGuard unfused(false);
      Result<ForwardCount> count = CountOperators(parameters, [&] { module.forward({sample}); });
      if (count) count->parameters = trainable;
      return count;
    });
  }

  Result<TrainingOutcome> Train(const Architecture& network, const TrainingOptions& options) override {
    const auto device = DeviceNamed(options.device);
    if (!device) return Fail(device.error());
    return Guarded(network.name, [&]() -> Result<TrainingOutcome> {
      torch::manual_seed(options.seed);
      TorchNetwork module(network);
      module.to(*device);
      module.train();
      return RunTraining(module, *device, options);
    });
  }

  Result<std::unique_ptr<LayerLoops>> MakeLoops(const Architecture& network, const std::string& device,
                                                int64_t batch) override {
    const auto place = DeviceNamed(device);
    if (!place) return Fail(place.error());
    return Guarded(network.name, [&]() -> Result<std::unique_ptr<LayerLoops>> {
      return std::make_unique<GuardedLoops>(MakeLayerLoops(network, *place, batch));
    });
  }

  Result<std::unique_ptr<StepLoops>> MakeStepLoops(const Architecture& network, const std::string& device,
                                                   const StepLoopOptions& options) override {
    const auto place = DeviceNamed(device);
    if (!place) return Fail(place.error());
    return Guarded(network.name, [&]() -> Result<std::unique_ptr<StepLoops>> {
      return std::make_unique<GuardedStepLoops>(heliograd::MakeStepLoops(network, *place, options));
    });
  }
};

}  // namespace

TorchBackend& TorchBackendHere() {
  static Backend backend;
  return backend;
}

}  // namespace heliograd
