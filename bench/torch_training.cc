// A training with PyTorch, with and without what `heliograd profile` does around it, in turns within one process.
//
//     torch_training turns NETWORK BATCH TURNS ITERATIONS
//     torch_training bare NETWORK BATCH ITERATIONS
//
// `turns` prints lines for each turn of so many iterations: "marked" (the loop that `profile` runs, each step told to a
// meter on the driver that is loaded), "unmarked" (the same loop, whose clock stands still and which tells nobody) and
// "bare" (a plain loop); with each the wall clock and processor time of an iteration in seconds. `bare` trains as a
// plain loop would, for its memory to be looked at from outside. One thread computes.
#include <torch/torch.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <utility>

#include "heliograd/app/profile_steps.h"
#include "heliograd/profile/dataset.h"
#include "heliograd/profile/loader.h"
#include "heliograd/profile/networks.h"
#include "heliograd/profile/torch/training_loop.h"

namespace {

using namespace heliograd;

double Seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// What went wrong ends the program.
template <typename T>
T Need(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.error().Message().c_str());
  std::exit(1);
}

class Training {
 public:
  Training(const std::string& name, size_t batch)
      : data_(Need(OpenDataset("synthetic", DatasetPart::kTrain, 1))),
        network_(Need(MakeNetwork(name, {data_->info().channels, data_->info().classes}))) {
    network_.train();
    LoaderOptions options;
    options.batch_size = batch;
    options.epochs = 0;
    options.drop_last = true;
    loader_ = Need(Loader::Start(data_, options));
  }

  /// As a tutorial has it, with an optimizer of its own as each training of `profile` has.
  void TrainBare(int iterations) {
    torch::optim::SGD optimizer(network_.parameters(), torch::optim::SGDOptions(0.01).momentum(0.9));
    Batch batch;
    for (int i = 0; i < iterations; ++i) {
      Need(loader_->Next(batch));
      const auto count = static_cast<int64_t>(batch.images());
      const torch::Tensor images =
          torch::from_blob(batch.pixels.data(), {count, batch.channels, batch.height, batch.width}).clone();
      const torch::Tensor labels = torch::from_blob(batch.labels.data(), {count}, torch::kInt64).clone();
      const torch::Tensor loss = TrainingLoss(network_.Forward(images), labels);
      loss.backward();
      optimizer.step();
      optimizer.zero_grad(/*set_to_none=*/true);
    }
  }

  /// As `profile` does it, without its rests. Told to nobody without a meter.
  void TrainAsProfile(int iterations, StepMeter* meter) {
    TrainingOptions options;
    options.dither = 0;
    options.warm_up = 0;
    options.most_iterations = iterations;
    options.now_ns = [&]() -> int64_t { return meter != nullptr ? meter->NowNs() : 0; };
    options.next_batch = [&](Batch& batch) -> Result<void> {
      Need(loader_->Next(batch));
      return {};
    };
    options.on_span = [&](const StepSpan& span) {
      if (meter != nullptr) meter->Add(span);
    };
    options.goes_on = [](const TrainingProgress&) { return true; };
    options.is_interrupted = [] { return false; };
    Need(RunTraining(network_, c10::Device("cpu"), options));
  }

 private:
  std::shared_ptr<const Dataset> data_;
  TorchNetwork network_;
  std::unique_ptr<Loader> loader_;
};

void TakeTurns(Training& training, int turns, int iterations) {
  const auto meter = Need(MeasuredSteps("0", ""));
  const std::array<std::pair<const char*, std::function<void()>>, 3> ways = {{
      {"unmarked", [&] { training.TrainAsProfile(iterations, nullptr); }},
      {"marked", [&] { training.TrainAsProfile(iterations, meter.get()); }},
      {"bare", [&] { training.TrainBare(iterations); }},
  }};
  for (const auto& way : ways) way.second();
  for (size_t turn = 0; turn < static_cast<size_t>(turns); ++turn) {
    // Another one first each time, so that drift meets all alike.
    for (size_t k = 0; k < ways.size(); ++k) {
      const auto& [name, train] = ways[(turn + k) % ways.size()];
      const double wall = Seconds(CLOCK_MONOTONIC), processor = Seconds(CLOCK_THREAD_CPUTIME_ID);
      train();
      std::printf("%s %.9f %.9f\n", name, (Seconds(CLOCK_MONOTONIC) - wall) / iterations,
                  (Seconds(CLOCK_THREAD_CPUTIME_ID) - processor) / iterations);
      std::fflush(stdout);
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  const bool is_turns = count == 6 && std::strcmp(arguments[1], "turns") == 0;
  if (!is_turns && !(count == 5 && std::strcmp(arguments[1], "bare") == 0)) {
    std::fprintf(stderr, "as in `torch_training turns alexnet 4 40 5` or `torch_training bare alexnet 4 20`\n");
    return 2;
  }
  at::set_num_threads(1);
  torch::manual_seed(1);
  Training training(arguments[2], static_cast<size_t>(std::atoi(arguments[3])));
  if (is_turns) {
    TakeTurns(training, std::atoi(arguments[4]), std::atoi(arguments[5]));
  } else {
    training.TrainBare(std::atoi(arguments[4]));
  }
  // The meter's and PyTorch's threads end in an order of their own otherwise.
  std::fflush(stdout);
  std::_Exit(0);
}
