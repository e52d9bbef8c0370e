#include "heliograd/meter/poller.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace heliograd {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kHandOverAfter = 10 * kSecond;
constexpr int64_t kCappedTimeEvery = kSecond / 10;
constexpr int64_t kUpdatesInARow = 8;               // that may change no value before every poll is asked again
constexpr int64_t kLongestRest = 3 * kSecond / 40;  // below the silence that is a gap

constexpr int64_t kPrompt = kSecond / 200;  // after the end of a rest

/// Channels whose values come in the sensor's rhythm, and whose changes must be seen when they come.
bool HasRhythm(ChannelKind kind) {
  return kind == ChannelKind::kPowerInstant || kind == ChannelKind::kPowerAverage || kind == ChannelKind::kEnergy;
}

bool IsCounter(ChannelKind kind) { return kind == ChannelKind::kEnergy || kind == ChannelKind::kCappedTime; }

std::string InSeconds(int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(ns) / 1e9);
  return text;
}

}  // namespace

Poller::Poller(std::vector<std::unique_ptr<PowerMeter>> meters, Clock& clock, PollRest rest)
    : meters_(std::move(meters)),
      clock_(clock),
      ask_again_ns_(meters_.size(), 0),
      rest_until_ns_(meters_.size(), 0),
      rest_(rest) {
  for (size_t i = 0; i < meters_.size(); ++i) {
    first_channel_.push_back(channels_.size());
    for (ChannelKind kind : meters_[i]->Channels()) channels_.push_back({static_cast<int>(i), kind});
  }
  latest_.resize(channels_.size());
  states_.resize(channels_.size());
}

std::vector<DeviceRecord> Poller::Devices() const {
  std::vector<DeviceRecord> devices;
  for (const auto& meter : meters_) devices.push_back(meter->Device());
  return devices;
}

void Poller::Poll() {
  const int64_t now_ns = clock_.Now().time_since_epoch().count();
  for (size_t i = 0; i < meters_.size(); ++i) {
    if (now_ns >= rest_until_ns_[i]) PollMeter(i);
  }
}

void Poller::PollAll() {
  for (size_t i = 0; i < meters_.size(); ++i) PollMeter(i);
}

int64_t Poller::RestUntil() const {
  return rest_until_ns_.empty() ? 0 : *std::min_element(rest_until_ns_.begin(), rest_until_ns_.end());
}

void Poller::PollMeter(size_t meter) {
  PowerMeter& source = *meters_[meter];
  const int64_t before_ns = clock_.Now().time_since_epoch().count();
  if (ask_again_ns_[meter] != 0) {
    if (before_ns < ask_again_ns_[meter]) return;
    if (!source.Reopen()) {
      ask_again_ns_[meter] = before_ns + kSecond;
      return;
    }
    ask_again_ns_[meter] = 0;
  }
  const std::span<ChannelReading> readings(latest_.data() + first_channel_[meter], source.Channels().size());
  source.Read(readings);
  const int64_t after_ns = clock_.Now().time_since_epoch().count();
  const int64_t middle_ns = before_ns + (after_ns - before_ns) / 2;
  for (size_t i = 0; i < readings.size(); ++i) {
    Record(first_channel_[meter] + i, readings[i], middle_ns, source);
    if (readings[i].state == ReadingState::kLost) ask_again_ns_[meter] = after_ns + kSecond;
  }
  rest_until_ns_[meter] = rest_ == PollRest::kBetweenValues ? RestOf(meter, after_ns) : 0;
}

/// Until the first channel's next value may come; 0 where that may be now, a rhythm is not known, or a channel gives
/// none.
int64_t Poller::RestOf(size_t meter, int64_t now_ns) const {
  int64_t until_ns = now_ns + kLongestRest;
  for (size_t i = first_channel_[meter]; i < channels_.size() && channels_[i].device == static_cast<int>(meter); ++i) {
    const ChannelState& state = states_[i];
    if (state.failures > 0) return 0;
    if (!HasRhythm(channels_[i].kind)) continue;
    if (state.updates < state.needed) return 0;
    // Updates are looked for from an eighth of the period before to an eighth after each multiple of it.
    const int64_t period_ns = state.sum_ns / state.updates, eighth_ns = period_ns / 8;
    const int64_t next = std::max<int64_t>((now_ns - state.last_change_ns - eighth_ns) / period_ns + 1, 1);
    if (next > kUpdatesInARow) return 0;
    until_ns = std::min(until_ns, state.last_change_ns + next * period_ns - eighth_ns);
  }
  return until_ns > now_ns ? until_ns : 0;
}

