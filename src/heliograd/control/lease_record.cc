#include "heliograd/control/lease_record.h"

#include "heliograd/base/file.h"
#include "heliograd/base/text.h"

namespace heliograd {
namespace {

constexpr std::string_view kHeader = "heliograd-lease 1";

/// One line of text, whatever it held.
std::string OneLine(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

}  // namespace

std::string WriteLease(const LeaseRecord& record) {
  std::string text(kHeader);
  text += "\nuuid=" + OneLine(record.uuid) + "\nprior_mw=" + std::to_string(record.prior_mw) +
          "\nset_mw=" + std::to_string(record.set_mw) + "\nbefore_mw=" + std::to_string(record.before_mw) +
          "\npid=" + std::to_string(record.pid) + "\ncommand=" + OneLine(record.command) +
          "\nboot=" + OneLine(record.boot) + "\nsince=" + OneLine(record.since) + "\n";
  return text;
}

Result<LeaseRecord> ParseLease(std::string_view content, const std::string& name) {
  LeaseRecord record;
  const auto damaged = [&] {
    return Fail(name +
                ": is no lease of heliograd, or damaged: compare the GPU's limit with `nvidia-smi -q -d POWER`, "
                "set it with `sudo nvidia-smi -pl WATTS`, then remove the file");
  };
  if (content.substr(0, content.find('\n')) != kHeader) return damaged();
  int found = 0;
  while (!content.empty()) {
    const size_t end = std::min(content.find('\n'), content.size());
    const std::string_view line = content.substr(0, end);
    content.remove_prefix(std::min(end + 1, content.size()));
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, equals), value = line.substr(equals + 1);
    const auto number = [&](int64_t& field) {
      const std::optional<long> read = ParseInteger(value);
      if (!read || *read < 0) return;
      field = *read;
      ++found;
    };
    if (key == "prior_mw") number(record.prior_mw);
    if (key == "set_mw") number(record.set_mw);
    if (key == "before_mw") number(record.before_mw);
    if (key == "pid") number(record.pid);
    if (key == "uuid") record.uuid = value;
    if (key == "command") record.command = value;
    if (key == "boot") record.boot = value;
    if (key == "since") record.since = value;
  }
  if (found != 4 || record.uuid.empty() || record.prior_mw == 0) return damaged();
  return record;
}

std::string BootId() {
  const Result<std::string> id = ReadFile("/proc/sys/kernel/random/boot_id", 4096);
  return id ? std::string(Trim(*id)) : std::string("unknown");
}

}  // namespace heliograd
