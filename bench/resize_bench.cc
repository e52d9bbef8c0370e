// Resizing as a contender: a batch of 128 images of 3x32x32 bytes to normalised 3x224x224 floats, on one thread.
//
//   resize_bench           answers requests (contender.h); a request is how many batches to make
//   resize_bench --fill    the same, but only fills as much memory with one value: no resizing can be faster than that
//
// What the arithmetic demands of an image: 602,112 bytes written, 3,072 read, 451,584 operations to blend rows and
// 64,512 to stretch the 96 rows of the input: 0.86 operations a byte, so memory is the bound, not arithmetic.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <random>
#include <span>

#include "bench/contender.h"
#include "heliograd/base/text.h"
#include "heliograd/profile/dataset_cifar.h"
#include "heliograd/profile/resize.h"

namespace heliograd::bench {
namespace {

using nlohmann::json;

constexpr size_t kBatch = 128, kSide = 32, kTo = 224, kChannels = 3;
constexpr size_t kImageBytes = kChannels * kSide * kSide, kImageValues = kChannels * kTo * kTo;
constexpr long kMostBatches = 10000;

class Batches {
 public:
  Batches() : resizer_(kChannels, kSide, kSide, kTo, kTo, CifarInfo().normalisation) {
    std::mt19937 random(1);
    for (uint8_t& pixel : pixels_) pixel = static_cast<uint8_t>(random());
  }
  void Resize() {
    for (size_t i = 0; i < kBatch; ++i) {
      const ImageView image{kChannels, kSide, kSide, pixels_.data() + i * kImageBytes};
      resizer_.Resize(image, values_.data() + i * kImageValues, scratch_);
    }
  }
  void Fill() { std::fill(values_.begin(), values_.end(), values_.front() + 1); }
  float Checksum() const { return values_[12345] + values_[kBatch * kImageValues - 1]; }

 private:
  Resizer resizer_;
  std::vector<uint8_t> pixels_ = std::vector<uint8_t>(kBatch * kImageBytes);
  std::vector<float> values_ = std::vector<float>(kBatch * kImageValues), scratch_;
};

Result<json> Time(Batches& batches, bool fill, const std::string& request) {
  const auto count = ParseInteger(request);
  if (!count || *count < 1 || *count > kMostBatches) {
    return Fail(fmt::format("request {}: expected how many batches to make, 1 to {}", Quoted(request), kMostBatches));
  }
  json times_ms = json::array(), cpu_times_ms = json::array();
  for (long i = 0; i < *count; ++i) {
    const Stopwatch watch;
    fill ? batches.Fill() : batches.Resize();
    times_ms.push_back(watch.ElapsedMs());
    cpu_times_ms.push_back(watch.ElapsedCpuMs());
  }
  return json{{"times_ms", times_ms}, {"cpu_times_ms", cpu_times_ms}, {"checksum", batches.Checksum()}};
}

int Main(const std::vector<std::string>& arguments) {
  const bool fill = arguments.size() == 1 && arguments[0] == "--fill";
  if (!fill && !arguments.empty()) {
    std::cerr << "usage: resize_bench [--fill]\n";
    return 2;
  }
  Batches batches;
  return AnswerRequests(fill ? "filling the memory" : "heliograd",
                        [&](const std::string& request) { return Time(batches, fill, request); });
}

}  // namespace
}  // namespace heliograd::bench

int main(int count, char** arguments) {
  return heliograd::bench::Main(std::vector<std::string>(arguments + 1, arguments + count));
}
