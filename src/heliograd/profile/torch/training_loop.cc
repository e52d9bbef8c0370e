#include "heliograd/profile/torch/training_loop.h"

#include <algorithm>
#include <random>
#include <thread>

#include "heliograd/profile/torch/operator_times.h"
#include "heliograd/profile/torch/step_clock.h"

namespace heliograd {
namespace {

constexpr double kAuxiliaryWeight = 0.3;  // Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, section 5

std::unique_ptr<StepClock> ClockFor(c10::Device device, const TrainingOptions& options) {
  if (device.is_cpu()) return HostStepClock(options.now_ns, {});
  if (!options.synchronise) return EventStepClock(options.now_ns, device);
  const auto* guard = c10::impl::getDeviceGuardImpl(device.type());
  return HostStepClock(options.now_ns, [guard, device] { guard->synchronizeDevice(device.index()); });
}

/// Loss and hits stay on the device until they are asked for: reading them would make it wait.
class Score {
 public:
  void Add(const torch::Tensor& loss, const torch::Tensor& logits, const torch::Tensor& labels) {
    const torch::NoGradGuard no_gradients;
    const torch::Tensor hits = logits.argmax(1).eq(labels).sum();
    loss_ = iterations_ == 0 ? loss.detach().clone() : loss_ + loss.detach();
    hits_ = iterations_ == 0 ? hits : hits_ + hits;
    images_ += labels.size(0);
    ++iterations_;
  }
  TrainingProgress Take(int64_t iterations) {
    TrainingProgress progress;
    progress.iterations = iterations;
    progress.loss = loss_.item<double>() / static_cast<double>(iterations_);
    progress.accuracy = hits_.item<double>() / static_cast<double>(images_);
    iterations_ = images_ = 0;
    return progress;
  }

 private:
  torch::Tensor loss_, hits_;
  int64_t iterations_ = 0, images_ = 0;
};

class Loop {
 public:
  Loop(TorchNetwork& network, c10::Device device, const TrainingOptions& options)
      : network_(network),
        device_(device),
        options_(options),
        clock_(ClockFor(device, options)),
        optimizer_(network.parameters(), torch::optim::SGDOptions(options.learning_rate).momentum(options.momentum)),
        random_(options.seed) {}

  Result<TrainingOutcome> Run() {
    TrainingOutcome outcome;
    outcome.threads = at::get_num_threads();
    for (int64_t i = 0; i < options_.warm_up && !options_.is_interrupted(); ++i) {
      if (Result<void> done = Iterate(); !done) return Fail(done.error());
    }
    clock_->Wait();
    static_cast<void>(clock_->Take());
    score_ = {};
    bool goes_on = true;
    while (goes_on && (options_.most_iterations == 0 || outcome.iterations < options_.most_iterations)) {
      if (Result<void> done = Iterate(); !done) return Fail(done.error());
      ++outcome.iterations;
      if (outcome.iterations % clock_->TakeEvery() == 0) goes_on = TellAndRest(outcome.iterations);
    }
    if (outcome.iterations % clock_->TakeEvery() != 0) static_cast<void>(TellAndRest(outcome.iterations));
    if (Result<void> done = WatchOperators(outcome); !done) return Fail(done.error());
    return outcome;
  }

 private:
  Result<void> WatchOperators(TrainingOutcome& outcome) {
    if (options_.operator_iterations <= 0) return {};
    Result<void> done;
    outcome.operators = TimeOperators([&] {
      int64_t& watched = outcome.operator_iterations;
      for (; watched < options_.operator_iterations && done && !options_.is_interrupted(); ++watched) done = Iterate();
      clock_->Wait();
    });
    return done;
  }

  Result<void> Iterate() {
    Batch batch;
    if (Result<void> next = options_.next_batch(batch); !next) return next;
    const auto count = static_cast<int64_t>(batch.images());
    const torch::Tensor host_images =
        torch::from_blob(batch.pixels.data(), {count, batch.channels, batch.height, batch.width});
    const torch::Tensor host_labels = torch::from_blob(batch.labels.data(), {count}, torch::kInt64);
    clock_->Mark();
    // The batch's buffer is the loader's and is overwritten later: on the CPU, too, the step is a copy.
    const torch::Tensor images = host_images.to(device_, torch::kFloat32, /*non_blocking=*/false, /*copy=*/true);
    const torch::Tensor labels = host_labels.to(device_, torch::kInt64, /*non_blocking=*/false, /*copy=*/true);
    clock_->Mark();
    const TorchNetwork::Scores output = network_.Forward(images);
    clock_->Mark();
    torch::Tensor loss = TrainingLoss(output, labels);
    clock_->Mark();
    loss.backward();
    clock_->Mark();
    optimizer_.step();
    optimizer_.zero_grad(/*set_to_none=*/true);
    clock_->Mark();
    score_.Add(loss, output.classes, labels);
    return {};
  }

  bool TellAndRest(int64_t iterations) {
    const std::vector<int64_t> stamps = clock_->Take();
    constexpr size_t kMarks = kTrainingSteps.size() + 1;
    for (size_t first = 0; first + kMarks <= stamps.size(); first += kMarks) {
      for (size_t step = 0; step + 1 < kMarks; ++step) {
        const int64_t begin_ns = stamps[first + step];
        // Events of one moment may come out in either order by their resolution.
        options_.on_span({static_cast<int>(step), begin_ns, std::max(begin_ns, stamps[first + step + 1])});
      }
    }
    const bool goes_on = options_.goes_on(score_.Take(iterations));
    if (goes_on) Rest(stamps);
    return goes_on;
  }

  /// Sleeps for 0 to twice the wanted share of the iterations that it follows, once the device has nothing to do.
  void Rest(const std::vector<int64_t>& stamps) {
    if (options_.dither <= 0 || stamps.empty()) return;
    clock_->Wait();
    const int64_t begin_ns = options_.now_ns();
    const double worked_ns = static_cast<double>(begin_ns - std::max(rested_ns_, stamps.front()));
    const double rest_ns = std::uniform_real_distribution<double>(0, 2 * options_.dither * worked_ns)(random_);
    std::this_thread::sleep_for(std::chrono::nanoseconds(static_cast<int64_t>(rest_ns)));
    rested_ns_ = options_.now_ns();
    options_.on_span({kRestStep, begin_ns, rested_ns_});
  }

  TorchNetwork& network_;
  const c10::Device device_;
  const TrainingOptions& options_;
  std::unique_ptr<StepClock> clock_;
  torch::optim::SGD optimizer_;
  std::mt19937_64 random_;
  Score score_;
  int64_t rested_ns_ = 0;
};

}  // namespace

torch::Tensor TrainingLoss(const TorchNetwork::Scores& scores, const torch::Tensor& labels) {
  torch::Tensor loss = torch::nn::functional::cross_entropy(scores.classes, labels);
  for (const torch::Tensor& logits : scores.auxiliary) {
    loss = loss + kAuxiliaryWeight * torch::nn::functional::cross_entropy(logits, labels);
  }
  return loss;
}

Result<TrainingOutcome> RunTraining(TorchNetwork& network, c10::Device device, const TrainingOptions& options) {
  return Loop(network, device, options).Run();
}

}  // namespace heliograd
