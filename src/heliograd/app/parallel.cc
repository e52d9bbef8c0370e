#include "heliograd/app/parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "heliograd/app/interrupt.h"

namespace heliograd {

void ParallelFor(size_t count, const std::function<void(size_t)>& work, const std::function<void(size_t)>& progress) {
  std::atomic<size_t> next{0}, done{0};
  std::mutex mutex;
  std::condition_variable changed;
  size_t running = std::min<size_t>(count, std::max(1u, std::thread::hardware_concurrency()));
  const auto take_turns = [&] {
    for (size_t i = next++; i < count && !Interrupted(); i = next++) work(i), ++done;
    const std::lock_guard lock(mutex);
    --running;
    changed.notify_all();
  };
  std::vector<std::thread> threads;
  for (size_t t = running; t > 0; --t) threads.emplace_back(take_turns);
  {
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, std::chrono::milliseconds(200), [&] { return running == 0; })) {
      if (progress) progress(done);
    }
  }
  for (std::thread& thread : threads) thread.join();
  if (progress) progress(done);
}

}  // namespace heliograd
