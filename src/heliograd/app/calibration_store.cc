#include "heliograd/app/calibration_store.h"

#include <fmt/format.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "heliograd/base/clock.h"
#include "heliograd/base/file.h"
#include "heliograd/base/text.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNotAged = 180;  // days after which a calibration is worth repeating: sensors drift with age

Json AsJson(const StoredCalibration& calibration) {
  const SensorTiming& timing = calibration.found.timing;
  return {{"uuid", calibration.device.uuid},
          {"name", calibration.device.name},
          {"driver", calibration.device.driver},
          {"made", FormatStamp(calibration.made)},
          {"verdict", calibration.verdict},
          {"counter_is_blind", calibration.found.counter_is_blind},
          {"period_s", timing.period_s},
          {"window_s", timing.window_s},
          {"contiguous", timing.contiguous},
          {"lag_s", timing.lag_s},
          {"low_pass_s", timing.low_pass_s},
          {"lag_sd_s", timing.lag_sd_s},
          {"low_pass_sd_s", timing.low_pass_sd_s},
          {"window_sd_s", timing.window_sd_s},
          {"lag_low_pass_correlation", timing.lag_low_pass_correlation},
          {"step_sd_s", timing.step_sd_s}};
}

Result<StoredCalibration> Parse(const std::string& content, const std::string& path) {
  const auto damaged = [&](const std::string& what) {
    return Fail(path + ": " + what + ": run `heliograd calibrate` again, or remove the file");
  };
  const Json json = Json::parse(content, nullptr, false);
  if (!json.is_object()) return damaged("is no calibration");
  const auto text = [&](const char* key) {
    return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : std::string();
  };
  const auto number = [&](const char* key, double fallback) {
    return json.contains(key) && json[key].is_number() ? json[key].get<double>() : fallback;
  };
  const auto flag = [&](const char* key) {
    return json.contains(key) && json[key].is_boolean() && json[key].get<bool>();
  };
  StoredCalibration calibration;
  calibration.device = {text("uuid"), text("name"), text("driver"), "nvml"};
  calibration.verdict = text("verdict");
  const Result<Stamp> made = ParseStamp(text("made"), TimeZone());
  SensorTiming& timing = calibration.found.timing;
  timing.period_s = number("period_s", 0);
  timing.window_s = number("window_s", 0);
  timing.contiguous = flag("contiguous");
  timing.lag_s = number("lag_s", -1);
  timing.low_pass_s = number("low_pass_s", -1);
  timing.lag_sd_s = number("lag_sd_s", timing.lag_sd_s);
  timing.low_pass_sd_s = number("low_pass_sd_s", timing.low_pass_sd_s);
  timing.window_sd_s = number("window_sd_s", timing.window_sd_s);
  timing.lag_low_pass_correlation = number("lag_low_pass_correlation", 0);
  timing.step_sd_s = number("step_sd_s", timing.step_sd_s);
  calibration.found.counter_is_blind = flag("counter_is_blind");
  if (!made || calibration.device.uuid.empty() || timing.period_s <= 0 || timing.window_s <= 0 || timing.lag_s < 0 ||
      timing.low_pass_s < 0) {
    return damaged("lacks a value or has one out of range");
  }
  calibration.made = *made;
  return calibration;
}

/// A UUID as a file name: whatever is neither letter, digit, '-' nor '_' becomes '_'.
std::string FileName(const std::string& uuid) {
  std::string name = uuid;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-') c = '_';
  }
  return name + ".json";
}

}  // namespace

Result<std::string> CalibrationFolder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  if (state != nullptr && *state == '/') return std::string(state) + "/heliograd/calibrations";
  if (home != nullptr && *home == '/') return std::string(home) + "/.local/state/heliograd/calibrations";
  return Fail("calibrations have no place: neither HOME nor XDG_STATE_HOME is set");
}

Result<void> SaveCalibration(const StoredCalibration& calibration) {
  const Result<std::string> folder = CalibrationFolder();
  if (!folder) return Fail(folder.error());
  std::error_code failed;
  std::filesystem::create_directories(*folder, failed);
  if (failed) return Fail(*folder + ": cannot be made: " + failed.message(), ErrorKind::kPermission);
  return WriteFile(*folder + "/" + FileName(calibration.device.uuid), AsJson(calibration).dump(2) + "\n");
}

Result<std::map<std::string, StoredCalibration>> ReadCalibrations() {
  std::map<std::string, StoredCalibration> all;
  const Result<std::string> folder = CalibrationFolder();
  if (!folder) return all;  // a machine without a home has none
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(*folder, absent)) {
    if (entry.path().extension() != ".json") continue;
    const Result<std::string> content = ReadFile(entry.path());
    if (!content) return Fail(content.error());
    Result<StoredCalibration> calibration = Parse(*content, entry.path());
    if (!calibration) return Fail(calibration.error());
    all.emplace(calibration->device.uuid, std::move(*calibration));
  }
  return all;
}

Result<std::map<std::string, DeviceCalibration>> LoadCalibrations(const std::vector<DeviceRecord>& devices,
                                                                  std::vector<std::string>& stale) {
  const auto kept = ReadCalibrations();
  if (!kept) return Fail(kept.error());
  std::map<std::string, DeviceCalibration> valid;
  for (const DeviceRecord& device : devices) {
    const auto found = kept->find(device.uuid);
    if (found == kept->end()) continue;
    const StoredCalibration& calibration = found->second;
    if (calibration.device.driver != device.driver) {
      stale.push_back(
          fmt::format("{}: its calibration was made with {}, the driver is {} now, and drivers change what a "
                      "reading means: not used, run `heliograd calibrate`",
                      device.name, calibration.device.driver, device.driver));
      continue;
    }
    const double days = std::chrono::duration<double>(SystemClock().Now() - calibration.made).count() / 86400;
    if (days > kNotAged) {
      stale.push_back(fmt::format("{}: its calibration is {:.0f} days old: used, but `heliograd calibrate` is due",
                                  device.name, days));
    }
    valid.emplace(device.uuid, calibration.found);
  }
  return valid;
}

}  // namespace heliograd
