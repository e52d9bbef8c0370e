#include "heliograd/base/clock.h"

#include <cerrno>
#include <ctime>
#include <thread>

namespace heliograd {
namespace {

class MachineClock : public Clock {
 public:
  Stamp Now() const override { return std::chrono::system_clock::now(); }
  void SleepUntil(Stamp stamp) override { std::this_thread::sleep_until(stamp); }
};

std::chrono::nanoseconds Read(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

class MonotonicClock : public Clock {
 public:
  Stamp Now() const override { return Stamp(Read(CLOCK_MONOTONIC) + offset_); }

  // An absolute deadline, so that the time a caller spends between sleeps does not add up.
  void SleepUntil(Stamp stamp) override {
    const std::chrono::nanoseconds deadline = stamp.time_since_epoch() - offset_;
    const timespec until = {static_cast<time_t>(deadline.count() / 1'000'000'000),
                            static_cast<long>(deadline.count() % 1'000'000'000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
    }
  }

 private:
  std::chrono::nanoseconds offset_ = Read(CLOCK_REALTIME) - Read(CLOCK_MONOTONIC);
};

}  // namespace

Clock& SteadyClock() {
  static MonotonicClock clock;
  return clock;
}

Clock& SystemClock() {
  static MachineClock clock;
  return clock;
}

}  // namespace heliograd
