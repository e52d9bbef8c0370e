#include "heliograd/app/profile_counts.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "heliograd/app/command_line.h"
#include "heliograd/base/text.h"
#include "heliograd/profile/mac_count.h"
#include "heliograd/profile/onnx_count.h"
#include "heliograd/profile/torch_backend.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

Result<int> PrintJson(const Json& json) {
  return Print(json.dump(2) + "\n").map([] { return kExitOk; });
}

void AddParts(Json& json, const MacCount& macs) {
  json["macs_convolution_linear"] = macs.convolution_linear;
  json["macs_attention"] = macs.attention;
  json["operations_bias"] = macs.bias;
  json["operations_elementwise"] = macs.elementwise;
}

Json Summary(const Architecture& network, const NetworkCount& count) {
  Json json = {{"name", network.name}, {"parameters", count.parameters}, {"macs", count.macs.Macs()}};
  AddParts(json, count.macs);
  json["parameters_without_auxiliary"] = count.parameters_without_auxiliary;
  json["macs_training_forward"] = count.training_macs.Macs();
  json["ptflops_0_7_5"] = count.ptflops.pytorch;
  return json;
}

/// Millions with three decimals: "1813.613".
std::string Millions(int64_t count) { return fmt::format("{:.3f}", static_cast<double>(count) / 1e6); }

constexpr const char* kMeaning =
    "Millions, for one image of 224 x 224, forward, counted from shapes. A MAC is one multiplication with one "
    "addition; "
    "MACs are those of convolutions, linear layers and attention. Other: bias and elementwise operations, once each.";

Json LayersAsJson(const Architecture& network, const NetworkCount& count) {
  Json layers = Json::array();
  for (const LayerCount& one : count.layers) {
    const Layer& layer = *one.layer;
    Json json = {{"name", layer.name},
                 {"kind", KindName(layer.operation)},
                 {"output_shape", layer.output},
                 {"parameters", one.parameters},
                 {"macs", one.macs.Macs()}};
    AddParts(json, one.macs);
    json["forward_bytes_per_batch_of_128"] = EstimateForwardBytes(network, layer, 128);
    json["only_training"] = layer.only_training;
    layers.push_back(std::move(json));
  }
  return layers;
}

std::string LayersAsText(const NetworkCount& count, const TerminalStyle& style) {
  TextTable table({{"layer", Align::kLeft}, {"output"}, {"parameters"}, {"MACs"}, {"other"}});
  for (const LayerCount& one : count.layers) {
    table.AddRow({one.layer->name, ShapeText(one.layer->output), fmt::format("{}", one.parameters),
                  Millions(one.macs.Macs()), Millions(one.macs.bias + one.macs.elementwise)},
                 one.layer->only_training ? Ink::kDim : Ink::kPlain);
  }
  table.AddRow({"sum", "", fmt::format("{}", count.parameters), Millions(count.macs.Macs()),
                Millions(count.macs.bias + count.macs.elementwise)},
               Ink::kBold);
  return table.Draw(style);
}

/// "1x3x224x224".
Result<Shape> InputOf(const CountFlags& flags) {
  Shape shape;
  if (flags.input.empty()) return shape;
  for (const std::string& part : SplitCsvLine(flags.input, 'x')) {
    const std::optional<long> size = ParseInteger(part);
    if (!size || *size < 1 || *size > 1'000'000) {
      return Fail(
          fmt::format("--input {}: expected sizes with the batch first, for example 1x3x224x224", Quoted(flags.input)),
          ErrorKind::kUsage);
    }
    shape.push_back(*size);
  }
  return shape;
}

/// A TorchScript file is a zip archive, an ONNX file is not.
Result<bool> IsTorchScript(const std::string& path) {
  constexpr const char* kExpected = "expected an ONNX or a TorchScript file";
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return Fail(fmt::format("{}: is a folder: {}.", path, kExpected));
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Fail(fmt::format("{}: cannot read: {}.", path, std::strerror(errno)),
                errno == EACCES ? ErrorKind::kPermission : ErrorKind::kFailure);
  }
  char head[2] = {};
  file.read(head, sizeof head);
  if (file.gcount() == 0) return Fail(fmt::format("{}: the file is empty: {}.", path, kExpected));
  return head[0] == 'P' && head[1] == 'K';
}

Json FileSummary(const std::string& file, const char* format, const Shape& input, int64_t parameters,
                 const MacCount& macs) {
  return {{"file", file},
          {"format", format},
          {"input_shape", input},
          {"parameters", parameters},
          {"macs", macs.Macs()},
          {"macs_convolution_linear", macs.convolution_linear},
          {"macs_attention", macs.attention},
          {"operations_bias", macs.bias}};
}

std::string FileWords(const std::string& file, const Shape& input, int64_t parameters, const MacCount& macs,
                      const TerminalStyle& style) {
  return Paragraph(fmt::format("{}: {} M MACs for an input of {} ({} M of attention), bias {} M, {} M parameters.",
                               file, Millions(macs.Macs()), ShapeText(input), Millions(macs.attention),
                               Millions(macs.bias), Millions(parameters)),
                   style);
}

