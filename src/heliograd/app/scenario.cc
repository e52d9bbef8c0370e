#include "heliograd/app/scenario.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/base/time.h"

namespace heliograd {
namespace {

constexpr size_t kLargestScenario = size_t{1} << 20;
constexpr size_t kMostBands = 1000;

std::string TypeName(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

std::string DateTimeText(const toml::date_time& moment) {
  std::string text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", moment.date.year, moment.date.month,
                                 moment.date.day, moment.time.hour, moment.time.minute, moment.time.second);
  if (moment.offset) {
    const int minutes = moment.offset->minutes;
    text += fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', std::abs(minutes) / 60, std::abs(minutes) % 60);
  }
  return text;
}

/// The node as a value of the kind the key wants, or nothing when its type is another.
std::optional<KeyValue> ValueOf(const KeySpec& spec, const toml::node& node) {
  if (spec.kind == KeyKind::kNumber) {
    if (node.is_integer() || node.is_floating_point()) return KeyValue(*node.value<double>());
    return std::nullopt;
  }
  if (const auto* text = node.as_string()) return KeyValue(text->get());
  if (spec.kind == KeyKind::kTime) {
    if (const auto* moment = node.as_date_time()) return KeyValue(DateTimeText(moment->get()));
    if (const auto* date = node.as_date()) {
      return KeyValue(DateTimeText(toml::date_time(date->get(), toml::time{})));
    }
  }
  return std::nullopt;
}

std::string ShownValue(const toml::node& node) {
  if (const auto* text = node.as_string()) return Quoted(text->get());
  if (node.is_integer() || node.is_floating_point()) return fmt::format("{}", *node.value<double>());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  return TypeName(node);
}

std::string Where(const std::string& name, const toml::node& node) {
  return fmt::format("{}:{}", name, node.source().begin.line);
}

/// Problems in the order of the file; its parser hands keys out in the order of the alphabet.
void SortByLine(std::vector<std::string>& problems, const std::string& name) {
  const auto line_of = [&name](const std::string& problem) {
    const std::string rest = problem.substr(std::min(name.size() + 1, problem.size()));
    return ParseInteger(rest.substr(0, rest.find(':'))).value_or(0);
  };
  std::stable_sort(problems.begin(), problems.end(),
                   [&](const std::string& a, const std::string& b) { return line_of(a) < line_of(b); });
}

/// Reads one row of [[tariff.bands]]; problems are added to `problems`.
BandRow ReadBand(const toml::node& node, const std::string& name, std::vector<std::string>& problems) {
  BandRow row;
  row.origin = Where(name, node);
  const auto expected = [&](std::string_view key, std::string_view what, const toml::node* found) {
    problems.push_back(fmt::format("{}: tariff.bands.{} is {}: expected {}.", row.origin, key,
                                   found ? ShownValue(*found) : "missing", what));
  };
  const toml::table* table = node.as_table();
  if (!table) {
    problems.push_back(fmt::format("{}: tariff.bands holds {}: expected tables, each under [[tariff.bands]].",
                                   row.origin, TypeName(node)));
    return row;
  }
  for (const auto& [key, value] : *table) {
    static const std::vector<std::string> kKnown = {"days", "from_hour", "to_hour", "price_eur_per_kwh"};
    if (std::find(kKnown.begin(), kKnown.end(), key.str()) == kKnown.end()) {
      problems.push_back(fmt::format("{}: there is no key {} in [[tariff.bands]].{} It has {}.", Where(name, value),
                                     Quoted(key.str()), DidYouMean(key.str(), kKnown), fmt::join(kKnown, ", ")));
    }
  }
  const toml::node* days = table->get("days");
  if (const auto* text = days ? days->as_string() : nullptr)
    row.days = text->get();
  else
    expected("days", "a text such as \"mon-fri\", \"sat,sun,holiday\" or \"all\"", days);
  for (const auto& [key, target, least, most] :
       {std::tuple{"from_hour", &row.from_hour, 0, 23}, {"to_hour", &row.to_hour, 1, 24}}) {
    const toml::node* found = table->get(key);
    const auto* whole = found ? found->as_integer() : nullptr;
    if (whole && whole->get() >= least && whole->get() <= most)
      *target = static_cast<int>(whole->get());
    else
      expected(key, fmt::format("a whole number from {} to {}", least, most), found);
  }
  const toml::node* price = table->get("price_eur_per_kwh");
  const auto number = price && price->is_number() ? price->value<double>() : std::nullopt;
  if (number && *number >= -20 && *number <= 20)
    row.price_eur_per_kwh = *number;
  else
    expected("price_eur_per_kwh", "a number from -20 to 20", price);
  return row;
}

std::string EnvironmentName(const KeySpec& spec) {
  std::string name = "HELIOGRAD_" + spec.section + "_" + spec.key;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  return name;
}

}  // namespace

std::string UserScenarioPath() {
  if (const char* folder = std::getenv("XDG_CONFIG_HOME"); folder && *folder) {
    return std::string(folder) + "/heliograd/scenario.toml";
  }
  const char* home = std::getenv("HOME");
  return home ? std::string(home) + "/.config/heliograd/scenario.toml" : std::string();
}

void Scenario::Put(const KeySpec& spec, SettledValue value) {
  // Two ways to say when the horizon ends: the later word counts, so the other must go.
  if (spec.name() == "job.hours") values_.erase("job.deadline");
  if (spec.name() == "job.deadline") values_.erase("job.hours");
  values_[spec.name()] = std::move(value);
}

std::vector<std::string> Scenario::ReadToml(std::string_view content, const std::string& name) {
  if (content.find('\0') != std::string_view::npos) {
    return {fmt::format("{}: holds binary data: expected a TOML text.", name)};
  }
  std::vector<std::string> problems;
  toml::table root;
  try {
    root = toml::parse(content, name);
  } catch (const toml::parse_error& error) {
    return {fmt::format("{}:{}: not TOML: {}.", name, error.source().begin.line, error.description())};
  }
  const bool both_ends = root.at_path("job.hours") && root.at_path("job.deadline");
  if (both_ends) {
    problems.push_back(fmt::format("{}:{}: job has both hours and deadline: give one of them.", name,
                                   root.at_path("job.hours").node()->source().begin.line));
  }
  for (const auto& [section, section_node] : root) {
    const toml::table* table = section_node.as_table();
    const std::vector<std::string> sections = ScenarioSections();
    if (!table) {
      problems.push_back(fmt::format("{}: {} stands outside a section: expected it under one of [{}].",
                                     Where(name, section_node), Quoted(section.str()), fmt::join(sections, "], [")));
      continue;
    }
    if (std::find(sections.begin(), sections.end(), section.str()) == sections.end()) {
      problems.push_back(fmt::format("{}: {}", Where(name, section_node), UnknownKey(section.str())));
      continue;
    }
    for (const auto& [key, node] : *table) {
      const std::string full = std::string(section.str()) + "." + std::string(key.str());
      if (full == "tariff.bands") {
        const toml::array* rows = node.as_array();
        if (!rows || rows->size() > kMostBands) {
          problems.push_back(
              fmt::format("{}: tariff.bands is {}: expected at most {} tables, each under [[tariff.bands]].",
                          Where(name, node), TypeName(node), kMostBands));
          continue;
        }
        bands_.clear();
        for (const toml::node& row : *rows) bands_.push_back(ReadBand(row, name, problems));
        continue;
      }
      const KeySpec* spec = FindKey(full);
      if (!spec) {
        problems.push_back(fmt::format("{}: {}", Where(name, node), UnknownKey(full)));
        continue;
      }
      const auto value = ValueOf(*spec, node);
      const std::string expected = value ? Expected(*spec, *value) : ExpectedText(*spec);
      if (!expected.empty()) {
        problems.push_back(
            fmt::format("{}: {} is {}: expected {}.", Where(name, node), full, ShownValue(node), expected));
        continue;
      }
      Put(*spec, {*value, Where(name, node), false, std::filesystem::path(name).parent_path().string()});
    }
  }
  SortByLine(problems, name);
  return problems;
}

std::vector<std::string> Scenario::ReadEnvironment() {
  std::vector<std::string> problems;
  for (const KeySpec& spec : ScenarioKeys()) {
    const std::string name = EnvironmentName(spec);
    const char* text = std::getenv(name.c_str());
    if (!text) continue;
    if (const auto value = ParseValue(spec, text)) {
      Put(spec, {*value, "environment " + name});
    } else {
      problems.push_back(fmt::format("environment {}: {}", name, value.error().Message()));
    }
  }
  return problems;
}

Result<Scenario> Scenario::Parse(std::string_view content, const std::string& name) {
  Scenario scenario;
  scenario.source_ = name;
  for (const KeySpec& spec : ScenarioKeys()) {
    if (!spec.default_text.empty()) {
      scenario.defaults_[spec.name()] = {*ParseValue(spec, spec.default_text), "default"};
    }
  }
  std::vector<std::string> problems = scenario.ReadToml(content, name);
  if (!problems.empty()) return Fail(std::move(problems));
  return scenario;
}

Result<Scenario> Scenario::Load(const std::string& source, const std::vector<std::string>& sets) {
  const bool built_in = source.rfind("builtin:", 0) == 0;
  if (built_in && source != "builtin:paper") {
    return Fail(fmt::format("{}: there is no such built-in scenario: expected builtin:paper or a TOML file.", source),
                ErrorKind::kUsage);
  }
  Result<Scenario> scenario = [&]() -> Result<Scenario> {
    if (built_in) return Parse(PaperScenarioToml(), source);
    auto content = ReadFile(source, kLargestScenario);
    if (!content) return Fail(content.error());
    // The user's own defaults come first so that the scenario's file overrides them.
    std::string user_content;
    const std::string user_path = UserScenarioPath();
    if (!user_path.empty() && std::filesystem::exists(user_path)) {
      auto read = ReadFile(user_path, kLargestScenario);
      if (!read) return Fail(read.error());
      user_content = *read;
    }
    auto layered = Parse(user_content, user_path);
    if (!layered) return layered;
    layered->source_ = source;
    std::vector<std::string> problems = layered->ReadToml(*content, source);
    if (!problems.empty()) return Fail(std::move(problems));
    return layered;
  }();
  if (!scenario) return scenario;
  std::vector<std::string> problems = scenario->ReadEnvironment();
  if (!problems.empty()) return Fail(std::move(problems));
  for (const std::string& assignment : sets) {
    if (auto done = scenario->Set(assignment); !done) {
      problems.insert(problems.end(), done.error().problems.begin(), done.error().problems.end());
    }
  }
  if (!problems.empty()) return Fail(std::move(problems), ErrorKind::kUsage);
  return scenario;
}

Result<void> Scenario::Set(std::string_view assignment, const std::string& origin) {
  const size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    return Fail(
        fmt::format("{} {}: expected SECTION.KEY=VALUE, for example pv.dc_capacity_w=600.", origin, Quoted(assignment)),
        ErrorKind::kUsage);
  }
  const std::string_view name = Trim(assignment.substr(0, equals));
  const KeySpec* spec = FindKey(name);
  if (!spec) return Fail(fmt::format("{}: {}", origin, UnknownKey(name)), ErrorKind::kUsage);
  const auto value = ParseValue(*spec, assignment.substr(equals + 1));
  if (!value) return Fail(fmt::format("{}: {}", origin, value.error().Message()), ErrorKind::kUsage);
  Put(*spec, {*value, origin, true});
  return {};
}

