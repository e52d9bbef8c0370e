#include "heliograd/profile/torch/step_loops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "heliograd/profile/networks.h"
#include "heliograd/profile/torch_backend.h"

namespace heliograd {
namespace {

int64_t Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

LoopOptions ShortLoop(std::vector<LoopRun>& runs) {
  LoopOptions options;
  options.seconds = 0.2;
  options.now_ns = Now;
  options.on_run = [&](const LoopRun& run) { runs.push_back(run); };
  options.goes_on = [] { return true; };
  return options;
}

class StepLoopsTest : public testing::TestWithParam<LoopedSteps> {};

// Both kinds of head: one output, and auxiliary ones beside it.
TEST_P(StepLoopsTest, RunsBackToBackAndLeavesEveryParameterAsItIs) {
  for (const char* name : {"alexnet", "googlenet"}) {
    SCOPED_TRACE(name);
    TorchNetwork network(MakeNetwork(name, {1, 10}).value());
    network.train();
    std::vector<torch::Tensor> before;
    for (const torch::Tensor& parameter : network.parameters()) before.push_back(parameter.detach().clone());
    const auto loops = MakeStepLoops(network, c10::Device("cpu"), 2, 0.9);
    std::vector<LoopRun> runs;
    const Result<void> done = loops->Loop(GetParam(), ShortLoop(runs));
    ASSERT_TRUE(done) << done.error().Message();
    ASSERT_FALSE(runs.empty());
    for (size_t i = 0; i < runs.size(); ++i) {
      EXPECT_GE(runs[i].repetitions, 1);
      EXPECT_GT(runs[i].end_ns, runs[i].begin_ns);
      if (i > 0) {
        EXPECT_GE(runs[i].begin_ns, runs[i - 1].end_ns);
      }
    }
    const std::vector<torch::Tensor> after = network.parameters();
    ASSERT_EQ(after.size(), before.size());
    for (size_t i = 0; i < after.size(); ++i) EXPECT_TRUE(torch::equal(after[i], before[i])) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, StepLoopsTest,
                         testing::Values(LoopedSteps::kToDevice, LoopedSteps::kForward, LoopedSteps::kForwardLoss,
                                         LoopedSteps::kForwardLossBackward, LoopedSteps::kOptimizer));

// A rate of zero must not make PyTorch leave the step out: the momentum is still summed up.
TEST(StepLoops, OptimizerAtARateOfZeroStillDoesItsWork) {
  torch::Tensor parameter = torch::ones({3}).requires_grad_(true);
  torch::optim::SGD optimizer({parameter}, torch::optim::SGDOptions(0).momentum(0.9));
  parameter.mutable_grad() = torch::full({3}, 2.0);
  optimizer.step();
  optimizer.step();
  EXPECT_TRUE(torch::equal(parameter, torch::ones({3})));
  const auto& state =
      static_cast<const torch::optim::SGDParamState&>(*optimizer.state().at(parameter.unsafeGetTensorImpl()));
  EXPECT_TRUE(torch::allclose(state.momentum_buffer(), torch::full({3}, 3.8)));  // 2, then 0.9 * 2 + 2
}

}  // namespace
}  // namespace heliograd
