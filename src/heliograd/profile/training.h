// A real training loop, told step by step, and single layers in loops: what `profile` watches. Knows no PyTorch.
//
// In: options, and where batches come from. Out: when each of the five steps of each iteration ran, and how the
// training went; when each run of a loop was, of a layer or of steps. May not know: power, files.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/profile/loader.h"

namespace heliograd {

/// The five steps of an iteration, in order. To Device copies images and labels; Backward ends when the gradients are
/// there; Optimizer is the step of SGD with momentum and, within it, the setting of all gradients to none.
inline constexpr std::array<const char*, 5> kTrainingSteps = {"To Device", "Forward", "Loss", "Backward", "Optimizer"};
inline constexpr int kRestStep = -1;

struct StepSpan {
  int step = 0;  // of kTrainingSteps, or kRestStep
  int64_t begin_ns = 0, end_ns = 0;
};

struct TrainingProgress {
  int64_t iterations = 0;
  double loss = 0;      // mean over the iterations since the last call
  double accuracy = 0;  // the same, 0 to 1
};

/// Time of one operator on the host, over a few iterations.
struct OperatorTime {
  std::string name;  // "aten::conv2d"
  bool backward = false;
  int64_t calls = 0;
  double seconds = 0;
};

/// SGD with momentum on the cross entropy; auxiliary heads count 0.3 each (Szegedy et al., "Going Deeper with
/// Convolutions", CVPR 2015, section 5).
struct TrainingOptions {
  std::string device = "cpu";  // "cpu", "cuda", "cuda:1"
  bool synchronise = false;  // each step ends when the device has done it; else events mark it, which nothing waits for
  double dither = 0.05;      // mean random rest after an iteration, relative to it; 0 = none
  int64_t warm_up = 1;       // iterations that are not told
  int64_t most_iterations = 0;  // told ones; 0 = until `goes_on` says no
  double learning_rate = 0.01, momentum = 0.9;
  uint64_t seed = 1;  // of the initial parameters and the rests
  /// So many iterations more, not told, in which the host's time of each operator is added up.
  int64_t operator_iterations = 0;
  std::function<int64_t()> now_ns;
  std::function<Result<void>(Batch&)> next_batch;
  /// Called with the steps of one or more whole iterations, in order of time.
  std::function<void(const StepSpan&)> on_span;
  /// Called after them; training ends where it says false.
  std::function<bool(const TrainingProgress&)> goes_on;
  /// Ctrl-C: asked between iterations that are not told.
  std::function<bool()> is_interrupted;
};

struct TrainingOutcome {
  int64_t iterations = 0;               // told ones
  int threads = 0;                      // of the CPU
  std::vector<OperatorTime> operators;  // of all watched iterations together, most time first
  int64_t operator_iterations = 0;      // that were watched
};

/// What runs in a loop: one layer, or with kWholeNetwork all of them, in one direction.
inline constexpr int kWholeNetwork = -1;
struct LoopItem {
  int layer = kWholeNetwork;
  bool backward = false;
};

/// Repetitions back to back, the device waited for at both ends.
struct LoopRun {
  int64_t begin_ns = 0, end_ns = 0;
  int64_t repetitions = 0;
};

struct LoopOptions {
  double seconds = 5;
  uint64_t seed = 1;  // of the pauses' lengths
  std::function<int64_t()> now_ns;
  std::function<void(const LoopRun&)> on_run;
  std::function<bool()> goes_on;
};

/// What a loop over steps of a training repeats: one step, or two or three in a row, of which the last is then the
/// difference.
enum class LoopedSteps { kToDevice, kForward, kForwardLoss, kForwardLossBackward, kOptimizer };

struct StepLoopOptions {
  int64_t batch = 128;
  double momentum = 0.9;
  uint64_t seed = 1;  // of the parameters
};

/// Steps of a training in loops, on a network of their own that no loop changes. One thread at a time.
class StepLoops {
 public:
  virtual ~StepLoops() = default;
  /// As LayerLoops::Loop.
  virtual Result<void> Loop(LoopedSteps steps, const LoopOptions& options) = 0;
};

/// Layers of one network, each with random input of its own. One thread at a time.
class LayerLoops {
 public:
  virtual ~LayerLoops() = default;
  /// False where the item does no work: a view of its input, or nothing that a gradient goes to.
  virtual bool DoesWork(const LoopItem& item) const = 0;
  /// Runs of 50 to 250 ms with pauses of 0 to 10 ms between them, until the time is over.
  virtual Result<void> Loop(const LoopItem& item, const LoopOptions& options) = 0;
};

}  // namespace heliograd
