// `heliograd profile`: the networks that are known by name, and the exact count of a network's work layer by layer.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/command_line.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/profile_json.h"
#include "heliograd/app/profile_training.h"
#include "heliograd/base/file.h"
#include "heliograd/profile/mac_count.h"
#include "heliograd/profile/networks.h"
#include "heliograd/report/gnuplot.h"
#include "heliograd/report/text_table.h"
#include "heliograd/report/training_profile.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

struct ProfileFlags {
  std::string model;
  NetworkOptions network;
  TrainingFlags training;
  std::string output, figure, layer_figure;
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

/// Figures are refused before anything is measured, and the file they would be written to tried.
Result<void> CheckOutputs(const ProfileFlags& flags) {
  for (const std::string& path : {flags.figure, flags.layer_figure}) {
    if (path.empty()) continue;
    if (const auto format = FigureFormatOf(path); !format) return Fail(format.error());
  }
  if (!flags.layer_figure.empty() && !flags.training.layers) {
    return Fail("--layer-figure draws what --layers measures: give both", ErrorKind::kUsage);
  }
  return {};
}

Result<int> Train(const ProfileFlags& flags) {
  if (Result<void> sound = CheckOutputs(flags); !sound) return Fail(sound.error());
  TrainingFlags training = flags.training;
  training.model = flags.model;
  const auto profile = ProfileTraining(training);
  if (!profile) return Fail(profile.error());
  const std::string json = ProfileToJson(*profile);
  if (!flags.output.empty()) {
    if (Result<void> done = WriteFile(flags.output, json); !done) return Fail(done.error());
  }
  if (!flags.figure.empty()) {
    if (Result<void> done = WriteFigure(StepFigure(*profile), flags.figure); !done) return Fail(done.error());
  }
  if (!flags.layer_figure.empty() && !profile->layers.empty()) {
    if (Result<void> done = WriteFigure(LayerFigure(*profile), flags.layer_figure); !done) return Fail(done.error());
  }
  const std::string text = flags.json ? json : TrainingProfileText(*profile, DetectTerminal(STDOUT_FILENO));
  if (Result<void> done = Print(text); !done) return Fail(done.error());
  return Interrupted() ? static_cast<int>(ErrorKind::kInterrupted) : kExitOk;
}

Result<int> Profile(const ProfileFlags& flags) {
  if (flags.list && !flags.model.empty()) {
    return Fail("--list shows every network: leave the network's name out, or --list", ErrorKind::kUsage);
  }
  if (flags.list) return List(flags);
  if (flags.model.empty()) {
    return Fail("which network? `heliograd profile --list` shows all", ErrorKind::kUsage);
  }
  return flags.macs ? Macs(flags) : Train(flags);
}

}  // namespace

void AddProfileCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(program, "profile", "Trains a network and shows what each step and each layer needs",
                             {"heliograd profile resnet18 --data synthetic --batch 16 --iterations 20",
                              "heliograd profile alexnet --layers --quick --layer-figure layers.svg",
                              "heliograd profile --list", "heliograd profile resnet18 --macs"});
  auto flags = std::make_shared<ProfileFlags>();
  app->add_option("network", flags->model, "one of --list");
  app->add_flag("--list", flags->list, "every network with its parameters and MACs");
  app->add_flag("--macs", flags->macs, "parameters, MACs and other operations of each layer");
  app->add_option("--channels", flags->network.channels, "of the image: 1 (grey) or 3 (colour)")->capture_default_str();
  app->add_option("--classes", flags->network.classes, "that the network tells apart")->capture_default_str();
  app->add_flag("--json", flags->json, "machine-readable output: with --list a list, else one object");
  TrainingFlags& training = flags->training;
  app->add_option("--data", training.data,
                  "fashion-mnist, cifar100, synthetic, or a folder of IDX, CIFAR-100 or picture files")
      ->capture_default_str();
  app->add_option("--batch", training.batch, "images in an iteration")
      ->capture_default_str()
      ->check(CLI::Range(1, 65536));
  app->add_option("--iterations", training.iterations,
                  "iterations that are measured (default: as many as take a minute)")
      ->check(CLI::Range(int64_t{2}, int64_t{100'000'000}));
  app->add_option("--device", training.device,
                  "cpu, cuda or cuda:1; on the CPU the times are real and the power is simulated")
      ->capture_default_str();
  app->add_option("--mode", training.mode, "events: nothing waits for the device; sync: each step does")
      ->capture_default_str()
      ->check(CLI::IsMember({"events", "sync"}));
  app->add_option("--dither", training.dither_percent,
                  "random rest after an iteration, percent of it: tells the steps apart on a slow sensor")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 50.0));
  app->add_flag("--layers", training.layers, "each layer too, alone in a loop");
  app->add_flag("--quick", training.quick, "loops of 1.5 s in 2 rounds: wide intervals");
  app->add_option("--loop-seconds", training.loop_s, "of a layer's loop")
      ->capture_default_str()
      ->check(CLI::Range(0.5, 600.0));
  app->add_option("--rounds", training.rounds, "over all layers")->capture_default_str()->check(CLI::Range(2, 100));
  app->add_option("--workers", training.workers, "threads that load images")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app->add_option("--learning-rate", training.learning_rate, "of SGD with momentum 0.9")
      ->capture_default_str()
      ->check(CLI::Range(1e-9, 100.0));
  app->add_option("--seed", training.seed, "of parameters, order of images and rests")->capture_default_str();
  app->add_option("--gpu", training.gpu, "whose power is measured, by number or start of UUID");
  app->add_option("--record", training.record, "keep the recording of a measured run in this file");
  app->add_option("-o,--output", flags->output, "also write the JSON to this file");
  app->add_option("--figure", flags->figure, "draw the steps in this file: .svg, .png or .pdf");
  app->add_option("--layer-figure", flags->layer_figure, "draw the layers in this file");
  commands.push_back({app, [flags] { return Profile(*flags); }});
}

}  // namespace heliograd
