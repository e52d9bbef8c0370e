#include "heliograd/meter/sampler.h"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <ctime>

namespace heliograd {
namespace {

using std::chrono::nanoseconds;

constexpr double kGrowth = 1.25;
constexpr int kNiceness = -10;
constexpr int64_t kPollsPerLookAtCost = 64;  // asking for the processor time is a system call of its own

nanoseconds ThreadProcessorTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

bool PinTo(std::thread& thread, int cpu) {
  if (cpu < 0 || cpu >= CPU_SETSIZE) return false;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  return pthread_setaffinity_np(thread.native_handle(), sizeof set, &set) == 0;
}

}  // namespace

Sampler::Sampler(std::vector<std::unique_ptr<PowerMeter>> meters, Clock& clock, const SamplerOptions& options)
    : poller_(std::move(meters), clock, options.rest), clock_(clock), options_(options) {}

Sampler::~Sampler() { Stop(); }

Result<void> Sampler::Start() {
  poller_.Poll();
  stop_ = false;
  thread_ = std::thread([this] { Loop(); });
  if (options_.cpu && !PinTo(thread_, *options_.cpu)) {
    Stop();
    return Fail("processor " + std::to_string(*options_.cpu) +
                    " cannot be used for the sampler: expected the number of one that this program may run on",
                ErrorKind::kUsage);
  }
  return {};
}

void Sampler::Stop() {
  if (!thread_.joinable()) return;
  stop_ = true;
  thread_.join();
  const std::lock_guard lock(mutex_);
  poller_.PollAll();
}

RunBatch Sampler::Take(bool everything) {
  const std::lock_guard lock(mutex_);
  return poller_.Take(everything);
}

std::vector<ChannelReading> Sampler::Latest() const {
  const std::lock_guard lock(mutex_);
  return poller_.Latest();
}

void Sampler::Loop() {
  // Without this the kernel may round each wake-up by 50 us.
  prctl(PR_SET_TIMERSLACK, 1UL);
  // Of this thread alone, and only where the user may: a thread that nearly always sleeps should not queue behind data
  // loaders that keep every core busy.
  setpriority(PRIO_PROCESS, 0, kNiceness);
  const Stamp start = clock_.Now();
  Stamp deadline = start;
  while (!stop_) {
    deadline += options_.period;
    clock_.SleepUntil(deadline);
    const Stamp awake = clock_.Now();
    const std::lock_guard lock(mutex_);
    poller_.Poll();
    const Stamp done = clock_.Now();
    CountLateness(awake - deadline);
    ++figures_.polls;
    figures_.time_in_polls += done - awake;
    figures_.longest_poll = std::max<nanoseconds>(figures_.longest_poll, done - awake);
    if (done - awake > options_.period) ++figures_.slow_polls;
    const int64_t passed = std::max<int64_t>((done - deadline) / options_.period, 0);
    figures_.skipped += passed;
    const int64_t rested = std::max<int64_t>((Stamp(nanoseconds(poller_.RestUntil())) - deadline) / options_.period, 0);
    figures_.rested += std::max<int64_t>(rested - passed, 0);
    deadline += std::max(passed, rested) * options_.period;
    if (figures_.polls % kPollsPerLookAtCost == 0 || stop_) figures_.processor_time = ThreadProcessorTime();
    figures_.elapsed = done - start;
  }
}

void Sampler::CountLateness(nanoseconds late) {
  figures_.most_late = std::max(figures_.most_late, late);
  const double microseconds = std::max(static_cast<double>(late.count()) / 1000.0, 1.0);
  const int index = static_cast<int>(std::log(microseconds) / std::log(kGrowth));
  ++late_classes_[static_cast<size_t>(std::min(index, kClasses - 1))];
}

SamplerFigures Sampler::Figures() const {
  const std::lock_guard lock(mutex_);
  SamplerFigures figures = figures_;
  // The upper edge of the class in which the percentile lies.
  const auto percentile = [&](double share) {
    int64_t seen = 0;
    for (int i = 0; i < kClasses; ++i) {
      seen += late_classes_[static_cast<size_t>(i)];
      if (static_cast<double>(seen) >= share * static_cast<double>(figures.polls)) {
        return nanoseconds(static_cast<int64_t>(1000.0 * std::pow(kGrowth, i + 1)));
      }
    }
    return figures.most_late;
  };
  if (figures.polls > 0) {
    figures.median_late = std::min(percentile(0.5), figures.most_late);
    figures.p99_late = std::min(percentile(0.99), figures.most_late);
  }
  return figures;
}

}  // namespace heliograd
