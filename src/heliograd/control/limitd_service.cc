#include "heliograd/control/limitd_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/base/time.h"

namespace heliograd::limitd {
namespace {

constexpr std::chrono::seconds kBetweenTries{1};

int64_t Milliwatts(Power power) { return std::llround(InWatts(power) * 1000); }
Power FromMilliwatts(int64_t milliwatts) { return Watts(static_cast<double>(milliwatts) / 1000); }

std::string Refused(std::string sentence, ErrorKind kind = ErrorKind::kFailure) {
  return WriteError({kind, {std::move(sentence)}});
}

/// In quotes, so that what a client calls itself cannot pass for another field.
std::string QuotedCommand(std::string command) {
  std::replace(command.begin(), command.end(), '"', '\'');
  return "\"" + command + "\"";
}

}  // namespace

std::string AuditLine(const Change& change, Stamp at) {
  return fmt::format("time={} uid={} pid={} gpu={} from_w={:.3f} to_w={:.3f} reason={} command={}", FormatStamp(at),
                     change.caller.uid, change.caller.pid, change.uuid, InWatts(change.from), InWatts(change.to),
                     change.reason, QuotedCommand(change.command));
}

LimitService::LimitService(LimitHardware& hardware, Clock& clock, const Options& options,
                           std::function<void(const Change&)> audit)
    : hardware_(hardware), clock_(clock), options_(options), audit_(std::move(audit)) {}

void LimitService::Connect(Connection connection, const Caller& caller) { callers_[connection] = caller; }

std::string LimitService::Handle(Connection connection, std::string_view line) {
  const auto caller = callers_.find(connection);
  if (caller == callers_.end()) return Refused("this connection is closed");
  const Result<Request> request = ParseRequest(line);
  if (!request) return WriteError(request.error());
  // Whatever a holder asks shows that it lives.
  for (auto& [uuid, lease] : leases_) {
    if (lease.owner == connection) lease.last_beat = clock_.Now();
  }
  return Answer(connection, caller->second, *request);
}

std::string LimitService::Answer(Connection connection, const Caller& caller, const Request& request) {
  switch (request.verb) {
    case Verb::kHello:
      return WriteOk(fmt::format("{} {}", kVersion, options_.heartbeat.count()));
    case Verb::kList:
      return List();
    case Verb::kShow:
      return Show();
    case Verb::kTake:
      return Take(connection, caller, request);
    case Verb::kSet:
      return Set(connection, request);
    case Verb::kBeat: {
      const Result<Lease*> lease = Own(connection, request.uuid);
      return lease ? WriteOk() : WriteError(lease.error());
    }
    case Verb::kRelease:
      return Release(connection, request.uuid);
  }
  return Refused("heliograd-limitd does not know this request", ErrorKind::kUsage);
}

std::string LimitService::List() {
  const auto gpus = hardware_.Gpus();
  if (!gpus) {
    if (gpus.error().kind == ErrorKind::kDevice) ReopenSometimes();
    return WriteError(gpus.error());
  }
  std::string text;
  for (const LimitHardware::Gpu& gpu : *gpus) {
    text += WriteGpuLine({gpu.uuid, Milliwatts(gpu.range.lowest), Milliwatts(gpu.range.highest),
                          Milliwatts(gpu.range.standard), Milliwatts(gpu.limit), gpu.name});
  }
  return text + WriteOk();
}

std::string LimitService::Show() const {
  std::string text;
  for (const auto& [uuid, lease] : leases_) {
    text += WriteLeaseLine({uuid, Milliwatts(lease.limit->Prior()), Milliwatts(lease.set), lease.caller.pid,
                            lease.caller.uid, !lease.owner, lease.since, lease.command});
  }
  return text + WriteOk();
}

std::string LimitService::Take(Connection connection, const Caller& caller, const Request& request) {
  if (const auto held = leases_.find(request.uuid); held != leases_.end()) {
    const Lease& lease = held->second;
    if (lease.owner == connection) return Refused(request.uuid + ": this connection holds its lease already");
    const std::string holder =
        fmt::format("process {} (uid {}: {}) since {}", lease.caller.pid, lease.caller.uid, lease.command, lease.since);
    return Refused(lease.owner
                       ? fmt::format("{}: its power limit is held by {}: wait for it, or end it", request.uuid, holder)
                       : fmt::format("{}: the limit of {} is being put back, but the GPU does not answer: try "
                                     "again when it does",
                                     request.uuid, holder));
  }
  const std::string holder = fmt::format("uid {}, through heliograd-limitd: {}", caller.uid, request.command);
  const std::optional<Replaced> replaced = ReplacedOf(caller, request.uuid);
  Result<std::unique_ptr<HeldLimit>> taken =
      hardware_.Take(request.uuid, caller.pid, holder, replaced ? std::optional(replaced->prior) : std::nullopt);
  if (!taken) {
    if (taken.error().kind == ErrorKind::kDevice) ReopenSometimes();
    return WriteError(taken.error());
  }
  Lease& lease = leases_[request.uuid];
  lease.limit = std::move(*taken);
  lease.owner = connection;
  lease.caller = caller;
  lease.command = request.command;
  lease.since = FormatStamp(SystemClock().Now());
  lease.set = replaced ? replaced->failsafe : lease.limit->Prior();
  lease.last_beat = clock_.Now();
  if (replaced) replaced_.erase(request.uuid);
  return WriteOk(std::to_string(Milliwatts(lease.limit->Prior())));
}

std::optional<LimitService::Replaced> LimitService::ReplacedOf(const Caller& caller, const std::string& uuid) {
  const auto found = replaced_.find(uuid);
  if (found == replaced_.end()) return std::nullopt;
  const Replaced& replaced = found->second;
  const Result<LimitHardware::Gpu> gpu = hardware_.Find(uuid);
  if (!gpu) return std::nullopt;  // its lease cannot be taken either
  if (Milliwatts(gpu->limit) != Milliwatts(replaced.failsafe)) {
    replaced_.erase(found);  // someone chose another limit since
    return std::nullopt;
  }
  if (caller.pid != replaced.caller.pid || caller.uid != replaced.caller.uid) return std::nullopt;
  return replaced;
}

Result<LimitService::Lease*> LimitService::Own(Connection connection, const std::string& uuid) {
  const auto found = leases_.find(uuid);
  if (found != leases_.end() && found->second.owner == connection) return &found->second;
  return Fail(uuid +
                  ": this connection holds no lease on its power limit: it was never taken, or it ended when no "
                  "heartbeat came; nothing was changed",
              ErrorKind::kPermission);
}

std::string LimitService::Set(Connection connection, const Request& request) {
  const Result<Lease*> lease = Own(connection, request.uuid);
  if (!lease) return WriteError(lease.error());
  const Result<LimitHardware::Gpu> gpu = hardware_.Find(request.uuid);
  if (!gpu) {
    if (gpu.error().kind == ErrorKind::kDevice) ReopenSometimes();
    return WriteError(gpu.error());
  }
  const Power asked = FromMilliwatts(request.limit_mw);
  const Power limit = std::clamp(asked, gpu->range.lowest, gpu->range.highest);
  if (const Result<void> set = (*lease)->limit->Set(limit); !set) {
    if (set.error().kind == ErrorKind::kDevice) ReopenSometimes();
    return WriteError(set.error());
  }
  (*lease)->set = limit;
  audit_({(*lease)->caller, request.uuid, gpu->limit, limit, limit == asked ? "set" : "clamped", (*lease)->command});
  return WriteOk(fmt::format("{} {}", request.limit_mw, Milliwatts(limit)));
}

std::string LimitService::Release(Connection connection, const std::string& uuid) {
  const Result<Lease*> own = Own(connection, uuid);
  if (!own) return WriteError(own.error());
  const Result<Restored> restored = End(leases_.find(uuid), "release");
  return restored ? WriteOk(RestoredWord(*restored)) : WriteError(restored.error());
}

Result<Restored> LimitService::End(Leases::iterator found, const std::string& reason) {
  Lease& lease = found->second;
  const bool failsafe = options_.failsafe && reason == "heartbeat_lost";
  Power target = lease.limit->Prior();
  Result<Restored> restored = Restored::kNothingToDo;
  if (failsafe) {
    const Result<LimitHardware::Gpu> gpu = hardware_.Find(found->first);
    if (gpu) target = std::clamp(*options_.failsafe, gpu->range.lowest, gpu->range.highest);
    restored = gpu ? lease.limit->ReleaseTo(target) : Fail(gpu.error());
  } else {
    restored = lease.limit->Release();
  }
  if (!restored) {
    if (restored.error().kind == ErrorKind::kDevice) ReopenSometimes();
    const bool first = lease.owner.has_value();
    lease.owner.reset();
    lease.reason = reason;
    if (first) audit_({lease.caller, found->first, lease.set, lease.set, "not_back_yet", lease.command});
    lease.next_try = clock_.Now() + kBetweenTries;
    return restored;
  }
  const bool changed = *restored == Restored::kChangedByOther;
  // A lease that began at the failsafe limit has nothing to add to what that limit replaced.
  const bool replaces = failsafe && !changed && Milliwatts(target) != Milliwatts(lease.limit->Prior());
  if (replaces) replaced_[found->first] = {lease.caller, lease.limit->Prior(), target};
  if (changed || *restored == Restored::kPutBack) {
    audit_({lease.caller, found->first, lease.set, changed ? lease.set : target, changed ? "changed_by_other" : reason,
            lease.command});
  }
  leases_.erase(found);
  return restored;
}

void LimitService::Disconnect(Connection connection) {
  for (auto next = leases_.begin(); next != leases_.end();) {
    const auto lease = next++;
    if (lease->second.owner == connection) static_cast<void>(End(lease, "disconnect"));  // Tick tries again
  }
  callers_.erase(connection);
}

void LimitService::Tick() {
  const Stamp now = clock_.Now();
  for (auto next = leases_.begin(); next != leases_.end();) {
    const auto lease = next++;
    if (!lease->second.owner) {
      if (now >= lease->second.next_try) static_cast<void>(End(lease, lease->second.reason));
    } else if (now - lease->second.last_beat >= options_.heartbeat) {
      static_cast<void>(End(lease, "heartbeat_lost"));
    }
  }
}

bool LimitService::ReleaseAll() {
  bool all = true;
  for (auto next = leases_.begin(); next != leases_.end();) {
    const auto lease = next++;
    if (!End(lease, "shutdown")) all = false;
  }
  return all;
}

bool LimitService::HoldsLease(Connection connection) const {
  return std::any_of(leases_.begin(), leases_.end(),
                     [&](const auto& entry) { return entry.second.owner == connection; });
}

void LimitService::ReopenSometimes() {
  const Stamp now = clock_.Now();
  if (reopened_ && now - *reopened_ < kBetweenTries) return;
  reopened_ = now;
  hardware_.Reopen();
}

}  // namespace heliograd::limitd
