// `heliograd limits`: who holds which power limit, and putting back what a killed holder left.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "heliograd/app/command_line.h"
#include "heliograd/app/left_limits.h"
#include "heliograd/app/sources.h"
#include "heliograd/control/limit_lease.h"
#include "heliograd/control/limitd_client.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

double InWattsOf(int64_t milliwatts) { return static_cast<double>(milliwatts) / 1000; }

std::string Describe(const FoundLease& lease) {
  const LeaseRecord& record = lease.record;
  return fmt::format("{}: {:.0f} W set, {:.0f} W before; {} process {} ({}) since {}\n", record.uuid,
                     InWattsOf(record.set_mw), InWattsOf(record.prior_mw), lease.held ? "held by" : "left by",
                     record.pid, record.command, record.since);
}

Json AsJson(const FoundLease& lease) {
  const LeaseRecord& record = lease.record;
  return {{"uuid", record.uuid},
          {"held", lease.held},
          {"prior_limit_w", InWattsOf(record.prior_mw)},
          {"set_limit_w", InWattsOf(record.set_mw)},
          {"pid", record.pid},
          {"command", record.command},
          {"since", record.since}};
}

std::string Describe(const limitd::LeaseLine& lease) {
  return fmt::format(
      "{}: {:.0f} W set, {:.0f} W before; {} process {} (uid {}, through heliograd-limitd: {}) since {}\n", lease.uuid,
      InWattsOf(lease.set_mw), InWattsOf(lease.prior_mw), lease.restoring ? "being put back after" : "held by",
      lease.pid, lease.uid, lease.command, lease.since);
}

Json AsJson(const limitd::LeaseLine& lease) {
  return {{"uuid", lease.uuid},
          {"held", !lease.restoring},
          {"prior_limit_w", InWattsOf(lease.prior_mw)},
          {"set_limit_w", InWattsOf(lease.set_mw)},
          {"pid", lease.pid},
          {"uid", lease.uid},
          {"command", lease.command},
          {"since", lease.since},
          {"through", "heliograd-limitd"}};
}

Result<std::vector<FoundLease>> Leases() {
  const Result<std::string> folder = LeaseFolder();
  if (!folder) return Fail(folder.error());
  return FindLeases(*folder);
}

Result<int> Show(bool json) {
  const auto leases = Leases();
  if (!leases) return Fail(leases.error());
  std::string text;
  Json list = Json::array();
  // Where there is no service, or it is not for this user, it holds no lease of this user's either; doctor says more.
  const auto served = limitd::ShowLeases(limitd::SocketPath());
  std::set<std::string> shown;
  for (const limitd::LeaseLine& lease : served ? *served : std::vector<limitd::LeaseLine>()) {
    text += Describe(lease);
    list.push_back(AsJson(lease));
    shown.insert(lease.uuid);
  }
  for (const FoundLease& lease : *leases) {
    if (lease.held && shown.contains(lease.record.uuid)) continue;  // root sees the service's records too
    text += Describe(lease);
    list.push_back(AsJson(lease));
  }
  if (list.empty()) text = "no power limit is held, and none was left behind\n";
  if (Result<void> done = Print(json ? Json{{"leases", list}}.dump(2) + "\n" : text); !done) return Fail(done.error());
  return kExitOk;
}

Result<int> Restore() {
  const auto leases = Leases();
  if (!leases) return Fail(leases.error());
  std::string text;
  std::vector<std::string> problems;
  ErrorKind kind = ErrorKind::kFailure;
  for (const FoundLease& lease : *leases) {
    if (lease.held) {
      text += Describe(lease);
      continue;
    }
    const auto capper = OpenCapper(lease.record.uuid);
    const Result<Restored> restored =
        capper ? RestoreLease(*LeaseFolder(), lease.record, **capper) : Fail(capper.error());
    if (restored) {
      text += RestoredText(lease.record, *restored) + "\n";
    } else {
      kind = restored.error().kind;
      problems.push_back(restored.error().Message());
    }
  }
  if (leases->empty()) text = "nothing to put back\n";
  if (Result<void> done = Print(text); !done) return Fail(done.error());
  if (!problems.empty()) return Fail(std::move(problems), kind);
  return kExitOk;
}

struct GuardFlags {
  std::string folder, uuid;
  int line = -1;
};

Result<int> Guard(const GuardFlags& flags) {
  const Result<Restored> restored = GuardLease(flags.folder, flags.uuid, flags.line, OpenCapper);
  if (!restored) return Fail(restored.error());
  return kExitOk;
}

}  // namespace

void AddLimitsCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(program, "limits", "Shows who holds which power limit; puts back what was left behind",
                             {"heliograd limits show", "sudo heliograd limits restore"});
  app->require_subcommand(1);
  CLI::App* show = AddCommand(*app, "show", "Lists leases on power limits", {"heliograd limits show --json"});
  auto json = std::make_shared<bool>(false);
  show->add_flag("--json", *json, "machine-readable output");
  commands.push_back({show, [json] { return Show(*json); }});
  CLI::App* restore = AddCommand(*app, "restore", "Puts back limits whose holder was killed together with its guard",
                                 {"sudo heliograd limits restore"});
  commands.push_back({restore, [] { return Restore(); }});
  // Started by a lease, never by people.
  CLI::App* guard = app->add_subcommand("guard", "")->group("");
  auto flags = std::make_shared<GuardFlags>();
  guard->add_option("folder", flags->folder)->required();
  guard->add_option("uuid", flags->uuid)->required();
  guard->add_option("line", flags->line)->required();
  commands.push_back({guard, [flags] { return Guard(*flags); }});
}

}  // namespace heliograd
