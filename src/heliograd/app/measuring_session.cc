#include "heliograd/app/measuring_session.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "heliograd/base/text.h"
#include "heliograd/trace/mean_in_force.h"

namespace heliograd {
namespace {

constexpr size_t kLongestName = 200;

int64_t ThreadNumber() {
  thread_local const int64_t number = syscall(SYS_gettid);
  return number;
}

/// Threads started while this lives take no signal: they are the host program's.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

Result<void> CheckName(std::string_view name) {
  if (name.empty() || name.size() > kLongestName) {
    return Fail(fmt::format("a window's name has 1 to {} bytes: this one has {}", kLongestName, name.size()),
                ErrorKind::kUsage);
  }
  if (name == kRestName) {
    return Fail(fmt::format("\"{}\" is the name of rests: give the window another", kRestName), ErrorKind::kUsage);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<MeasuringSession>> MeasuringSession::Open(SessionOptions options) {
  Result<OpenedSources> sources = OpenSources(options.sources);
  if (!sources) return Fail(sources.error());
  std::unique_ptr<MeasuringSession> session(new MeasuringSession(sources->absent));
  const SignalsBlocked blocked;
  Result<std::unique_ptr<Recording>> recording = Recording::Start(std::move(*sources), options.recording);
  if (!recording) return Fail(recording.error());
  session->recording_ = std::move(*recording);
  session->calibrations_ = LoadCalibrations();
  for (const std::string& problem : session->calibrations_.problems) session->absent_.push_back(problem);
  session->devices_ = session->recording_->sampler().Devices();
  return session;
}

Result<void> MeasuringSession::Close() { return recording_->Finish(); }

// Called with the lock held.
uint32_t MeasuringSession::NameNumber(std::string_view name) {
  const auto found = name_numbers_.find(name);
  if (found != name_numbers_.end()) return found->second;
  const auto number = static_cast<uint32_t>(names_.size());
  names_.emplace_back(name);
  name_numbers_.emplace(name, number);
  return number;
}

// Called with the lock held.
WindowMark MeasuringSession::Mark(const Window& window) const {
  return {names_[window.name], window.begin_ns, window.end_ns, window.thread, window.depth};
}

Result<int64_t> MeasuringSession::Begin(std::string_view name) {
  if (Result<void> sound = CheckName(name); !sound) return Fail(sound.error());
  const int64_t thread = ThreadNumber();
  const std::lock_guard lock(mutex_);
  const uint32_t number = NameNumber(name);
  // The stamp comes last, so that waiting for the lock is no part of the window.
  windows_.push_back({number, open_windows_[thread]++, thread, NowNs(), 0});
  return static_cast<int64_t>(windows_.size()) - 1;
}

Result<void> MeasuringSession::End(int64_t window) {
  const int64_t now_ns = NowNs();
  WindowMark mark;
  {
    const std::lock_guard lock(mutex_);
    if (window < 0 || window >= static_cast<int64_t>(windows_.size())) {
      return Fail(fmt::format("there is no window {}", window), ErrorKind::kUsage);
    }
    Window& ended = windows_[static_cast<size_t>(window)];
    if (ended.end_ns != 0) {
      return Fail("window " + Quoted(names_[ended.name]) + " is closed already", ErrorKind::kUsage);
    }
    ended.end_ns = std::max(now_ns, ended.begin_ns + 1);
    --open_windows_[ended.thread];
    mark = Mark(ended);
  }
  recording_->AddWindow(std::move(mark));
  return {};
}

Result<int64_t> MeasuringSession::Add(std::string_view name, int64_t begin_ns, int64_t end_ns, int depth) {
  if (name != kRestName) {
    if (Result<void> sound = CheckName(name); !sound) return Fail(sound.error());
  }
  if (end_ns <= begin_ns || depth < 0) {
    return Fail(fmt::format("window {}: it must end after it begins, at a depth of 0 or more", Quoted(name)),
                ErrorKind::kUsage);
  }
  WindowMark mark;
  int64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    windows_.push_back({NameNumber(name), depth, ThreadNumber(), begin_ns, end_ns});
    number = static_cast<int64_t>(windows_.size()) - 1;
    mark = Mark(windows_.back());
  }
  recording_->AddWindow(std::move(mark));
  return number;
}

int MeasuringSession::Depth() {
  const int64_t thread = ThreadNumber();
  const std::lock_guard lock(mutex_);
  const auto open = open_windows_.find(thread);
  return open == open_windows_.end() ? 0 : open->second;
}

Result<std::chrono::nanoseconds> MeasuringSession::Rest(double fraction) {
  if (!(fraction >= 0 && fraction <= 0.5)) {
    return Fail(fmt::format("a rest of {:g} of the time: expected 0 to 0.5", fraction), ErrorKind::kUsage);
  }
  thread_local std::mt19937_64 random{std::random_device{}()};
  const int64_t thread = ThreadNumber(), begin_ns = NowNs();
  int64_t worked_ns = 0;
  int depth = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto rested = rests_.find(thread);
    if (rested != rests_.end()) worked_ns = begin_ns - rested->second.until_ns;
    depth = open_windows_[thread];
  }
  const double most_ns = 2 * fraction * static_cast<double>(worked_ns);
  const auto slept = std::chrono::nanoseconds(
      static_cast<int64_t>(std::uniform_real_distribution<double>(0, std::max(most_ns, 1.0))(random)));
  if (worked_ns > 0 && fraction > 0) SteadyClock().SleepUntil(SteadyClock().Now() + slept);
  const int64_t end_ns = NowNs();
  {
    const std::lock_guard lock(mutex_);
    rests_[thread] = {end_ns};
  }
  if (worked_ns == 0 || fraction == 0) return std::chrono::nanoseconds(0);
  recording_->AddWindow({kRestName, begin_ns, std::max(end_ns, begin_ns + 1), thread, depth});
  return std::chrono::nanoseconds(end_ns - begin_ns);
}

Result<MeasuringSession::Window> MeasuringSession::ClosedWindow(int64_t window) {
  const std::lock_guard lock(mutex_);
  if (window < 0 || window >= static_cast<int64_t>(windows_.size())) {
    return Fail(fmt::format("there is no window {}", window), ErrorKind::kUsage);
  }
  const Window& found = windows_[static_cast<size_t>(window)];
  if (found.end_ns == 0) {
    return Fail("window " + Quoted(names_[found.name]) + " is still open: end it first", ErrorKind::kUsage);
  }
  return found;
}

// Called with the reading lock held.
Result<void> MeasuringSession::CatchUpTo(int64_t stamp_ns) {
  if (stamp_ns <= caught_up_ns_) return {};
  const int64_t now_ns = NowNs();
  if (Result<void> done = recording_->CatchUp(); !done) return done;
  caught_up_ns_ = now_ns;
  return {};
}

Result<DeviceEnergy> MeasuringSession::WindowEnergy(int64_t window, int device) {
  if (device < 0 || device >= static_cast<int>(devices_.size())) {
    return Fail(fmt::format("there is no device {}: there are {}, counted from 0", device, devices_.size()),
                ErrorKind::kUsage);
  }
  const Result<Window> asked = ClosedWindow(window);
  if (!asked) return Fail(asked.error());
  const std::lock_guard lock(reading_mutex_);
  if (Result<void> done = CatchUpTo(asked->end_ns); !done) return Fail(done.error());
  const Result<RunReader> run = RunReader::Open(recording_->path());
  if (!run) return Fail(run.error());
  std::vector<std::string> left_out;
  const auto energies = EnergyBetween(*run, asked->begin_ns, asked->end_ns, left_out, calibrations_.usable);
  if (!energies) return Fail(energies.error());
  const std::string& uuid = devices_[static_cast<size_t>(device)].uuid;
  for (const DeviceEnergy& energy : *energies) {
    if (energy.device.uuid == uuid) return energy;
  }
  for (const std::string& reason : left_out) {
    if (reason.find(uuid) != std::string::npos) return Fail(reason, ErrorKind::kDevice);
  }
  return Fail(uuid + ": nothing was recorded in this window", ErrorKind::kDevice);
}

Result<WindowSummary> MeasuringSession::Summary() {
  const std::lock_guard lock(reading_mutex_);
  if (Result<void> done = CatchUpTo(NowNs()); !done) return Fail(done.error());
  const Result<RunReader> run = RunReader::Open(recording_->path());
  if (!run) return Fail(run.error());
  Result<WindowSummary> summary = SummariseWindows(*run, calibrations_.usable);
  if (summary) summary->notes.insert(summary->notes.end(), absent_.begin(), absent_.end());
  return summary;
}

const DeviceCalibration* MeasuringSession::Calibration(int device, int64_t stamp_ns) const {
  const DeviceRecord& record = devices_[static_cast<size_t>(device)];
  const DeviceCalibration* calibration = FindCalibration(calibrations_.usable, record);
  const Stamp now{std::chrono::nanoseconds(stamp_ns)};
  return calibration != nullptr && JudgeCalibration(*calibration, record, now).used ? calibration : nullptr;
}

std::optional<SensorTiming> MeasuringSession::Timing(int device) const {
  const DeviceCalibration* calibration = Calibration(device, NowNs());
  return calibration == nullptr ? std::nullopt : std::optional(TellingSensorOf(*calibration).timing);
}

Result<DeviceTicks> MeasuringSession::Ticks(int device, int64_t begin_ns, int64_t end_ns) {
  if (device < 0 || device >= static_cast<int>(devices_.size())) {
    return Fail(fmt::format("there is no device {}: there are {}, counted from 0", device, devices_.size()),
                ErrorKind::kUsage);
  }
  const DeviceRecord& record = devices_[static_cast<size_t>(device)];
  const DeviceCalibration* calibration = Calibration(device, end_ns);
  if (calibration == nullptr) {
    return Fail(record.uuid + ": its sensor is not calibrated: run `heliograd calibrate` once", ErrorKind::kDevice);
  }
  const std::lock_guard lock(reading_mutex_);
  if (Result<void> done = CatchUpTo(end_ns); !done) return Fail(done.error());
  const Result<RunReader> run = RunReader::Open(recording_->path());
  if (!run) return Fail(run.error());
  const auto channels = run->Channels();
  const auto facts = run->Facts();
  if (!channels) return Fail(channels.error());
  if (!facts) return Fail(facts.error());
  return TicksBetween(*run, *channels, device, TellingSensorOf(*calibration), {begin_ns, end_ns, PollSeconds(*facts)});
}

Result<std::optional<double>> MeasuringSession::MeanSmClock(int device, int64_t begin_ns, int64_t end_ns) {
  const std::lock_guard lock(reading_mutex_);
  if (Result<void> done = CatchUpTo(end_ns); !done) return Fail(done.error());
  const Result<RunReader> run = RunReader::Open(recording_->path());
  if (!run) return Fail(run.error());
  const auto channels = run->Channels();
  if (!channels) return Fail(channels.error());
  for (size_t i = 0; i < channels->size(); ++i) {
    if ((*channels)[i].device != device || (*channels)[i].kind != ChannelKind::kSmClock) continue;
    const auto samples = run->Samples(static_cast<int>(i), begin_ns, end_ns);
    if (!samples) return Fail(samples.error());
    return MeanInForce(*samples, begin_ns, end_ns);
  }
  return std::nullopt;
}

}  // namespace heliograd
