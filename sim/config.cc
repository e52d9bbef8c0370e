#include "sim/config.h"

#include <fmt/format.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>

#include "heliograd/base/file.h"
#include "heliograd/base/text.h"

namespace heliograd::sim {
namespace {

constexpr size_t kMostFaults = 64;
constexpr size_t kLongestName = 63;

/// A key that holds a number: where it goes and what it may be.
template <typename Table>
struct NumberKey {
  const char* name;
  double& (*field)(Table&);
  double least;
  double most;
};

const std::vector<NumberKey<GpuConfig>>& GpuNumbers() {
  static const std::vector<NumberKey<GpuConfig>> kKeys = {
      {"idle_w", [](GpuConfig& g) -> double& { return g.idle_w; }, 0, 1000},
      {"limit_min_w", [](GpuConfig& g) -> double& { return g.limit_min_w; }, 1, 4000},
      {"limit_max_w", [](GpuConfig& g) -> double& { return g.limit_max_w; }, 1, 4000},
      {"limit_default_w", [](GpuConfig& g) -> double& { return g.limit_default_w; }, 1, 4000},
      {"sensor_period_ms", [](GpuConfig& g) -> double& { return g.sensor.period_ms; }, 0.1, 60'000},
      {"sensor_window_ms", [](GpuConfig& g) -> double& { return g.sensor.window_ms; }, 0.01, 60'000},
      {"sensor_phase_ms", [](GpuConfig& g) -> double& { return g.sensor.phase_ms; }, 0, 60'000},
      {"sensor_jitter_ms", [](GpuConfig& g) -> double& { return g.sensor.jitter_ms; }, 0, 1000},
      {"sensor_lag_ms", [](GpuConfig& g) -> double& { return g.sensor.lag_ms; }, 0, 10'000},
      {"sensor_low_pass_ms", [](GpuConfig& g) -> double& { return g.sensor.low_pass_ms; }, 0, 10'000},
      {"sensor_gain", [](GpuConfig& g) -> double& { return g.sensor.gain; }, 0.01, 100},
      {"sensor_offset_w", [](GpuConfig& g) -> double& { return g.sensor.offset_w; }, -1000, 1000},
      {"sensor_noise_w", [](GpuConfig& g) -> double& { return g.sensor.noise_w; }, 0, 1000},
      {"sensor_quantum_mw", [](GpuConfig& g) -> double& { return g.sensor.quantum_mw; }, 1, 1e6},
      {"sensor_seed", [](GpuConfig& g) -> double& { return g.sensor.seed; }, 0, 1e15},
      {"counter_period_ms", [](GpuConfig& g) -> double& { return g.counter_period_ms; }, 0.1, 60'000},
      {"call_latency_us", [](GpuConfig& g) -> double& { return g.call_latency_us; }, 0, 1e7},
  };
  return kKeys;
}

const std::vector<NumberKey<FaultConfig>>& FaultNumbers() {
  static const std::vector<NumberKey<FaultConfig>> kKeys = {
      {"at_s", [](FaultConfig& f) -> double& { return f.at_s; }, 0, 1e9},
      {"lasts_s", [](FaultConfig& f) -> double& { return f.lasts_s; }, 0, 1e9},
  };
  return kKeys;
}

const std::vector<std::string> kCounterNames = {"true", "sensor", "absent"};
const std::vector<std::string> kFaultNames = {"lost",          "not_supported", "no_data", "zero_power",
                                              "counter_reset", "driver_reload", "hang",    "thermal_slowdown"};

/// Reads tables of one file and keeps every mistake.
class Reader {
 public:
  explicit Reader(std::string name) : name_(std::move(name)) {}

  void Problem(const toml::node* node, const std::string& sentence) {
    const auto line = node ? node->source().begin.line : 0;
    problems_.push_back(line > 0 ? fmt::format("{}:{}: {}", name_, line, sentence)
                                 : fmt::format("{}: {}", name_, sentence));
  }

  template <typename Table>
  void Number(const toml::table& from, const NumberKey<Table>& key, const char* section, Table& into) {
    const toml::node* node = from.get(key.name);
    if (!node) return;
    const auto number = node->is_number() ? node->value<double>() : std::nullopt;
    if (number && *number >= key.least && *number <= key.most) {
      key.field(into) = *number;
      return;
    }
    Problem(node, fmt::format("{}{} is {}: expected a number from {} to {}.", section, key.name,
                              number ? fmt::format("{}", *number) : "not a number", key.least, key.most));
  }

  void Text(const toml::table& from, const char* key, const char* section, size_t longest, std::string& into) {
    const toml::node* node = from.get(key);
    if (!node) return;
    const auto text = node->value<std::string>();
    if (text && !text->empty() && text->size() <= longest && text->find('\0') == std::string::npos) {
      into = *text;
      return;
    }
    Problem(node, fmt::format("{}{} is {}: expected a text of 1 to {} bytes.", section, key,
                              text ? Quoted(*text) : "not a text", longest));
  }

  /// Index of the text in `names`.
  std::optional<size_t> Choice(const toml::table& from, const char* key, const char* section,
                               const std::vector<std::string>& names) {
    const toml::node* node = from.get(key);
    if (!node) return std::nullopt;
    const auto text = node->value<std::string>();
    const auto found = text ? std::find(names.begin(), names.end(), *text) : names.end();
    if (found != names.end()) return static_cast<size_t>(found - names.begin());
    Problem(node, fmt::format("{}{} is {}: expected one of {}.{}", section, key, text ? Quoted(*text) : "not a text",
                              fmt::join(names, ", "), text ? DidYouMean(*text, names) : ""));
    return std::nullopt;
  }

  void RefuseUnknown(const toml::table& table, const char* section, const std::vector<std::string>& known) {
    for (const auto& [key, node] : table) {
      if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
      Problem(&node, fmt::format("there is no key {}.{}", Quoted(section + std::string(key.str())),
                                 DidYouMean(key.str(), known)));
    }
  }

  /// The tables of [[key]]; anything else under that name is a mistake.
  std::vector<const toml::table*> Tables(const toml::table& from, const char* key, const char* shown, size_t most) {
    std::vector<const toml::table*> tables;
    const toml::node* node = from.get(key);
    if (!node) return tables;
    const toml::array* array = node->as_array();
    if (!array || array->size() > most) {
      Problem(node, fmt::format("{} is {}: expected up to {} tables, each under {}.", key,
                                array ? "too long" : "no list of tables", most, shown));
      return tables;
    }
    for (const toml::node& entry : *array) {
      if (entry.is_table()) {
        tables.push_back(entry.as_table());
      } else {
        Problem(&entry, fmt::format("{} holds something that is no table: write each under {}.", key, shown));
      }
    }
    return tables;
  }

  std::vector<std::string> problems_;

 private:
  std::string name_;
};

std::string DefaultUuid(size_t index) { return fmt::format("GPU-51f7ac1e-0000-4000-8000-{:012x}", index); }

FaultConfig ReadFault(Reader& reader, const toml::table& table) {
  static const std::vector<std::string> kKnown = {"at_s", "lasts_s", "kind"};
  FaultConfig fault;
  reader.RefuseUnknown(table, "gpu.fault.", kKnown);
  for (const auto& key : FaultNumbers()) reader.Number(table, key, "gpu.fault.", fault);
  if (const auto kind = reader.Choice(table, "kind", "gpu.fault.", kFaultNames)) {
    fault.kind = static_cast<FaultKind>(*kind);
  }
  if (!table.contains("kind")) {
    reader.Problem(&table, fmt::format("gpu.fault.kind is missing: expected one of {}.", fmt::join(kFaultNames, ", ")));
  }
  return fault;
}

void CheckTogether(Reader& reader, const toml::table& table, const GpuConfig& gpu) {
  if (!(gpu.limit_min_w <= gpu.limit_default_w && gpu.limit_default_w <= gpu.limit_max_w)) {
    reader.Problem(&table, fmt::format("the limits are {} <= {} <= {} W: expected gpu.limit_min_w <= "
                                       "gpu.limit_default_w <= gpu.limit_max_w.",
                                       gpu.limit_min_w, gpu.limit_default_w, gpu.limit_max_w));
  }
  if (gpu.sensor.jitter_ms > gpu.sensor.period_ms / 8) {
    reader.Problem(table.get("sensor_jitter_ms"),
                   fmt::format("gpu.sensor_jitter_ms is {}: expected at most an eighth of the period, {} ms, so that "
                               "ticks keep their order.",
                               gpu.sensor.jitter_ms, gpu.sensor.period_ms / 8));
  }
  if (gpu.uuid.rfind("GPU-", 0) != 0) {
    reader.Problem(table.get("uuid"),
                   fmt::format("gpu.uuid is {}: expected a text that begins with 'GPU-'.", Quoted(gpu.uuid)));
  }
}

GpuConfig ReadGpu(Reader& reader, const toml::table& table, size_t index) {
  std::vector<std::string> known = {"name", "uuid", "driver", "counter", "privileged", "fault"};
  for (const auto& key : GpuNumbers()) known.emplace_back(key.name);
  GpuConfig gpu;
  gpu.uuid = DefaultUuid(index);
  reader.RefuseUnknown(table, "gpu.", known);
  for (const auto& key : GpuNumbers()) reader.Number(table, key, "gpu.", gpu);
  reader.Text(table, "name", "gpu.", kLongestName, gpu.name);
  reader.Text(table, "uuid", "gpu.", kLongestName, gpu.uuid);
  reader.Text(table, "driver", "gpu.", kLongestName, gpu.driver);
  if (const auto counter = reader.Choice(table, "counter", "gpu.", kCounterNames)) {
    gpu.counter = static_cast<CounterKind>(*counter);
  }
  if (const toml::node* node = table.get("privileged")) {
    const auto privileged = node->value<bool>();
    if (!privileged || !node->is_boolean()) reader.Problem(node, "gpu.privileged: expected true or false.");
    gpu.privileged = privileged.value_or(true);
  }
  for (const toml::table* fault : reader.Tables(table, "fault", "[[gpu.fault]]", kMostFaults)) {
    gpu.faults.push_back(ReadFault(reader, *fault));
  }
  std::stable_sort(gpu.faults.begin(), gpu.faults.end(),
                   [](const FaultConfig& a, const FaultConfig& b) { return a.at_s < b.at_s; });
  CheckTogether(reader, table, gpu);
  return gpu;
}

void CheckAmongGpus(Reader& reader, const std::vector<GpuConfig>& gpus) {
  std::set<std::string> uuids;
  for (const GpuConfig& gpu : gpus) {
    if (!uuids.insert(gpu.uuid).second) {
      reader.Problem(nullptr, fmt::format("gpu.uuid {} stands twice: give each GPU its own.", Quoted(gpu.uuid)));
    }
    if (gpu.driver != gpus.front().driver) {
      reader.Problem(nullptr, fmt::format("gpu.driver is {} and {}: all GPUs of a machine have one driver.",
                                          Quoted(gpus.front().driver), Quoted(gpu.driver)));
    }
  }
}

/// FNV-1a.
uint64_t Fingerprint(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

SimConfig DefaultConfig() {
  SimConfig config;
  config.gpus.emplace_back();
  config.gpus.back().uuid = DefaultUuid(0);
  const char* folder = std::getenv("XDG_RUNTIME_DIR");
  config.state = folder && *folder ? fmt::format("{}/heliograd-sim-gpu.state", folder)
                                   : fmt::format("/tmp/heliograd-sim-gpu-{}.state", getuid());
  return config;
}

}  // namespace

Result<SimConfig> ParseConfig(std::string_view content, const std::string& name) {
  toml::table root;
  try {
    root = toml::parse(content, name);
  } catch (const toml::parse_error& error) {
    return Fail(fmt::format("{}:{}: not TOML: {}.", name, error.source().begin.line, error.description()));
  }
  static const NumberKey<SimConfig> kSpeed = {"speed", [](SimConfig& c) -> double& { return c.speed; }, 1e-3, 1e5};
  Reader reader(name);
  SimConfig config;
  config.fingerprint = Fingerprint(content);
  config.state = name + ".state";
  reader.RefuseUnknown(root, "", {"speed", "state", "gpu"});
  reader.Number(root, kSpeed, "", config);
  std::string state;
  reader.Text(root, "state", "", 4000, state);
  if (!state.empty()) config.state = (std::filesystem::path(name).parent_path() / state).string();
  for (const toml::table* table : reader.Tables(root, "gpu", "[[gpu]]", kMostGpus)) {
    config.gpus.push_back(ReadGpu(reader, *table, config.gpus.size()));
  }
  if (config.gpus.empty()) config.gpus = DefaultConfig().gpus;
  CheckAmongGpus(reader, config.gpus);
  if (!reader.problems_.empty()) return Fail(std::move(reader.problems_));
  return config;
}

Result<SimConfig> ReadConfig() {
  const char* path = std::getenv("HELIOGRAD_SIM_GPU");
  if (!path || !*path) return DefaultConfig();
  std::error_code unreadable;  // ReadFile then says why
  const std::string absolute = std::filesystem::weakly_canonical(path, unreadable).string();
  return ReadFile(absolute).and_then([&](const std::string& content) { return ParseConfig(content, absolute); });
}

}  // namespace heliograd::sim
