#include "heliograd/profile/mac_count.h"

#include <gtest/gtest.h>

#include <set>

#include "heliograd/profile/networks.h"
#include "heliograd/profile/reference_csv_testing.h"

namespace heliograd {
namespace {

Architecture NetworkOf(const CsvRow& row, const std::string& name) {
  const bool grey = row.at("dataset") == "fashionmnist";
  return MakeNetwork(name, {grey ? 1 : 3, grey ? 10 : 100}).value();
}

TEST(MacCount, EveryNetworkCountsAsTheReferenceDoes) {
  const std::vector<CsvRow> rows = ReferenceRows("macs.csv");
  ASSERT_EQ(rows.size(), 44u);
  for (const CsvRow& row : rows) {
    SCOPED_TRACE(row.at("model") + " on " + row.at("dataset"));
    ASSERT_EQ(Count(row, "in_ch"), row.at("dataset") == "fashionmnist" ? 1 : 3);
    const Architecture network = NetworkOf(row, row.at("model"));
    const NetworkCount count = CountNetwork(network);
    EXPECT_EQ(count.parameters, Count(row, "params_total"));
    EXPECT_EQ(count.parameters_without_auxiliary, Count(row, "params_no_aux"));
    EXPECT_EQ(count.macs.convolution_linear, Count(row, "macs_conv_linear"));
    EXPECT_EQ(count.macs.bias, Count(row, "macs_bias"));
    EXPECT_EQ(count.macs.attention, Count(row, "macs_attn_matmul"));
    EXPECT_EQ(count.training_macs.convolution_linear, Count(row, "macs_conv_linear_train_with_aux"));
    EXPECT_EQ(count.ptflops.pytorch, Count(row, "ptflops_pytorch_0_7_5"));
    EXPECT_EQ(count.ptflops.without_functional, Count(row, "ptflops_pytorch_nofunctional"));
    EXPECT_EQ(count.ptflops.aten, Count(row, "ptflops_aten"));
  }
}

TEST(MacCount, TheReferenceNamesEveryNetworkTwice) {
  std::multiset<std::string> in_file;
  for (const CsvRow& row : ReferenceRows("macs.csv")) in_file.insert(row.at("model"));
  for (const std::string& name : NetworkNames()) EXPECT_EQ(in_file.count(name), 2u) << name;
  EXPECT_EQ(in_file.size(), 2 * NetworkNames().size());
}

// The reference lists modules alone: additions, flattenings and other functions have no row there.
TEST(MacCount, EveryLayerCountsAsTheReferenceDoes) {
  const std::vector<CsvRow> rows = ReferenceRows("layer_macs.csv");
  ASSERT_EQ(rows.size(), 162u);
  size_t next = 0;
  while (next < rows.size()) {
    const Architecture network = NetworkOf(rows[next], rows[next].at("model"));
    for (const LayerCount& count : CountNetwork(network).layers) {
      const Layer& layer = *count.layer;
      if (layer.called_as != CalledAs::kModule) continue;
      ASSERT_LT(next, rows.size());
      const CsvRow& row = rows[next++];
      SCOPED_TRACE(row.at("model") + " " + row.at("layer"));
      EXPECT_EQ(layer.name, row.at("layer"));
      EXPECT_EQ(KindName(layer.operation), row.at("type"));
      EXPECT_EQ(ShapeText(layer.output), row.at("out_shape"));
      EXPECT_EQ(count.parameters, Count(row, "params"));
      EXPECT_EQ(count.macs.convolution_linear, Count(row, "macs_conv_linear"));
      EXPECT_EQ(count.ptflops.without_functional, Count(row, "ptflops_module_macs"));
      EXPECT_EQ(EstimateForwardBytes(network, layer, 128), Count(row, "fwd_bytes_b128"));
    }
  }
}

// By hand: 2 channels of 4 x 4, a 3 x 3 convolution to 5 channels without padding gives 5 x 2 x 2.
TEST(MacCount, AConvolutionByHand) {
  Architecture network{"by hand", {2, 4, 4}, {}, 0, {}};
  network.layers.push_back({"c", Convolution{2, 5, 3, 1, 0, true}, {kImage}, {5, 2, 2}});
  const MacCount macs = CountMacs(network, network.layers[0]);
  EXPECT_EQ(macs.convolution_linear, 5 * 2 * 2 * 2 * 3 * 3);
  EXPECT_EQ(macs.bias, 5 * 2 * 2);
  EXPECT_EQ(macs.attention, 0);
  EXPECT_EQ(CountParameters(network.layers[0]), 5 * 2 * 3 * 3 + 5);
  EXPECT_EQ(EstimateForwardBytes(network, network.layers[0], 3), 4 * (3 * (32 + 20) + 95));
}

TEST(MacCount, ElementwiseWorkIsCountedOnceWhateverCallsIt) {
  Architecture network{"by hand", {1, 2, 2}, {}, 0, {}};
  network.layers.push_back({"module", Relu{}, {kImage}, {1, 2, 2}, CalledAs::kModule});
  network.layers.push_back({"function", Relu{}, {0}, {1, 2, 2}, CalledAs::kFunction});
  EXPECT_EQ(CountMacs(network, network.layers[0]).elementwise, 4);
  EXPECT_EQ(CountMacs(network, network.layers[1]).elementwise, 4);
  EXPECT_EQ(CountAsPtflops(network, network.layers[0]), (PtflopsCount{8, 4, 0}));
  EXPECT_EQ(CountAsPtflops(network, network.layers[1]), (PtflopsCount{4, 0, 0}));
}

TEST(MacCount, SumsAreTheSumsOfTheLayers) {
  for (const std::string& name : NetworkNames()) {
    const Architecture network = MakeNetwork(name).value();
    const NetworkCount count = CountNetwork(network);
    MacCount inference, training;
    for (const LayerCount& layer : count.layers) {
      training += layer.macs;
      if (!layer.layer->only_training) inference += layer.macs;
    }
    EXPECT_EQ(count.macs, inference) << name;
    EXPECT_EQ(count.training_macs, training) << name;
    EXPECT_EQ(count.macs == count.training_macs, network.auxiliary.empty()) << name;
  }
}

}  // namespace
}  // namespace heliograd