Result<int> OnnxMacs(const CountFlags& flags, const Shape& input) {
  const auto count = CountOnnxFile(flags.model_file, input);
  if (!count) return Fail(count.error());
  if (flags.json) {
    Json json = FileSummary(flags.model_file, "onnx", count->input, count->parameters, count->macs);
    json["operations_elementwise"] = count->macs.elementwise;
    json["layers"] = Json::array();
    for (const FileLayer& layer : count->layers) {
      json["layers"].push_back({{"name", layer.name},
                                {"kind", layer.kind},
                                {"output_shape", layer.output},
                                {"macs", layer.macs.Macs()},
                                {"operations_bias", layer.macs.bias},
                                {"operations_elementwise", layer.macs.elementwise}});
    }
    return PrintJson(json);
  }
  const TerminalStyle style = DetectTerminal(STDOUT_FILENO);
  TextTable table({{"node", Align::kLeft}, {"kind", Align::kLeft}, {"output"}, {"MACs"}});
  for (const FileLayer& layer : count->layers) {
    if (layer.macs.Macs() == 0) continue;
    table.AddRow({layer.name, layer.kind, ShapeText(layer.output), Millions(layer.macs.Macs())});
  }
  const std::string words = FileWords(flags.model_file, count->input, count->parameters, count->macs, style);
  return Print(table.Draw(style) + "\n" + words).map([] { return kExitOk; });
}

Result<int> ScriptMacs(const CountFlags& flags, const Shape& input) {
  if (input.empty()) {
    return Fail("a TorchScript file does not say what its input is: give it, for example --input 1x3x224x224",
                ErrorKind::kUsage);
  }
  const auto backend = OpenTorchBackend();
  if (!backend) return Fail(backend.error());
  const auto count = (*backend)->CountScript(flags.model_file, input);
  if (!count) return Fail(count.error());
  const MacCount macs{count->convolution_linear, count->attention, count->bias, 0};
  if (flags.json) {
    Json json = FileSummary(flags.model_file, "torchscript", input, count->parameters, macs);
    json["operators"] = Json::array();
    for (const OperatorCount& one : count->operators) {
      json["operators"].push_back({{"name", one.name}, {"calls", one.calls}, {"macs", one.macs}});
    }
    return PrintJson(json);
  }
  const TerminalStyle style = DetectTerminal(STDOUT_FILENO);
  TextTable table({{"operator", Align::kLeft}, {"calls"}, {"MACs"}});
  for (const OperatorCount& one : count->operators) {
    table.AddRow({one.name, fmt::format("{}", one.calls), Millions(one.macs)});
  }
  const std::string words = FileWords(flags.model_file, input, count->parameters, macs, style);
  return Print(table.Draw(style) + "\n" + words).map([] { return kExitOk; });
}

}  // namespace

Result<int> CountNetworks(const CountFlags& flags) {
  Json list = Json::array();
  TextTable table({{"network", Align::kLeft}, {"parameters"}, {"MACs"}, {"of attention"}, {"other"}, {"ptflops"}});
  for (const std::string& name : NetworkNames()) {
    const auto network = MakeNetwork(name, flags.network);
    if (!network) return Fail(network.error());
    const NetworkCount count = CountNetwork(*network);
    list.push_back(Summary(*network, count));
    table.AddRow({name, Millions(count.parameters), Millions(count.macs.Macs()), Millions(count.macs.attention),
                  Millions(count.macs.bias + count.macs.elementwise), Millions(count.ptflops.pytorch)});
  }
  if (flags.json) return PrintJson(list);
  const TerminalStyle style = DetectTerminal(STDOUT_FILENO);
  std::string text = table.Draw(style) + "\n" + Paragraph(kMeaning, style);
  text += Paragraph(fmt::format("ptflops: what ptflops 0.7.5 prints. {} channel{}, {} classes (--channels, --classes). "
                                "Next: heliograd profile resnet18 --macs",
                                flags.network.channels, flags.network.channels == 1 ? "" : "s", flags.network.classes),
                    style);
  return Print(text).map([] { return kExitOk; });
}

Result<int> CountLayers(const CountFlags& flags) {
  const auto network = MakeNetwork(flags.network_name, flags.network);
  if (!network) return Fail(network.error());
  const NetworkCount count = CountNetwork(*network);
  if (flags.json) {
    Json json = Summary(*network, count);
    json["channels"] = flags.network.channels;
    json["classes"] = flags.network.classes;
    json["layers"] = LayersAsJson(*network, count);
    return PrintJson(json);
  }
  const TerminalStyle style = DetectTerminal(STDOUT_FILENO);
  std::string text = LayersAsText(count, style) + "\n" + Paragraph(kMeaning, style);
  if (!network->auxiliary.empty()) {
    text +=
        Paragraph(fmt::format("Auxiliary heads (aux1, aux2) run in training alone: their parameters are in the sum, "
                              "their MACs are not; with them it is {}.",
                              Millions(count.training_macs.Macs())),
                  style);
  }
  return Print(text).map([] { return kExitOk; });
}

Result<int> CountFile(const CountFlags& flags) {
  const auto input = InputOf(flags);
  if (!input) return Fail(input.error());
  const auto script = IsTorchScript(flags.model_file);
  if (!script) return Fail(script.error());
  return *script ? ScriptMacs(flags, *input) : OnnxMacs(flags, *input);
}

}  // namespace heliograd
