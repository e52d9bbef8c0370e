#include "heliograd/app/scenario.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "heliograd/base/file.h"
#include "heliograd/base/path.h"
#include "heliograd/base/text.h"
#include "heliograd/base/time.h"

namespace heliograd {
namespace {

constexpr size_t kLargestScenario = size_t{1} << 20;

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
  ScenarioFile file = ReadScenarioFile(content, name);
  const std::string folder = std::filesystem::path(name).parent_path().string();
  for (ScenarioFile::Given& given : file.values) {
    Put(*given.spec, {std::move(given.value), std::move(given.origin), false, folder});
  }
  if (file.bands) bands_ = std::move(*file.bands);
  refused_.insert(file.refused.begin(), file.refused.end());
  whole_ = whole_ && file.whole;
  return file.problems;
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
      refused_.insert(spec.name());
    }
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view entry = *variable;
    if (auto problem = UnknownVariable(entry.substr(0, entry.find('=')))) problems.push_back(std::move(*problem));
  }
  return problems;
}

Scenario Scenario::WithDefaults(const std::string& source) {
  Scenario scenario;
  scenario.source_ = source;
  for (const KeySpec& spec : ScenarioKeys()) {
    if (!spec.default_text.empty()) {
      scenario.defaults_[spec.name()] = {*ParseValue(spec, spec.default_text), "default"};
    }
  }
  return scenario;
}

Result<Scenario> Scenario::Parse(std::string_view content, const std::string& name) {
  Scenario scenario = WithDefaults(name);
  std::vector<std::string> problems = scenario.ReadToml(content, name);
  if (!problems.empty()) return Fail(std::move(problems));
  return scenario;
}

Result<ScenarioReading> Scenario::Read(const std::string& source, const std::vector<std::string>& sets) {
  ScenarioReading reading{WithDefaults(source), {}};
  Scenario& scenario = reading.scenario;
  const auto add = [&](const std::vector<std::string>& problems) {
    for (const std::string& problem : problems) reading.problems.Add(problem, ErrorKind::kFailure);
  };
  if (source.rfind("builtin:", 0) == 0) {
    if (source != "builtin:paper") {
      return Fail(fmt::format("{}: there is no such built-in scenario: expected builtin:paper or a TOML file.", source),
                  ErrorKind::kUsage);
    }
    add(scenario.ReadToml(PaperScenarioToml(), source));
  } else if (source == kUserScenario) {
    const std::string path = UserScenarioPath();
    const Result<bool> is_there = path.empty() ? Result<bool>(false) : IsThere(path);
    if (!is_there) return Fail(is_there.error());
    if (!*is_there) {
      return Fail(
          fmt::format("no scenario is given, and you have none of your own{}: heliograd init writes it, or give "
                      "builtin:paper or a TOML file",
                      path.empty() ? "" : " (" + path + ")"),
          ErrorKind::kUsage);
    }
    const auto content = ReadFile(path, kLargestScenario);
    if (!content) return Fail(content.error());
    add(scenario.ReadToml(*content, path));
  } else {
    const auto content = ReadFile(source, kLargestScenario);
    if (!content) return Fail(content.error());
    // The user's own defaults come first so that the scenario's file overrides them.
    const std::string user_path = UserScenarioPath();
    const Result<bool> has_own = user_path.empty() ? Result<bool>(false) : IsThere(user_path);
    if (!has_own) return Fail(has_own.error());
    if (*has_own) {
      const auto defaults = ReadFile(user_path, kLargestScenario);
      if (!defaults) return Fail(defaults.error());
      add(scenario.ReadToml(*defaults, user_path));
    }
    add(scenario.ReadToml(*content, source));
  }
  add(scenario.ReadEnvironment());
  for (const std::string& assignment : sets) reading.problems.Note(scenario.Set(assignment));
  reading.whole = scenario.whole_;
  return reading;
}

Result<Scenario> Scenario::Load(const std::string& source, const std::vector<std::string>& sets) {
  auto reading = Read(source, sets);
  if (!reading) return Fail(reading.error());
  if (!reading->problems.empty()) return reading->problems.Fail();
  return std::move(reading->scenario);
}

bool Scenario::IsRefused(std::string_view key) const {
  return refused_.count(key) > 0 || refused_.count(key.substr(0, key.find('.'))) > 0;
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
  if (!spec) {
    if (const auto nearest = NearestKey(name)) refused_.insert(*nearest);
    return Fail(fmt::format("{}: {}", origin, UnknownKey(name)), ErrorKind::kUsage);
  }
  const auto value = ParseValue(*spec, assignment.substr(equals + 1));
  if (!value) {
    refused_.insert(spec->name());
    return Fail(fmt::format("{}: {}", origin, value.error().Message()), ErrorKind::kUsage);
  }
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
