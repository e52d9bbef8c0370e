// The sampler: one thread that polls at a steady pace.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

#include "heliograd/base/result.h"
#include "heliograd/meter/poller.h"

namespace heliograd {

struct SamplerOptions {
  std::chrono::nanoseconds period = std::chrono::milliseconds(2);
  std::optional<int> cpu;  // the processor the thread stays on
  PollRest rest = PollRest::kBetweenValues;
};

/// How well the sampler kept its pace.
struct SamplerFigures {
  int64_t polls = 0;
  int64_t skipped = 0;                      // deadlines that had passed before the poll before them was done
  int64_t rested = 0;                       // deadlines left out because no device could have a new value
  int64_t slow_polls = 0;                   // polls that took longer than the period
  std::chrono::nanoseconds median_late{0};  // wake-up against deadline
  std::chrono::nanoseconds p99_late{0};
  std::chrono::nanoseconds most_late{0};
  std::chrono::nanoseconds longest_poll{0};
  std::chrono::nanoseconds time_in_polls{0};   // wall clock inside the sources' calls
  std::chrono::nanoseconds processor_time{0};  // of the thread, calls included; up to 64 polls old
  std::chrono::nanoseconds elapsed{0};
};

/// Polls on absolute deadlines, so that no time adds up, from a thread of higher priority where the user may have one.
/// A poll that takes longer than the period makes the deadlines that passed meanwhile drop out, and is counted. Start,
/// Take, Figures and Stop may be called from any thread.
class Sampler {
 public:
  /// The clock must outlive the sampler.
  Sampler(std::vector<std::unique_ptr<PowerMeter>> meters, Clock& clock, const SamplerOptions& options);
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  std::vector<DeviceRecord> Devices() const { return poller_.Devices(); }
  const std::vector<ChannelRecord>& Channels() const { return poller_.Channels(); }

  /// Starts the thread after one first poll of its own, so that every channel that can has a value when it returns.
  /// Errors: the processor asked for does not exist.
  Result<void> Start();
  /// Ends the thread after one last poll. What was recorded stays for Take.
  void Stop();

  RunBatch Take(bool everything);
  std::vector<ChannelReading> Latest() const;
  SamplerFigures Figures() const;

 private:
  void Loop();
  void CountLateness(std::chrono::nanoseconds late);

  // Lateness in classes that grow by a quarter, from 1 us: percentiles within 25 % without keeping every value.
  static constexpr int kClasses = 96;

  mutable std::mutex mutex_;  // guards poller_ and the figures
  Poller poller_;
  Clock& clock_;
  SamplerOptions options_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
  SamplerFigures figures_;
  std::array<int64_t, kClasses> late_classes_{};
};

}  // namespace heliograd
