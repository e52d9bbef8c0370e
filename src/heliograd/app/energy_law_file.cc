#include "heliograd/app/energy_law_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "heliograd/app/toml_text.h"
#include "heliograd/base/file.h"
#include "heliograd/base/text.h"

namespace heliograd {
namespace {

constexpr size_t kMostPoints = 10000;
constexpr double kLargest = 1e18;

const std::vector<std::string> kLawKeys = {
    "hardware", "driver", "dataset", "batch", "power_source", "power_limit_w", "gain_half_width_percent"};
const std::vector<std::string> kPointKeys = {"name",
                                             "macs",
                                             "traffic_bytes",
                                             "energy_j_per_image",
                                             "energy_j_per_image_low",
                                             "energy_j_per_image_high",
                                             "seconds_per_image"};

/// One table of the file, read key by key; what is wrong is noted.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string section, const std::string& file,
              std::vector<std::string>& problems)
      : table_(table), section_(std::move(section)), file_(file), problems_(problems) {}

  void RefuseUnknown(const std::vector<std::string>& known) {
    for (const auto& [key, value] : table_) {
      if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
      problems_.push_back(fmt::format("{}: there is no key {} in [{}].{}", Where(value), Quoted(key.str()), section_,
                                      DidYouMean(key.str(), known)));
    }
  }

  std::string Text(const char* key, bool required) {
    const toml::node* node = table_.get(key);
    if (node == nullptr && !required) return "";
    const auto text = node != nullptr ? node->value<std::string>() : std::nullopt;
    if (text && !text->empty()) return *text;
    problems_.push_back(fmt::format("{}: {}.{} is {}: expected a text in quotes.", Where(node), section_, key,
                                    node == nullptr ? "missing"
                                    : text          ? "empty"
                                                    : "no text"));
    return "";
  }

  /// A number above `above` and at most `most`.
  std::optional<double> Number(const char* key, bool required, double most = kLargest, double above = 0) {
    const toml::node* node = table_.get(key);
    if (node == nullptr && !required) return std::nullopt;
    const auto number = node != nullptr ? node->value<double>() : std::nullopt;
    if (number && *number > above && *number <= most) return number;
    problems_.push_back(fmt::format("{}: {}.{} is {}: expected a number above {:g}{}.", Where(node), section_, key,
                                    number            ? fmt::format("{:g}", *number)
                                    : node == nullptr ? "missing"
                                                      : "no number",
                                    above, most < kLargest ? fmt::format(", at most {:g}", most) : ""));
    return std::nullopt;
  }

  bool Has(const char* key) const { return table_.contains(key); }
  void Problem(const char* key, const std::string& what) {
    problems_.push_back(fmt::format("{}: {}.{} {}", Where(table_.get(key)), section_, key, what));
  }

 private:
  std::string Where(const toml::node& node) const { return fmt::format("{}:{}", file_, node.source().begin.line); }
  std::string Where(const toml::node* node) const { return node != nullptr ? Where(*node) : Where(table_); }

  const toml::table& table_;
  std::string section_;
  const std::string& file_;
  std::vector<std::string>& problems_;
};

void ReadHead(TableReader reader, EnergyLawFile& file) {
  reader.RefuseUnknown(kLawKeys);
  file.hardware = reader.Text("hardware", true);
  file.driver = reader.Text("driver", false);
  file.dataset = reader.Text("dataset", true);
  const auto batch = reader.Number("batch", true, 1e6);
  if (batch && *batch != std::floor(*batch)) reader.Problem("batch", "is no whole number.");
  file.batch = static_cast<int>(batch.value_or(0));
  const std::string source = reader.Text("power_source", true);
  file.simulated = source == "simulated";
  if (!source.empty() && source != "measured" && source != "simulated") {
    reader.Problem("power_source", fmt::format("is {}: expected \"measured\" or \"simulated\".", Quoted(source)));
  }
  if (const auto limit = reader.Number("power_limit_w", false, 1e6)) file.power_limit = Watts(*limit);
  file.gain_half_width = reader.Number("gain_half_width_percent", false, 100, -1e-300).value_or(0) / 100;
}

/// The two ends of the energy's interval: both or none, and around the energy.
void ReadInterval(TableReader& reader, LawPoint& point) {
  const auto low = reader.Number("energy_j_per_image_low", false),
             high = reader.Number("energy_j_per_image_high", false);
  if (reader.Has("energy_j_per_image_low") != reader.Has("energy_j_per_image_high")) {
    reader.Problem(low ? "energy_j_per_image_low" : "energy_j_per_image_high",
                   "stands alone: give both ends, or none.");
  }
  if (!low || !high || !(point.energy > Energy())) return;
  if (Joules(*low) <= point.energy && point.energy <= Joules(*high)) {
    point.low = Joules(*low);
    point.high = Joules(*high);
    return;
  }
  reader.Problem("energy_j_per_image_low",
                 fmt::format("to _high, {:g} to {:g}, does not hold energy_j_per_image, {:g}.", *low, *high,
                             InJoules(point.energy)));
}

