// The passing of time as something that can be handed in, so that tests need not wait.
#pragma once

#include "heliograd/base/time.h"

namespace heliograd {

/// Tells the time and sleeps. Implementations are safe from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Stamp Now() const = 0;
  virtual void SleepUntil(Stamp stamp) = 0;
};

/// The machine's clock. One instance for the whole program.
Clock& SystemClock();

/// The machine's clock as it was when this was first called, then monotonic: it never jumps, whatever is done to the
/// machine's time. For measuring. One instance for the whole program.
Clock& SteadyClock();

/// A clock that stands still until it is told to move; sleeping moves it. For tests.
class ManualClock : public Clock {
 public:
  explicit ManualClock(Stamp now) : now_(now) {}
  Stamp Now() const override { return now_; }
  void SleepUntil(Stamp stamp) override { now_ = std::max(now_, stamp); }

 private:
  Stamp now_;
};

}  // namespace heliograd
