#include "heliograd/profile/torch/network.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "heliograd/profile/mac_count.h"
#include "heliograd/profile/networks.h"
#include "heliograd/profile/torch/operator_count.h"
#include "heliograd/profile/torch_backend.h"

namespace heliograd {
namespace {

TEST(TorchNetwork, EveryNetworkHasTheArchitecturesParameters) {
  for (const std::string& name : NetworkNames()) {
    SCOPED_TRACE(name);
    const TorchNetwork network(MakeNetwork(name, {1, 10}).value());
    std::map<std::string, Shape> expected, found;
    for (const Layer& layer : network.architecture().layers) {
      for (const Parameter& parameter : ParametersOf(layer)) expected[FullName(layer, parameter)] = parameter.shape;
    }
    for (const auto& parameter : network.named_parameters()) found[parameter.key()] = parameter.value().sizes().vec();
    EXPECT_EQ(found, expected);
  }
}

/// Keeps what a probe is told.
class Recorder : public LayerProbe {
 public:
  void Before(const Layer& layer, size_t index) override {
    EXPECT_FALSE(inside_);
    inside_ = true;
    started_.push_back(index);
    (void)layer;
  }
  void After(const Layer& layer, size_t index, const torch::Tensor& output) override {
    EXPECT_TRUE(inside_);
    inside_ = false;
    EXPECT_EQ(started_.back(), index);
    Shape with_batch = layer.output;
    with_batch.insert(with_batch.begin(), 2);
    EXPECT_EQ(output.sizes().vec(), with_batch) << layer.name;
  }
  size_t Layers() const { return started_.size(); }

 private:
  bool inside_ = false;
  std::vector<size_t> started_;
};

// One of each family; the probe sees every layer once, with the shape that the architecture states.
TEST(TorchNetwork, EveryLayerGivesTheShapeOfTheArchitecture) {
  const torch::NoGradGuard no_gradients;
  for (const char* name : {"alexnet", "resnet18", "googlenet_mod5", "vit_ti16_d12"}) {
    SCOPED_TRACE(name);
    TorchNetwork network(MakeNetwork(name, {1, 7}).value());
    const torch::Tensor images = torch::rand({2, 1, 224, 224});
    for (const bool training : {false, true}) {
      network.train(training);
      Recorder recorder;
      const TorchNetwork::Scores scores = network.Forward(images, &recorder);
      size_t expected = 0;
      for (const Layer& layer : network.architecture().layers) expected += training || !layer.only_training;
      EXPECT_EQ(recorder.Layers(), expected);
      EXPECT_EQ(scores.classes.sizes().vec(), (std::vector<int64_t>{2, 7}));
      EXPECT_EQ(scores.auxiliary.size(), training ? network.architecture().auxiliary.size() : 0);
    }
  }
}

// What works in place must not destroy what the backward pass needs: autograd throws where it does.
TEST(TorchNetwork, GradientsReachEveryParameter) {
  for (const char* name : {"resnet18", "googlenet_mod9", "googlenet_mod5"}) {
    SCOPED_TRACE(name);
    TorchNetwork network(MakeNetwork(name, {1, 10}).value());
    const TorchNetwork::Scores scores = network.Forward(torch::rand({2, 1, 224, 224}));
    torch::Tensor loss = scores.classes.square().sum();
    for (const torch::Tensor& auxiliary : scores.auxiliary) loss = loss + 0.3 * auxiliary.square().sum();
    loss.backward();
    for (const auto& parameter : network.named_parameters()) {
      EXPECT_TRUE(parameter.value().grad().defined()) << parameter.key();
    }
  }
}

TEST(TorchNetwork, OperatorsDoTheMacsThatShapesSay) {
  const Result<TorchBackend*> backend = OpenTorchBackend();
  ASSERT_TRUE(backend) << backend.error().Message();
  for (const char* name : {"alexnet", "resnet50", "googlenet", "googlenet_mod1", "vit_s16_d6"}) {
    SCOPED_TRACE(name);
    const Architecture network = MakeNetwork(name).value();
    const NetworkCount expected = CountNetwork(network);
    for (const int64_t batch : {1, 2}) {
      const auto count = (*backend)->CountForward(network, batch);
      ASSERT_TRUE(count) << count.error().Message();
      EXPECT_EQ(count->convolution_linear, batch * expected.macs.convolution_linear);
      EXPECT_EQ(count->attention, batch * expected.macs.attention);
      EXPECT_EQ(count->bias, batch * expected.macs.bias);
      EXPECT_EQ(count->parameters, expected.parameters);
    }
  }
}

TEST(OperatorCount, ProductsByHand) {
  const torch::Tensor weight = torch::rand({5, 3}), a = torch::rand({2, 4, 3}), b = torch::rand({2, 3, 6});
  const auto count = CountOperators({weight}, [&] {
    torch::matmul(a, b);                         // 2 x 4 x 3 x 6 between activations
    torch::matmul(a, weight.t());                // 2 x 4 x 3 x 5 with a parameter
    torch::linear(a, weight, torch::rand({5}));  // the same, and 2 x 4 x 5 of bias
  });
  ASSERT_TRUE(count);
  EXPECT_EQ(count->attention, 2 * 4 * 3 * 6);
  EXPECT_EQ(count->convolution_linear, 2 * (2 * 4 * 3 * 5));
  EXPECT_EQ(count->bias, 2 * 4 * 5);
}

TEST(OperatorCount, ConvolutionsByHand) {
  const torch::Tensor x = torch::rand({2, 4, 8, 8});
  const torch::Tensor grouped = torch::rand({6, 2, 3, 3}), transposed = torch::rand({4, 5, 2, 2});
  const auto count = CountOperators({grouped, transposed}, [&] {
    torch::conv2d(x, grouped, /*bias=*/{}, 1, 1, 1, /*groups=*/2);  // 2 x 6 x 8 x 8 outputs of 2 x 3 x 3
    torch::conv_transpose2d(x, transposed, /*bias=*/{}, 2);         // 2 x 4 x 8 x 8 inputs to 5 x 2 x 2
  });
  ASSERT_TRUE(count);
  EXPECT_EQ(count->convolution_linear, 2 * 6 * 8 * 8 * 2 * 3 * 3 + 2 * 4 * 8 * 8 * 5 * 2 * 2);
}

TEST(OperatorCount, FusedAttentionIsCountedOnce) {
  const torch::Tensor q = torch::rand({1, 2, 5, 8}), k = torch::rand({1, 2, 7, 8}), v = torch::rand({1, 2, 7, 8});
  const auto count = CountOperators({}, [&] { torch::scaled_dot_product_attention(q, k, v); });
  ASSERT_TRUE(count);
  EXPECT_EQ(count->attention, 2 * 5 * 7 * (8 + 8));
  EXPECT_EQ(count->convolution_linear, 0);
}

}  // namespace
}  // namespace heliograd