/// A change that the first poll after a rest sees came during it: the rhythm is not what it seemed.
void Poller::LearnRhythm(ChannelState& state, int64_t now_ns, bool after_rest) {
  const int64_t since_ns = now_ns - std::exchange(state.last_change_ns, now_ns);
  if (after_rest) {
    state.needed *= 2;
    state.updates = state.sum_ns = 0;
    return;
  }
  if (since_ns == now_ns) return;  // the first change
  const int64_t period_ns = state.updates > 0 ? state.sum_ns / state.updates : since_ns;
  if (since_ns > period_ns * 3 / 2) return;                        // updates in between changed nothing
  if (since_ns < period_ns / 2) state.updates = state.sum_ns = 0;  // so far these were several updates each
  state.sum_ns += since_ns;
  ++state.updates;
}

void Poller::Record(size_t channel, const ChannelReading& reading, int64_t now_ns, const PowerMeter& meter) {
  ChannelState& state = states_[channel];
  if (reading.state != ReadingState::kValue) {
    // A name is made once per silence: this runs at every poll.
    if (state.failures++ == 0) state.failure = reading.code == 0 ? "it gave no value" : meter.CodeName(reading.code);
    return;
  }
  const int64_t rest_until_ns = rest_until_ns_[static_cast<size_t>(channels_[channel].device)];
  bool after_gap = false;
  // While the device was left alone nobody asked: that is no silence.
  const int64_t asked_ns = std::max(state.last_value_ns, rest_until_ns);
  if (state.last_value_ns != 0 && now_ns - asked_ns > kSilenceThatIsAGap / std::chrono::nanoseconds(1)) {
    const std::string silence = InSeconds(now_ns - state.last_value_ns);
    NoteGap(channel, now_ns,
            state.failures > 0
                ? state.failure + " for " + silence
                : "no answer for " + silence + ": the driver's call blocked, or the machine stood still");
    after_gap = true;
  }
  const bool went_back = !state.samples.empty() && reading.value < state.samples.back().value;
  if (!after_gap && went_back && IsCounter(channels_[channel].kind)) {
    NoteGap(channel, now_ns, "the counter went back: the driver was loaded again");
    after_gap = true;
  }
  const size_t count = state.samples.size();
  // While the limit binds this counter moves at every poll, and would fill four fifths of the store.
  const bool is_thinned = channels_[channel].kind == ChannelKind::kCappedTime && !after_gap && count > 0 &&
                          now_ns - state.samples.back().first_ns < kCappedTimeEvery;
  if (is_thinned && reading.value != state.samples.back().value) {
    state.last_value_ns = now_ns;
    state.failures = 0;
    return;
  }
  AppendReading(state.samples, now_ns, reading.driver_us, reading.value, after_gap);
  if (state.samples.size() != count) {
    state.only_goes_on = false;
    if (rest_until_ns != 0 && now_ns - rest_until_ns > kPrompt) {
      state.last_change_ns = 0;  // the poll was late, as on a busy machine: when this came is not known, nor the next
    } else if (count > 0) {
      LearnRhythm(state, now_ns, rest_until_ns != 0);
    }
  }
  state.last_value_ns = now_ns;
  state.failures = 0;
}

void Poller::NoteGap(size_t channel, int64_t now_ns, std::string reason) {
  gaps_.push_back({static_cast<int>(channel), states_[channel].last_value_ns, now_ns, std::move(reason)});
}

RunBatch Poller::Take(bool everything) {
  RunBatch batch;
  for (size_t i = 0; i < states_.size(); ++i) {
    ChannelState& state = states_[i];
    if (state.samples.empty()) continue;
    const Sample& last = state.samples.back();
    if (state.only_goes_on && !everything && last.last_ns - last.first_ns < kHandOverAfter) continue;
    // The last value may go on: its rest starts where this part ends and is no change.
    const Sample rest = {last.last_ns, last.last_ns, last.driver_us, last.value, false};
    batch.samples.emplace_back(static_cast<int>(i), std::move(state.samples));
    state.samples = {rest};
    state.only_goes_on = true;
  }
  batch.gaps.swap(gaps_);
  return batch;
}

}  // namespace heliograd
