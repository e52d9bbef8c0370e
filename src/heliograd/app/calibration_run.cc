#include "heliograd/app/calibration_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <random>

#include "heliograd/app/interrupt.h"
#include "heliograd/base/clock.h"
#include "heliograd/meter/sampler.h"
#include "heliograd/model/statistics.h"
#include "heliograd/model/tick_times.h"
#include "heliograd/report/channel_ticks.h"

namespace heliograd {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr double kShortestS = 0.005, kLongestS = 0.150;  // of a burst, and of a pause
constexpr double kWarmUpS = 1.5;                         // until clocks and the load's speed have settled
constexpr double kLastReadingsS = 1.6;  // a sensor that averages over a second shows the last burst in it
constexpr int kShifts = 4;
constexpr int kRepeats = 3;        // stretches of each shift
constexpr double kStretchS = 1.2;  // and at least kStretchPeriods
constexpr double kStretchPeriods = 12;
constexpr double kMostExtraDelayS = 0.0005;  // of polls, beyond half a period of theirs
constexpr double kMostLeftOut = 0.15;        // of readings that fit no tick
constexpr double kSettlePeriods = 2;         // of each stretch, whose counter ticks may see the stretch before

int64_t NowNs() { return SteadyClock().Now().time_since_epoch().count(); }
void SleepUntilNs(int64_t at_ns) { SteadyClock().SleepUntil(Stamp(nanoseconds(at_ns))); }
nanoseconds FromSeconds(double seconds) { return nanoseconds(std::llround(seconds * 1e9)); }

/// The part of a tick record within a stretch of time.
struct Stretch {
  int shift = 0;
  double begin_s = 0, end_s = 0;
};

/// Notes when a meter is polled. Read runs in the sampler's thread.
class PollStamps : public PowerMeter {
 public:
  explicit PollStamps(std::unique_ptr<PowerMeter> meter) : meter_(std::move(meter)) {}

  const DeviceRecord& Device() const override { return meter_->Device(); }
  const std::vector<ChannelKind>& Channels() const override { return meter_->Channels(); }
  std::string CodeName(int code) const override { return meter_->CodeName(code); }
  bool Reopen() override { return meter_->Reopen(); }
  void Read(std::span<ChannelReading> readings) override {
    const int64_t before_ns = NowNs();
    meter_->Read(readings);
    const std::lock_guard lock(mutex_);
    stamps_ns_.push_back((before_ns + NowNs()) / 2);
  }

  /// How much later than half a poll a change is seen on the average, because a busy machine polls unevenly: a change
  /// falls into a long gap more often than into a short one. Ticks seen later than kLatestKept polls leave the fit.
  double ExtraDelay(double poll_s) const {
    constexpr double kLatestKept = 2.5;
    const std::lock_guard lock(mutex_);
    double sum_s = 0, squares_s2 = 0;
    for (size_t i = 1; i < stamps_ns_.size(); ++i) {
      const double gap_s =
          std::min(static_cast<double>(stamps_ns_[i] - stamps_ns_[i - 1]) * 1e-9, kLatestKept * poll_s);
      sum_s += gap_s;
      squares_s2 += gap_s * gap_s;
    }
    return sum_s > 0 ? squares_s2 / (2 * sum_s) - poll_s / 2 : 0;
  }

 private:
  std::unique_ptr<PowerMeter> meter_;
  mutable std::mutex mutex_;
  std::vector<int64_t> stamps_ns_;
};

/// The uncertainty that is common to all ticks is one of the lag.
SensorCalibration WithShift(SensorCalibration sensor, double shift_sd_s) {
  SensorTiming& timing = sensor.timing;
  const double lag_sd_s = std::hypot(timing.lag_sd_s, shift_sd_s);
  timing.lag_low_pass_correlation *= timing.lag_sd_s / lag_sd_s;
  timing.lag_sd_s = lag_sd_s;
  sensor.delay_sd_s = std::hypot(sensor.delay_sd_s, shift_sd_s);
  return sensor;
}

class Run {
 public:
  Run(std::unique_ptr<PowerMeter> meter, BurstLoad& load, const CalibrationOptions& options)
      : device_(meter->Device()), load_(load), options_(options) {
    auto stamped = std::make_unique<PollStamps>(std::move(meter));
    polls_ = stamped.get();
    std::vector<std::unique_ptr<PowerMeter>> meters;
    meters.push_back(std::move(stamped));
    sampler_ =
        std::make_unique<Sampler>(std::move(meters), SteadyClock(), SamplerOptions{options.poll, {}, PollRest::kNever});
    for (const ChannelRecord& channel : sampler_->Channels()) series_.push_back({channel.kind, {}});
    zero_ns_ = NowNs();
  }

