#include "heliograd/app/profile_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <thread>
#include <vector>

#include "heliograd/app/command_line.h"
#include "heliograd/app/measuring_session.h"
#include "heliograd/model/gpu_physics.h"
#include "heliograd/model/phase_energy.h"

namespace heliograd {
namespace {

constexpr uint64_t kSensorSeed = 1;
constexpr double kGainHalfWidth = 1.96 * 0.025;  // of a sensor that was not compared with a meter
constexpr std::chrono::seconds kIdleTime(3);
constexpr std::array<double, kTrainingSteps.size()> kAssumedUtilisation = {0.1, 0.85, 0.15, 1.0, 0.3};
constexpr const char* kOther = "other";
constexpr double kLongAverage = 2;  // windows of a sensor beyond so many of its updates cannot be timed in place

std::string StepName(int phase) {
  return phase < static_cast<int>(kTrainingSteps.size()) ? kTrainingSteps[static_cast<size_t>(phase)] : kOther;
}

ProfiledEnergy WithGain(const PhaseEnergies& found, const PhaseEstimate& estimate) {
  const Energy half = found.HalfWidthWithGain(estimate);
  return {estimate.energy, estimate.energy - half, estimate.energy + half};
}

std::string PooledText(const PhaseEnergies& found, const PhaseEstimate& group) {
  std::string names;
  for (const int phase : group.phases) names += (names.empty() ? "" : " + ") + StepName(phase);
  return fmt::format("{}: {:.4g} +-{:.2g} J", names, InJoules(group.energy), InJoules(found.HalfWidthWithGain(group)));
}

/// Means of as many neighbouring readings as a figure has no room for.
std::vector<TracePoint> Thinned(const std::vector<SensorTick>& ticks) {
  std::vector<TracePoint> points;
  const size_t each = ticks.size() / kTracePoints + 1;
  for (size_t first = 0; first < ticks.size(); first += each) {
    const size_t end = std::min(ticks.size(), first + each);
    double time_s = 0, power_w = 0;
    for (size_t i = first; i < end; ++i) time_s += ticks[i].time_s, power_w += ticks[i].value;
    const double count = static_cast<double>(end - first);
    points.push_back({Seconds(time_s / count), Watts(power_w / count)});
  }
  return points;
}

void TakeEstimate(const PhaseEnergies& found, TrainingProfile& profile) {
  for (const PhaseEstimate& estimate : found.phases) {
    ProfiledStep step;
    step.name = StepName(estimate.phases.front());
    step.duration = estimate.duration;
    step.energy = WithGain(found, estimate);
    step.share = estimate.share;
    step.share_half_width = estimate.share_half_width;
    step.identifiable = estimate.identifiable && found.refusal.empty();
    if (!step.identifiable) step.why = found.refusal.empty() ? "too short to tell apart from its neighbours" : "";
    profile.steps.push_back(step);
  }
  for (const PhaseEstimate& group : found.groups) {
    if (group.phases.size() > 1) profile.pooled.push_back(PooledText(found, group));
  }
  profile.iteration_energy = WithGain(found, found.iteration);
  profile.closure = found.closure;
  profile.closure_tells = found.closure_tells;
  profile.condition = found.condition;
  profile.refusal = found.refusal;
  profile.gain_half_width = found.gain_half_width;
}

/// Runs as they were, each repetition made of its parts.
std::vector<BusyStretch> StretchesOf(const std::vector<LoopRun>& runs, const std::vector<LoopPart>& parts,
                                     const std::vector<TimeSpan>& spans) {
  std::vector<BusyStretch> stretches;
  for (size_t i = 0; i < runs.size(); ++i) {
    const double repetitions = static_cast<double>(parts.size() > 1 ? runs[i].repetitions : 1);
    const double once_s = (spans[i].end_s - spans[i].begin_s) / repetitions;
    for (double done = 0; done < repetitions; ++done) {
      double begin_s = spans[i].begin_s + done * once_s;
      for (const LoopPart& part : parts) {
        stretches.push_back({begin_s, begin_s + part.share * once_s, part.utilisation});
        begin_s += part.share * once_s;
      }
    }
  }
  return stretches;
}

class Simulated final : public StepMeter {
 public:
  Simulated(std::optional<Power> limit, SimulatedSensor sensor) : limit_(limit), sensor_(sensor) {}

