#include "heliograd/app/profile_training.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <memory>

#include "heliograd/app/command_line.h"
#include "heliograd/app/held_limits.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/profile_layers.h"
#include "heliograd/app/profile_loops.h"
#include "heliograd/app/profile_steps.h"
#include "heliograd/app/progress_pump.h"
#include "heliograd/app/sources.h"
#include "heliograd/base/text.h"
#include "heliograd/profile/loader.h"
#include "heliograd/profile/mac_count.h"
#include "heliograd/profile/networks.h"
#include "heliograd/profile/torch_backend.h"

namespace heliograd {
namespace {

constexpr double kDefaultSeconds = 60;
constexpr int64_t kFewestIterations = 3;  // where none are asked for
constexpr int64_t kFewestToTell = 2;
constexpr double kLoopS = 5, kQuickLoopS = 1.5;
constexpr int kRounds = 5, kQuickRounds = 2;
constexpr double kQuickLongLoopS = 3;  // 1.5 s do not hold enough readings that are means of a second
constexpr int64_t kOperatorIterations = 3;
constexpr const char* kLoopsMode = "loops";
constexpr size_t kLastBatches = 10;  // the last accuracy and loss are means over so many tellings

/// What one training needs, opened and checked before anything runs.
struct Prepared {
  TorchBackend* torch = nullptr;
  std::shared_ptr<const Dataset> data;
  Architecture network;
  std::unique_ptr<Loader> loader;
  HeldLimits limits;
  std::unique_ptr<StepMeter> meter;
};

Result<void> CheckSimulatedLimit(double limit_w) {
  if (limit_w == 0 || (limit_w >= kStudyGpuLowestLimitW && limit_w <= kStudyGpuHighestLimitW)) return {};
  return Fail(fmt::format("--limit-w {:g}: the simulated GPU takes {:g} to {:g} W", limit_w, kStudyGpuLowestLimitW,
                          kStudyGpuHighestLimitW),
              ErrorKind::kUsage);
}

/// On the CPU limit and power are, unless a GPU is named.
bool IsSimulated(const TrainingFlags& flags) { return flags.device == "cpu" && flags.gpu.empty(); }

Result<std::string> GpuOf(const TrainingFlags& flags) {
  return flags.gpu.empty() ? GpuOfDevice(flags.device) : Result<std::string>(flags.gpu);
}

Result<void> PrepareMeter(const TrainingFlags& flags, Prepared& made) {
  if (IsSimulated(flags)) {
    const auto limit = flags.limit_w > 0 ? std::optional(Watts(flags.limit_w)) : std::nullopt;
    made.meter = SimulatedSteps(limit, flags.sensor);
    return {};
  }
  const auto gpu = GpuOf(flags);
  if (!gpu) return Fail(gpu.error());
  if (flags.limit_w > 0) {
    if (const auto one = SelectGpus(*gpu); one && one->devices.size() != 1) {
      return Fail("--gpu: a limit is of one GPU", ErrorKind::kUsage);
    }
    auto limits = HeldLimits::Set(*gpu, Watts(flags.limit_w), "heliograd profile " + flags.model);
    if (!limits) return Fail(limits.error());
    made.limits = std::move(*limits);
  }
  auto meter = MeasuredSteps(*gpu, flags.record, /*with_clocks=*/flags.limit_w > 0);
  if (!meter) return Fail(meter.error());
  made.meter = std::move(*meter);
  return {};
}

Result<void> CheckClasses(const Dataset& data) {
  for (size_t i = 1; i < data.size(); ++i) {
    if (data.Label(i) != data.Label(0)) return {};
  }
  const DatasetInfo& info = data.info();
  const auto label = static_cast<size_t>(data.Label(0));
  return Fail(fmt::format(
      "{}: all {} images are of one class, {}: nothing to tell apart; expected two classes or more.", info.origin,
      data.size(), label < info.class_names.size() ? Quoted(info.class_names[label]) : std::to_string(label)));
}

Result<Prepared> Prepare(const TrainingFlags& flags) {
  Prepared made;
  if (IsSimulated(flags) && !flags.record.empty()) {
    return Fail(
        "--record keeps what a power sensor told, but on the CPU the power is simulated: name a GPU with --gpu, or "
        "leave --record out",
        ErrorKind::kUsage);
  }
  if (auto sound = IsSimulated(flags) ? CheckSimulatedLimit(flags.limit_w) : Result<void>{}; !sound) {
    return Fail(sound.error());
  }
  // Names first: they are mistaken more often than PyTorch is missing.
  if (const auto known = MakeNetwork(flags.model, {}); !known) return Fail(known.error());
  const auto data = OpenDataset(flags.data, DatasetPart::kTrain, flags.seed);
  if (!data) return Fail(data.error());
  made.data = *data;
  if (Result<void> sound = CheckClasses(*made.data); !sound) return Fail(sound.error());
  const DatasetInfo& info = made.data->info();
  const auto network = MakeNetwork(flags.model, {.channels = info.channels, .classes = info.classes});
  if (!network) return Fail(network.error());
  made.network = *network;
  const auto torch = OpenTorchBackend();
  if (!torch) return Fail(torch.error());
  made.torch = *torch;
  if (Result<void> device = made.torch->CheckDevice(flags.device); !device) return Fail(device.error());
  LoaderOptions options;
  options.batch_size = static_cast<size_t>(flags.batch);
  options.seed = flags.seed;
  options.workers = flags.workers;
  options.epochs = 0;
  options.drop_last = true;
  auto loader = Loader::Start(made.data, options);
  if (!loader) return Fail(loader.error());
  made.loader = std::move(*loader);
  return made;
}

/// Follows a training: when to stop, and what to show meanwhile.
class Follower {
 public:
  Follower(const TrainingFlags& flags, TrainingProfile& profile, const StepMeter& meter)
      : flags_(flags), profile_(profile), meter_(meter) {}

