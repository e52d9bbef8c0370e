#include "heliograd/control/limitd_server.h"

#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "heliograd/base/clock.h"

namespace heliograd::limitd {
namespace {

constexpr size_t kLargestBuffer = 4 * kLongestFrame;
constexpr int kLinesInOneTurn = 16;  // then others have their turn
constexpr int kTickMs = 100;
constexpr double kTakeCost = 10;  // requests: a lease starts a process and waits for the disk

tl::unexpected<Error> SystemFailure(const std::string& what) {
  return Fail(what + ": " + std::strerror(errno),
              errno == EACCES || errno == EPERM ? ErrorKind::kPermission : ErrorKind::kFailure);
}

Result<sockaddr_un> Address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.front() != '/' || path.size() >= sizeof address.sun_path) {
    return Fail("--socket " + path + ": expected an absolute path of at most 107 bytes", ErrorKind::kUsage);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

bool SomeoneListens(const sockaddr_un& address) {
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const bool listens = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
                       errno == EAGAIN || errno == EINPROGRESS;
  close(probe);
  return listens;
}

/// Removes the socket of a server that is gone, and nothing else.
Result<void> ClearPlace(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode)) return Fail(path + ": exists and is no socket: give another --socket, or remove it");
  if (SomeoneListens(address)) return Fail(path + ": another heliograd-limitd serves there: stop it first");
  if (unlink(path.c_str()) != 0) return SystemFailure(path + ": the socket of an ended server cannot be removed");
  return {};
}

/// Root and the group may connect, nobody else; the mode is in force before anyone could.
Result<void> Admit(const std::string& path, const std::string& group) {
  if (!group.empty()) {
    const struct group* found = getgrnam(group.c_str());
    if (found == nullptr) {
      return Fail("--group " + group + ": there is no such group: make it with `sudo groupadd --system " + group +
                  "`, or give another");
    }
    // As a service the process is of that group already, and may give nothing away.
    struct stat made {};
    const bool is_theirs = lstat(path.c_str(), &made) == 0 && made.st_gid == found->gr_gid;
    if (!is_theirs && chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0) {
      return SystemFailure(path + ": it cannot be given to the group " + group);
    }
  }
  if (chmod(path.c_str(), group.empty() ? 0600 : 0660) != 0) return SystemFailure(path + ": its mode cannot be set");
  return {};
}

}  // namespace

Result<std::unique_ptr<LimitServer>> LimitServer::Open(LimitService& service, const Options& options) {
  const Result<sockaddr_un> address = Address(options.socket);
  if (!address) return Fail(address.error());
  if (Result<void> clear = ClearPlace(options.socket, *address); !clear) return Fail(clear.error());
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0) return SystemFailure("no socket can be made");
  std::unique_ptr<LimitServer> server(new LimitServer(service, options, listener));
  const mode_t before = umask(0177);
  const bool bound = bind(listener, reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0;
  umask(before);
  if (!bound) {
    server->options_.socket.clear();  // not ours to remove
    return SystemFailure(options.socket + ": cannot be made");
  }
  if (Result<void> admitted = Admit(options.socket, options.group); !admitted) return Fail(admitted.error());
  if (listen(listener, 16) != 0) return SystemFailure(options.socket + ": cannot be served");
  return server;
}

LimitServer::LimitServer(LimitService& service, const Options& options, int listener)
    : service_(service), options_(options), listener_(listener) {}

LimitServer::~LimitServer() {
  if (!options_.socket.empty()) unlink(options_.socket.c_str());
  for (const auto& [connection, peer] : peers_) close(peer.file);
  close(listener_);
}

Result<void> LimitServer::Run(int stop, const std::function<void()>& idle) {
  Stamp next_idle = SteadyClock().Now();
  while (true) {
    std::vector<pollfd> files = {{stop, POLLIN, 0}, {listener_, POLLIN, 0}};
    std::vector<LimitService::Connection> order;
    for (const auto& [connection, peer] : peers_) {
      const int wanted = (MayServe(peer) ? POLLIN : 0) | (peer.out.empty() ? 0 : POLLOUT);
      files.push_back({peer.file, static_cast<int16_t>(wanted), 0});
      order.push_back(connection);
    }
    if (poll(files.data(), files.size(), Patience()) < 0 && errno != EINTR) return SystemFailure("poll");
    if ((files[0].revents & POLLIN) != 0) return {};
    for (size_t i = 0; i < order.size(); ++i) {
      Peer& peer = peers_[order[i]];
      const int happened = files[i + 2].revents;
      if ((happened & POLLOUT) != 0) Send(peer);
      if ((happened & POLLIN) != 0) Receive(peer);
      if ((happened & (POLLHUP | POLLERR)) != 0) peer.ended = true;
      Serve(order[i], peer);
      EndIdle(order[i], peer);
    }
    // Heartbeats that came while a driver was slow were read above, before any is missed here.
    Sweep();
    service_.Tick();
    if ((files[1].revents & POLLIN) != 0) Accept();
    if (SteadyClock().Now() >= next_idle) {
      idle();
      next_idle = SteadyClock().Now() + std::chrono::seconds(1);
    }
  }
}

