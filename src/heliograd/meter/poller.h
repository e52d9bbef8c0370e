// Polls meters and turns their answers into samples and gaps. One thread at a time; the sampler gives it one.
//
// Every change of a value is kept, with one exception: the capped time, a counter that moves at every poll while the
// power limit binds, is kept at most ten times a second. A difference of it is then exact to 0.1 s at either end.
//
// A sensor that puts out a value every 100 ms has nothing new for most of them. Once its rhythm is known a device is
// left alone until shortly before its next value may come; polls near that are as dense as ever, so that changes get
// the same stamps. Calls to a driver cost the host's processor time, which belongs to the training.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "heliograd/base/clock.h"
#include "heliograd/meter/meter.h"
#include "heliograd/trace/run_store.h"

namespace heliograd {

/// A channel without a value for longer than this has a gap; shorter silences are the debouncing of answers that
/// drivers give wrongly when they are polled fast.
inline constexpr std::chrono::milliseconds kSilenceThatIsAGap{100};

/// Whether devices are left alone between the values they put out.
enum class PollRest { kNever, kBetweenValues };

class Poller {
 public:
  /// The clock must outlive the poller.
  Poller(std::vector<std::unique_ptr<PowerMeter>> meters, Clock& clock, PollRest rest = PollRest::kNever);

  std::vector<DeviceRecord> Devices() const;
  /// One per device and kind; samples and gaps name them by index.
  const std::vector<ChannelRecord>& Channels() const { return channels_; }

  /// Asks every meter that does not rest. The stamp of a reading is the middle of its call. A device that is lost is
  /// asked for again once a second.
  void Poll();
  /// Asks every meter, resting or not.
  void PollAll();
  /// When the first meter's rest ends: no poll before then asks anything. 0 = one does not rest.
  int64_t RestUntil() const;
  /// The last value of each channel, for a live display.
  const std::vector<ChannelReading>& Latest() const { return latest_; }

  /// What was recorded since the last Take. Values that merely go on are handed over every 10 s, or with `everything`.
  RunBatch Take(bool everything);

 private:
  struct ChannelState {
    std::vector<Sample> samples;  // not yet taken; the last one may go on
    int64_t last_value_ns = 0;    // the last poll that gave a value; 0 before the first
    int failures = 0;             // polls without a value since then
    std::string failure;          // why the last of them gave none
    bool only_goes_on = false;    // `samples` is one that was handed over already and did not change since
    // The rhythm of its changes.
    int64_t last_change_ns = 0;  // 0 before the first
    int64_t sum_ns = 0;          // of the times between changes that were one update apart
    int64_t updates = 0;         // how many these are
    int64_t needed = 16;         // before the rhythm is trusted; more after each disappointment
  };

  void PollMeter(size_t meter);
  void Record(size_t channel, const ChannelReading& reading, int64_t now_ns, const PowerMeter& meter);
  void NoteGap(size_t channel, int64_t now_ns, std::string reason);
  void LearnRhythm(ChannelState& state, int64_t now_ns, bool after_rest);
  int64_t RestOf(size_t meter, int64_t now_ns) const;

  std::vector<std::unique_ptr<PowerMeter>> meters_;
  Clock& clock_;
  std::vector<ChannelRecord> channels_;
  std::vector<size_t> first_channel_;   // of each meter
  std::vector<int64_t> ask_again_ns_;   // of each meter: when a lost device is asked for again; 0 = it is there
  std::vector<int64_t> rest_until_ns_;  // of each meter; 0 = it does not rest
  PollRest rest_;
  std::vector<ChannelReading> latest_;
  std::vector<ChannelState> states_;
  std::vector<Gap> gaps_;
};

}  // namespace heliograd
