#include "heliograd/profile/loader.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "heliograd/profile/dataset_synthetic.h"

namespace heliograd {
namespace {

using testing::HasSubstr;

/// Image i has i in its every pixel and i as its label; one may be broken.
class CountingDataset : public Dataset {
 public:
  explicit CountingDataset(size_t size, size_t broken = SIZE_MAX) : size_(size), broken_(broken) {
    info_.name = "counting";
    info_.channels = 1;
    info_.height = info_.width = 2;
    info_.classes = 256;
    info_.normalisation = {{0.0f}, {1 / 255.0f}};
  }
  const DatasetInfo& info() const override { return info_; }
  size_t size() const override { return size_; }
  int64_t Label(size_t index) const override { return static_cast<int64_t>(index); }
  Result<ImageView> Image(size_t index, std::vector<uint8_t>& scratch) const override {
    if (index == broken_) return Fail("image is broken.");
    scratch.assign(4, static_cast<uint8_t>(index));
    return ImageView{1, 2, 2, scratch.data()};
  }

 private:
  DatasetInfo info_;
  size_t size_, broken_;
};

LoaderOptions Small(size_t batch_size, int workers) {
  LoaderOptions options;
  options.batch_size = batch_size;
  options.workers = workers;
  options.height = options.width = 3;
  return options;
}

std::unique_ptr<Loader> Started(size_t images, const LoaderOptions& options) {
  auto loader = Loader::Start(std::make_shared<CountingDataset>(images), options);
  EXPECT_TRUE(loader) << loader.error().Message();
  return std::move(*loader);
}

std::vector<std::vector<int64_t>> AllLabels(Loader& loader) {
  std::vector<std::vector<int64_t>> batches;
  Batch batch;
  while (loader.Next(batch).value()) batches.emplace_back(batch.labels.begin(), batch.labels.end());
  return batches;
}

TEST(LoaderTest, EveryImageOnceInEachEpochWithItsLabel) {
  for (const int workers : {1, 4}) {
    LoaderOptions options = Small(16, workers);
    options.epochs = 3;
    const auto loader = Started(100, options);
    EXPECT_EQ(loader->BatchesPerEpoch(), 7u);
    std::map<size_t, std::multiset<int64_t>> seen;
    Batch batch;
    size_t batches = 0;
    while (loader->Next(batch).value()) {
      EXPECT_EQ(batch.epoch, batches / 7);
      EXPECT_EQ(batch.index, batches % 7);
      EXPECT_EQ(batch.ends_epoch, batches % 7 == 6);
      EXPECT_EQ(batch.images(), batch.ends_epoch ? 4u : 16u);
      ASSERT_EQ(batch.pixels.size(), batch.images() * 9);
      for (size_t i = 0; i < batch.images(); ++i) {
        seen[batch.epoch].insert(batch.labels[i]);
        for (size_t p = 0; p < 9; ++p) EXPECT_NEAR(batch.pixels[i * 9 + p], static_cast<float>(batch.labels[i]), 1e-3);
      }
      ++batches;
    }
    EXPECT_EQ(batches, 21u);
    ASSERT_EQ(seen.size(), 3u);
    for (const auto& [epoch, labels] : seen) {
      EXPECT_EQ(labels.size(), 100u);
      EXPECT_EQ(std::set(labels.begin(), labels.end()).size(), 100u);
    }
    EXPECT_FALSE(loader->Next(batch).value());  // and stays at its end
  }
}

TEST(LoaderTest, TheOrderDependsOnTheSeedNotOnTheThreads) {
  LoaderOptions options = Small(8, 1);
  options.seed = 11;
  options.epochs = 2;
  const auto one = AllLabels(*Started(50, options));
  options.workers = 5;
  options.ahead = 7;
  EXPECT_EQ(AllLabels(*Started(50, options)), one);
  options.seed = 12;
  EXPECT_NE(AllLabels(*Started(50, options)), one);
  EXPECT_NE(one.front(), one[7]);  // the second epoch's first batch
}

// Where each image comes first is even: of 4000 epochs of 4 images each comes first in 1000 +- 137 (five deviations of
// a binomial).
TEST(LoaderTest, ShufflesEvenly) {
  LoaderOptions options = Small(4, 1);
  options.epochs = 4000;
  options.height = options.width = 1;
  std::vector<int> first(4);
  for (const auto& labels : AllLabels(*Started(4, options))) ++first[static_cast<size_t>(labels[0])];
  for (const int count : first) EXPECT_NEAR(count, 1000, 137);
}

TEST(LoaderTest, KeepsTheOrderWithoutShufflingAndDropsTheRest) {
  LoaderOptions options = Small(3, 2);
  options.shuffle = false;
  options.drop_last = true;
  const std::vector<std::vector<int64_t>> expected = {{0, 1, 2}, {3, 4, 5}};
  EXPECT_EQ(AllLabels(*Started(8, options)), expected);
}

TEST(LoaderTest, BuffersAreMadeOnceByTheCallersAllocator) {
  LoaderOptions options = Small(4, 2);
  options.ahead = 3;
  options.epochs = 10;
  int allocations = 0;
  options.allocate = [&](size_t count) {
    ++allocations;
    return std::shared_ptr<float[]>(new float[count]);
  };
  const auto loader = Started(16, options);
  std::set<const float*> places;
  Batch batch;
  while (loader->Next(batch).value()) places.insert(batch.pixels.data());
  EXPECT_EQ(allocations, 4);
  EXPECT_EQ(places.size(), 4u);
}

// The batch in use is the caller's: no thread writes into it however far the others are ahead.
TEST(LoaderTest, TheBatchInUseIsLeftAlone) {
  LoaderOptions options = Small(4, 4);
  options.epochs = 0;
  const auto loader = Started(64, options);
  Batch batch;
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(loader->Next(batch).value());
    const std::vector<float> before(batch.pixels.begin(), batch.pixels.end());
    if (i % 20 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_TRUE(std::equal(before.begin(), before.end(), batch.pixels.begin()));
  }
}

TEST(LoaderTest, StopsAtOnceThoughThreadsAreAhead) {
  for (int i = 0; i < 20; ++i) {
    LoaderOptions options = Small(4, 3);
    options.epochs = 0;
    const auto loader = Started(64, options);
    Batch batch;
    if (i % 2 == 0) {
      ASSERT_TRUE(loader->Next(batch).value());
    }
  }
}

TEST(LoaderTest, ABrokenImageIsToldInItsTurnAndFromThenOn) {
  LoaderOptions options = Small(2, 3);
  options.shuffle = false;
  auto loader = Loader::Start(std::make_shared<CountingDataset>(20, 5), options).value();
  Batch batch;
  EXPECT_TRUE(loader->Next(batch).value());
  EXPECT_TRUE(loader->Next(batch).value());
  for (int i = 0; i < 2; ++i) {
    const Result<bool> next = loader->Next(batch);
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().Message(), "image is broken.");
  }
}

TEST(LoaderTest, WrongOptionsAreNamed) {
  const auto problem = [](const LoaderOptions& options, size_t images = 10) {
    const auto loader = Loader::Start(std::make_shared<CountingDataset>(images), options);
    return loader ? "none" : loader.error().Message();
  };
  EXPECT_THAT(problem(Small(0, 1)), HasSubstr("batch size is 0: expected 1 to 65536"));
  EXPECT_THAT(problem(Small(1, 0)), HasSubstr("workers is 0"));
  EXPECT_THAT(problem(Small(1, 1), 0), HasSubstr("holds no image"));
  LoaderOptions options = Small(11, 1);
  options.drop_last = true;
  EXPECT_THAT(problem(options), HasSubstr("less than one batch of 11"));
}

TEST(LoaderTest, CountsWhatItDid) {
  LoaderOptions options = Small(16, 2);
  const auto loader = Started(40, options);
  AllLabels(*loader);
  const LoaderRates rates = loader->rates();
  EXPECT_EQ(rates.images, 40u);
  EXPECT_EQ(rates.images_made, 40u);
  EXPECT_GT(rates.ImagesPerSecond(), 0);
  EXPECT_GT(rates.ImagesPerWorkerSecond(), 0);
  EXPECT_LE(rates.waited, rates.elapsed);
}

}  // namespace
}  // namespace heliograd