/// An idle machine is woken once a second; with clients, often enough for rates and heartbeats.
int LimitServer::Patience() const {
  if (peers_.empty() && service_.leases() == 0) return 1000;
  const auto may_go_on = [this](const auto& entry) {
    return entry.second.in.find('\n') != std::string::npos && entry.second.out.empty() && entry.second.tokens >= 1;
  };
  return std::any_of(peers_.begin(), peers_.end(), may_go_on) ? 0 : kTickMs;
}

void LimitServer::Accept() {
  const int file = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (file < 0) return;  // it has gone already, or there are too many files: others end first
  ucred who{};
  socklen_t length = sizeof who;
  const bool known = getsockopt(file, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0;
  const auto of_user =
      std::count_if(peers_.begin(), peers_.end(), [&](const auto& e) { return e.second.uid == who.uid; });
  // One place is kept for root: an administrator can always look.
  const size_t most = static_cast<size_t>(options_.most_connections) - (who.uid == 0 ? 0 : 1);
  if (!known || peers_.size() >= most || of_user >= options_.most_of_one_user) {
    const std::string reply =
        WriteError({ErrorKind::kFailure, {"heliograd-limitd has too many connections: end some, or try again"}});
    static_cast<void>(send(file, reply.data(), reply.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    close(file);
    return;
  }
  const Stamp now = SteadyClock().Now();
  peers_[next_] = {file, who.uid, "", "", options_.requests_per_s, now, now, now, false};
  service_.Connect(next_, {who.pid, who.uid, who.gid});
  ++next_;
}

/// Room for input and leave to send it: else its bytes wait in the sender.
bool LimitServer::MayServe(const Peer& peer) const {
  return peer.out.empty() && peer.tokens >= 1 && peer.in.size() < kLargestBuffer;
}

/// A second's worth of requests may come at once.
void LimitServer::Refill(Peer& peer) const {
  const Stamp now = SteadyClock().Now();
  const double passed_s = std::chrono::duration<double>(now - peer.refilled).count();
  peer.tokens = std::min(peer.tokens + passed_s * options_.requests_per_s, std::max(options_.requests_per_s, 1.0));
  peer.refilled = now;
}

void LimitServer::Receive(Peer& peer) {
  char bytes[kLargestBuffer];
  const ssize_t length = recv(peer.file, bytes, std::min(sizeof bytes, kLargestBuffer - peer.in.size()), MSG_DONTWAIT);
  if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR)) peer.ended = true;
  if (length > 0) peer.in.append(bytes, static_cast<size_t>(length));
}

void LimitServer::Serve(LimitService::Connection connection, Peer& peer) {
  Refill(peer);
  for (int lines = 0; lines < kLinesInOneTurn && !peer.ended && peer.out.empty() && peer.tokens >= 1; ++lines) {
    const size_t end = peer.in.find('\n');
    if (end == std::string::npos ? peer.in.size() >= kLongestFrame : end >= kLongestFrame) {
      peer.out = WriteError({ErrorKind::kUsage, {"heliograd-limitd: a line of more than 511 bytes"}});
      Send(peer);
      peer.ended = true;
      return;
    }
    if (end == std::string::npos) return;
    const std::string line = peer.in.substr(0, end);
    peer.in.erase(0, end + 1);
    peer.tokens -= line.starts_with("take ") ? kTakeCost : 1;
    peer.last_heard = SteadyClock().Now();
    if (peer.out.empty()) peer.last_read = peer.last_heard;
    peer.out += service_.Handle(connection, line);
    Send(peer);
  }
}

void LimitServer::Send(Peer& peer) {
  if (peer.out.empty()) return;
  const ssize_t length = send(peer.file, peer.out.data(), peer.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (length < 0 && errno != EAGAIN && errno != EINTR) peer.ended = true;
  if (length <= 0) return;
  peer.out.erase(0, static_cast<size_t>(length));
  peer.last_read = SteadyClock().Now();
}

/// Holders are judged by their heartbeat alone.
void LimitServer::EndIdle(LimitService::Connection connection, Peer& peer) const {
  const Stamp now = SteadyClock().Now();
  if (!peer.out.empty() && now - peer.last_read > options_.most_idle) peer.ended = true;
  if (now - peer.last_heard > options_.most_idle && !service_.HoldsLease(connection)) peer.ended = true;
}

void LimitServer::Sweep() {
  for (auto next = peers_.begin(); next != peers_.end();) {
    const auto peer = next++;
    if (!peer->second.ended) continue;
    service_.Disconnect(peer->first);
    close(peer->second.file);
    peers_.erase(peer);
  }
}

}  // namespace heliograd::limitd