  Result<DeviceCalibration> Go() {
    const ChannelKind power_kind =
        Has(ChannelKind::kPowerInstant) ? ChannelKind::kPowerInstant : ChannelKind::kPowerAverage;
    if (!Has(power_kind)) {
      return Fail(device_.name + " gives no power readings: there is no sensor to calibrate", ErrorKind::kDevice);
    }
    if (Result<void> started = sampler_->Start(); !started) return Fail(started.error());
    if (Result<void> done = RandomBursts("warming up", kWarmUpS); !done) return Fail(done.error());
    if (Result<void> same = CheckClock(); !same) return Fail(same.error());
    bursts_.clear();
    if (Result<void> done = RandomBursts("bursts at random", InSeconds(options_.bursts)); !done) {
      return Fail(done.error());
    }
    SleepUntilNs(NowNs() + FromSeconds(kLastReadingsS).count());

    Result<TickTimes> power = Ticks(power_kind);
    if (!power) return Fail(About(power.error()));
    if (Result<void> calm = CheckPace(*power); !calm) return Fail(calm.error());
    const Result<SensorCalibration> sensor = CalibrateSensor(bursts_, power->ticks);
    if (!sensor) return Fail(About(sensor.error()));
    if (Result<void> sound = CheckDelay(*sensor); !sound) return Fail(sound.error());
    DeviceCalibration found;
    found.device = device_;
    found.made = SystemClock().Now();
    found.power_channel = power_kind;
    // How late polls were is known from their stamps, but not which ticks they met.
    found.power = WithShift(*sensor, std::hypot(power->shift_sd_s, ExtraDelay()));
    if (Has(ChannelKind::kEnergy)) {
      JudgeByBursts(found);
      if (Result<void> done = JudgeByLockedLoad(*power, found); !done) return Fail(done.error());
    }
    sampler_->Stop();
    return found;
  }

 private:
  bool Has(ChannelKind kind) const {
    return std::any_of(series_.begin(), series_.end(), [&](const ChannelSeries& s) { return s.kind == kind; });
  }

  Error About(Error error) const {
    for (std::string& problem : error.problems) problem = device_.name + ": " + problem;
    return error;
  }

  double SecondsOf(int64_t stamp_ns) const { return static_cast<double>(stamp_ns - zero_ns_) * 1e-9; }
  int64_t StampOf(double seconds) const { return zero_ns_ + FromSeconds(seconds).count(); }

  Result<void> CheckInterrupt() const {
    if (!Interrupted()) return {};
    return Fail(device_.name + ": calibration was interrupted; nothing of it is kept", ErrorKind::kInterrupted);
  }

  void Tell(const std::string& stage, double share) const {
    if (options_.progress) options_.progress(stage, share);
  }

  Result<void> RandomBursts(const std::string& stage, double length_s) {
    std::uniform_real_distribution<double> any(kShortestS, kLongestS);
    const int64_t begin_ns = NowNs(), end_ns = begin_ns + FromSeconds(length_s).count();
    int64_t told_ns = 0;
    for (int64_t now_ns = begin_ns; now_ns < end_ns; now_ns = NowNs()) {
      if (Result<void> go_on = CheckInterrupt(); !go_on) return go_on;
      if (now_ns - told_ns > 250'000'000) {
        Tell(stage, SecondsOf(now_ns - begin_ns + zero_ns_) / length_s);
        told_ns = now_ns;
      }
      SleepUntilNs(now_ns + FromSeconds(any(random_)).count());
      const Result<Burst> burst = load_.Run(FromSeconds(any(random_)));
      if (!burst) return Fail(About(burst.error()));
      bursts_.push_back({SecondsOf(burst->begin_ns), SecondsOf(burst->end_ns)});
    }
    return {};
  }

  void Collect() {
    RunBatch batch = sampler_->Take(true);
    for (auto& [channel, samples] : batch.samples) {
      auto& kept = series_[static_cast<size_t>(channel)].samples;
      kept.insert(kept.end(), samples.begin(), samples.end());
    }
  }

  /// Every stamp is taken on this machine's clock, so a driver whose seconds are shorter gives a sensor that does not
  /// exist.
  Result<void> CheckClock() {
    Collect();
    const double ratio = ClockRatio(series_);
    if (ratio == 1) return {};
    return Fail(fmt::format("{}: the driver's clock runs {:.3g} times as fast as this machine's, as in an accelerated "
                            "simulation: calibrate with `speed = 1` in the simulated GPU's file",
                            device_.name, ratio),
                ErrorKind::kUsage);
  }

