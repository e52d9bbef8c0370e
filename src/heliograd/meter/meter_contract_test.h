// What every PowerMeter must do. A meter's own test names it once:
//
//   INSTANTIATE_TEST_SUITE_P(Rapl, MeterContract, testing::Values(MeterUnderTest{.name = "rapl", ...}), MeterName);
//
// The tests are in meter_contract_test.cc. They know a source only as a world that can be moved from one moment to the
// next: what it shows, when it is silent, when its device is gone.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "heliograd/meter/meter.h"

namespace heliograd {

/// What a source shows for a while.
struct Moment {
  enum class State { kShows, kSilent, kGone } state = State::kShows;
  int64_t power_mw = 0;   // of every power channel
  int64_t energy_uj = 0;  // of the counter; a multiple of 1000, the coarsest resolution of any source
};

/// A source whose moments a test can play.
class MeterWorld {
 public:
  virtual ~MeterWorld() = default;
  /// Moves to the moment. Sources that tell no loss are never asked for kGone.
  virtual void GoTo(size_t moment) = 0;
  /// Leaves one channel out, as a device that has not got it. Before Open.
  virtual void Withhold(ChannelKind kind) = 0;
  virtual Result<std::unique_ptr<PowerMeter>> Open() = 0;
};

/// A meter and what its source can do; a test of something it cannot is skipped.
struct MeterUnderTest {
  std::string name;
  std::function<std::unique_ptr<MeterWorld>(const std::vector<Moment>&)> make;
  std::vector<ChannelKind> channels;  // what the source offers, in the meter's order
  std::string source;                 // DeviceRecord::source
  bool can_be_lost = true;            // its device can go away
  bool tells_loss = true;             // and reading says so
  bool has_stamps = false;            // readings carry the driver's own time
  std::vector<int> codes;             // that it may return
};

inline std::string MeterName(const testing::TestParamInfo<MeterUnderTest>& info) { return info.param.name; }
inline void PrintTo(const MeterUnderTest& meter, std::ostream* out) { *out << meter.name; }

class MeterContract : public testing::TestWithParam<MeterUnderTest> {
 protected:
  /// Opens a meter on a world of these moments, at the first one.
  void Open(std::vector<Moment> moments);
  /// One poll into places that hold something else before.
  std::vector<ChannelReading> Read();
  /// Every channel has a value, and power and energy are those of the moment.
  void ExpectMoment(const std::vector<ChannelReading>& readings, size_t moment) const;

  std::vector<Moment> moments_;
  std::unique_ptr<MeterWorld> world_;
  std::unique_ptr<PowerMeter> meter_;
};

}  // namespace heliograd
