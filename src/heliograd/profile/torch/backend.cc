#include "heliograd/profile/torch/backend.h"

#include <torch/script.h>
#include <torch/torch.h>

#include <filesystem>

#include "heliograd/profile/torch/network.h"
#include "heliograd/profile/torch/operator_count.h"

namespace heliograd {
namespace {

/// Runs `work`, and turns what PyTorch throws into one sentence that begins with `what`.
template <typename Work>
auto Guarded(const std::string& what, const Work& work) -> decltype(work()) {
  const auto first_line = [](const std::string& text) { return text.substr(0, text.find('\n')); };
  try {
    return work();
  } catch (const c10::Error& error) {
    return Fail(what + ": PyTorch says: " + first_line(error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return Fail(what + ": " + first_line(error.what()));
  }
}

int64_t ElementsOf(const std::vector<torch::Tensor>& tensors) {
  int64_t sum = 0;
  for (const torch::Tensor& tensor : tensors) sum += tensor.numel();
  return sum;
}

class Backend : public TorchBackend {
 public:
  std::string TorchVersion() const override { return TORCH_VERSION; }
  bool HasCuda() const override { return torch::cuda::is_available(); }

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
};

}  // namespace

TorchBackend& TorchBackendHere() {
  static Backend backend;
  return backend;
}

}  // namespace heliograd
