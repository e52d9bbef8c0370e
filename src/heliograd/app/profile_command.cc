// `heliograd profile`: the networks that are known, what they compute, and what training them needs.
#include <limits>
#include <memory>

#include "heliograd/app/command_line.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/output_check.h"
#include "heliograd/app/profile_counts.h"
#include "heliograd/app/profile_json.h"
#include "heliograd/app/profile_training.h"
#include "heliograd/base/file.h"
#include "heliograd/report/gnuplot.h"
#include "heliograd/report/training_profile.h"

namespace heliograd {
namespace {

struct ProfileFlags {
  CountFlags count;
  TrainingFlags training;
  std::string output, figure, layer_figure;
  bool list = false, macs = false;
};

/// Figures are refused before anything is measured, and the file they would be written to tried.
Result<void> CheckOutputs(const ProfileFlags& flags) {
  if (Result<void> sound = CheckFigureOutput(flags.figure, "--figure"); !sound) return sound;
  if (Result<void> sound = CheckFigureOutput(flags.layer_figure, "--layer-figure"); !sound) return sound;
  if (Result<void> sound = CheckOutput(flags.output, "{\n  \"network\": ", "profile"); !sound) return sound;
  if (Result<void> sound = CheckOutput(flags.training.record, "", "recording", "--record"); !sound) return sound;
  if (!flags.layer_figure.empty() && !flags.training.layers) {
    return Fail("--layer-figure draws what --layers measures: give both", ErrorKind::kUsage);
  }
  return {};
}

Result<int> Train(const ProfileFlags& flags) {
  if (Result<void> sound = CheckOutputs(flags); !sound) return Fail(sound.error());
  TrainingFlags training = flags.training;
  training.model = flags.count.network_name;
  const auto profile = ProfileTraining(training);
  if (!profile) return Fail(profile.error());
  const std::string json = ProfileToJson(*profile);
  if (!flags.output.empty()) {
    if (Result<void> done = WriteFile(flags.output, json); !done) return Fail(done.error());
  }
  const std::string text = flags.count.json ? json : TrainingProfileText(*profile, DetectTerminal(STDOUT_FILENO));
  if (Result<void> done = Print(text); !done) return Fail(done.error());
  if (!flags.figure.empty()) {
    if (Result<void> done = WriteFigure(StepFigure(*profile), flags.figure); !done) return Fail(done.error());
  }
  if (!flags.layer_figure.empty() && !profile->layers.empty()) {
    if (Result<void> done = WriteFigure(LayerFigure(*profile), flags.layer_figure); !done) return Fail(done.error());
  }
  return Interrupted() ? static_cast<int>(ErrorKind::kInterrupted) : kExitOk;
}

Result<int> Profile(const ProfileFlags& flags) {
  const CountFlags& count = flags.count;
  if (!count.model_file.empty() && (flags.list || !count.network_name.empty())) {
    return Fail("--model is a network of its own: leave --list and the network's name out", ErrorKind::kUsage);
  }
  if (!count.input.empty() && count.model_file.empty()) {
    return Fail("--input belongs to --model; a network by name has --channels and --classes", ErrorKind::kUsage);
  }
  if (flags.list && !count.network_name.empty()) {
    return Fail("--list shows every network: leave the network's name out, or --list", ErrorKind::kUsage);
  }
  if (flags.list) return CountNetworks(count);
  if (!count.model_file.empty()) {
    if (flags.macs) return CountFile(count);
    return Fail(count.model_file + ": files are counted, not trained: give --macs", ErrorKind::kUsage);
  }
  if (count.network_name.empty()) {
    return Fail("which network? `heliograd profile --list` shows all", ErrorKind::kUsage);
  }
  return flags.macs ? CountLayers(count) : Train(flags);
}

}  // namespace

void AddProfileCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(program, "profile", "Trains a network and shows what each step and each layer needs",
                             {"heliograd profile resnet18 --data synthetic --batch 16 --iterations 20",
                              "heliograd profile alexnet --layers --quick --layer-figure layers.svg",
                              "heliograd profile resnet18 --device cuda --limit-w 170", "heliograd profile --list",
                              "heliograd profile resnet18 --macs", "heliograd profile --model my.onnx --macs",
                              "heliograd profile --model my.pt --macs --input 1x3x224x224"});
  auto flags = std::make_shared<ProfileFlags>();
  CountFlags& count = flags->count;
  app->add_option("network", count.network_name, "one of --list");
  app->add_option("--model", count.model_file,
                  "a network in a file: ONNX, or TorchScript (which is run: trust it first)");
  app->add_option("--input", count.input, "its input's sizes, the batch first: 1x3x224x224");
  app->add_flag("--list", flags->list, "every network with its parameters and MACs");
  app->add_flag("--macs", flags->macs, "count only: parameters, MACs and other operations of each layer");
  app->add_option("--channels", count.network.channels, "with --macs or --list: of the image, 1 (grey) or 3 (colour)")
      ->capture_default_str();
  app->add_option("--classes", count.network.classes, "with --macs or --list: that the network tells apart")
      ->capture_default_str();
  app->add_flag("--json", count.json, "machine-readable output: with --list a list, else one object");
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
  app->add_option("--mode", training.mode,
                  "events: nothing waits for the device; sync: each step does; loops: each step by itself in a loop "
                  "after the training (default: loops where the sensor averages over a second, else events)")
      ->check(CLI::IsMember({"events", "sync", "loops"}));
  app->add_option("--dither", training.dither_percent,
                  "random rest after an iteration, percent of it: tells the steps apart on a slow sensor")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 50.0));
  app->add_flag("--operators", training.operators,
                "time of PyTorch's operators too, as they run in training, over 3 iterations more");
  app->add_flag("--layers", training.layers, "each layer too, alone in a loop");
  app->add_flag("--quick", training.quick,
                "loops of 1.5 s (3 s where the sensor averages over a second) in 2 rounds: wide intervals");
  app->add_option("--loop-seconds", training.loop_s, "of a layer's or a step's loop")
      ->default_str("5")
      ->check(CLI::Range(0.5, 600.0));
  app->add_option("--rounds", training.rounds, "over all layers, or all steps in loops")
      ->default_str("5")
      ->check(CLI::Range(2, 100));
  app->add_option("--workers", training.workers, "threads that load images")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app->add_option("--learning-rate", training.learning_rate, "of SGD with momentum 0.9")
      ->capture_default_str()
      ->check(CLI::Range(1e-9, 100.0));
  app->add_option("--seed", training.seed, "of parameters, order of images and rests")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{0}, std::numeric_limits<int64_t>::max()));
  app->add_option(
         "--limit-w", training.limit_w,
         "the GPU's power limit meanwhile; the prior one is put back, whatever happens. On the CPU that of the "
         "simulated GPU")
      ->check(CLI::Range(1.0, 10'000.0));
  app->add_option(
         "--simulated-sensor", training.sensor,
         "of simulated power: fast, or average-1s, which tells the mean of the last second as several cards do")
      ->transform(CLI::CheckedTransformer(std::map<std::string, SimulatedSensor>{
          {"fast", SimulatedSensor::kFast}, {"average-1s", SimulatedSensor::kAverageOfOneS}}))
      ->default_str("fast")
      ->option_text("fast|average-1s");
  app->add_option("--gpu", training.gpu,
                  "whose power is measured and limited, by number or start of UUID (default: the one of --device; on "
                  "the CPU the power is simulated)");
  app->add_option("--record", training.record, "keep the recording of a measured run in this file");
  app->add_option("-o,--output", flags->output, "also write the JSON to this file");
  app->add_option("--figure", flags->figure, "draw the steps in this file: .svg, .png or .pdf");
  app->add_option("--layer-figure", flags->layer_figure, "draw the layers in this file");
  commands.push_back({app, [flags] { return Profile(*flags); }});
}

}  // namespace heliograd