LawPoint ReadPoint(TableReader reader) {
  reader.RefuseUnknown(kPointKeys);
  LawPoint point;
  point.name = reader.Text("name", true);
  point.macs = reader.Number("macs", true).value_or(0);
  point.traffic_bytes = reader.Number("traffic_bytes", false);
  point.energy = Joules(reader.Number("energy_j_per_image", true).value_or(0));
  ReadInterval(reader, point);
  if (const auto seconds = reader.Number("seconds_per_image", false)) point.time = Seconds(*seconds);
  return point;
}

}  // namespace

Result<EnergyLawFile> ParseEnergyLaw(std::string_view content, const std::string& name) {
  TomlText text = ReadTomlText(content, name);
  std::vector<std::string> problems = std::move(text.problems);
  const toml::table& root = text.root;
  if (root["curve"].is_table() && !root["law"].is_table()) {
    return Fail(
        fmt::format("{0}: this is a power curve, not an energy law: leave --law out (heliograd estimate {0}).", name));
  }
  TableReader(root, "the file", name, problems).RefuseUnknown({"law", "points"});
  EnergyLawFile file;
  if (const toml::table* head = root["law"].as_table()) {
    ReadHead({*head, "law", name, problems}, file);
  } else {
    problems.push_back(fmt::format("{}: there is no [law] with hardware, dataset, batch and power_source.", name));
  }
  const toml::array* points = root["points"].as_array();
  if (points == nullptr || points->empty() || points->size() > kMostPoints) {
    problems.push_back(
        fmt::format("{}: no usable [[points]]: expected 1 to {} of them, each with name, macs and "
                    "energy_j_per_image.",
                    name, kMostPoints));
    return Fail(std::move(problems));
  }
  std::map<std::string, size_t> lines;
  for (const toml::node& node : *points) {
    const size_t line = node.source().begin.line;
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      problems.push_back(
          fmt::format("{}:{}: points holds something that is no table: write each under [[points]].", name, line));
      continue;
    }
    LawPoint point = ReadPoint({*table, "points", name, problems});
    if (const auto [first, is_new] = lines.emplace(point.name, line); !is_new && !point.name.empty()) {
      problems.push_back(fmt::format("{}:{}: {} stands twice, first in line {}: give each network once.", name, line,
                                     Quoted(point.name), first->second));
    }
    file.points.push_back(std::move(point));
  }
  if (!problems.empty()) return Fail(std::move(problems));
  return file;
}

Result<EnergyLawFile> ReadEnergyLaw(const std::string& path) {
  return ReadFile(path).and_then([&](const std::string& content) { return ParseEnergyLaw(content, path); });
}

std::string EnergyLawToml(const EnergyLawFile& file) {
  std::string text = fmt::format(
      "# Energy of training against what a network computes; `heliograd estimate --law` fits it.\n"
      "[law]\nhardware = {}\n",
      TomlString(file.hardware));
  if (!file.driver.empty()) text += fmt::format("driver = {}\n", TomlString(file.driver));
  text += fmt::format("dataset = {}\nbatch = {}\npower_source = \"{}\"\n", TomlString(file.dataset), file.batch,
                      file.simulated ? "simulated" : "measured");
  if (file.power_limit) text += fmt::format("power_limit_w = {:.9g}\n", InWatts(*file.power_limit));
  if (file.gain_half_width > 0) text += fmt::format("gain_half_width_percent = {:.9g}\n", 100 * file.gain_half_width);
  for (const LawPoint& point : file.points) {
    text += fmt::format("\n[[points]]\nname = {}\nmacs = {:.0f}\n", TomlString(point.name), point.macs);
    if (point.traffic_bytes) text += fmt::format("traffic_bytes = {:.0f}\n", *point.traffic_bytes);
    text += fmt::format("energy_j_per_image = {:.9g}\n", InJoules(point.energy));
    if (point.low && point.high) {
      text += fmt::format("energy_j_per_image_low = {:.9g}\nenergy_j_per_image_high = {:.9g}\n", InJoules(*point.low),
                          InJoules(*point.high));
    }
    if (point.time) text += fmt::format("seconds_per_image = {:.9g}\n", InSeconds(*point.time));
  }
  return text;
}

}  // namespace heliograd
