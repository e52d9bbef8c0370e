#include "heliograd/profile/torch/step_loops.h"

#include "heliograd/profile/torch/back_to_back.h"
#include "heliograd/profile/torch/training_loop.h"

namespace heliograd {
namespace {

using torch::Tensor;

class Loops : public StepLoops {
 public:
  Loops(TorchNetwork& network, c10::Device device, int64_t batch, double momentum)
      : network_(network),
        device_(device),
        // With a rate of zero each step reads and writes all that it does in training, and leaves the parameters as
        // they are: gradients and their sums are real numbers, as the power of arithmetic depends on what they are.
        optimizer_(network.parameters(), torch::optim::SGDOptions(0).momentum(momentum)) {
    std::vector<int64_t> sizes = network.architecture().image;
    sizes.insert(sizes.begin(), batch);
    host_images_ = torch::rand(sizes);
    host_labels_ =
        torch::randint(network.architecture().OutputOf(network.architecture().result).front(), {batch}, torch::kInt64);
    images_ = host_images_.to(device);
    labels_ = host_labels_.to(device);
  }

  Result<void> Loop(LoopedSteps steps, const LoopOptions& options) override {
    torch::manual_seed(options.seed);
    return RunBackToBack(RepetitionOf(steps), device_, options);
  }

 private:
  std::function<void()> RepetitionOf(LoopedSteps steps) {
    switch (steps) {
      case LoopedSteps::kToDevice:
        return [this] {
          images_ = host_images_.to(device_, torch::kFloat32, /*non_blocking=*/false, /*copy=*/true);
          labels_ = host_labels_.to(device_, torch::kInt64, /*non_blocking=*/false, /*copy=*/true);
        };
      case LoopedSteps::kForward:
        return [this] { network_.Forward(images_); };
      case LoopedSteps::kForwardLoss:
        return [this] { TrainingLoss(network_.Forward(images_), labels_); };
      case LoopedSteps::kForwardLossBackward:
        return [this] {
          // Else the gradients would be added to those of the repetition before.
          optimizer_.zero_grad(/*set_to_none=*/true);
          TrainingLoss(network_.Forward(images_), labels_).backward();
        };
      case LoopedSteps::kOptimizer:
        optimizer_.zero_grad(/*set_to_none=*/true);
        TrainingLoss(network_.Forward(images_), labels_).backward();
        return [this] { optimizer_.step(); };
    }
    return [] {};
  }

  TorchNetwork& network_;
  const c10::Device device_;
  torch::optim::SGD optimizer_;
  Tensor host_images_, host_labels_, images_, labels_;
};

class OwningLoops final : public StepLoops {
 public:
  OwningLoops(const Architecture& architecture, c10::Device device, const StepLoopOptions& options)
      : network_(architecture) {
    network_.to(device);
    network_.train();
    loops_ = MakeStepLoops(network_, device, options.batch, options.momentum);
  }
  Result<void> Loop(LoopedSteps steps, const LoopOptions& options) override { return loops_->Loop(steps, options); }

 private:
  TorchNetwork network_;
  std::unique_ptr<StepLoops> loops_;
};

}  // namespace

std::unique_ptr<StepLoops> MakeStepLoops(TorchNetwork& network, c10::Device device, int64_t batch, double momentum) {
  return std::make_unique<Loops>(network, device, batch, momentum);
}

std::unique_ptr<StepLoops> MakeStepLoops(const Architecture& architecture, c10::Device device,
                                         const StepLoopOptions& options) {
  torch::manual_seed(options.seed);
  return std::make_unique<OwningLoops>(architecture, device, options);
}

}  // namespace heliograd