  void See(const StepSpan& span) {
    if (span.step == 0) {
      if (begin_ns_ == 0) begin_ns_ = span.begin_ns;
      iteration_begin_ns_ = span.begin_ns;
    }
    if (span.step == static_cast<int>(kTrainingSteps.size()) - 1) worked_ns_ += span.end_ns - iteration_begin_ns_;
    end_ns_ = span.end_ns;
  }

  bool GoesOn(const TrainingProgress& progress) {
    if (iterations_ == 0) profile_.first_loss = progress.loss;
    iterations_ = progress.iterations;
    recent_.push_back(progress);
    if (recent_.size() > kLastBatches) recent_.pop_front();
    Show(progress);
    TellProgress(progress.iterations);
    if (Interrupted()) return false;
    const double passed_s = 1e-9 * static_cast<double>(meter_.NowNs() - begin_ns_);
    return flags_.iterations > 0 || passed_s < kDefaultSeconds || iterations_ < kFewestIterations;
  }

  void Finish() {
    if (isatty(STDERR_FILENO) != 0) std::fputs("\r\033[K", stderr);
    profile_.iterations = iterations_;
    profile_.duration = Seconds(1e-9 * static_cast<double>(end_ns_ - begin_ns_));
    profile_.iteration = Seconds(1e-9 * static_cast<double>(worked_ns_) / static_cast<double>(iterations_));
    profile_.images_per_second = flags_.batch / InSeconds(profile_.iteration);
    double loss = 0, accuracy = 0;
    for (const TrainingProgress& progress : recent_) loss += progress.loss, accuracy += progress.accuracy;
    profile_.last_loss = loss / static_cast<double>(recent_.size());
    profile_.last_accuracy = accuracy / static_cast<double>(recent_.size());
  }

 private:
  /// `heliograd curve` and `heliograd run` ask their job for its progress in this way.
  void TellProgress(int64_t iterations) const {
    if (progress_file_ < 0) return;
    const std::string line = fmt::format("{}\n", iterations);
    static_cast<void>(!write(progress_file_, line.data(), line.size()));
  }

  static int ProgressFile() {
    const char* text = std::getenv(kProgressVariable);
    const auto number = text != nullptr ? ParseInteger(text) : std::nullopt;
    return number && *number >= 0 && *number < 65536 ? static_cast<int>(*number) : -1;
  }

  void Show(const TrainingProgress& progress) const {
    if (isatty(STDERR_FILENO) == 0) return;
    std::fputs(fmt::format("\r\033[Kiteration {}: loss {:.3f}, accuracy {:.0f} %", progress.iterations, progress.loss,
                           100 * progress.accuracy)
                   .c_str(),
               stderr);
  }

