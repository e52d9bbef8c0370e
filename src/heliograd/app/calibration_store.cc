#include "heliograd/app/calibration_store.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "heliograd/base/file.h"
#include "heliograd/base/path.h"
#include "heliograd/base/text.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "heliograd-calibration 1";
constexpr size_t kLargestFile = 1 << 16;
constexpr const char* kSystemFolder = "/var/lib/heliograd/calibrations";
constexpr CounterSight kSights[] = {CounterSight::kSeesAll, CounterSight::kBlind, CounterSight::kNoDifference};
constexpr ChannelKind kPowerChannels[] = {ChannelKind::kPowerInstant, ChannelKind::kPowerAverage};

/// One number of a sensor's timing in the file, and what it may be.
struct TimingKey {
  const char* key;
  double SensorTiming::*field;
  double least, most;
};
constexpr std::array<TimingKey, 9> kTimingKeys = {
    {{"period_s", &SensorTiming::period_s, 1e-4, 60},
     {"window_s", &SensorTiming::window_s, 1e-5, 60},
     {"lag_s", &SensorTiming::lag_s, -0.1, 10},
     {"low_pass_s", &SensorTiming::low_pass_s, 0, 10},
     {"lag_sd_s", &SensorTiming::lag_sd_s, 0, 10},
     {"low_pass_sd_s", &SensorTiming::low_pass_sd_s, 0, 10},
     {"window_sd_s", &SensorTiming::window_sd_s, 0, 60},
     {"lag_low_pass_correlation", &SensorTiming::lag_low_pass_correlation, -1, 1},
     {"step_sd_s", &SensorTiming::step_sd_s, 0, 10}}};

Json AsJson(const SensorTiming& timing) {
  Json json;
  for (const TimingKey& key : kTimingKeys) json[key.key] = timing.*key.field;
  json["contiguous"] = timing.contiguous;
  return json;
}

/// Reads one file and notes each mistake with its key.
class Reader {
 public:
  explicit Reader(std::string name) : name_(std::move(name)) {}

  void Note(const std::string& key, const std::string& expected) {
    problems_.push_back(fmt::format("{}: {}: expected {}", name_, key, expected));
  }

  double Number(const Json& json, const std::string& place, const char* key, double least, double most) {
    const bool there = json.contains(key) && json[key].is_number();
    const double value = there ? json[key].get<double>() : 0;
    if (there && std::isfinite(value) && value >= least && value <= most) return value;
    Note(place + key, fmt::format("a number from {:g} to {:g}", least, most));
    return least;
  }
  bool Flag(const Json& json, const std::string& place, const char* key) {
    if (json.contains(key) && json[key].is_boolean()) return json[key].get<bool>();
    Note(place + key, "true or false");
    return false;
  }
  std::string Text(const Json& json, const std::string& place, const char* key, bool may_be_empty = false) {
    if (json.contains(key) && json[key].is_string()) {
      std::string text = json[key].get<std::string>();
      if (may_be_empty || !text.empty()) return text;
    }
    Note(place + key, "a text");
    return {};
  }
  /// An object that has no key beyond `known`; empty with a note otherwise.
  Json Object(const Json& json, const char* key, const std::vector<std::string>& known) {
    if (json.contains(key) && json[key].is_object()) {
      CheckKeys(json[key], std::string(key) + ".", known);
      return json[key];
    }
    Note(key, "an object");
    return Json::object();
  }
  void CheckKeys(const Json& json, const std::string& place, const std::vector<std::string>& known) {
    for (const auto& [key, value] : json.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) Note(place + Quoted(key), "no such key");
    }
  }

  const std::vector<std::string>& problems() const { return problems_; }

 private:
  std::string name_;
  std::vector<std::string> problems_;
};

std::vector<std::string> TimingKeyNames() {
  std::vector<std::string> names = {"contiguous"};
  for (const TimingKey& key : kTimingKeys) names.emplace_back(key.key);
  return names;
}

SensorTiming ReadTiming(Reader& reader, const Json& json, const std::string& place) {
  SensorTiming timing;
  for (const TimingKey& key : kTimingKeys) timing.*key.field = reader.Number(json, place, key.key, key.least, key.most);
  timing.contiguous = reader.Flag(json, place, "contiguous");
  return timing;
}

