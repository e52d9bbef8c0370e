// The socket of heliograd-limitd: connections, bounded in number, size and rate, handed to the service line by line.
//
// Enters: bytes from the socket and, from the kernel, who sends them. Leaves: the service's replies. One thread and one
// poll loop: nothing here waits for a client. Knows nothing of limits.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "heliograd/base/result.h"
#include "heliograd/control/limitd_service.h"

namespace heliograd::limitd {

class LimitServer {
 public:
  struct Options {
    std::string socket;
    std::string group;  // may connect beside root; empty: nobody
    int most_connections = 64;
    int most_of_one_user = 16;
    double requests_per_s = 100;         // of one connection; what is more waits in the sender
    std::chrono::seconds most_idle{60};  // a connection without a lease that says nothing, or that reads no replies
  };

  /// Binds and listens, mode 0660. A socket that a dead server left is replaced. Errors: a server lives there, no such
  /// group, no right to.
  static Result<std::unique_ptr<LimitServer>> Open(LimitService& service, const Options& options);
  ~LimitServer();
  LimitServer(const LimitServer&) = delete;
  LimitServer& operator=(const LimitServer&) = delete;

  /// Serves until `stop`, a file, is readable. `idle` is called about once a second.
  Result<void> Run(int stop, const std::function<void()>& idle);

 private:
  struct Peer {
    int file = -1;
    uid_t uid = 0;
    std::string in, out;
    double tokens = 0;  // requests that it may send now
    Stamp refilled, last_heard, last_read;
    bool ended = false;
  };

  LimitServer(LimitService& service, const Options& options, int listener);
  void Accept();
  bool MayServe(const Peer& peer) const;
  void Refill(Peer& peer) const;
  void Receive(Peer& peer);
  void Serve(LimitService::Connection connection, Peer& peer);
  void Send(Peer& peer);
  void EndIdle(LimitService::Connection connection, Peer& peer) const;
  void Sweep();
  int Patience() const;

  LimitService& service_;
  Options options_;
  int listener_;
  std::map<LimitService::Connection, Peer> peers_;
  LimitService::Connection next_ = 1;
};

}  // namespace heliograd::limitd