  std::string Name() const override {
    return fmt::format("simulated: the study's GPU on paper, as busy in each step as assumed{}",
                       limit_ ? fmt::format(", under a limit of {:g} W", InWatts(*limit_)) : "");
  }
  PowerSource Source() const override { return PowerSource::kSimulated; }
  int64_t NowNs() const override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin_).count();
  }
  StepSpan Add(const StepSpan& span) override {
    StepSpan seen = {span.step, span.begin_ns + late_ns_, span.end_ns + late_ns_};
    if (span.step != kRestStep) {
      const double slowdown = Slowdown(AssumedUtilisation(span.step));
      const auto longer_ns = static_cast<int64_t>(static_cast<double>(span.end_ns - span.begin_ns) * (slowdown - 1));
      seen.end_ns += longer_ns;
      late_ns_ += longer_ns;
    }
    spans_.push_back(seen);
    return seen;
  }
  double Slowdown(double utilisation) const override { return PointOfUtilisation(utilisation, limit_).slowdown; }

  Result<void> Finish(TrainingProfile& profile) override {
    std::vector<BusyStretch> stretches;
    std::vector<PhaseMark> marks;
    double iterations = 0, end_s = 0;
    for (const StepSpan& span : spans_) {
      const double begin_s = 1e-9 * static_cast<double>(span.begin_ns);
      end_s = 1e-9 * static_cast<double>(span.end_ns);
      if (span.step == kRestStep) {
        marks.push_back({kSleepMark, begin_s, end_s});
        continue;
      }
      marks.push_back({span.step, begin_s, end_s});
      stretches.push_back({begin_s, end_s, AssumedUtilisation(span.step)});
      iterations += span.step == 0;
    }
    // The sensor tells of the last step a little later.
    const std::vector<PowerPiece> power = PowerOfStretches(stretches, end_s + 1, limit_);
    if (limit_) profile.sm_clock_mhz = MeanClockMhz(stretches);
    const Result<SimulatedReadings> readings = ReadSimulatedPower(power, kSensorSeed, sensor_);
    if (!readings) return TakeTimes(iterations, readings.error().Message(), profile);
    PhaseRun run;
    run.marks = marks;
    run.phase_count = static_cast<int>(kTrainingSteps.size());
    run.iterations = iterations;
    run.ticks = readings->ticks;
    run.timing = readings->timing;
    const Result<PhaseEnergies> found = EstimatePhaseEnergies(run);
    if (!found) return TakeTimes(iterations, found.error().Message(), profile);
    TakeEstimate(*found, profile);
    TellTruth(profile);
    profile.samples = static_cast<int64_t>(readings->ticks.size());
    profile.trace = Thinned(readings->ticks);
    profile.notes.push_back(
        limit_
            ? "no GPU was measured: the times are this machine's, made longer as the study's GPU is slower under the "
              "limit; the power is that GPU's, as busy as assumed in each step, read by a simulated sensor"
            : "no GPU was measured: the times are this machine's, the power is that of the study's GPU at its highest "
              "clock, as busy as assumed in each step, read by a simulated sensor");
    return {};
  }

  Result<LoopPower> PowerOfLoop(const std::vector<LoopRun>& runs, const std::vector<LoopPart>& parts) override {
    std::vector<TimeSpan> spans;
    const int64_t begin_ns = runs.front().begin_ns;
    const auto seconds = [&](int64_t stamp_ns) { return 1e-9 * static_cast<double>(stamp_ns - begin_ns); };
    for (const LoopRun& run : runs) {
      spans.push_back({seconds(run.begin_ns), seconds(run.end_ns)});
    }
    const std::vector<PowerPiece> power =
        PowerOfStretches(StretchesOf(runs, parts, spans), spans.back().end_s + 1, limit_);
    const Result<SimulatedReadings> readings = ReadSimulatedPower(power, ++loop_seed_, sensor_);
    if (!readings) return Fail(readings.error());
    return MeanLoopPower({spans, readings->ticks}, readings->timing);
  }
  std::optional<Duration> LongAverage() const override {
    const PowerSensor sensor = SensorOfSimulatedPower(0, sensor_);
    return sensor.window_s > 0 ? std::optional(Seconds(sensor.window_s)) : std::nullopt;
  }
  Result<IdlePower> PowerAtIdle() override {
    return IdlePower{GpuPower(kGpuHighestClockMhz, 0, StudyGpuIdlePower()), Watts(0)};
  }

 private:
  void TellTruth(TrainingProfile& profile) const {
    for (ProfiledStep& step : profile.steps) {
      const auto found = std::find(kTrainingSteps.begin(), kTrainingSteps.end(), step.name);
      const bool is_step = found != kTrainingSteps.end();
      const double utilisation = is_step ? AssumedUtilisation(static_cast<int>(found - kTrainingSteps.begin())) : 0;
      step.truth = PointOfUtilisation(utilisation, limit_).power * step.duration;
    }
  }