SensorCalibration ReadSensor(Reader& reader, const Json& root) {
  constexpr double kMostWatts = 1e5;
  std::vector<std::string> known = TimingKeyNames();
  known.insert(known.end(), {"channel", "delay_sd_s", "busy_w", "busy_sd_w", "idle_w", "idle_sd_w", "residual_w",
                             "explained", "readings", "long_average"});
  const Json json = reader.Object(root, "power", known);
  SensorCalibration sensor;
  sensor.timing = ReadTiming(reader, json, "power.");
  sensor.delay_sd_s = reader.Number(json, "power.", "delay_sd_s", 0, 10);
  sensor.busy = Watts(reader.Number(json, "power.", "busy_w", -kMostWatts, kMostWatts));
  sensor.busy_sd = Watts(reader.Number(json, "power.", "busy_sd_w", 0, kMostWatts));
  sensor.idle = Watts(reader.Number(json, "power.", "idle_w", -kMostWatts, kMostWatts));
  sensor.idle_sd = Watts(reader.Number(json, "power.", "idle_sd_w", 0, kMostWatts));
  sensor.residual = Watts(reader.Number(json, "power.", "residual_w", 0, kMostWatts));
  sensor.explained = reader.Number(json, "power.", "explained", 0, 1);
  sensor.readings = static_cast<int>(reader.Number(json, "power.", "readings", 1, 1e9));
  sensor.long_average = reader.Flag(json, "power.", "long_average");
  return sensor;
}

void ReadCounter(Reader& reader, const Json& root, DeviceCalibration& calibration) {
  const Json json = reader.Object(root, "counter", {"sight", "evidence", "over_readings", "timing"});
  const std::string sight = reader.Text(json, "counter.", "sight");
  const auto* known = std::find_if(std::begin(kSights), std::end(kSights),
                                   [&](CounterSight candidate) { return CounterSightName(candidate) == sight; });
  if (known != std::end(kSights)) {
    calibration.counter_sight = *known;
  } else {
    reader.Note("counter.sight", "sees-all, blind or undecided");
  }
  calibration.counter_evidence = reader.Text(json, "counter.", "evidence", true);
  if (json.contains("over_readings") && !json["over_readings"].is_null()) {
    calibration.counter_over_readings = reader.Number(json, "counter.", "over_readings", -1e3, 1e3);
  }
  if (json.contains("timing") && !json["timing"].is_null()) {
    calibration.counter = ReadTiming(reader, reader.Object(json, "timing", TimingKeyNames()), "counter.timing.");
  }
}

/// Whatever is neither letter, digit, '-' nor '.' becomes '_'.
std::string FileName(const DeviceRecord& device) {
  std::string name = device.uuid + "_" + device.driver;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.') c = '_';
  }
  return name + ".json";
}

void LoadFolder(const std::string& folder, LoadedCalibrations& loaded) {
  const Result<std::vector<std::string>> paths = ListFolder(folder);
  if (!paths) loaded.problems.push_back(paths.error().Message());
  for (const std::string& path : paths.value_or(std::vector<std::string>())) {
    if (!path.ends_with(".json")) continue;
    const Result<std::string> content = ReadFile(path, kLargestFile);
    const Result<DeviceCalibration> calibration =
        content ? ParseCalibration(*content, path) : Result<DeviceCalibration>(Fail(content.error()));
    if (calibration) {
      loaded.usable.push_back(*calibration);
    } else {
      loaded.problems.push_back(fmt::format("{}: not used: run `heliograd calibrate` again, or remove the file",
                                            calibration.error().problems.front()));
    }
  }
}

}  // namespace

Result<std::string> CalibrationFolder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  if (state != nullptr && *state == '/') return std::string(state) + "/heliograd/calibrations";
  if (state == nullptr && geteuid() == 0) return std::string(kSystemFolder);
  if (home != nullptr && *home == '/') return std::string(home) + "/.local/state/heliograd/calibrations";
  return Fail("calibrations have no place: neither HOME nor XDG_STATE_HOME is set");
}

std::string_view CounterSightName(CounterSight sight) {
  switch (sight) {
    case CounterSight::kSeesAll:
      return "sees-all";
    case CounterSight::kBlind:
      return "blind";
    case CounterSight::kNoDifference:
      return "undecided";
  }
  return "undecided";
}

