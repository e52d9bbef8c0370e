// heliograd-limitd: the one program of heliograd that needs root. It sets power limits for those who may use its
// socket, and puts them back. docs/limitd.md tells what it trusts.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

#include "heliograd/control/limit_lease.h"
#include "heliograd/control/limitd_hardware.h"
#include "heliograd/control/limitd_server.h"
#include "heliograd/control/limitd_service.h"

namespace {

using namespace heliograd;

constexpr const char* kExamples =
    "heliograd-limitd sets GPU power limits for the members of a group, and puts them back.\n\n"
    "Examples:\n"
    "  sudo systemctl enable --now heliograd-limitd      as a service\n"
    "  sudo usermod -aG heliograd $USER                  may use it, from the next login on\n"
    "  sudo heliograd-limitd --group heliograd --audit /var/log/heliograd/limits.log\n";

struct Flags {
  std::string socket = "/run/heliograd/limitd.sock";
  std::string group = "heliograd";
  std::string state = "/var/lib/heliograd/leases";
  std::string audit;
  double heartbeat_s = 10, failsafe_w = 0, requests_per_s = 100;
};

struct GuardFlags {
  std::string folder, uuid;
  int line = -1;
};

void Tell(std::string_view text) { fmt::print(stderr, "{}\n", text); }

/// One line of each change, to standard error and to the file. The file is opened for each, so that it can be rotated.
class Audit {
 public:
  explicit Audit(std::string path) : path_(std::move(path)) {}

  Result<void> Check() const {
    if (path_.empty()) return {};
    const int file = Open();
    if (file < 0) return Fail("--audit " + path_ + ": cannot be written: " + std::strerror(errno));
    close(file);
    return {};
  }

  void operator()(const limitd::Change& change) const {
    const std::string line = limitd::AuditLine(change, SystemClock().Now());
    Tell(line);
    if (path_.empty()) return;
    const int file = Open();
    const std::string with_end = line + "\n";
    const bool written = file >= 0 && write(file, with_end.data(), with_end.size()) == ssize_t(with_end.size());
    if (!written) Tell("--audit " + path_ + ": the line above could not be written there");
    if (file >= 0) close(file);
  }

 private:
  int Open() const { return open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640); }
  std::string path_;
};

/// SIGTERM, SIGINT and SIGHUP as a file that is readable once one came.
int StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

/// A GPU that does not take this limit would get another one than was asked for.
Result<void> CheckFailsafe(const Flags& flags, limitd::LimitHardware& hardware) {
  if (flags.failsafe_w <= 0) return {};
  const auto gpus = hardware.Gpus();
  if (!gpus) return {};  // no driver yet
  for (const limitd::LimitHardware::Gpu& gpu : *gpus) {
    const Power limit = Watts(flags.failsafe_w);
    if (limit >= gpu.range.lowest && limit <= gpu.range.highest) continue;
    return Fail(
        fmt::format("--failsafe-w {:g}: {} ({}) takes {:.0f} to {:.0f} W: give a limit that every GPU here takes",
                    flags.failsafe_w, gpu.name, gpu.uuid, InWatts(gpu.range.lowest), InWatts(gpu.range.highest)),
        ErrorKind::kUsage);
  }
  return {};
}

/// Without its records no limit that is set could be put back by the next start.
Result<void> CheckState(const std::string& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (std::filesystem::is_directory(folder, failed) && access(folder.c_str(), R_OK | W_OK | X_OK) == 0) return {};
  const bool is_there = std::filesystem::exists(folder, failed);
  return Fail(fmt::format("--state {}: {}: expected a folder that root may write to", folder,
                          is_there ? "is no folder, or may not be written to" : "cannot be made"),
              ErrorKind::kPermission);
}

Result<int> Serve(const Flags& flags) {
  const Audit audit(flags.audit);
  if (Result<void> sound = audit.Check(); !sound) return Fail(sound.error());
  if (Result<void> sound = CheckState(flags.state); !sound) return Fail(sound.error());
  const int stop = StopSignals();
  const auto hardware = limitd::MakeNvmlHardware(flags.state, {"/proc/self/exe", "guard"});
  if (Result<void> sound = CheckFailsafe(flags, *hardware); !sound) return Fail(sound.error());
  limitd::LimitService::Options options;
  options.heartbeat = std::chrono::milliseconds(static_cast<int64_t>(flags.heartbeat_s * 1000));
  if (flags.failsafe_w > 0) options.failsafe = Watts(flags.failsafe_w);
  limitd::LimitService service(*hardware, SteadyClock(), options, audit);
  auto server = limitd::LimitServer::Open(
      service, {.socket = flags.socket, .group = flags.group, .requests_per_s = flags.requests_per_s});
  if (!server) return Fail(server.error());
  std::string told;
  const auto tell_once = [&](std::string_view text) {
    if (text != told) Tell(text);
    told = text;
  };
  bool all_back = limitd::RestoreLeft(flags.state, audit, tell_once);
  Tell(fmt::format("serves on {} for root{}", flags.socket,
                   flags.group.empty() ? std::string() : " and the group " + flags.group));
  const Result<void> served = (*server)->Run(stop, [&] {
    if (!all_back) all_back = limitd::RestoreLeft(flags.state, audit, tell_once);
  });
  if (!service.ReleaseAll()) {
    Tell("a limit is not back yet, for its GPU does not answer: its guard tries on, and the next start does");
  }
  if (!served) return Fail(served.error());
  return 0;
}

Result<int> Guard(const GuardFlags& flags) {
  const Result<Restored> restored = GuardLease(flags.folder, flags.uuid, flags.line, limitd::OpenNvmlCapperOf);
  if (!restored) return Fail(restored.error());
  return 0;
}

int ExitCode(const Result<int>& code) {
  if (code) return *code;
  Tell(code.error().Message());
  return static_cast<int>(code.error().kind);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(kExamples, "heliograd-limitd");
  app.set_version_flag("--version", "heliograd-limitd " HELIOGRAD_VERSION);
  Flags flags;
  app.add_option("--socket", flags.socket, "where it serves (default /run/heliograd/limitd.sock)");
  app.add_option("--group", flags.group, "who may set limits beside root; \"\" for nobody (default heliograd)");
  app.add_option("--state", flags.state, "folder of the records of leases (default /var/lib/heliograd/leases)");
  app.add_option("--heartbeat-s", flags.heartbeat_s, "a holder that is silent for so long loses its lease (default 10)")
      ->check(CLI::Range(0.2, 3600.0));
  app.add_option("--failsafe-w", flags.failsafe_w, "limit that is then set, in place of the one from before")
      ->check(CLI::Range(1.0, 100'000.0));
  app.add_option("--audit", flags.audit, "file to which each change is appended, one line, beside standard error");
  app.add_option("--requests-per-s", flags.requests_per_s, "of one connection; more than that wait (default 100)")
      ->check(CLI::Range(1.0, 1e6));
  CLI::App* guard = app.add_subcommand("guard", "")->group("");  // started by a lease, never by people
  GuardFlags guard_flags;
  guard->add_option("folder", guard_flags.folder)->required();
  guard->add_option("uuid", guard_flags.uuid)->required();
  guard->add_option("line", guard_flags.line)->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ErrorKind::kUsage);
  }
  return ExitCode(guard->parsed() ? Guard(guard_flags) : Serve(flags));
}
