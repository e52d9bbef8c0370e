#include "heliograd/meter/rapl_meter.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "heliograd/base/file.h"
#include "heliograd/base/path.h"
#include "heliograd/base/text.h"

namespace heliograd {
namespace {

Result<long> ReadNumber(const std::string& path) {
  const Result<std::string> content = ReadFile(path, 4096);
  if (!content) return Fail(content.error());
  const std::optional<long> number = ParseInteger(Trim(*content));
  if (!number) return Fail(path + ": " + Quoted(Trim(*content)) + " is no whole number");
  return *number;
}

class RaplMeter : public PowerMeter {
 public:
  RaplMeter(std::string path, int file, int64_t range_uj, DeviceRecord device)
      : path_(std::move(path)), file_(file), range_uj_(range_uj), device_(std::move(device)) {}
  ~RaplMeter() override { close(file_); }
  RaplMeter(const RaplMeter&) = delete;
  RaplMeter& operator=(const RaplMeter&) = delete;

  const DeviceRecord& Device() const override { return device_; }
  const std::vector<ChannelKind>& Channels() const override { return kinds_; }
  std::string CodeName(int code) const override { return std::strerror(code); }

  /// The kernel's module may have been unloaded and loaded again; the counter is the processor's and goes on.
  bool Reopen() override {
    const int file = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    close(std::exchange(file_, file));
    return true;
  }

  void Read(std::span<ChannelReading> readings) override {
    // The text is read anew from its start; the kernel fills it at each read.
    std::array<char, 32> text{};
    const ssize_t length = pread(file_, text.data(), text.size() - 1, 0);
    if (length <= 0) {
      const int code = length < 0 ? errno : ENODATA;
      readings[0] = {code == ENODATA ? ReadingState::kNothingYet : ReadingState::kLost, 0, 0, code};
      return;
    }
    const std::optional<long> raw = ParseInteger(Trim({text.data(), static_cast<size_t>(length)}));
    if (!raw) {
      readings[0] = {ReadingState::kNothingYet, 0, 0, EILSEQ};
      return;
    }
    if (*raw < last_uj_) wrapped_uj_ += range_uj_;
    last_uj_ = *raw;
    readings[0] = {ReadingState::kValue, wrapped_uj_ + *raw, 0, 0};
  }

 private:
  std::string path_;
  int file_;
  int64_t range_uj_;
  int64_t last_uj_ = 0;
  int64_t wrapped_uj_ = 0;
  DeviceRecord device_;
  std::vector<ChannelKind> kinds_ = {ChannelKind::kEnergy};
};

}  // namespace

std::vector<RaplZone> FindRaplZones(const std::string& root) {
  std::vector<RaplZone> zones;
  for (const std::string& folder : ListFolder(root).value_or(std::vector<std::string>())) {
    const std::string name = std::filesystem::path(folder).filename();
    // "intel-rapl:0" is a zone of its own, "intel-rapl:0:1" lies within it; AMD's processors use the same names.
    if (!name.starts_with("intel-rapl:") || std::count(name.begin(), name.end(), ':') != 1) continue;
    const Result<std::string> title = ReadFile(folder + "/name", 4096);
    zones.push_back({folder, title ? std::string(Trim(*title)) : name});
  }
  return zones;
}

Result<std::unique_ptr<PowerMeter>> OpenRaplMeter(const RaplZone& zone) {
  const std::string path = zone.folder + "/energy_uj";
  const Result<long> range_uj = ReadNumber(zone.folder + "/max_energy_range_uj");
  if (!range_uj) return Fail(range_uj.error());
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && (errno == EACCES || errno == EPERM)) {
    return Fail(path + ": only root may read the processor's energy: run `sudo chmod a+r " + path + "` (until reboot)",
                ErrorKind::kPermission);
  }
  if (file < 0) return Fail(path + ": " + std::strerror(errno), ErrorKind::kDevice);
  // One machine has each zone once, so its name tells it apart.
  return std::unique_ptr<PowerMeter>(std::make_unique<RaplMeter>(
      path, file, *range_uj, DeviceRecord{"rapl:" + zone.name, zone.name, "powercap", "rapl"}));
}

}  // namespace heliograd
