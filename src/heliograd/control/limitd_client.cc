#include "heliograd/control/limitd_client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "heliograd/base/clock.h"

namespace heliograd::limitd {
namespace {

constexpr size_t kMostLines = 1024;
constexpr std::string_view kStrange =
    "heliograd-limitd gave an answer that this heliograd does not know: are both of one version?";
constexpr std::chrono::milliseconds kBetweenTries{200};
constexpr std::chrono::seconds kRestartTime{1};  // a service that is started anew serves again within it

int64_t Milliwatts(Power power) { return std::llround(InWatts(power) * 1000); }

tl::unexpected<Error> CannotConnect(const std::string& socket, int reason) {
  if (reason == EACCES || reason == EPERM) {
    return Fail("heliograd-limitd serves on " + socket +
                    ", but not this user: `sudo usermod -aG heliograd $USER`, then log in again",
                ErrorKind::kPermission);
  }
  return Fail("heliograd-limitd does not serve on " + socket + " (" + std::strerror(reason) +
                  "): `sudo systemctl enable --now heliograd-limitd`",
              ErrorKind::kDevice);
}

/// The service's items, each read by `parse`.
template <typename Line>
Result<std::vector<Line>> AskFor(const std::string& socket, Verb verb, std::optional<Line> (*parse)(std::string_view)) {
  const Result<std::unique_ptr<Connection>> connection = Connection::Open(socket);
  if (!connection) return Fail(connection.error());
  const Result<Reply> reply = (*connection)->Ask({verb});
  if (!reply) return Fail(reply.error());
  std::vector<Line> lines;
  for (const std::string& item : reply->items) {
    std::optional<Line> line = parse(item);
    if (!line) return Fail(std::string(kStrange));
    lines.push_back(std::move(*line));
  }
  return lines;
}

class ServedLimits : public PowerLimits {
 public:
  ServedLimits(PowerCapper& capper, std::string socket, std::string command, std::function<void(std::string_view)> tell)
      : capper_(capper),
        uuid_(capper.Device().uuid),
        socket_(std::move(socket)),
        command_(std::move(command)),
        tell_(std::move(tell)),
        stop_(eventfd(0, EFD_CLOEXEC)) {}

  ~ServedLimits() override {
    static_cast<void>(Release());  // where that fails, the end of the connection does it
    StopThread();
    close(stop_);
  }

  Result<PowerLimitRange> Range() override { return capper_.Range(); }
  Result<Power> Asked() override { return capper_.Limit(); }

  Result<void> Set(Power limit) override {
    if (Result<void> within = CheckRange(limit); !within) return within;
    const std::lock_guard lock(mutex_);
    if (!wanted_) {
      if (Result<void> taken = Take(); !taken) return taken;
      StartThread();
    } else if (connection_ == nullptr || connection_->lost()) {
      if (Result<void> again = TakeAgain(SteadyClock().Now() + kRestartTime); !again) return again;
    }
    Result<void> set = AskToSet(limit);
    if (!set && (connection_->lost() || set.error().kind == ErrorKind::kPermission)) {
      if (Result<void> again = TakeAgain(SteadyClock().Now() + kRestartTime); !again) return again;
      set = AskToSet(limit);
    }
    if (set) wanted_ = limit;
    return set;
  }

  Result<Restored> Release() override {
    const std::lock_guard lock(mutex_);
    if (!wanted_) return Restored::kNothingToDo;
    wanted_.reset();
    away_ = false;
    if (connection_ == nullptr || connection_->lost()) return PutBackByGuard();
    const Result<Reply> reply = connection_->Ask({Verb::kRelease, uuid_});
    const bool gone = connection_->lost();
    connection_.reset();
    if (gone) return PutBackByGuard();
    if (!reply) return Fail(reply.error());
    const std::optional<Restored> restored =
        reply->values.size() == 1 ? RestoredFromWord(reply->values[0]) : std::nullopt;
    return restored.value_or(Restored::kNothingToDo);
  }

  Result<void> Renew() override {
    if (const Result<Restored> restored = Release(); !restored) return Fail(restored.error());
    return {};
  }

  bool IsAway() const override { return away_; }

 private:
  Result<void> CheckRange(Power limit) {
    const Result<PowerLimitRange> range = capper_.Range();
    if (!range) return Fail(range.error());
    if (limit >= range->lowest && limit <= range->highest) return {};
    return Fail(fmt::format("{}: the power limit {:.0f} W was not set: it takes {:.0f} to {:.0f} W", uuid_,
                            InWatts(limit), InWatts(range->lowest), InWatts(range->highest)),
                ErrorKind::kUsage);
  }

