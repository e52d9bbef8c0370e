// The time of a plan that is carried out: the machine's clock, or a GPU driver's, which a simulated GPU lets pass
// faster.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heliograd/base/clock.h"
#include "heliograd/base/result.h"
#include "heliograd/meter/meter.h"

namespace heliograd {

/// One thread.
class RunClock {
 public:
  virtual ~RunClock() = default;
  /// What slots and deadlines are compared with.
  virtual Stamp Now() = 0;
  /// Run time that has passed since some start, without jumps and without the time that the machine slept.
  virtual std::chrono::nanoseconds Passed() = 0;
  /// Run seconds per real second.
  virtual double Speed() const = 0;
  /// What happened to the time since the last call, one sentence: the clock was set, the machine slept. Empty mostly.
  virtual std::string Irregularity() = 0;
};

/// The machine's clock in UTC.
class SystemRunClock : public RunClock {
 public:
  SystemRunClock();
  Stamp Now() override;
  std::chrono::nanoseconds Passed() override;
  double Speed() const override { return 1; }
  std::string Irregularity() override;

 private:
  std::chrono::nanoseconds wall_ahead_, slept_;
};

/// The clock by which the driver stamps its readings, moved so that it shows `begins` at the driver's stamp
/// `origin_us`. While the driver does not answer, the machine's monotonic clock goes on at the driver's last pace.
class DriverRunClock : public RunClock {
 public:
  /// Takes 50 ms to find the pace. `origin_us` = 0: begins now. Errors (kDevice): the driver gives no stamps.
  static Result<std::unique_ptr<DriverRunClock>> Start(PowerMeter& meter, Stamp begins, int64_t origin_us);
  Stamp Now() override;
  std::chrono::nanoseconds Passed() override { return Now() - begins_; }
  double Speed() const override { return speed_; }
  std::string Irregularity() override { return ""; }
  int64_t origin_us() const { return origin_us_; }

 private:
  DriverRunClock(PowerMeter& meter, Stamp begins) : meter_(meter), begins_(begins) {}
  bool Look();

  PowerMeter& meter_;
  std::vector<ChannelReading> readings_;
  Stamp begins_;
  int64_t origin_us_ = 0;
  int64_t first_driver_us_ = 0, last_driver_us_ = 0;
  Stamp first_steady_, last_steady_;
  double speed_ = 1;
};

}  // namespace heliograd
