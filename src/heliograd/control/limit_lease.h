// Leases on power limits: whoever sets a GPU's limit holds one, and the limit from before is put back whatever happens.
//
// Enters: a capper, and a folder for records. Leaves: a limit that is set, and later the prior one (not the default).
//   - The prior limit is on the disk before anything is set.
//   - A guard, a process of our own, puts it back when the holder ends in any way, signal 9 included.
//   - Should the guard be killed too, the record stays, and the next start of heliograd puts it back.
//   - A limit that someone else set meanwhile is noticed and never overwritten.
// One lease per GPU: the lock is shared by holder and guard and falls when both are gone.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/control/lease_record.h"
#include "heliograd/meter/meter.h"

namespace heliograd {

/// Where records and locks lie: /var/lib/heliograd/leases for root, else $XDG_STATE_HOME or ~/.local/state.
Result<std::string> LeaseFolder();

/// What became of a limit that was to be put back.
enum class Restored {
  kPutBack,           // the prior limit is in force again
  kNothingToDo,       // it was in force already
  kMachineRestarted,  // the machine was started anew since, which ends every limit: left as it is
  kChangedByOther     // someone else, or a driver that was loaded anew, set another limit meanwhile: left as it is
};

class LimitLease {
 public:
  struct Options {
    std::string folder;
    std::string command;              // what a second holder is told, "heliograd curve -- python train.py"
    std::vector<std::string> guard;   // program and arguments that run GuardLease(...); the lock and pipe are appended
    int64_t pid = 0;                  // the holder's; 0 = this process
    std::optional<Power> prior = {};  // put back in the end in place of the limit that is found in force
  };

  /// Errors: held by another (kFailure, with its name), no right to write the records (kPermission), no guard.
  /// A record that a dead holder left is made good first.
  static Result<std::unique_ptr<LimitLease>> Take(PowerCapper& capper, const Options& options);
  /// Puts the limit back.
  ~LimitLease();
  LimitLease(const LimitLease&) = delete;
  LimitLease& operator=(const LimitLease&) = delete;

  /// Sets a limit. Errors: those of PowerCapper::SetLimit, or someone else changed the limit: then nothing is set.
  Result<void> Set(Power limit);
  /// Puts the prior limit back and ends the lease; a second call does nothing. The GPU is free for others at once.
  Result<Restored> Release();
  /// Ends the lease with `limit` in force in place of the prior one.
  Result<Restored> ReleaseTo(Power limit);

  const LeaseRecord& record() const { return record_; }

 private:
  LimitLease(PowerCapper& capper, std::string folder, LeaseRecord record, int lock);
  Result<void> Write() const;
  Result<void> StartGuard(const std::vector<std::string>& command);
  void End();

  PowerCapper& capper_;
  std::string folder_;
  LeaseRecord record_;
  int lock_;
  int guard_pipe_ = -1;
  bool active_ = true;
};

/// The guard's work: waits until the holder's end of `line` is closed, then puts the limit back unless the holder has.
/// `capper` is opened only then. Keeps `lock` (inherited, locked) until it is done. A GPU that does not answer is asked
/// again once a second for `patience`; then the record stays, for `limits restore`.
using CapperOpener = Result<std::unique_ptr<PowerCapper>> (*)(const std::string& uuid);
Result<Restored> GuardLease(const std::string& folder, const std::string& uuid, int line, CapperOpener open,
                            std::chrono::seconds patience = std::chrono::minutes(5));

/// One lease found on disk.
struct FoundLease {
  LeaseRecord record;
  bool held = false;  // by a holder or guard that lives
};
/// Every record in the folder. Errors: one that is damaged, by file.
Result<std::vector<FoundLease>> FindLeases(const std::string& folder);
/// Puts back what a dead holder left, and removes the record. Errors: it is held, or the limit cannot be set.
Result<Restored> RestoreLease(const std::string& folder, const LeaseRecord& record, PowerCapper& capper);

}  // namespace heliograd
