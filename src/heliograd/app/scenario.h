// A scenario: the values of its keys, each with where it came from, before any file that it names is read.
//
// Precedence: command line > environment > scenario file (or built-in scenario) > user file > built-in default. Every
// mistake of a file is found in one pass.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/app/problems.h"
#include "heliograd/app/scenario_file.h"
#include "heliograd/app/scenario_schema.h"
#include "heliograd/base/result.h"

namespace heliograd {

struct SettledValue {
  KeyValue value;
  std::string origin;  // "my.toml:12", "--set", "environment HELIOGRAD_PV_TILT_DEG", "builtin:paper", "default"
  bool from_command_line = false;
  std::string folder{};  // that a relative path starts from: of the file it stands in; "" = the working folder
};

struct ScenarioReading;

class Scenario {
 public:
  /// As Load, but goes on after a mistake: what could be read, and every mistake. An error is a source that cannot be
  /// read at all.
  static Result<ScenarioReading> Read(const std::string& source, const std::vector<std::string>& sets);
  /// Reads "builtin:paper", kUserScenario or a TOML file, then the environment, then `sets` ("section.key=value" each).
  static Result<Scenario> Load(const std::string& source, const std::vector<std::string>& sets);
  /// The same from a file's content; neither the environment nor the user file is read. `name` appears in messages.
  static Result<Scenario> Parse(std::string_view content, const std::string& name);

  /// Sets one key from the command line. Setting job.hours forgets job.deadline and the other way round.
  Result<void> Set(std::string_view assignment, const std::string& origin = "--set");

  const std::string& source() const { return source_; }
  /// True when the key was given but refused: what follows from its absence is no further mistake.
  bool IsRefused(std::string_view key) const;
  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  /// True when the key was given by anyone, not only by a default.
  bool IsGiven(std::string_view key) const;
  /// The settled value or its default; nullptr when there is neither.
  const SettledValue* Find(std::string_view key) const;
  /// Precondition: the key has a value or a default, and is a number or a text.
  double NumberOf(std::string_view key) const;
  std::string TextOf(std::string_view key) const;
  std::optional<double> OptionalNumber(std::string_view key) const;
  std::optional<std::string> OptionalText(std::string_view key) const;
  /// A path as seen from the working folder: a relative path starts at the folder of the file it stands in.
  std::string PathOf(std::string_view key) const;
  const std::vector<BandRow>& bands() const { return bands_; }
  /// "job.hours (--set) is 3": names a value and its origin for messages.
  std::string Cite(std::string_view key) const;
  /// kUsage when the key's value came from the command line, else kFailure.
  ErrorKind BlameFor(std::string_view key) const;

 private:
  static Scenario WithDefaults(const std::string& source);
  void Put(const KeySpec& spec, SettledValue value);
  /// Takes over what the file gives; its problems are the answer.
  std::vector<std::string> ReadToml(std::string_view content, const std::string& name);
  std::vector<std::string> ReadEnvironment();

  std::string source_;
  bool whole_ = true;                           // false when a part of the file could not be read at all
  std::set<std::string, std::less<>> refused_;  // keys, or sections with all their keys
  std::map<std::string, SettledValue, std::less<>> values_;
  std::map<std::string, SettledValue, std::less<>> defaults_;
  std::vector<BandRow> bands_;
};

struct ScenarioReading {
  Scenario scenario;
  Problems problems;
  bool whole = true;  // false when the file could not be read to its end: keys may be missing for that
};

/// The study's scenario as a TOML file (docs: README, "The built-in scenario").
std::string_view PaperScenarioToml();
/// A commented template of a scenario file with every key.
std::string ScenarioTemplate();
/// Names the user's own scenario file as a source.
inline constexpr std::string_view kUserScenario = "user:scenario";
/// Where the user's own defaults lie: $XDG_CONFIG_HOME/heliograd/scenario.toml.
std::string UserScenarioPath();

}  // namespace heliograd
