#include "heliograd/base/clock.h"

#include <thread>

namespace heliograd {
namespace {

class MachineClock : public Clock {
 public:
  Stamp Now() const override { return std::chrono::system_clock::now(); }
  void SleepUntil(Stamp stamp) override { std::this_thread::sleep_until(stamp); }
};

}  // namespace

Clock& SystemClock() {
  static MachineClock clock;
  return clock;
}

}  // namespace heliograd