  const TrainingFlags& flags_;
  TrainingProfile& profile_;
  const StepMeter& meter_;
  const int progress_file_ = ProgressFile();
  std::deque<TrainingProgress> recent_;
  int64_t iterations_ = 0, begin_ns_ = 0, end_ns_ = 0, iteration_begin_ns_ = 0, worked_ns_ = 0;
};

/// Gradients of weights and of inputs cost one forward's MACs each; nothing asks for the gradient of the images.
int64_t BackwardMacs(const NetworkCount& count) {
  int64_t macs = 2 * count.training_macs.Macs();
  for (const LayerCount& layer : count.layers) {
    const auto& inputs = layer.layer->inputs;
    if (std::find(inputs.begin(), inputs.end(), kImage) != inputs.end()) macs -= layer.macs.Macs();
  }
  return macs;
}

void CountSteps(const Architecture& network, int batch, TrainingProfile& profile) {
  const NetworkCount count = CountNetwork(network);
  profile.parameters = count.parameters;
  profile.macs = count.macs.Macs();
  profile.traffic_bytes = EstimateForwardBytesPerImage(network, batch);
  for (ProfiledStep& step : profile.steps) {
    if (step.name == kTrainingSteps[1]) step.macs = count.training_macs.Macs() * batch;
    if (step.name == kTrainingSteps[3]) step.macs = BackwardMacs(count) * batch;
  }
}

/// "interrupted after 10 of 100 iterations".
std::string InterruptionText(const TrainingProfile& profile, bool with_layers) {
  return fmt::format("interrupted after {}{} iterations{}", profile.iterations,
                     profile.iterations_asked ? fmt::format(" of {}", *profile.iterations_asked) : "",
                     with_layers ? ": no layer was measured" : "");
}

/// Whatever was left out for an interruption is a note that begins so.
void TellInterruption(TrainingProfile& profile) {
  constexpr std::string_view kBegins = "interrupted";
  for (const std::string& note : profile.notes) {
    if (!note.starts_with(kBegins)) continue;
    profile.interrupted = true;
    PrintMessage(note);
  }
}

Result<void> TrainSteps(Prepared& made, const TrainingFlags& flags, TrainingProfile& profile) {
  Follower follower(flags, profile, *made.meter);
  TrainingOptions options;
  options.device = flags.device;
  options.synchronise = profile.mode == "sync";
  options.dither = profile.dither;
  options.most_iterations = flags.iterations;
  options.learning_rate = flags.learning_rate;
  options.seed = flags.seed;
  options.operator_iterations = flags.operators ? kOperatorIterations : 0;
  options.now_ns = [&] { return made.meter->NowNs(); };
  options.next_batch = [&](Batch& batch) -> Result<void> {
    const Result<bool> next = made.loader->Next(batch);
    if (!next) return Fail(next.error());
    return {};
  };
  options.on_span = [&](const StepSpan& span) { follower.See(made.meter->Add(span)); };
  options.goes_on = [&](const TrainingProgress& progress) { return follower.GoesOn(progress); };
  options.is_interrupted = [] { return Interrupted(); };
  const Result<TrainingOutcome> outcome = made.torch->Train(made.network, options);
  if (!outcome) return Fail(outcome.error());
  if (Interrupted() && outcome->iterations < kFewestToTell) {
    return Fail("interrupted before two iterations were measured", ErrorKind::kInterrupted);
  }
  follower.Finish();
  profile.operator_iterations = outcome->operator_iterations;
  for (const OperatorTime& one : outcome->operators) {
    profile.operators.push_back({one.name, one.backward, one.calls, Seconds(one.seconds)});
  }
  profile.loader_images_per_second = made.loader->rates().ImagesPerWorkerSecond() * flags.workers;
  if (profile.loader_images_per_second < profile.images_per_second) {
    profile.notes.push_back("the loader is slower than the training, which waits for it: give it more --workers");
  }
  if (Result<void> done = made.meter->Finish(profile); !done) return done;
  if (profile.dither > 0) {
    profile.refusal = WordedForRests(profile.refusal, profile.dither, profile.iterations);
    for (ProfiledStep& step : profile.steps) step.why = WordedForRests(step.why, profile.dither, profile.iterations);
  }
  return {};
}

/// Chosen by the sensor where the flags leave it open, and said.
std::string ModeOf(const TrainingFlags& flags, const StepMeter& meter) {
  if (!flags.mode.empty()) return flags.mode;
  const std::optional<Duration> average = meter.LongAverage();
  if (!average) return "events";
  PrintMessage(fmt::format(
      "the power sensor averages over {:.2g} s, in which steps cannot be told apart: each is measured in a loop by "
      "itself after the training (--mode loops); --mode events tries it in place",
      InSeconds(*average)));
  return kLoopsMode;
}

LoopRoundOptions RoundsOf(const TrainingFlags& flags, const StepMeter& meter) {
  LoopRoundOptions options;
  const double quick_s = meter.LongAverage() ? kQuickLongLoopS : kQuickLoopS;
  options.loop_s = flags.loop_s.value_or(flags.quick ? quick_s : kLoopS);
  options.rounds = flags.rounds.value_or(flags.quick ? kQuickRounds : kRounds);
  options.seed = flags.seed;
  return options;
}

/// Loops must hold enough readings: said before the training, not after it.
Result<void> CheckLoops(const TrainingFlags& flags, const StepMeter& meter) {
  const std::optional<Duration> average = meter.LongAverage();
  const double loop_s = RoundsOf(flags, meter).loop_s;
  const double least_s = average ? 3 * InSeconds(*average) : 0;
  if (loop_s >= least_s) return {};
  return Fail(fmt::format("--loop-seconds {:g}: the sensor averages over {:.2g} s: expected {:.2g} or more", loop_s,
                          InSeconds(*average), least_s),
              ErrorKind::kUsage);
}

/// What an interruption leaves of the steps are their times.
Result<void> LoopSteps(Prepared& made, const TrainingFlags& flags, TrainingProfile& profile) {
  const auto loops = made.torch->MakeStepLoops(made.network, flags.device, {.batch = flags.batch, .seed = flags.seed});
  if (!loops) return Fail(loops.error());
  const Result<void> done = ProfileStepLoops(**loops, *made.meter, RoundsOf(flags, *made.meter), profile);
  if (done) return {};
  if (done.error().kind != ErrorKind::kInterrupted) return done;
  profile.notes.push_back("interrupted before two rounds over the steps in loops: their energies are those in place");
  return {};
}

Result<TrainingProfile> ProfilePrepared(Prepared& made, const TrainingFlags& flags) {
  TrainingProfile profile;
  profile.network = made.network.name;
  profile.data_set = made.data->info().name;
  profile.device = flags.device;
  profile.power_source = made.meter->Source();
  profile.power_meter = made.meter->Name();
  profile.torch_version = made.torch->TorchVersion();
  profile.batch = flags.batch;
  if (flags.iterations > 0) profile.iterations_asked = flags.iterations;
  profile.mode = ModeOf(flags, *made.meter);
  if (profile.mode == kLoopsMode) {
    if (Result<void> sound = CheckLoops(flags, *made.meter); !sound) return Fail(sound.error());
  }
  // Rests tell steps apart in place, which loops do not need.
  profile.dither = profile.mode == kLoopsMode ? 0 : flags.dither_percent / 100;
  if (flags.limit_w > 0) profile.limit = Watts(flags.limit_w);
  if (flags.device == "cpu" && !flags.gpu.empty()) {
    profile.notes.push_back(
        "the network was trained on the CPU, the power is that of the GPU that --gpu names, whatever loads it");
  }
  if (made.data->info().synthetic) {
    profile.notes.push_back("the images are synthetic: time and energy are as real, accuracy means nothing");
  }
  if (const DatasetInfo& info = made.data->info(); info.classes_counted) {
    profile.notes.push_back(fmt::format("{}: {} images of {} classes, counted from its {}", info.origin,
                                        made.data->size(), info.classes,
                                        info.class_names.empty() ? "labels" : "folders"));
  }
  if (Result<void> done = TrainSteps(made, flags, profile); !done) return Fail(done.error());
  if (Interrupted()) profile.notes.push_back(InterruptionText(profile, flags.layers));
  if (profile.mode == kLoopsMode && !Interrupted()) {
    if (Result<void> done = LoopSteps(made, flags, profile); !done) return Fail(done.error());
  }
  CountSteps(made.network, flags.batch, profile);
  if (flags.quick && (flags.layers || profile.mode == kLoopsMode)) {
    const LoopRoundOptions rounds = RoundsOf(flags, *made.meter);
    profile.notes.push_back(fmt::format(
        "--quick: loops of {:g} s in {} rounds, in which clocks and temperature do not settle (off by 1 % and "
        "more) and intervals are wide",
        rounds.loop_s, rounds.rounds));
  }
  if (!flags.layers || Interrupted()) return profile;
  const auto loops = made.torch->MakeLoops(made.network, flags.device, flags.batch);
  if (!loops) return Fail(loops.error());
  LayerOptions options;
  options.rounds_of = RoundsOf(flags, *made.meter);
  options.batch = flags.batch;
  const Result<void> done = ProfileLayers(made.network, **loops, *made.meter, options, profile);
  if (!done && done.error().kind != ErrorKind::kInterrupted) return Fail(done.error());
  // What the steps need is known by then.
  if (!done) profile.notes.push_back("interrupted before two rounds over the layers: they have no energies");
  return profile;
}

}  // namespace

Result<TrainingProfile> ProfileTraining(const TrainingFlags& flags) {
  auto made = Prepare(flags);
  if (!made) return Fail(made.error());
  if (Result<void> done = PrepareMeter(flags, *made); !done) return Fail(done.error());
  CatchInterrupts();
  auto profile = ProfilePrepared(*made, flags);
  made->limits.Release();
  if (profile) TellInterruption(*profile);
  return profile;
}

Result<void> CheckTraining(const TrainingFlags& flags) {
  if (const auto made = Prepare(flags); !made) return Fail(made.error());
  if (IsSimulated(flags)) return {};
  const auto gpu = GpuOf(flags);
  if (!gpu) return Fail(gpu.error());
  const auto gpus = SelectGpus(*gpu);
  return gpus ? Result<void>() : Fail(gpus.error());
}

}  // namespace heliograd