bool Scenario::IsGiven(std::string_view key) const { return values_.find(key) != values_.end(); }

const SettledValue* Scenario::Find(std::string_view key) const {
  if (const auto given = values_.find(key); given != values_.end()) return &given->second;
  if (const auto fallback = defaults_.find(key); fallback != defaults_.end()) return &fallback->second;
  return nullptr;
}

double Scenario::NumberOf(std::string_view key) const { return std::get<double>(Find(key)->value); }
std::string Scenario::TextOf(std::string_view key) const { return std::get<std::string>(Find(key)->value); }

std::optional<double> Scenario::OptionalNumber(std::string_view key) const {
  return Has(key) ? std::optional(NumberOf(key)) : std::nullopt;
}

std::optional<std::string> Scenario::OptionalText(std::string_view key) const {
  return Has(key) ? std::optional(TextOf(key)) : std::nullopt;
}

std::string Scenario::PathOf(std::string_view key) const {
  const SettledValue& settled = *Find(key);
  const std::string path = std::get<std::string>(settled.value);
  static const std::vector<std::string> kNotPaths = {"bands", "fixed"};
  const bool is_path = path.rfind("builtin:", 0) != 0 && path.front() != '/' &&
                       std::find(kNotPaths.begin(), kNotPaths.end(), path) == kNotPaths.end();
  return is_path && !settled.folder.empty() ? settled.folder + "/" + path : path;
}

std::string Scenario::Cite(std::string_view key) const {
  const SettledValue& settled = *Find(key);
  return fmt::format("{}: {} is {}", settled.origin, key, FormatValue(settled.value));
}

ErrorKind Scenario::BlameFor(std::string_view key) const {
  const SettledValue* settled = Find(key);
  return settled && settled->from_command_line ? ErrorKind::kUsage : ErrorKind::kFailure;
}

}  // namespace heliograd
