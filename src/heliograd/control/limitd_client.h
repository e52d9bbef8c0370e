// The other end of heliograd-limitd: power limits for a process that may not set them itself.
//
// Enters: the path of a socket. Leaves: limits that are set by the service behind it, under a lease that is kept alive
// by a thread. What the service says is checked as any input is.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/control/limitd_protocol.h"
#include "heliograd/control/power_limits.h"

namespace heliograd::limitd {

/// HELIOGRAD_LIMITD_SOCKET, or /run/heliograd/limitd.sock.
std::string SocketPath();

/// One connection. One thread at a time; a call waits at most ten seconds.
class Connection {
 public:
  /// Errors: kDevice when nobody serves there, kPermission when this user may not connect, kFailure when the service is
  /// of another version or has no place left.
  static Result<std::unique_ptr<Connection>> Open(const std::string& socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// The service's answer. `lost()` is true when there was none.
  Result<Reply> Ask(const Request& request);
  bool lost() const { return lost_; }
  int file() const { return file_; }
  std::chrono::milliseconds heartbeat() const { return heartbeat_; }

 private:
  explicit Connection(int file) : file_(file) {}
  Result<std::string> ReadLine();

  int file_;
  bool lost_ = false;
  std::string in_;
  std::chrono::milliseconds heartbeat_{0};
};

/// What the service knows of its GPUs and leases.
Result<std::vector<GpuLine>> ListGpus(const std::string& socket);
Result<std::vector<LeaseLine>> ShowLeases(const std::string& socket);

/// Limits of the capper's GPU, set by the service; read from the capper. The lease is taken with the first limit. Where
/// the service is started anew, or took the lease for dead (this process was stopped for a while), the lease is taken
/// and its limit set again, and `tell` says so, from the thread that keeps the lease alive.
std::unique_ptr<PowerLimits> MakeServedLimits(PowerCapper& capper, std::string socket, std::string command,
                                              std::function<void(std::string_view)> tell);

}  // namespace heliograd::limitd

namespace heliograd {

/// The way this process may set limits: heliograd-limitd where it serves this GPU, else by itself. Where neither is
/// allowed, the error of the first Set says what to do.
std::unique_ptr<PowerLimits> MakePowerLimits(PowerCapper& capper, LimitLease::Options options,
                                             std::function<void(std::string_view)> tell);

}  // namespace heliograd
