#include "heliograd/profile/torch/back_to_back.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <thread>

namespace heliograd {
namespace {

constexpr double kShortestRunS = 0.05, kLongestRunS = 0.25, kLongestPauseS = 0.01;

double SecondsOf(const std::function<void()>& repetition, int count, c10::Device device, const LoopOptions& options) {
  WaitForDevice(device);
  const int64_t begin_ns = options.now_ns();
  for (int i = 0; i < count; ++i) repetition();
  WaitForDevice(device);
  return 1e-9 * static_cast<double>(std::max<int64_t>(1, options.now_ns() - begin_ns));
}

}  // namespace

void WaitForDevice(c10::Device device) {
  if (!device.is_cpu()) c10::impl::getDeviceGuardImpl(device.type())->synchronizeDevice(device.index());
}

Result<void> RunBackToBack(const std::function<void()>& repetition, c10::Device device, const LoopOptions& options) {
  std::mt19937_64 random(options.seed);
  repetition();  // chooses algorithms, fills caches
  const double once_s = SecondsOf(repetition, 2, device, options) / 2;
  const int64_t until_ns = options.now_ns() + static_cast<int64_t>(1e9 * options.seconds);
  while (options.now_ns() < until_ns && options.goes_on()) {
    const double length_s = std::uniform_real_distribution<double>(kShortestRunS, kLongestRunS)(random);
    const auto count = std::max<int64_t>(1, std::llround(length_s / once_s));
    LoopRun run;
    run.repetitions = count;
    run.begin_ns = options.now_ns();
    for (int64_t i = 0; i < count; ++i) repetition();
    WaitForDevice(device);
    run.end_ns = options.now_ns();
    options.on_run(run);
    std::this_thread::sleep_for(
        std::chrono::duration<double>(std::uniform_real_distribution<double>(0, kLongestPauseS)(random)));
  }
  return {};
}

}  // namespace heliograd
