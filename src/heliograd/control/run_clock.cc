#include "heliograd/control/run_clock.h"

#include <fmt/format.h>

#include <cmath>
#include <ctime>
#include <memory>

namespace heliograd {
namespace {

using std::chrono::nanoseconds;

nanoseconds Read(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

nanoseconds WallAhead() { return Read(CLOCK_REALTIME) - Read(CLOCK_BOOTTIME); }
nanoseconds Slept() { return Read(CLOCK_BOOTTIME) - Read(CLOCK_MONOTONIC); }

double InSeconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

/// A clock that is slewed moves by less than this between two looks.
constexpr std::chrono::seconds kLeastJump{1};

}  // namespace

SystemRunClock::SystemRunClock() : wall_ahead_(WallAhead()), slept_(Slept()) {}

Stamp SystemRunClock::Now() { return SystemClock().Now(); }

nanoseconds SystemRunClock::Passed() { return Read(CLOCK_MONOTONIC); }

std::string SystemRunClock::Irregularity() {
  const nanoseconds ahead = WallAhead(), slept = Slept();
  const nanoseconds jump = ahead - wall_ahead_, sleep = slept - slept_;
  std::string text;
  if (sleep >= kLeastJump) text = fmt::format("the machine slept for {:.0f} s", InSeconds(sleep));
  if (std::chrono::abs(jump) >= kLeastJump) {
    text += fmt::format("{}the machine's clock was set {} by {:.0f} s", text.empty() ? "" : "; ",
                        jump.count() > 0 ? "forward" : "back", std::abs(InSeconds(jump)));
  }
  // A slewed clock is followed in silence.
  wall_ahead_ = ahead;
  slept_ = slept;
  return text;
}

Result<std::unique_ptr<DriverRunClock>> DriverRunClock::Start(PowerMeter& meter, Stamp begins, int64_t origin_us) {
  std::unique_ptr<DriverRunClock> clock(new DriverRunClock(meter, begins));
  clock->readings_.resize(meter.Channels().size());
  if (!clock->Look()) {
    return Fail(meter.Device().uuid +
                    ": its driver stamps no readings, so the time cannot be taken from it: leave out "
                    "--simulated-clock",
                ErrorKind::kDevice);
  }
  clock->first_driver_us_ = clock->last_driver_us_;
  clock->first_steady_ = clock->last_steady_;
  SteadyClock().SleepUntil(SteadyClock().Now() + std::chrono::milliseconds(50));
  clock->Look();
  clock->origin_us_ = origin_us == 0 ? clock->last_driver_us_ : origin_us;
  return clock;
}

/// True when the driver told the time.
bool DriverRunClock::Look() {
  meter_.Read(readings_);
  for (const ChannelReading& reading : readings_) {
    if (reading.state != ReadingState::kValue || reading.driver_us == 0) continue;
    last_driver_us_ = reading.driver_us;
    last_steady_ = SteadyClock().Now();
    const double real_s = InSeconds(last_steady_ - first_steady_);
    if (first_driver_us_ != 0 && real_s > 0.01) {
      speed_ = static_cast<double>(last_driver_us_ - first_driver_us_) * 1e-6 / real_s;
    }
    return true;
  }
  return false;
}

Stamp DriverRunClock::Now() {
  nanoseconds since_origin = std::chrono::microseconds(last_driver_us_ - origin_us_);
  if (Look()) {
    since_origin = std::chrono::microseconds(last_driver_us_ - origin_us_);
  } else {
    since_origin += nanoseconds(std::llround(speed_ * InSeconds(SteadyClock().Now() - last_steady_) * 1e9));
  }
  return begins_ + since_origin;
}

}  // namespace heliograd