  std::vector<PolledValue> Changes(ChannelKind kind) {
    Collect();
    std::vector<PolledValue> changes;
    for (const ChannelSeries& series : series_) {
      if (series.kind != kind) continue;
      for (const Sample& sample : series.samples) {
        if (sample.changed) changes.push_back({SecondsOf(sample.first_ns), InSiUnits(kind, sample.value)});
      }
    }
    return changes;
  }

  double PollSeconds() const { return std::chrono::duration<double>(options_.poll).count(); }
  double ExtraDelay() const { return polls_->ExtraDelay(PollSeconds()); }

  tl::unexpected<Error> TooBusy(const std::string& why) const {
    return Fail(fmt::format("{}: this machine was too busy to keep time ({}): end other programs and calibrate again",
                            device_.name, why));
  }

  Result<void> CheckPace(const TickTimes& power) const {
    const double left_out = static_cast<double>(power.left_out);
    const double share = left_out / (left_out + static_cast<double>(power.ticks.size()));
    if (share > kMostLeftOut) return TooBusy(fmt::format("{:.0f} % of the readings were seen too late", 100 * share));
    if (ExtraDelay() < kMostExtraDelayS) return {};
    return TooBusy(
        fmt::format("{} polls came, {} were skipped", sampler_->Figures().polls, sampler_->Figures().skipped));
  }

  /// A reading cannot come before what it shows, and a delay that is hardly known is of no use.
  Result<void> CheckDelay(const SensorCalibration& sensor) const {
    constexpr double kSlackS = 0.0005, kMostSdS = 0.0015;
    if (sensor.delay_sd_s > kMostSdS) {
      return TooBusy(
          fmt::format("the readings follow the bursts with a scatter that leaves their delay uncertain by "
                      "{:.1f} ms",
                      1e3 * kNormal975 * sensor.delay_sd_s));
    }
    const double least_s = -kSlackS - 3 * sensor.timing.lag_sd_s;
    if (sensor.timing.lag_s > least_s) return {};
    return TooBusy(fmt::format("readings seem to come {:.1f} ms before what they show", -1e3 * sensor.timing.lag_s));
  }

  Result<TickTimes> Ticks(ChannelKind kind) {
    Result<TickTimes> fitted = FitTickTimes(Changes(kind), PollSeconds());
    if (!fitted) return fitted;
    const double extra_s = ExtraDelay();
    for (SensorTick& tick : fitted->ticks) tick.time_s -= extra_s;
    return fitted;
  }

  /// Does the counter's power between two ticks follow all of the load, or the sensor's windows?
  void JudgeByBursts(DeviceCalibration& found) {
    const Result<TickTimes> counter = Ticks(ChannelKind::kEnergy);
    if (!counter) {
      found.counter_evidence = counter.error().Message();
      return;
    }
    const Result<CounterVerdict> verdict = JudgeCounter(bursts_, PowerOfCounter(counter->ticks), found.power);
    if (!verdict) {
      found.counter_evidence = verdict.error().Message();
      return;
    }
    found.counter_sight = verdict->sight;
    found.counter = verdict->timing;
    found.counter_evidence = verdict->sight == CounterSight::kNoDifference
                                 ? "the bursts do not tell"
                                 : fmt::format("bursts at random (squares {:.2g} to 1)", verdict->squares_ratio);
    found.counter_over_readings = OverReadings(counter->ticks, found);
  }

  /// Energy of the counter between two ticks against the powers that the readings give to busy and idle time.
  double OverReadings(const std::vector<SensorTick>& counter, const DeviceCalibration& found) const {
    const double delay_s = found.counter->lag_s + found.counter->low_pass_s;
    const auto after = [&](double time_s) {
      return std::find_if(counter.begin(), counter.end(), [&](const SensorTick& t) { return t.time_s > time_s; });
    };
    const auto first = after(bursts_.front().begin_s + delay_s);
    const auto last = std::prev(after(bursts_.back().end_s));
    double busy_s = 0;
    for (const TimeSpan& burst : bursts_) {
      busy_s += std::max(
          0.0, std::min(burst.end_s, last->time_s - delay_s) - std::max(burst.begin_s, first->time_s - delay_s));
    }
    const double idle_s = last->time_s - first->time_s - busy_s;
    const double by_readings_j = InWatts(found.power.busy) * busy_s + InWatts(found.power.idle) * idle_s;
    return (last->value - first->value) / by_readings_j;
  }

