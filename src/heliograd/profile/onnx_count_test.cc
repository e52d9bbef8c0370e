#include "heliograd/profile/onnx_count.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "heliograd/profile/networks.h"
#include "heliograd/profile/onnx_model.h"

namespace heliograd {
namespace {

using ::testing::HasSubstr;

std::string Seed(const std::string& file) {
  return std::string(HELIOGRAD_SOURCE_DIR) + "/tests/fuzz_seeds/onnx_model/" + file;
}

// Files that PyTorch's two exporters wrote for networks of data/models/models_ref.py (3 channels, 100 classes), without
// the weights' values.
TEST(OnnxCount, ExportedNetworksCountAsTheirArchitectures) {
  for (const std::string name : {"alexnet", "resnet18", "googlenet_mod5", "vit_ti16_d12"}) {
    const Architecture network = MakeNetwork(name).value();
    const NetworkCount expected = CountNetwork(network);
    for (const std::string exporter : {"script", "dynamo"}) {
      SCOPED_TRACE(name + " " + exporter);
      const auto count = CountOnnxFile(Seed(name + "_" + exporter + ".onnx"));
      ASSERT_TRUE(count) << count.error().Message();
      EXPECT_EQ(count->macs.convolution_linear, expected.macs.convolution_linear);
      EXPECT_EQ(count->macs.attention, expected.macs.attention);
      EXPECT_EQ(count->input, (Shape{1, 3, 224, 224}));
    }
  }
}

// Where the file leaves the batch open, every count is proportional to it.
TEST(OnnxCount, TheBatchMultipliesTheCount) {
  for (const std::string name : {"alexnet", "resnet18", "vit_ti16_d12"}) {
    SCOPED_TRACE(name);
    const auto one = CountOnnxFile(Seed(name + "_script.onnx"));
    const auto eight = CountOnnxFile(Seed(name + "_script.onnx"), {8, 3, 224, 224});
    ASSERT_TRUE(one) << one.error().Message();
    ASSERT_TRUE(eight) << eight.error().Message();
    EXPECT_EQ(eight->macs.convolution_linear, 8 * one->macs.convolution_linear);
    EXPECT_EQ(eight->macs.attention, 8 * one->macs.attention);
    EXPECT_EQ(eight->macs.bias, 8 * one->macs.bias);
    EXPECT_EQ(eight->parameters, one->parameters);
  }
}

TEST(OnnxCount, AnInputThatDoesNotFitIsRefused) {
  const auto count = CountOnnxFile(Seed("alexnet_script.onnx"), {1, 1, 224, 224});
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(count.error().Message(), HasSubstr("?x3x224x224, not 1x1x224x224"));
}

// ---- a writer of small files, so that single operators are counted by hand

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string Number(int field, int64_t value) {
  return Varint(static_cast<uint64_t>(field) << 3) + Varint(static_cast<uint64_t>(value));
}
std::string Bytes(int field, const std::string& bytes) {
  return Varint(static_cast<uint64_t>(field) << 3 | 2) + Varint(bytes.size()) + bytes;
}
std::string Tensor(const std::string& name, const Shape& shape, const std::vector<int64_t>& values = {}) {
  std::string tensor = Bytes(8, name) + Number(2, values.empty() ? 1 : 7);
  for (const int64_t size : shape) tensor += Number(1, size);
  for (const int64_t value : values) tensor += Number(7, value);
  return tensor;
}
std::string Input(const std::string& name, const Shape& shape) {
  std::string dimensions;
  for (const int64_t size : shape) {
    dimensions += Bytes(1, size == kOpenDimension ? Bytes(2, "open") : Number(1, size));
  }
  return Bytes(11, Bytes(1, name) + Bytes(2, Bytes(1, Bytes(2, dimensions))));
}
std::string Attribute(const std::string& name, int64_t value) { return Bytes(5, Bytes(1, name) + Number(3, value)); }
std::string Attribute(const std::string& name, const std::vector<int64_t>& values) {
  std::string attribute = Bytes(1, name);
  for (const int64_t value : values) attribute += Number(8, value);
  return Bytes(5, attribute);
}
std::string Node(const std::string& operation, const std::vector<std::string>& inputs, const std::string& output,
                 const std::string& attributes = "") {
  std::string node;
  for (const std::string& input : inputs) node += Bytes(1, input);
  return Bytes(1, node + Bytes(2, output) + Bytes(4, operation) + attributes);
}
std::string Weight(const std::string& name, const Shape& shape, const std::vector<int64_t>& values = {}) {
  return Bytes(5, Tensor(name, shape, values));
}
Result<FileCount> CountGraph(const std::string& graph, const Shape& input = {}) {
  return CountOnnx(Bytes(7, graph), "made.onnx", input);
}

TEST(OnnxCount, ConvolutionsByHand) {
  const auto grouped =
      CountGraph(Input("x", {2, 4, 8, 8}) + Weight("w", {6, 2, 3, 3}) + Weight("b", {6}) +
                 Node("Conv", {"x", "w", "b"}, "y", Attribute("group", 2) + Attribute("pads", {1, 1, 1, 1})));
  ASSERT_TRUE(grouped) << grouped.error().Message();
  EXPECT_EQ(grouped->macs.convolution_linear, 2 * 6 * 8 * 8 * 2 * 3 * 3);
  EXPECT_EQ(grouped->macs.bias, 2 * 6 * 8 * 8);
  EXPECT_EQ(grouped->parameters, 6 * 2 * 3 * 3 + 6);
  const auto transposed = CountGraph(Input("x", {1, 4, 5, 5}) + Weight("w", {4, 3, 2, 2}) +
                                     Node("ConvTranspose", {"x", "w"}, "y", Attribute("strides", {2, 2})));
  ASSERT_TRUE(transposed) << transposed.error().Message();
  EXPECT_EQ(transposed->macs.convolution_linear, 4 * 5 * 5 * 3 * 2 * 2);
  EXPECT_EQ(transposed->layers.back().output, (Shape{1, 3, 10, 10}));
}

TEST(OnnxCount, ProductsWithWeightsAndBetweenActivationsAreToldApart) {
  const auto count =
      CountGraph(Input("x", {2, 3, 4}) + Weight("w", {4, 5}) + Weight("b", {5}) + Node("MatMul", {"x", "w"}, "p") +
                 Node("Add", {"p", "b"}, "q") + Node("Transpose", {"q"}, "t", Attribute("perm", {0, 2, 1})) +
                 Node("MatMul", {"q", "t"}, "r") + Node("Add", {"r", "r"}, "s"));
  ASSERT_TRUE(count) << count.error().Message();
  EXPECT_EQ(count->macs.convolution_linear, 2 * 3 * 4 * 5);
  EXPECT_EQ(count->macs.bias, 2 * 3 * 5);
  EXPECT_EQ(count->macs.attention, 2 * 3 * 5 * 3);
  EXPECT_EQ(count->macs.elementwise, 2 * 3 * 3);
}

TEST(OnnxCount, SizesThatTheGraphComputesAreFollowed) {
  const auto count = CountGraph(
      Input("x", {kOpenDimension, 6, 4}) + Weight("zero", {1}, {0}) + Weight("rest", {1}, {-1}) +
          Node("Shape", {"x"}, "shape") + Node("Gather", {"shape", "zero"}, "batch") +
          Node("Concat", {"batch", "rest"}, "sizes", Attribute("axis", 0)) + Node("Reshape", {"x", "sizes"}, "flat"),
      {7, 6, 4});
  ASSERT_TRUE(count) << count.error().Message();
  EXPECT_EQ(count->layers.back().output, (Shape{7, 24}));
  EXPECT_EQ(count->macs.elementwise, 0);
}

// PyTorch's older exporter writes paddings by pairs from the last axis on, and turns them into ONNX's order within the
// graph.
TEST(OnnxCount, PaddingsThatTheGraphTurnsAroundAreFollowed) {
  const auto count =
      CountGraph(Input("x", {1, 3, 10, 20}) + Weight("torch", {8}, {1, 2, 3, 4, 0, 0, 0, 0}) +
                 Weight("pairs", {2}, {-1, 2}) + Weight("first", {1}, {-1}) + Weight("past", {1}, {-1000}) +
                 Weight("axis", {1}, {0}) + Weight("back", {1}, {-1}) + Weight("flat", {1}, {-1}) +
                 Node("Reshape", {"torch", "pairs"}, "a") + Node("Slice", {"a", "first", "past", "axis", "back"}, "b") +
                 Node("Transpose", {"b"}, "c", Attribute("perm", {1, 0})) + Node("Reshape", {"c", "flat"}, "pads") +
                 Node("Pad", {"x", "pads"}, "y"));
  ASSERT_TRUE(count) << count.error().Message();
  EXPECT_EQ(count->layers.back().output, (Shape{1, 3, 10 + 3 + 4, 20 + 1 + 2}));
}

// As PyTorch has it: with ceil_mode a window larger than the image still gives one value; without it there is none.
TEST(OnnxCount, AWindowLargerThanTheImage) {
  const auto pooled = [](int64_t ceil) {
    return CountGraph(Input("x", {1, 2, 7, 7}) + Node("AveragePool", {"x"}, "y",
                                                      Attribute("kernel_shape", {9, 9}) + Attribute("strides", {9, 9}) +
                                                          Attribute("ceil_mode", ceil)));
  };
  EXPECT_EQ(pooled(1)->layers.back().output, (Shape{1, 2, 1, 1}));
  EXPECT_THAT(pooled(0).error().Message(), HasSubstr("larger than its input 1x2x7x7"));
}

TEST(OnnxCount, WhatCannotBeCountedIsRefusedNotGuessed) {
  const std::string input = Input("x", {1, 4, 8});
  EXPECT_THAT(CountGraph(input + Node("LSTM", {"x"}, "y")).error().Message(), HasSubstr("'LSTM'"));
  EXPECT_THAT(CountGraph(input + Node("Relu", {"z"}, "y")).error().Message(), HasSubstr("no node before it makes 'z'"));
  EXPECT_THAT(CountGraph(input + Weight("w", {7, 3}) + Node("MatMul", {"x", "w"}, "y")).error().Message(),
              HasSubstr("1x4x8 and 7x3 do not multiply"));
  EXPECT_THAT(CountGraph(input + Node("Cast", {"x"}, "s") + Node("Reshape", {"x", "s"}, "y")).error().Message(),
              HasSubstr("computed from values that are not known"));
  EXPECT_THAT(CountGraph(Input("x", {1, kOpenDimension}) + Node("Relu", {"x"}, "y")).error().Message(),
              HasSubstr("--input"));
  EXPECT_THAT(CountGraph(Input("x", {1, 2}) + Weight("r", {2}, {1 << 30, 1 << 30}) + Node("Tile", {"x", "r"}, "y"))
                  .error()
                  .Message(),
              HasSubstr("out of range"));
  EXPECT_THAT(CountOnnx("no protobuf", "text.onnx").error().Message(), HasSubstr("no ONNX model"));
  EXPECT_THAT(CountOnnx("", "empty.onnx").error().Message(), HasSubstr("no ONNX model"));
  EXPECT_THAT(CountOnnxFile("/nowhere/x.onnx").error().Message(), HasSubstr("/nowhere/x.onnx: No such file"));
  EXPECT_THAT(CountOnnxFile("/tmp").error().Message(), HasSubstr("/tmp"));
}

}  // namespace
}  // namespace heliograd
