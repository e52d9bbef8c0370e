// Batches made ready by threads while a network trains on the one before.
//
// Enters: a data set. Leaves: batches of resized, normalised images with labels, in an order that depends on the seed
// alone, not on the number of threads. Buffers are made once: batches ahead x batch size x image, 77 MB a batch of 128
// images of 3x224x224. A thread that finds no free buffer sleeps; nothing polls.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/profile/dataset.h"
#include "heliograd/profile/resize.h"

namespace heliograd {

struct LoaderOptions {
  size_t batch_size = 128;
  uint64_t seed = 0;
  bool shuffle = true;     // another order each epoch, from seed and epoch; else in the order of the data set
  int workers = 1;         // threads, 1 to 256
  size_t ahead = 2;        // batches ready or in work beside the one in use, 1 or more
  int epochs = 1;          // after which there are no more batches; 0: there is no end
  bool drop_last = false;  // leave out the last batch of an epoch where it is smaller than the others
  int height = 224, width = 224;
  /// Memory of `count` values for one batch's pixels; for memory that a GPU's driver knows. Nothing: plain memory.
  std::function<std::shared_ptr<float[]>(size_t count)> allocate;
};

/// Pixels: images x channels x height x width; labels: images. Both lie in the loader's buffers and are the caller's to
/// read and write until its next call of Next or the loader's end.
struct Batch {
  std::span<float> pixels;
  std::span<int64_t> labels;
  int channels = 0, height = 0, width = 0;
  size_t epoch = 0;  // from 0
  size_t index = 0;  // within the epoch, from 0
  bool ends_epoch = false;
  size_t images() const { return labels.size(); }
};

/// What the loader did so far; measured on a clock that never jumps.
struct LoaderRates {
  size_t images = 0;       // handed out
  Duration elapsed;        // since the start
  Duration waited;         // of that, the caller's time within Next
  size_t images_made = 0;  // by the threads, those ahead included
  Duration worked;         // of all threads together, waiting excluded
  /// What one thread makes while it works.
  double ImagesPerWorkerSecond() const;
  /// What the caller took.
  double ImagesPerSecond() const;
};

/// Next and rates are for one thread at a time each. Destruction stops the threads within an image's time.
class Loader {
 public:
  /// Starts the threads. Fails where an option is out of its range, the data set is empty, or drop_last leaves nothing.
  static Result<std::unique_ptr<Loader>> Start(std::shared_ptr<const Dataset> dataset, LoaderOptions options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch into `batch`; false after the last one. Fails where an image cannot be read, then always.
  Result<bool> Next(Batch& batch);

  size_t BatchesPerEpoch() const { return batches_per_epoch_; }
  const Dataset& dataset() const { return *dataset_; }
  LoaderRates rates() const;

 private:
  struct Slot {
    std::shared_ptr<float[]> pixels;
    std::vector<int64_t> labels;
    size_t images = 0;
    std::optional<Error> error;
    bool ready = false;
  };
  using Order = std::shared_ptr<const std::vector<size_t>>;
  /// What a thread needs for itself.
  struct Workplace {
    std::vector<uint8_t> image;
    std::vector<float> row;
    std::optional<Resizer> resizer;
  };

  Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options);
  void Work();
  bool MayClaim() const;
  bool AllClaimed() const;
  Order OrderOf(size_t epoch);
  Result<void> Fill(Slot& slot, std::span<const size_t> indices, Workplace& workplace) const;

  const std::shared_ptr<const Dataset> dataset_;
  const LoaderOptions options_;
  size_t batches_per_epoch_ = 0, image_values_ = 0;
  std::vector<Slot> slots_;  // batch k lies in slot k % slots
  std::chrono::steady_clock::time_point started_;

  mutable std::mutex mutex_;
  std::condition_variable may_claim_, is_ready_;
  std::atomic<bool> stop_ = false;  // changed under the lock; a thread also looks after each image
  size_t claimed_ = 0;              // batches that a thread has taken on
  size_t delivered_ = 0;            // batches handed out; the last of them is still in use
  size_t released_ = 0;             // batches whose buffer is free again
  size_t order_epoch_ = 0;
  Order order_;  // of order_epoch_
  LoaderRates counted_;
  std::vector<std::thread> threads_;  // last: they use all of the above
};

}  // namespace heliograd