  /// The service is gone; its guard needs a moment.
  Result<Restored> PutBackByGuard() {
    const Stamp give_up = SteadyClock().Now() + kRestartTime;
    while (SteadyClock().Now() < give_up) {
      const Result<Power> now = capper_.Limit();
      if (now && Milliwatts(*now) == prior_mw_) return Restored::kPutBack;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return Fail(uuid_ + ": heliograd-limitd went away before the limit was given back; its next start puts it back",
                ErrorKind::kDevice);
  }

  Result<void> Take() {
    connection_.reset();
    Result<std::unique_ptr<Connection>> connection = Connection::Open(socket_);
    if (!connection) return Fail(connection.error());
    const Result<Reply> reply = (*connection)->Ask({Verb::kTake, uuid_, 0, command_});
    if (!reply) return Fail(reply.error());
    const auto prior = reply->values.size() == 1 ? ParseCount(reply->values[0], kHighestLimitMw) : std::nullopt;
    if (!prior) return Fail(std::string(kStrange));
    prior_mw_ = *prior;
    connection_ = std::move(*connection);
    return {};
  }

  Result<void> AskToSet(Power limit) {
    const int64_t asked = Milliwatts(limit);
    const Result<Reply> reply = connection_->Ask({Verb::kSet, uuid_, asked});
    if (!reply) return Fail(reply.error());
    const std::optional<int64_t> set =
        reply->values.size() == 2 ? ParseCount(reply->values[1], kHighestLimitMw) : std::nullopt;
    if (!set) return Fail(std::string(kStrange));
    if (*set != asked) {
      tell_(fmt::format("{}: {:.0f} W was asked for, {:.0f} W is set: that is its range", uuid_, InWatts(limit),
                        static_cast<double>(*set) / 1000));
    }
    return {};
  }

  /// The service was started anew or took this process for dead. With the mutex held.
  Result<void> TakeAgain(Stamp give_up) {
    away_ = true;
    while (true) {
      Result<void> taken = Take();
      if (taken && wanted_) taken = AskToSet(*wanted_);
      if (taken) {
        lost_told_ = away_ = false;
        tell_(fmt::format("{}: heliograd-limitd had ended this program's lease; it is taken again{}", uuid_,
                          wanted_ ? fmt::format(", with {:.0f} W", InWatts(*wanted_)) : std::string()));
        return {};
      }
      connection_.reset();
      if (SteadyClock().Now() >= give_up) {
        const Result<Power> now = capper_.Limit();
        return Fail(fmt::format("{}: the lease on its power limit was ended{}: {}", uuid_,
                                now ? fmt::format(", {:.0f} W is in force now", InWatts(*now)) : std::string(),
                                taken.error().Message()),
                    taken.error().kind);
      }
      std::this_thread::sleep_for(kBetweenTries);
    }
  }

  void StartThread() {
    if (thread_.joinable()) return;
    // Signals are for the thread that waits for them.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { KeepAlive(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void StopThread() {
    if (!thread_.joinable()) return;
    const uint64_t one = 1;
    static_cast<void>(write(stop_, &one, sizeof one));
    thread_.join();
  }

  /// Three heartbeats in the service's patience; a service that goes away is noticed at once.
  void KeepAlive() {
    while (true) {
      int file = -1;
      std::chrono::milliseconds wait = kBetweenTries;
      {
        const std::lock_guard lock(mutex_);
        if (connection_ != nullptr) {
          file = dup(connection_->file());
          wait = connection_->heartbeat() / 3;
        }
      }
      const bool stopped = Stopped(file, wait);
      if (file >= 0) close(file);
      if (stopped) return;
      const std::lock_guard lock(mutex_);
      if (wanted_) BeatOrTakeAgain();
    }
  }

  /// Waits until the destructor wants the thread's end (true), the service is gone, or it is time for a heartbeat.
  bool Stopped(int file, std::chrono::milliseconds wait) const {
    pollfd files[2] = {{stop_, POLLIN, 0}, {file, POLLRDHUP, 0}};
    poll(files, 2, static_cast<int>(wait.count()));
    return files[0].revents != 0;
  }

  void BeatOrTakeAgain() {
    if (connection_ != nullptr && !connection_->lost()) {
      const Result<Reply> reply = connection_->Ask({Verb::kBeat, uuid_});
      if (reply) return;
    }
    const Result<void> again = TakeAgain(SteadyClock().Now());
    if (!again && !std::exchange(lost_told_, true)) tell_(again.error().Message() + "; tries go on");
  }

  PowerCapper& capper_;
  const std::string uuid_, socket_, command_;
  std::function<void(std::string_view)> tell_;
  int stop_;
  std::mutex mutex_;  // of all below
  std::unique_ptr<Connection> connection_;
  std::optional<Power> wanted_;  // while a lease is held
  int64_t prior_mw_ = 0;         // before it
  bool lost_told_ = false;
  std::atomic<bool> away_{false};  // the service, since it ended the lease
  std::thread thread_;
};

}  // namespace

std::string SocketPath() {
  const char* path = std::getenv("HELIOGRAD_LIMITD_SOCKET");
  return path != nullptr && *path != '\0' ? path : "/run/heliograd/limitd.sock";
}

Result<std::unique_ptr<Connection>> Connection::Open(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Fail("HELIOGRAD_LIMITD_SOCKET " + path + ": expected at most 107 bytes", ErrorKind::kUsage);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (file < 0) return CannotConnect(path, errno);
  std::unique_ptr<Connection> connection(new Connection(file));
  // A driver that is slow makes the service slow; one that hangs must not hang us.
  const timeval patience{10, 0};
  setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(file, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return CannotConnect(path, errno);
  const Result<Reply> hello = connection->Ask({Verb::kHello});
  if (!hello) return Fail(hello.error());
  const auto heartbeat = hello->values.size() == 2 ? ParseCount(hello->values[1], 100'000'000) : std::nullopt;
  if (!heartbeat || hello->values[0] != std::to_string(kVersion)) {
    return Fail("heliograd-limitd is of another version than this heliograd: install both from one release");
  }
  connection->heartbeat_ = std::chrono::milliseconds(std::max<int64_t>(*heartbeat, 30));
  return connection;
}

Connection::~Connection() { close(file_); }

Result<Reply> Connection::Ask(const Request& request) {
  const std::string frame = WriteRequest(request);
  std::vector<std::string> lines;
  if (send(file_, frame.data(), frame.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(frame.size())) lost_ = true;
  while (!lost_ && (lines.empty() || !EndsReply(lines.back()))) {
    Result<std::string> line = ReadLine();
    if (!line || lines.size() == kMostLines) {
      lost_ = true;
    } else {
      lines.push_back(std::move(*line));
    }
  }
  if (lost_) return Fail("heliograd-limitd went away, or did not answer within 10 s", ErrorKind::kDevice);
  return ParseReply(lines);
}

Result<std::string> Connection::ReadLine() {
  while (true) {
    const size_t end = in_.find('\n');
    if (end != std::string::npos) {
      std::string line = in_.substr(0, end);
      in_.erase(0, end + 1);
      return line;
    }
    if (in_.size() >= kLongestFrame) return Fail("heliograd-limitd sent a line that is too long");
    char bytes[4096];
    const ssize_t length = recv(file_, bytes, sizeof bytes, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) return Fail("heliograd-limitd went away");
    in_.append(bytes, static_cast<size_t>(length));
  }
}

Result<std::vector<GpuLine>> ListGpus(const std::string& socket) {
  return AskFor<GpuLine>(socket, Verb::kList, ParseGpuLine);
}

Result<std::vector<LeaseLine>> ShowLeases(const std::string& socket) {
  return AskFor<LeaseLine>(socket, Verb::kShow, ParseLeaseLine);
}

std::unique_ptr<PowerLimits> MakeServedLimits(PowerCapper& capper, std::string socket, std::string command,
                                              std::function<void(std::string_view)> tell) {
  return std::make_unique<ServedLimits>(capper, std::move(socket), std::move(command), std::move(tell));
}

}  // namespace heliograd::limitd

namespace heliograd {
namespace {

/// Limits that this process sets by itself, where the service was looked for first: a right that is missing is told
/// with the way to get it.
class OwnLimits : public PowerLimits {
 public:
  OwnLimits(std::unique_ptr<PowerLimits> limits, std::string service) : limits_(std::move(limits)), service_(service) {}

  Result<PowerLimitRange> Range() override { return limits_->Range(); }
  Result<Power> Asked() override { return limits_->Asked(); }
  Result<Restored> Release() override { return limits_->Release(); }
  Result<void> Renew() override { return limits_->Renew(); }
  Result<void> Set(Power limit) override {
    Result<void> set = limits_->Set(limit);
    if (set || set.error().kind != ErrorKind::kPermission) return set;
    return Fail(set.error().Message() + "; without root: " + service_, ErrorKind::kPermission);
  }

 private:
  std::unique_ptr<PowerLimits> limits_;
  std::string service_;
};

}  // namespace

std::unique_ptr<PowerLimits> MakePowerLimits(PowerCapper& capper, LimitLease::Options options,
                                             std::function<void(std::string_view)> tell) {
  const std::string socket = limitd::SocketPath();
  const Result<std::vector<limitd::GpuLine>> gpus = limitd::ListGpus(socket);
  const auto is_it = [&](const limitd::GpuLine& gpu) { return gpu.uuid == capper.Device().uuid; };
  if (gpus && std::any_of(gpus->begin(), gpus->end(), is_it)) {
    return limitd::MakeServedLimits(capper, socket, std::move(options.command), std::move(tell));
  }
  return std::make_unique<OwnLimits>(
      MakeLeasedLimits(capper, std::move(options)),
      gpus ? "heliograd-limitd on " + socket + " does not know this GPU" : gpus.error().Message());
}

}  // namespace heliograd