  /// While work runs.
  double MeanClockMhz(const std::vector<BusyStretch>& stretches) const {
    double clock = 0, length_s = 0;
    for (const BusyStretch& stretch : stretches) {
      const double one_s = stretch.end_s - stretch.begin_s;
      clock += one_s * PointOfUtilisation(stretch.utilisation, limit_).clock_mhz;
      length_s += one_s;
    }
    return clock / length_s;
  }

  /// A run too short for energies still tells its times.
  Result<void> TakeTimes(double iterations, const std::string& why, TrainingProfile& profile) const {
    for (size_t i = 0; i < kTrainingSteps.size(); ++i) {
      ProfiledStep step;
      step.name = kTrainingSteps[i];
      double total_s = 0;
      for (const StepSpan& span : spans_) {
        if (span.step == static_cast<int>(i)) total_s += 1e-9 * static_cast<double>(span.end_ns - span.begin_ns);
      }
      step.duration = Seconds(total_s / iterations);
      step.why = why;
      profile.steps.push_back(step);
    }
    profile.refusal = why;
    profile.gain_half_width = kGainHalfWidth;
    TellTruth(profile);
    return {};
  }

  const std::optional<Power> limit_;
  const SimulatedSensor sensor_;
  int64_t late_ns_ = 0;  // by which a span counts later than it was, for all that ran before it
  uint64_t loop_seed_ = kSensorSeed;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::vector<StepSpan> spans_;
};

class Measured final : public StepMeter {
 public:
  explicit Measured(std::unique_ptr<MeasuringSession> session) : session_(std::move(session)) {}
  ~Measured() override {
    if (Result<void> closed = session_->Close(); !closed) PrintMessage(closed.error().Message());
  }

  std::string Name() const override {
    const DeviceRecord& device = session_->Devices().front();
    return fmt::format("measured on {} ({}), driver {}", device.name, device.uuid, device.driver);
  }
  PowerSource Source() const override { return PowerSource::kMeasured; }
  int64_t NowNs() const override { return session_->NowNs(); }
  StepSpan Add(const StepSpan& span) override {
    const std::string name = span.step == kRestStep ? kRestName : StepName(span.step);
    iterations_ += span.step == 0;
    if (begin_ns_ == 0) begin_ns_ = span.begin_ns;
    end_ns_ = span.end_ns;
    // A step that took no time, as the device's clock tells it, has no energy either.
    if (span.end_ns <= span.begin_ns) return span;
    const Result<int64_t> added = session_->Add(name, span.begin_ns, span.end_ns, 0);
    if (!added && added_) added_ = Fail(added.error());
    return span;
  }

  Result<void> Finish(TrainingProfile& profile) override {
    if (!added_) return added_;
    const Result<WindowSummary> summary = session_->Summary();
    if (!summary) return Fail(summary.error());
    profile.gain_half_width = kGainHalfWidth;
    for (const NameSummary& name : summary->names) {
      profile.steps.push_back(StepOf(name.name, name.duration / iterations_, OfFirstDevice(name), iterations_));
    }
    for (const LevelSummary& level : summary->levels) {
      if (level.device == 0) TakeLevel(level, profile);
    }
    if (!profile.iteration_energy) AddUp(profile);
    profile.notes.insert(profile.notes.end(), summary->notes.begin(), summary->notes.end());
    const Result<DeviceTicks> ticks = session_->Ticks(0, begin_ns_, end_ns_);
    if (ticks) {
      profile.samples = static_cast<int64_t>(ticks->ticks.size());
      profile.trace = Thinned(ticks->ticks);
    } else {
      profile.notes.push_back("no trace of the power: " + ticks.error().Message());
    }
    const auto clock = session_->MeanSmClock(0, begin_ns_, end_ns_);
    if (!clock) return Fail(clock.error());
    profile.sm_clock_mhz = *clock;
    return {};
  }

  Result<LoopPower> PowerOfLoop(const std::vector<LoopRun>& runs, const std::vector<LoopPart>&) override {
    const Result<DeviceTicks> ticks = session_->Ticks(0, runs.front().begin_ns, runs.back().end_ns);
    if (!ticks) return Fail(ticks.error());
    std::vector<TimeSpan> spans;
    for (const LoopRun& run : runs) spans.push_back({ticks->Seconds(run.begin_ns), ticks->Seconds(run.end_ns)});
    return MeanLoopPower({spans, ticks->ticks}, ticks->timing);
  }

  std::optional<Duration> LongAverage() const override {
    const std::optional<SensorTiming> timing = session_->Timing(0);
    if (!timing || timing->contiguous || timing->window_s <= kLongAverage * timing->period_s) return std::nullopt;
    return Seconds(timing->window_s);
  }

