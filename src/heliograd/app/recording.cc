#include "heliograd/app/recording.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>

namespace heliograd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestWait{1200};      // a sensor that averages over a second updates at least once in it
constexpr size_t kMostHeldSamples = 1'000'000;  // 40 MB: hours of one GPU while the disk is full

/// A file in the folder for temporary files that nobody else has.
std::string TemporaryPath() {
  std::error_code failed;
  std::filesystem::path folder = std::filesystem::temp_directory_path(failed);
  if (failed) folder = "/tmp";
  static std::atomic<int> number{0};
  // A killed run leaves its file behind, and process numbers come again.
  while (true) {
    const std::string path = folder / ("heliograd-run-" + std::to_string(getpid()) + "-" + std::to_string(number++));
    if (!std::filesystem::exists(path, failed)) return path;
  }
}

void RemoveStore(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) unlink((path + suffix).c_str());
}

void Append(RunBatch& to, RunBatch from) {
  for (auto& samples : from.samples) to.samples.push_back(std::move(samples));
  to.gaps.insert(to.gaps.end(), from.gaps.begin(), from.gaps.end());
  to.windows.insert(to.windows.end(), from.windows.begin(), from.windows.end());
  to.remarks.insert(to.remarks.end(), from.remarks.begin(), from.remarks.end());
}

bool Counts(ChannelKind kind) {
  return kind == ChannelKind::kEnergy || kind == ChannelKind::kPowerInstant || kind == ChannelKind::kPowerAverage;
}

}  // namespace

Recording::Recording(std::unique_ptr<Sampler> sampler, RunWriter writer, std::string path,
                     const RecordingOptions& options)
    : sampler_(std::move(sampler)),
      writer_(std::move(writer)),
      path_(std::move(path)),
      temporary_(options.path.empty()),
      tell_(options.tell),
      flush_every_(options.flush_every),
      changes_(sampler_->Channels().size(), 0) {}

Result<std::unique_ptr<Recording>> Recording::Start(OpenedSources sources, const RecordingOptions& options) {
  auto sampler = std::make_unique<Sampler>(std::move(sources.meters), SteadyClock(), options.sampler);
  auto facts = options.facts;
  const double period_ms = std::chrono::duration<double, std::milli>(options.sampler.period).count();
  facts.emplace_back("sampling_period_ms", std::to_string(period_ms));
  const std::string path = options.path.empty() ? TemporaryPath() : options.path;
  Result<RunWriter> writer = RunWriter::Create(path, sampler->Devices(), sampler->Channels(), facts);
  if (!writer) return Fail(writer.error());
  std::unique_ptr<Recording> recording(new Recording(std::move(sampler), std::move(*writer), path, options));
  if (Result<void> started = recording->sampler_->Start(); !started) return Fail(started.error());
  recording->thread_ = std::thread([&self = *recording] { self.WriteLoop(); });
  recording->WaitForChanges(1);
  return recording;
}

Recording::~Recording() {
  if (thread_.joinable()) static_cast<void>(Finish());
  if (temporary_) RemoveStore(path_);
}

int64_t Recording::NowNs() const { return SteadyClock().Now().time_since_epoch().count(); }

void Recording::AddWindow(WindowMark window) {
  const std::lock_guard lock(marks_mutex_);
  marks_.windows.push_back(std::move(window));
}

void Recording::AddRemark(std::string text) {
  const std::lock_guard lock(marks_mutex_);
  marks_.remarks.push_back({NowNs(), std::move(text)});
}

void Recording::WriteLoop() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    wake_.wait_for(lock, flush_every_);
    Collect(false);
    Write();
  }
}

// Called with the lock held.
void Recording::Collect(bool everything) {
  RunBatch fresh = sampler_->Take(everything);
  for (const auto& [channel, samples] : fresh.samples) {
    changes_[static_cast<size_t>(channel)] +=
        std::count_if(samples.begin(), samples.end(), [](const Sample& sample) { return sample.changed; });
  }
  Append(pending_, std::move(fresh));
  const std::lock_guard lock(marks_mutex_);
  Append(pending_, std::exchange(marks_, {}));
}

// Called with the lock held.
void Recording::Write() {
  const Result<void> written = writer_.Append(pending_);
  if (written) {
    if (!trouble_.empty()) tell_("recording goes on: " + path_ + " can be written again");
    trouble_.clear();
    pending_ = {};
    return;
  }
  // Said once, not every half second; what is recorded is held and tried again.
  if (trouble_.empty()) {
    tell_("recording is held in memory: " + written.error().Message() + ": make room, the run goes on");
  }
  trouble_ = written.error().Message();
  HoldWithinBound();
}

// The oldest samples give way, and the gap they leave is recorded.
void Recording::HoldWithinBound() {
  size_t held = 0;
  for (const auto& entry : pending_.samples) held += entry.second.size();
  while (held > kMostHeldSamples && !pending_.samples.empty()) {
    const auto& [channel, samples] = pending_.samples.front();
    pending_.gaps.push_back({channel, samples.front().first_ns, samples.back().last_ns, trouble_});
    held -= samples.size();
    pending_.samples.erase(pending_.samples.begin());
  }
}

void Recording::WaitForChanges(int of_counters) {
  const auto& channels = sampler_->Channels();
  std::vector<int64_t> before;
  {
    const std::lock_guard lock(mutex_);
    Collect(false);
    before = changes_;
  }
  const auto all_changed = [&] {
    for (size_t i = 0; i < channels.size(); ++i) {
      const int needed = channels[i].kind == ChannelKind::kEnergy ? of_counters : 1;
      if (Counts(channels[i].kind) && changes_[i] < before[i] + needed) return false;
    }
    return true;
  };
  const Stamp give_up = SteadyClock().Now() + kLongestWait;
  while (SteadyClock().Now() < give_up) {
    SteadyClock().SleepUntil(SteadyClock().Now() + milliseconds(10));
    const std::lock_guard lock(mutex_);
    Collect(false);
    if (all_changed()) return;
  }
}

Result<void> Recording::CatchUp() {
  WaitForChanges(2);
  const std::lock_guard lock(mutex_);
  Collect(true);
  Write();
  if (!trouble_.empty()) return Fail(trouble_);
  return {};
}

Result<void> Recording::Finish() {
  WaitForChanges(2);
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
  sampler_->Stop();
  const std::lock_guard lock(mutex_);
  Collect(true);
  Write();
  if (!trouble_.empty()) return Fail(trouble_ + ": the last part of the recording is lost");
  return writer_.Close();
}

}  // namespace heliograd