std::string WriteCalibration(const DeviceCalibration& calibration) {
  const SensorCalibration& power = calibration.power;
  Json json = {{"format", kFormat},
               {"uuid", calibration.device.uuid},
               {"name", calibration.device.name},
               {"driver", calibration.device.driver},
               {"made", FormatStamp(calibration.made)}};
  json["power"] = {{"channel", ChannelName(calibration.power_channel)}};
  json["power"].update(AsJson(power.timing));
  json["power"].update({{"delay_sd_s", power.delay_sd_s},
                        {"busy_w", InWatts(power.busy)},
                        {"busy_sd_w", InWatts(power.busy_sd)},
                        {"idle_w", InWatts(power.idle)},
                        {"idle_sd_w", InWatts(power.idle_sd)},
                        {"residual_w", InWatts(power.residual)},
                        {"explained", power.explained},
                        {"readings", power.readings},
                        {"long_average", power.long_average}});
  json["counter"] = {
      {"sight", CounterSightName(calibration.counter_sight)},
      {"evidence", calibration.counter_evidence},
      {"over_readings", calibration.counter_over_readings ? Json(*calibration.counter_over_readings) : Json(nullptr)},
      {"timing", calibration.counter ? AsJson(*calibration.counter) : Json(nullptr)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<DeviceCalibration> ParseCalibration(std::string_view content, const std::string& name) {
  const Json root = Json::parse(content, nullptr, false);
  if (!root.is_object() || !root.contains("format") || root["format"] != kFormat) {
    return Fail(fmt::format("{}: is no calibration of this version of heliograd ({})", name, kFormat));
  }
  Reader reader(name);
  reader.CheckKeys(root, "", {"format", "uuid", "name", "driver", "made", "power", "counter"});
  DeviceCalibration calibration;
  calibration.device = {reader.Text(root, "", "uuid"), reader.Text(root, "", "name"), reader.Text(root, "", "driver"),
                        "nvml"};
  const Result<Stamp> made = ParseStamp(reader.Text(root, "", "made"), TimeZone());
  if (made) {
    calibration.made = *made;
  } else {
    reader.Note("made", "a time such as 2026-11-24T19:00:00Z");
  }
  calibration.power = ReadSensor(reader, root);
  const std::string channel =
      root.contains("power") && root["power"].is_object() ? reader.Text(root["power"], "power.", "channel") : "";
  const auto* kind = std::find_if(std::begin(kPowerChannels), std::end(kPowerChannels),
                                  [&](ChannelKind candidate) { return ChannelName(candidate) == channel; });
  if (kind != std::end(kPowerChannels)) {
    calibration.power_channel = *kind;
  } else {
    reader.Note("power.channel", "power_instant_mw or power_average_mw");
  }
  ReadCounter(reader, root, calibration);
  if (!reader.problems().empty()) return Fail(reader.problems());
  return calibration;
}

Result<void> PrepareCalibrationFolder() {
  const Result<std::string> folder = CalibrationFolder();
  if (!folder) return Fail(folder.error());
  std::error_code failed;
  std::filesystem::create_directories(*folder, failed);
  if (!failed && access(folder->c_str(), W_OK) == 0) return {};
  const std::string reason = failed ? failed.message() : std::strerror(errno);
  return Fail(*folder + ": calibrations cannot be kept there: " + reason + ": name another place with XDG_STATE_HOME",
              ErrorKind::kPermission);
}

Result<std::string> SaveCalibration(const DeviceCalibration& calibration) {
  if (Result<void> prepared = PrepareCalibrationFolder(); !prepared) return Fail(prepared.error());
  const std::string path = *CalibrationFolder() + "/" + FileName(calibration.device);
  if (Result<void> written = WriteFile(path, WriteCalibration(calibration)); !written) return Fail(written.error());
  return path;
}

LoadedCalibrations LoadCalibrations() {
  LoadedCalibrations loaded;
  const Result<std::string> own = CalibrationFolder();
  if (own) LoadFolder(*own, loaded);
  const bool elsewhere = std::getenv("XDG_STATE_HOME") == nullptr && (!own || *own != kSystemFolder);
  if (elsewhere) LoadFolder(kSystemFolder, loaded);
  return loaded;
}

}  // namespace heliograd
