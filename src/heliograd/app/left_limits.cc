#include "heliograd/app/left_limits.h"

#include <fmt/format.h>

#include "heliograd/app/command_line.h"
#include "heliograd/app/sources.h"

namespace heliograd {
namespace {

double InWattsOf(int64_t milliwatts) { return static_cast<double>(milliwatts) / 1000; }

Result<Restored> PutBack(const std::string& folder, const LeaseRecord& record) {
  const Result<std::unique_ptr<PowerCapper>> capper = OpenCapper(record.uuid);
  if (!capper) return Fail(capper.error());
  return RestoreLease(folder, record, **capper);
}

}  // namespace

std::string RestoredText(const LeaseRecord& record, Restored restored) {
  switch (restored) {
    case Restored::kPutBack:
      return fmt::format("{}: its limit is {:.0f} W again", record.uuid, InWattsOf(record.prior_mw));
    case Restored::kNothingToDo:
      return fmt::format("{}: its limit was put back already", record.uuid);
    case Restored::kMachineRestarted:
      return fmt::format("{}: the machine was started anew since, which ended that limit; it is left as it is",
                         record.uuid);
    case Restored::kChangedByOther:
      return fmt::format("{}: someone else set its limit since, or the driver was loaded anew; it is left as it is",
                         record.uuid);
  }
  return "";
}

void ReleaseLimits(PowerLimits& limits, const std::string& uuid) {
  const Result<Restored> restored = limits.Release();
  if (!restored) {
    PrintMessage(
        restored.error().Message() +
        ": the limit from before is not back yet; its guard tries on, and `heliograd limits restore` mends it");
  } else if (*restored == Restored::kChangedByOther) {
    PrintMessage(uuid +
                 ": someone else set its power limit meanwhile, or the driver was loaded anew; it is left as it is");
  }
}

void PutBackLeftLimits() {
  const Result<std::string> folder = LeaseFolder();
  if (!folder) return;  // a lease has no place either
  const Result<std::vector<FoundLease>> leases = FindLeases(*folder);
  if (!leases) {
    // A folder of another user's is none of ours; a damaged record is, and must not stay unseen.
    if (leases.error().kind != ErrorKind::kPermission) PrintMessage(leases.error().Message());
    return;
  }
  for (const FoundLease& lease : *leases) {
    if (lease.held) continue;
    const LeaseRecord& record = lease.record;
    const std::string left = fmt::format("process {} ({}), which was killed, left a limit of {:.0f} W", record.pid,
                                         record.command, InWattsOf(record.set_mw));
    const Result<Restored> restored = PutBack(*folder, record);
    if (restored) {
      PrintMessage(fmt::format("{}: {}", left, RestoredText(record, *restored)));
    } else {
      PrintMessage(
          fmt::format("{}: {}; `sudo heliograd limits restore` puts it back", left, restored.error().Message()));
    }
  }
}

}  // namespace heliograd