  Result<IdlePower> PowerAtIdle() override {
    const int64_t begin_ns = NowNs();
    std::this_thread::sleep_for(kIdleTime);
    const Result<DeviceTicks> ticks = session_->Ticks(0, begin_ns, NowNs());
    if (!ticks) return Fail(ticks.error());
    double sum = 0, squares = 0;
    // The first half still tells of what ran before.
    const size_t first = ticks->ticks.size() / 2, count = ticks->ticks.size() - first;
    for (size_t i = first; i < ticks->ticks.size(); ++i) sum += ticks->ticks[i].value;
    const double mean = sum / static_cast<double>(count);
    for (size_t i = first; i < ticks->ticks.size(); ++i) squares += std::pow(ticks->ticks[i].value - mean, 2);
    return IdlePower{Watts(mean), Watts(std::sqrt(squares / static_cast<double>(count)))};
  }

 private:
  /// `energy` is of `iterations` together.
  static ProfiledStep StepOf(const std::string& name, Duration duration, const NameEnergy* energy, double iterations) {
    ProfiledStep step;
    step.name = name;
    step.duration = duration;
    if (energy == nullptr) return step;
    step.identifiable = energy->identifiable;
    step.why = energy->why;
    if (!energy->method.empty()) {
      step.energy = ProfiledEnergy{energy->energy / iterations, energy->low / iterations, energy->high / iterations};
    }
    if (energy->share) {
      step.share = energy->share;
      step.share_half_width = (*energy->share_high - *energy->share_low) / 2;
    }
    return step;
  }

  static const NameEnergy* OfFirstDevice(const NameSummary& name) {
    const auto found = std::find_if(name.devices.begin(), name.devices.end(),
                                    [](const NameEnergy& energy) { return energy.device == 0; });
    return found == name.devices.end() ? nullptr : &*found;
  }

  static void TakeLevel(const LevelSummary& level, TrainingProfile& profile) {
    profile.steps.push_back(StepOf(kOther, level.other_duration, &level.other, 1));
    profile.iteration_energy = ProfiledEnergy{level.iteration, level.iteration_low, level.iteration_high};
    profile.closure = level.closure;
    profile.closure_tells = level.closure_tells;
    profile.condition = level.condition;
    profile.refusal = level.refusal;
  }

  /// Steps so long that each is worked out by itself have no level; their sum is the iteration but for what lies
  /// between.
  static void AddUp(TrainingProfile& profile) {
    ProfiledEnergy sum;
    for (const ProfiledStep& step : profile.steps) {
      if (!step.energy || !step.identifiable) return;
      sum.energy += step.energy->energy;
      sum.low += step.energy->low;
      sum.high += step.energy->high;
    }
    profile.iteration_energy = sum;
    profile.notes.push_back(
        "each step was worked out by itself: the iteration is their sum, without what lies between");
  }

  std::unique_ptr<MeasuringSession> session_;
  Result<void> added_;  // the first span that could not be kept
  double iterations_ = 0;
  int64_t begin_ns_ = 0, end_ns_ = 0;  // of the training
};

}  // namespace

double AssumedUtilisation(int step) { return kAssumedUtilisation[static_cast<size_t>(step)]; }

std::string WordedForRests(const std::string& refusal, double dither, int64_t iterations) {
  const std::string more =
      fmt::format("rests of {:g} % (--dither {:g}) need more iterations: about {:.0f} (--iterations)", 100 * dither,
                  100 * dither, std::max(3 / (dither * dither), 2 * static_cast<double>(iterations)));
  std::string worded = refusal;
  for (const auto& [advice, instead] : {std::pair<std::string_view, std::string>{"aliased, add sleep: ", "aliased: "},
                                        {"random sleep of 5 % of the iteration cures it", more},
                                        {"run longer or add random sleep between iterations", "run longer: " + more}}) {
    if (const size_t at = worded.find(advice); at != std::string::npos) worded.replace(at, advice.size(), instead);
  }
  return worded;
}

std::unique_ptr<StepMeter> SimulatedSteps(std::optional<Power> limit, SimulatedSensor sensor) {
  return std::make_unique<Simulated>(limit, sensor);
}

Result<std::unique_ptr<StepMeter>> MeasuredSteps(const std::string& gpus, const std::string& record_path,
                                                 bool with_clocks) {
  SessionOptions options;
  options.sources.gpus = gpus;
  options.sources.with_clocks = with_clocks;
  options.sources.with_processor = false;
  options.recording.path = record_path;
  Result<std::unique_ptr<MeasuringSession>> session = MeasuringSession::Open(std::move(options));
  if (!session) return Fail(session.error());
  return std::make_unique<Measured>(std::move(*session));
}

}  // namespace heliograd
