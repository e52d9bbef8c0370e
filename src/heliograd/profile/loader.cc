#include "heliograd/profile/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>
#include <utility>

namespace heliograd {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

Duration Since(SteadyTime start) {
  return Seconds(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

/// A number below `limit`, alike on every machine; its bias is below limit / 2^64.
size_t Below(std::mt19937_64& random, size_t limit) { return static_cast<size_t>(random() % limit); }

std::optional<std::string> WrongOption(const LoaderOptions& options) {
  constexpr size_t kMostImages = 65536, kMostAhead = 1024;
  constexpr int kMostWorkers = 256, kLongestSide = 4096;
  const auto wrong = [](const char* name, auto value, auto low, auto high) {
    return fmt::format("{} is {}: expected {} to {}", name, value, low, high);
  };
  if (options.batch_size < 1 || options.batch_size > kMostImages) {
    return wrong("batch size", options.batch_size, 1, kMostImages);
  }
  if (options.workers < 1 || options.workers > kMostWorkers) return wrong("workers", options.workers, 1, kMostWorkers);
  if (options.ahead < 1 || options.ahead > kMostAhead) return wrong("batches ahead", options.ahead, 1, kMostAhead);
  if (options.epochs < 0) return fmt::format("epochs is {}: expected 0 (no end) or more", options.epochs);
  for (const int side : {options.height, options.width}) {
    if (side < 1 || side > kLongestSide) return wrong("side of the images", side, 1, kLongestSide);
  }
  return std::nullopt;
}

}  // namespace

double LoaderRates::ImagesPerWorkerSecond() const {
  return worked > Duration() ? static_cast<double>(images_made) / InSeconds(worked) : 0;
}

double LoaderRates::ImagesPerSecond() const {
  return elapsed > Duration() ? static_cast<double>(images) / InSeconds(elapsed) : 0;
}

Result<std::unique_ptr<Loader>> Loader::Start(std::shared_ptr<const Dataset> dataset, LoaderOptions options) {
  if (const auto wrong = WrongOption(options)) return Fail(*wrong + ".", ErrorKind::kUsage);
  if (dataset->size() == 0) return Fail(fmt::format("{}: the data set holds no image.", dataset->info().name));
  if (options.drop_last && dataset->size() < options.batch_size) {
    return Fail(
        fmt::format("{}: {} images are less than one batch of {}, and smaller batches are to be left out: take a "
                    "smaller batch.",
                    dataset->info().name, dataset->size(), options.batch_size),
        ErrorKind::kUsage);
  }
  std::unique_ptr<Loader> loader(new Loader(std::move(dataset), std::move(options)));
  for (const Slot& slot : loader->slots_) {
    if (!slot.pixels) {
      return Fail(fmt::format("there is no memory for {} batches of {} images.", loader->slots_.size(),
                              loader->options_.batch_size));
    }
  }
  for (int i = 0; i < loader->options_.workers; ++i) loader->threads_.emplace_back([&own = *loader] { own.Work(); });
  return loader;
}

Loader::Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options)
    : dataset_(std::move(dataset)), options_(std::move(options)), started_(std::chrono::steady_clock::now()) {
  const size_t images = dataset_->size(), batch = options_.batch_size;
  batches_per_epoch_ = options_.drop_last ? images / batch : (images + batch - 1) / batch;
  image_values_ = static_cast<size_t>(dataset_->info().channels) * static_cast<size_t>(options_.height) *
                  static_cast<size_t>(options_.width);
  slots_.resize(options_.ahead + 1);  // and the one in use
  for (Slot& slot : slots_) {
    const size_t count = image_values_ * std::min(batch, images);
    slot.pixels =
        options_.allocate ? options_.allocate(count) : std::shared_ptr<float[]>(new (std::nothrow) float[count]);
    slot.labels.resize(std::min(batch, images));
  }
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  may_claim_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Result<bool> Loader::Next(Batch& batch) {
  const SteadyTime start = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  batch = {};
  if (released_ < delivered_) {
    slots_[released_ % slots_.size()].ready = false;
    released_ = delivered_;
    may_claim_.notify_one();
  }
  if (options_.epochs > 0 && delivered_ == batches_per_epoch_ * static_cast<size_t>(options_.epochs)) return false;
  Slot& slot = slots_[delivered_ % slots_.size()];
  is_ready_.wait(lock, [&] { return slot.ready; });
  counted_.waited += Since(start);
  if (slot.error) return Fail(*slot.error);
  batch.pixels = {slot.pixels.get(), slot.images * image_values_};
  batch.labels = {slot.labels.data(), slot.images};
  batch.channels = dataset_->info().channels;
  batch.height = options_.height;
  batch.width = options_.width;
  batch.epoch = delivered_ / batches_per_epoch_;
  batch.index = delivered_ % batches_per_epoch_;
  batch.ends_epoch = batch.index + 1 == batches_per_epoch_;
  ++delivered_;
  counted_.images += slot.images;
  return true;
}

LoaderRates Loader::rates() const {
  const std::lock_guard lock(mutex_);
  LoaderRates rates = counted_;
  rates.elapsed = Since(started_);
  return rates;
}

bool Loader::AllClaimed() const {
  return options_.epochs > 0 && claimed_ == batches_per_epoch_ * static_cast<size_t>(options_.epochs);
}

bool Loader::MayClaim() const { return claimed_ < released_ + slots_.size(); }

/// Under the lock. Batches are claimed in order, so only the current epoch's order is needed.
Loader::Order Loader::OrderOf(size_t epoch) {
  if (order_ && order_epoch_ == epoch) return order_;
  std::vector<size_t> order(dataset_->size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (options_.shuffle) {
    std::seed_seq words{options_.seed & 0xffffffff, options_.seed >> 32, static_cast<uint64_t>(epoch)};
    std::mt19937_64 random(words);
    for (size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[Below(random, i + 1)]);
  }
  order_epoch_ = epoch;
  order_ = std::make_shared<const std::vector<size_t>>(std::move(order));
  return order_;
}

void Loader::Work() {
  Workplace workplace;
  std::unique_lock lock(mutex_);
  for (;;) {
    may_claim_.wait(lock, [&] { return stop_ || AllClaimed() || MayClaim(); });
    if (stop_ || AllClaimed()) break;
    const size_t number = claimed_++;
    const Order order = OrderOf(number / batches_per_epoch_);
    const size_t first = number % batches_per_epoch_ * options_.batch_size;
    const size_t images = std::min(options_.batch_size, order->size() - first);
    Slot& slot = slots_[number % slots_.size()];
    if (MayClaim()) may_claim_.notify_one();
    lock.unlock();

    const SteadyTime start = std::chrono::steady_clock::now();
    const Result<void> done = Fill(slot, {order->data() + first, images}, workplace);
    const Duration worked = Since(start);

    lock.lock();
    counted_.worked += worked;
    counted_.images_made += slot.images;
    if (!done) slot.error = done.error();
    slot.ready = true;
    is_ready_.notify_one();
    if (!done) break;  // the batches after it are never asked for
  }
  may_claim_.notify_one();  // the next thread finds that there is nothing left to do, too
}

/// Without the lock: the slot is this thread's until it is ready.
Result<void> Loader::Fill(Slot& slot, std::span<const size_t> indices, Workplace& workplace) const {
  slot.images = 0;
  for (const size_t index : indices) {
    if (stop_) return {};
    const Result<ImageView> image = dataset_->Image(index, workplace.image);
    if (!image) return Fail(image.error());
    if (!workplace.resizer || !workplace.resizer->Fits(*image)) {
      workplace.resizer.emplace(image->channels, image->height, image->width, options_.height, options_.width,
                                dataset_->info().normalisation);
    }
    workplace.resizer->Resize(*image, slot.pixels.get() + slot.images * image_values_, workplace.row);
    slot.labels[slot.images++] = dataset_->Label(index);
  }
  return {};
}

}  // namespace heliograd
