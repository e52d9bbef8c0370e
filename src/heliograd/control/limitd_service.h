// What heliograd-limitd does with requests: who may set which limit, and when one comes back.
//
// Enters: lines, each with the connection it came on; the time. Leaves: replies, limits that are set and put back, and
// one audited change for each. Knows no socket; GPUs are behind LimitHardware.
//   - A limit is set only by the connection that holds the GPU's lease, and only within the GPU's range.
//   - A lease ends, and its prior limit comes back, when it is released, its connection closes, no heartbeat comes for
//     a while, or the service ends. Where the GPU does not answer it is asked again once a second.
//   - Where a failsafe limit is set when no heartbeat comes, the holder that takes its lease again gives back the limit
//     from before its first.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/clock.h"
#include "heliograd/base/result.h"
#include "heliograd/control/limitd_protocol.h"
#include "heliograd/meter/meter.h"

namespace heliograd::limitd {

/// Who is at the other end, as the kernel tells it.
struct Caller {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

/// One lease on one GPU's limit. Destroyed unreleased, it leaves the limit to its guard.
class HeldLimit {
 public:
  virtual ~HeldLimit() = default;
  virtual Power Prior() const = 0;
  virtual Result<void> Set(Power limit) = 0;
  virtual Result<Restored> Release() = 0;
  virtual Result<Restored> ReleaseTo(Power limit) = 0;
};

/// The GPUs and their leases. Errors are kDevice where asking again may help.
class LimitHardware {
 public:
  struct Gpu {
    std::string uuid, name;
    PowerLimitRange range;
    Power limit;
  };
  virtual ~LimitHardware() = default;
  virtual Result<std::vector<Gpu>> Gpus() = 0;
  virtual Result<Gpu> Find(const std::string& uuid) = 0;
  /// `holder` is what others are told; `prior` comes back in the end, without it the limit that is in force now.
  virtual Result<std::unique_ptr<HeldLimit>> Take(const std::string& uuid, pid_t pid, const std::string& holder,
                                                  std::optional<Power> prior) = 0;
  /// After kDevice: the driver is asked anew, as after it was loaded again.
  virtual void Reopen() = 0;
};

/// One change of a limit, for the audit.
struct Change {
  Caller caller;
  std::string uuid;
  Power from, to;
  // set, clamped, release, disconnect, heartbeat_lost, shutdown, left_over; changed_by_other and not_back_yet, which
  // changed nothing
  std::string reason;
  std::string command;
};

/// One line without a line feed: time, uid, pid, gpu, from_w, to_w, reason, command.
std::string AuditLine(const Change& change, Stamp at);

/// One thread.
class LimitService {
 public:
  struct Options {
    std::chrono::milliseconds heartbeat{10'000};  // a lease without a request of its holder's for so long ends
    std::optional<Power> failsafe;                // in force then, in place of the prior limit, until it is taken again
  };
  using Connection = int64_t;

  LimitService(LimitHardware& hardware, Clock& clock, const Options& options, std::function<void(const Change&)> audit);

  void Connect(Connection connection, const Caller& caller);
  /// The reply to one line without its line feed: one or more lines with theirs.
  std::string Handle(Connection connection, std::string_view line);
  /// Every lease of the connection ends.
  void Disconnect(Connection connection);
  /// Ends leases whose heartbeat is lost, tries again what could not be put back. To be called several times a second.
  void Tick();
  /// Every lease ends. False when a limit could not be put back: its guard tries on.
  bool ReleaseAll();

  bool HoldsLease(Connection connection) const;
  size_t leases() const { return leases_.size(); }

 private:
  struct Lease {
    std::unique_ptr<HeldLimit> limit;
    std::optional<Connection> owner;  // nothing: it is being put back
    Caller caller;
    std::string command, since;
    Power set;
    Stamp last_beat;
    std::string reason;  // why it is being put back
    Stamp next_try;
  };
  using Leases = std::map<std::string, Lease>;
  /// A limit from before whose place the failsafe limit took.
  struct Replaced {
    Caller caller;  // who held the lease
    Power prior, failsafe;
  };

  std::string Answer(Connection connection, const Caller& caller, const Request& request);
  std::string List();
  std::string Show() const;
  std::string Take(Connection connection, const Caller& caller, const Request& request);
  std::string Set(Connection connection, const Request& request);
  std::string Release(Connection connection, const std::string& uuid);
  /// What the failsafe limit replaced when the caller's heartbeat was lost, while that limit is in force.
  std::optional<Replaced> ReplacedOf(const Caller& caller, const std::string& uuid);
  /// The lease that the connection holds on the GPU, or why not.
  Result<Lease*> Own(Connection connection, const std::string& uuid);
  /// Ends a lease; where the GPU does not answer, the lease stays to be tried again.
  Result<Restored> End(Leases::iterator lease, const std::string& reason);
  void ReopenSometimes();

  LimitHardware& hardware_;
  Clock& clock_;
  Options options_;
  std::function<void(const Change&)> audit_;
  std::map<Connection, Caller> callers_;
  Leases leases_;
  std::map<std::string, Replaced> replaced_;  // by GPU
  std::optional<Stamp> reopened_;
};

}  // namespace heliograd::limitd
