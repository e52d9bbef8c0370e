// `heliograd profile`: the networks that are known by name, and the exact count of a network's work layer by layer.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/command_line.h"
#include "heliograd/profile/mac_count.h"
#include "heliograd/profile/networks.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

struct ProfileFlags {
  std::string model;
  NetworkOptions network;
  bool list = false;
  bool macs = false;
  bool json = false;
};

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

Result<int> List(const ProfileFlags& flags) {
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

Result<int> Macs(const ProfileFlags& flags) {
  const auto network = MakeNetwork(flags.model, flags.network);
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

Result<int> Profile(const ProfileFlags& flags) {
  if (flags.list && !flags.model.empty()) {
    return Fail("--list shows every network: leave the network's name out, or --list", ErrorKind::kUsage);
  }
  if (flags.list) return List(flags);
  if (flags.model.empty()) {
    return Fail("which network? `heliograd profile --list` shows all", ErrorKind::kUsage);
  }
  if (!flags.macs) {
    return Fail(fmt::format("what of {}? --macs counts its work layer by layer", flags.model), ErrorKind::kUsage);
  }
  return Macs(flags);
}

}  // namespace

void AddProfileCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(program, "profile", "Shows what a network computes, layer by layer",
                             {"heliograd profile --list", "heliograd profile resnet18 --macs",
                              "heliograd profile alexnet --macs --channels 1 --classes 10 --json"});
  auto flags = std::make_shared<ProfileFlags>();
  app->add_option("network", flags->model, "one of --list");
  app->add_flag("--list", flags->list, "every network with its parameters and MACs");
  app->add_flag("--macs", flags->macs, "parameters, MACs and other operations of each layer");
  app->add_option("--channels", flags->network.channels, "of the image: 1 (grey) or 3 (colour)")->capture_default_str();
  app->add_option("--classes", flags->network.classes, "that the network tells apart")->capture_default_str();
  app->add_flag("--json", flags->json, "machine-readable output: with --list a list, else one object");
  commands.push_back({app, [flags] { return Profile(*flags); }});
}

}  // namespace heliograd