  /// The direct test, needed only where the sensor looks at a part of the time.
  Result<void> JudgeByLockedLoad(const TickTimes& power, DeviceCalibration& found) {
    if (found.power.timing.Duty() >= 1) {
      found.counter_evidence = "its sensor misses nothing, so whether it sees more makes no difference";
      return {};
    }
    std::vector<Stretch> stretches;
    for (int repeat = 0; repeat < kRepeats; ++repeat) {
      std::vector<int> shifts(kShifts);
      for (int shift = 0; shift < kShifts; ++shift) shifts[static_cast<size_t>(shift)] = shift;
      std::shuffle(shifts.begin(), shifts.end(), random_);
      for (int shift : shifts) {
        Tell("load locked to the sensor", static_cast<double>(stretches.size()) / (kShifts * kRepeats));
        const Result<Stretch> stretch = RunLocked(power, shift);
        if (!stretch) return Fail(stretch.error());
        stretches.push_back(*stretch);
      }
    }
    SleepUntilNs(NowNs() + 2 * FromSeconds(power.period_s).count());
    const CounterSight by_shift = JudgeByShift(MeansByCounter(stretches, power.period_s));
    Combine(by_shift, found);
    return {};
  }

  Result<Stretch> RunLocked(const TickTimes& power, int shift) {
    const double period_s = power.period_s, high_s = period_s / kShifts;
    const double length_s = std::max(kStretchS, kStretchPeriods * period_s);
    const double now_s = SecondsOf(NowNs()), tick_s = power.ticks.back().time_s;
    const double first_s = tick_s + (std::ceil((now_s - tick_s) / period_s) + 1) * period_s + shift * high_s;
    const auto periods = static_cast<int>(std::ceil(length_s / period_s));
    for (int k = 0; k < periods; ++k) {
      if (Result<void> go_on = CheckInterrupt(); !go_on) return Fail(go_on.error());
      SleepUntilNs(StampOf(first_s + k * period_s));
      const Result<Burst> burst = load_.Run(FromSeconds(high_s));
      if (!burst) return Fail(About(burst.error()));
    }
    return Stretch{shift, first_s + kSettlePeriods * period_s, first_s + periods * period_s};
  }

  /// Between the first and the last tick of the counter inside each stretch.
  std::vector<LockedStretch> MeansByCounter(const std::vector<Stretch>& stretches, double period_s) {
    std::vector<SensorTick> ticks;
    if (Result<TickTimes> fitted = Ticks(ChannelKind::kEnergy)) {
      ticks = std::move(fitted->ticks);
    } else {
      for (const PolledValue& change : Changes(ChannelKind::kEnergy)) ticks.push_back({change.time_s, change.value, 0});
    }
    std::vector<LockedStretch> means;
    for (const Stretch& stretch : stretches) {
      const SensorTick *first = nullptr, *last = nullptr;
      for (const SensorTick& tick : ticks) {
        if (tick.time_s < stretch.begin_s || tick.time_s > stretch.end_s) continue;
        if (first == nullptr) first = &tick;
        // Whole periods only: a part of one would hold more or less of the load than the rest.
        const double periods = (tick.time_s - first->time_s) / period_s;
        if (std::abs(periods - std::round(periods)) < 0.1) last = &tick;
      }
      if (first == nullptr || last == nullptr || last == first) continue;
      means.push_back({stretch.shift, Watts((last->value - first->value) / (last->time_s - first->time_s))});
    }
    return means;
  }

  static void Combine(CounterSight by_shift, DeviceCalibration& found) {
    if (by_shift == CounterSight::kNoDifference) return;
    const bool agrees = found.counter_sight == by_shift;
    const bool contradicts = found.counter_sight != CounterSight::kNoDifference && !agrees;
    const std::string what = by_shift == CounterSight::kBlind
                                 ? "its mean depends on where a locked load meets the sensor"
                                 : "its mean is the same wherever a locked load meets the "
                                   "sensor";
    if (contradicts) {
      found.counter_evidence += " say otherwise than the locked load (" + what + "): undecided";
      found.counter_sight = CounterSight::kNoDifference;
      return;
    }
    found.counter_evidence = agrees ? what + "; " + found.counter_evidence + " agree" : what;
    found.counter_sight = by_shift;
  }

  DeviceRecord device_;
  BurstLoad& load_;
  CalibrationOptions options_;
  std::unique_ptr<Sampler> sampler_;
  const PollStamps* polls_ = nullptr;  // the sampler's
  std::vector<ChannelSeries> series_;
  std::vector<TimeSpan> bursts_;
  std::mt19937_64 random_{std::random_device{}()};
  int64_t zero_ns_ = 0;
};

}  // namespace

Result<DeviceCalibration> Calibrate(std::unique_ptr<PowerMeter> meter, BurstLoad& load,
                                    const CalibrationOptions& options) {
  return Run(std::move(meter), load, options).Go();
}

}  // namespace heliograd
