#include "heliograd/control/limit_lease.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "heliograd/base/clock.h"
#include "heliograd/base/file.h"
#include "heliograd/base/path.h"
#include "heliograd/base/text.h"
#include "heliograd/base/time.h"

namespace heliograd {
namespace {

constexpr char kReleased = 'r';  // what the holder tells its guard when it has put the limit back itself

int64_t Milliwatts(Power power) { return std::llround(InWatts(power) * 1000); }
Power FromMilliwatts(int64_t milliwatts) { return Watts(static_cast<double>(milliwatts) / 1000); }

std::string FileName(const std::string& uuid) {
  std::string name = uuid;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-') c = '_';
  }
  return name;
}

std::string RecordPath(const std::string& folder, const std::string& uuid) {
  return folder + "/" + FileName(uuid) + ".lease";
}

Result<std::optional<LeaseRecord>> ReadRecord(const std::string& path) {
  std::error_code absent;
  if (!std::filesystem::exists(path, absent)) return std::nullopt;
  const Result<std::string> content = ReadFile(path, 1 << 16);
  if (!content) return Fail(content.error());
  Result<LeaseRecord> record = ParseLease(*content, path);
  if (!record) return Fail(record.error());
  return std::optional(*std::move(record));
}

/// The lock's file, opened and locked; nothing while someone else holds it.
Result<std::optional<int>> Lock(const std::string& folder, const std::string& uuid) {
  const std::string path = folder + "/" + FileName(uuid) + ".lock";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) {
    return Fail(path + ": " + std::strerror(errno) + ": leases need a folder that this user may write",
                errno == EACCES ? ErrorKind::kPermission : ErrorKind::kFailure);
  }
  if (flock(file, LOCK_EX | LOCK_NB) == 0) return std::optional(file);
  close(file);
  return std::nullopt;
}

/// With the lock held: puts the prior limit back where the limit in force is ours, then forgets the record.
Result<Restored> PutBack(const std::string& folder, const LeaseRecord& record, PowerCapper& capper) {
  const std::string path = RecordPath(folder, record.uuid);
  Restored done = Restored::kNothingToDo;
  // A limit does not outlive the machine's run: what is in force now was set by someone after it started.
  if (record.boot != BootId()) {
    done = Restored::kMachineRestarted;
  } else {
    const Result<Power> limit = capper.Limit();
    if (!limit) return Fail(limit.error());
    const int64_t now_mw = Milliwatts(*limit);
    if (!record.IsOurs(now_mw)) {
      done = Restored::kChangedByOther;
    } else if (now_mw != record.prior_mw) {
      if (Result<void> set = capper.SetLimit(FromMilliwatts(record.prior_mw)); !set) return Fail(set.error());
      done = Restored::kPutBack;
    }
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return Fail(path + ": " + std::strerror(errno));
  return done;
}

std::string HolderOf(const std::string& folder, const std::string& uuid) {
  const Result<std::optional<LeaseRecord>> record = ReadRecord(RecordPath(folder, uuid));
  if (!record || !*record) return "another heliograd";
  return "process " + std::to_string((*record)->pid) + " (" + (*record)->command + ") since " + (*record)->since;
}

}  // namespace

Result<std::string> LeaseFolder() {
  if (geteuid() == 0 && std::getenv("XDG_STATE_HOME") == nullptr) return std::string("/var/lib/heliograd/leases");
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  if (state != nullptr && *state == '/') return std::string(state) + "/heliograd/leases";
  if (home != nullptr && *home == '/') return std::string(home) + "/.local/state/heliograd/leases";
  return Fail("leases have no place: neither HOME nor XDG_STATE_HOME is set");
}

LimitLease::LimitLease(PowerCapper& capper, std::string folder, LeaseRecord record, int lock)
    : capper_(capper), folder_(std::move(folder)), record_(std::move(record)), lock_(lock) {}

LimitLease::~LimitLease() {
  static_cast<void>(Release());  // on failure the guard or the record does it
  if (guard_pipe_ >= 0) close(guard_pipe_);
  close(lock_);
}

Result<std::unique_ptr<LimitLease>> LimitLease::Take(PowerCapper& capper, const Options& options) {
  const std::string& uuid = capper.Device().uuid;
  std::error_code failed;
  std::filesystem::create_directories(options.folder, failed);
  if (failed) return Fail(options.folder + ": cannot be made: " + failed.message(), ErrorKind::kPermission);
  const Result<std::optional<int>> lock = Lock(options.folder, uuid);
  if (!lock) return Fail(lock.error());
  if (!*lock) {
    return Fail(uuid + ": its power limit is held by " + HolderOf(options.folder, uuid) + ": wait for it, or end it");
  }
  std::unique_ptr<LimitLease> lease(new LimitLease(capper, options.folder, {}, **lock));
  lease->active_ = false;
  const Result<std::optional<LeaseRecord>> left = ReadRecord(RecordPath(options.folder, uuid));
  if (!left) return Fail(left.error());
  if (*left) {
    if (const Result<Restored> restored = PutBack(options.folder, **left, capper); !restored) {
      return Fail(restored.error());
    }
  }
  const Result<Power> found = capper.Limit();
  if (!found) return Fail(found.error());
  const int64_t found_mw = Milliwatts(*found);
  const int64_t prior_mw = options.prior ? Milliwatts(*options.prior) : found_mw;
  const int64_t pid = options.pid == 0 ? getpid() : options.pid;
  lease->record_ = {uuid, prior_mw,        found_mw, found_mw,
                    pid,  options.command, BootId(), FormatStamp(SystemClock().Now())};
  if (Result<void> written = lease->Write(); !written) return Fail(written.error());
  lease->active_ = true;
  if (Result<void> started = lease->StartGuard(options.guard); !started) return Fail(started.error());
  return lease;
}

