#include "sim/driver.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "heliograd/base/file.h"
#include "sim/shared_words.h"

namespace heliograd::sim {

/// One GPU in shared memory. `states[version % 2]` is the present one.
struct alignas(64) SharedGpu {
  pthread_mutex_t lock;
  std::atomic<uint64_t> version;
  std::atomic<uint64_t> segments_begun;  // history slots before this one may be overwritten
  GpuState states[2];
  HistoryMemory history;
};
static_assert(std::atomic<uint64_t>::is_always_lock_free);

struct alignas(64) SharedDriver {
  uint64_t magic;  // written last
  uint64_t layout;
  uint64_t fingerprint;
  uint64_t gpus;
  char boot[40];
  int64_t start_monotonic_ns;
  int64_t start_unix_ns;
};

namespace {

SharedGpu* Gpus(SharedDriver* shared) { return reinterpret_cast<SharedGpu*>(shared + 1); }

constexpr uint64_t kMagic = 0x31757067'6d6973ff;
/// Another layout of the file is another size or this number.
constexpr uint64_t kLayout = 1'000'000'000'000 + sizeof(SharedGpu);
constexpr int kMostTries = 100;

int64_t ClockNanoseconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

/// Tells one boot of the machine from the next; empty where the system does not say.
std::string BootId() {
  const auto id = ReadFile("/proc/sys/kernel/random/boot_id");
  return id ? id->substr(0, sizeof(SharedDriver::boot) - 1) : "";
}

size_t BytesFor(size_t gpus) { return sizeof(SharedDriver) + gpus * sizeof(SharedGpu); }

/// A file descriptor that closes itself and lets go of its file lock, which a mapping of the file would keep otherwise.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ < 0) return;
    flock(descriptor_, LOCK_UN);
    close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

tl::unexpected<Error> StateFailure(const std::string& path, const char* what) {
  return Fail(fmt::format("{}: the simulated driver's state cannot be {}: {}. Name another place with the key state.",
                          path, what, std::strerror(errno)),
              ErrorKind::kDevice);
}

bool FitsConfig(const SharedDriver& shared, const SimConfig& config) {
  return shared.magic == kMagic && shared.layout == kLayout && shared.fingerprint == config.fingerprint &&
         shared.gpus == config.gpus.size() && BootId() == shared.boot;
}

void BeginLock(pthread_mutex_t& lock) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&lock, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

void BeginDriver(SharedDriver& shared, const SimConfig& config) {
  shared.layout = kLayout;
  shared.fingerprint = config.fingerprint;
  shared.gpus = config.gpus.size();
  std::strncpy(shared.boot, BootId().c_str(), sizeof shared.boot - 1);
  for (size_t k = 0; k < config.gpus.size(); ++k) {
    BeginLock(Gpus(&shared)[k].lock);
    Gpus(&shared)[k].states[0] = FreshGpu(config.gpus[k]);
  }
  shared.start_monotonic_ns = ClockNanoseconds(CLOCK_MONOTONIC);
  shared.start_unix_ns = ClockNanoseconds(CLOCK_REALTIME);
  std::atomic_ref<uint64_t>(shared.magic).store(kMagic, std::memory_order_release);
}

/// Whether the open file is still the one that the path names; another process may have put a new one there.
bool IsStillAt(int descriptor, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return fstat(descriptor, &opened) == 0 && lstat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

/// Holds a GPU's lock; the death of a former holder has left nothing half done.
class Locked {
 public:
  explicit Locked(pthread_mutex_t& lock) : lock_(lock) {
    if (pthread_mutex_lock(&lock_) == EOWNERDEAD) pthread_mutex_consistent(&lock_);
  }
  ~Locked() { pthread_mutex_unlock(&lock_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  pthread_mutex_t& lock_;
};

}  // namespace

Result<std::unique_ptr<Driver>> Driver::Open(SimConfig config) {
  const std::string path = config.state;
  const size_t bytes = BytesFor(config.gpus.size());
  for (int tries = 0; tries < kMostTries; ++tries) {
    const File file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0) return StateFailure(path, "opened");
    if (flock(file.get(), LOCK_EX) != 0) return StateFailure(path, "locked");
    struct stat status {};
    if (!IsStillAt(file.get(), path) || fstat(file.get(), &status) != 0) continue;
    const bool fresh = status.st_size == 0;
    if (!fresh && static_cast<size_t>(status.st_size) != bytes) {
      unlink(path.c_str());
      continue;
    }
    if (fresh) {
      errno = posix_fallocate(file.get(), 0, static_cast<off_t>(bytes));
      if (errno != 0) {
        const auto failure = StateFailure(path, "given its space");
        unlink(path.c_str());
        return failure;
      }
    }
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (memory == MAP_FAILED) return StateFailure(path, "mapped");
    auto* shared = static_cast<SharedDriver*>(memory);
    if (fresh) BeginDriver(*shared, config);
    if (FitsConfig(*shared, config)) return std::unique_ptr<Driver>(new Driver(std::move(config), shared, bytes));
    // Made for something else, or by a process that was killed before it was whole. Who still uses it keeps it.
    munmap(memory, bytes);
    unlink(path.c_str());
  }
  return Fail(fmt::format("{}: other processes put this state file away {} times while it was being opened: do all of "
                          "them read the same HELIOGRAD_SIM_GPU?",
                          path, kMostTries),
              ErrorKind::kDevice);
}

Driver::~Driver() { munmap(shared_, bytes_); }

int64_t Driver::Now() const {
  const auto real_ns = static_cast<double>(ClockNanoseconds(CLOCK_MONOTONIC) - shared_->start_monotonic_ns);
  return static_cast<int64_t>(real_ns * config_.speed);
}

int64_t Driver::SimTimeOf(int64_t real_unix_ns) const {
  return static_cast<int64_t>(std::llround(static_cast<double>(real_unix_ns - shared_->start_unix_ns) * config_.speed));
}

int64_t Driver::RealUnixTimeOf(int64_t sim_ns) const {
  return shared_->start_unix_ns + static_cast<int64_t>(std::llround(static_cast<double>(sim_ns) / config_.speed));
}

int64_t Driver::UnixStamp(int64_t sim_ns) const { return shared_->start_unix_ns + sim_ns; }

GpuView Driver::Snapshot(size_t gpu) const {
  const SharedGpu& shared = Gpus(shared_)[gpu];
  GpuState state;
  while (true) {
    const uint64_t version = shared.version.load(std::memory_order_acquire);
    LoadShared(shared.states[version % 2], state);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (shared.version.load(std::memory_order_relaxed) == version) break;
  }
  const double low_pass_s = config_.gpus[gpu].sensor.low_pass_ms / 1000;
  return {config_.gpus[gpu], state, Timeline(&shared.history, state.timeline, low_pass_s)};
}

void Driver::Look(size_t gpu, const std::function<void(const GpuView&)>& look) const {
  while (true) {
    const int64_t now_ns = Now();
    GpuView view = Snapshot(gpu);
    const uint64_t committed = view.state.timeline.segments;
    Advance(view.config, now_ns, UINT64_MAX, view.state, view.timeline);
    look(view);
    std::atomic_thread_fence(std::memory_order_acquire);
    const uint64_t begun = Gpus(shared_)[gpu].segments_begun.load(std::memory_order_relaxed);
    if (begun < committed + kSlotsBeingWritten / 2) return;
  }
}

void Driver::Change(size_t gpu, const std::function<void(GpuView&)>& change) {
  const Locked locked(Gpus(shared_)[gpu].lock);
  const int64_t now_ns = Now();
  GpuView view = Snapshot(gpu);
  while (view.state.now_ns < now_ns) {
    Advance(view.config, now_ns, kMostSegmentsPerCommit, view.state, view.timeline);
    if (view.state.now_ns < now_ns) Commit(gpu, view);
  }
  change(view);
  // What was changed begins now, not when somebody next looks.
  Advance(view.config, view.state.now_ns, UINT64_MAX, view.state, view.timeline);
  Commit(gpu, view);
}

void Driver::Commit(size_t gpu, GpuView& view) {
  SharedGpu& shared = Gpus(shared_)[gpu];
  const uint64_t version = shared.version.load(std::memory_order_relaxed);
  shared.segments_begun.store(view.timeline.head().segments, std::memory_order_relaxed);
  // Readers of the version before the present one must see that it is past before its buffer changes.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  view.timeline.CommitTo(shared.history);
  StoreShared(view.state, shared.states[(version + 1) % 2]);
  shared.version.store(version + 1, std::memory_order_release);
}

}  // namespace heliograd::sim
