#include "heliograd/model/power_sensor.h"

#include <algorithm>
#include <cmath>

namespace heliograd {
namespace {

double Quantised(double value, double quantum) { return quantum > 0 ? quantum * std::round(value / quantum) : value; }

/// Keeps what changed, at the first poll after the change.
class ChangeRecorder {
 public:
  explicit ChangeRecorder(std::vector<PolledValue>& changes) : changes_(changes) {}

  void Add(double poll_s, double value) {
    if (!changes_.empty() && changes_.back().value == value) return;
    // A second update before the same poll hides the first.
    if (!changes_.empty() && changes_.back().time_s == poll_s) changes_.pop_back();
    changes_.push_back({poll_s, value});
  }

 private:
  std::vector<PolledValue>& changes_;
};

/// The times of the polls, drawn as they are asked for.
class PollClock {
 public:
  PollClock(const Polling& polling, std::mt19937_64& random) : polling_(polling), random_(random) {
    std::uniform_real_distribution<double> phase(0, polling.period_s);
    due_s_ = phase(random_);
    Draw();
  }

  /// The first poll at or after a time; times ascend.
  double FirstFrom(double time_s) {
    while (poll_s_ < time_s) {
      const double behind = std::floor((time_s - polling_.jitter_s - due_s_) / polling_.period_s);
      due_s_ += polling_.period_s * std::max(1.0, behind);
      Draw();
    }
    return poll_s_;
  }

 private:
  void Draw() { poll_s_ = due_s_ + std::uniform_real_distribution<double>(0, polling_.jitter_s)(random_); }

  Polling polling_;
  std::mt19937_64& random_;
  double due_s_ = 0;
  double poll_s_ = 0;
};

}  // namespace

FilteredPower::FilteredPower(std::span<const PowerPiece> pieces, double low_pass_s)
    : pieces_(pieces), low_pass_s_(low_pass_s), energy_(pieces.size()), filtered_(pieces.size()) {
  double start_s = 0, energy = 0, filtered = pieces.front().power_w;
  for (size_t i = 0; i < pieces.size(); ++i) {
    energy_[i] = energy;
    filtered_[i] = filtered;
    const double length_s = pieces[i].end_s - start_s;
    const double decay = low_pass_s > 0 ? std::exp(-length_s / low_pass_s) : 0;
    energy += pieces[i].power_w * length_s;
    filtered = pieces[i].power_w + (filtered - pieces[i].power_w) * decay;
    start_s = pieces[i].end_s;
  }
}

double FilteredPower::EnergyUntil(double time_s) const {
  if (time_s <= 0) return pieces_.front().power_w * time_s;
  const auto after = std::upper_bound(pieces_.begin(), pieces_.end(), time_s,
                                      [](double time, const PowerPiece& piece) { return time < piece.end_s; });
  const size_t i = std::min(static_cast<size_t>(after - pieces_.begin()), pieces_.size() - 1);
  const double length_s = time_s - (i == 0 ? 0 : pieces_[i - 1].end_s);
  const double energy = energy_[i] + pieces_[i].power_w * length_s;
  if (low_pass_s_ <= 0) return energy;
  const double filtered = pieces_[i].power_w + (filtered_[i] - pieces_[i].power_w) * std::exp(-length_s / low_pass_s_);
  // From tau y' = P - y: the integral of y lags that of P by tau times what y rose.
  return energy - low_pass_s_ * (filtered - filtered_[0]);
}

PolledSensor PollSensor(std::span<const PowerPiece> power, const PowerSensor& sensor, const Polling& polling,
                        std::mt19937_64& random) {
  const FilteredPower filtered(power, sensor.low_pass_s);
  std::normal_distribution<double> normal;
  PollClock polls(polling, random);
  PolledSensor seen;
  ChangeRecorder readings(seen.power), counter(seen.counter);
  double last_tick_s = 0, last_energy = 0, counted = 0;
  bool first = true;
  for (long n = 0;; ++n) {
    const double tick_s =
        sensor.first_tick_s + static_cast<double>(n) * sensor.period_s + sensor.tick_jitter_s * normal(random);
    const double window_end_s = tick_s - sensor.lag_s;
    const double poll_s = polls.FirstFrom(tick_s);
    if (poll_s > power.back().end_s) break;
    const double energy = filtered.EnergyUntil(window_end_s);
    const bool contiguous = sensor.window_s <= 0;
    const double window_s = contiguous ? tick_s - last_tick_s : sensor.window_s;
    const double mean_w =
        (energy - (contiguous ? last_energy : filtered.EnergyUntil(window_end_s - window_s))) / window_s;
    const double shown_w = sensor.gain * mean_w + sensor.offset_w + sensor.noise_w * normal(random);
    const bool whole = contiguous ? !first : window_end_s >= window_s;
    if (whole) readings.Add(poll_s, Quantised(shown_w, sensor.quantum_w));
    if (sensor.counter == CounterKind::kTrue) {
      counted = sensor.gain * energy + sensor.offset_w * window_end_s;
    } else if (!first) {
      counted += shown_w * (tick_s - last_tick_s);
    }
    if (sensor.counter != CounterKind::kAbsent) counter.Add(poll_s, Quantised(counted, sensor.counter_quantum_j));
    last_tick_s = tick_s;
    last_energy = energy;
    first = false;
  }
  return seen;
}

}  // namespace heliograd