Result<void> LimitLease::Write() const { return WriteFile(RecordPath(folder_, record_.uuid), WriteLease(record_)); }

Result<void> LimitLease::StartGuard(const std::vector<std::string>& command) {
  int pipe_ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pipe_ends) != 0) {
    return Fail(std::string("no line to the guard: ") + std::strerror(errno));
  }
  std::vector<std::string> words = command;
  words.insert(words.end(), {folder_, record_.uuid, std::to_string(pipe_ends[0])});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    // A session of its own: neither Ctrl-C nor the end of the terminal reaches the guard. Twice forked: nobody's child.
    setsid();
    if (fork() != 0) _exit(0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE}) std::signal(signal, SIG_IGN);
    fcntl(lock_, F_SETFD, 0);
    fcntl(pipe_ends[0], F_SETFD, 0);
    const int nothing = open("/dev/null", O_RDWR);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    // A pipe of the holder's is let go: whoever reads it must not wait for a guard that waits for a driver.
    if (isatty(STDERR_FILENO) == 0) dup2(nothing, STDERR_FILENO);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  close(pipe_ends[0]);
  guard_pipe_ = pipe_ends[1];
  if (child < 0) return Fail(std::string("the guard cannot be started: ") + std::strerror(errno));
  waitpid(child, nullptr, 0);
  return {};
}

Result<void> LimitLease::Set(Power limit) {
  const Result<Power> now = capper_.Limit();
  if (!now) return Fail(now.error());
  if (!record_.IsOurs(Milliwatts(*now))) {
    return Fail(record_.uuid + ": someone else set its power limit to " + std::to_string(Milliwatts(*now) / 1000) +
                " W meanwhile, or the driver was loaded anew: it is left as it is");
  }
  const LeaseRecord before = record_;
  record_.before_mw = Milliwatts(*now);
  record_.set_mw = Milliwatts(limit);
  if (Result<void> written = Write(); !written) {
    record_ = before;
    return written;
  }
  return capper_.SetLimit(limit);
}

Result<Restored> LimitLease::Release() {
  if (!active_) return Restored::kNothingToDo;
  const Result<Restored> restored = PutBack(folder_, record_, capper_);
  if (!restored) return restored;
  End();
  return restored;
}

Result<Restored> LimitLease::ReleaseTo(Power limit) {
  if (!active_) return Restored::kNothingToDo;
  const Result<Power> now = capper_.Limit();
  if (!now) return Fail(now.error());
  const bool is_ours = record_.IsOurs(Milliwatts(*now));
  if (is_ours) {
    if (Result<void> set = Set(limit); !set) return Fail(set.error());
  }
  const std::string path = RecordPath(folder_, record_.uuid);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return Fail(path + ": " + std::strerror(errno));
  End();
  return is_ours ? Restored::kPutBack : Restored::kChangedByOther;
}

/// The guard is told before the lock falls: one that is late must not take the next holder's record for ours.
void LimitLease::End() {
  active_ = false;
  // Where the guard is gone there is nobody to tell, and nothing left to do.
  if (guard_pipe_ >= 0) static_cast<void>(send(guard_pipe_, &kReleased, 1, MSG_NOSIGNAL));
  flock(lock_, LOCK_UN);
}

Result<Restored> GuardLease(const std::string& folder, const std::string& uuid, int line, CapperOpener open_capper,
                            std::chrono::seconds patience) {
  char told = 0;
  ssize_t length = 0;
  do {
    length = read(line, &told, 1);
  } while (length < 0 && errno == EINTR);
  if (length == 1 && told == kReleased) return Restored::kNothingToDo;
  const Result<std::optional<LeaseRecord>> record = ReadRecord(RecordPath(folder, uuid));
  if (!record) return Fail(record.error());
  if (!*record) return Restored::kNothingToDo;
  // A driver that is loaded anew is away for some seconds; a GPU that fell off the bus, for good.
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (true) {
    const Result<std::unique_ptr<PowerCapper>> capper = open_capper(uuid);
    const Result<Restored> restored = capper ? PutBack(folder, **record, **capper) : Fail(capper.error());
    if (restored || restored.error().kind != ErrorKind::kDevice) return restored;
    if (std::chrono::steady_clock::now() >= give_up) return restored;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

Result<std::vector<FoundLease>> FindLeases(const std::string& folder) {
  std::vector<FoundLease> found;
  const Result<std::vector<std::string>> paths = ListFolder(folder);
  if (!paths) return Fail(paths.error());
  for (const std::string& path : *paths) {
    if (!path.ends_with(".lease")) continue;
    const Result<std::optional<LeaseRecord>> record = ReadRecord(path);
    if (!record) return Fail(record.error());
    if (!*record) continue;
    const Result<std::optional<int>> lock = Lock(folder, (*record)->uuid);
    if (!lock) return Fail(lock.error());
    if (*lock) close(**lock);
    found.push_back({**record, !*lock});
  }
  return found;
}

Result<Restored> RestoreLease(const std::string& folder, const LeaseRecord& record, PowerCapper& capper) {
  const Result<std::optional<int>> lock = Lock(folder, record.uuid);
  if (!lock) return Fail(lock.error());
  if (!*lock) {
    return Fail(record.uuid + ": its power limit is held by " + HolderOf(folder, record.uuid) +
                ", which lives and puts it back itself");
  }
  const Result<Restored> restored = PutBack(folder, record, capper);
  close(**lock);
  return restored;
}

}  // namespace heliograd
