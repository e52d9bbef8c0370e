// Every key that a scenario can have: its type, unit, range, default and meaning. The one list that the reader, the
// checker, `scenario new`, `scenario show`, --set and --vary all use.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd {

enum class KeyKind {
  kNumber,
  kText,    // free text, a name or a path
  kPath,    // a path (relative to the scenario file) or "builtin:NAME"
  kChoice,  // one of `choices`
  kTime     // civil time, "2025-01-01 20:00"
};

struct KeySpec {
  std::string section;
  std::string key;
  KeyKind kind = KeyKind::kNumber;
  double least = 0;  // numbers: range, both ends included unless the flags below say otherwise
  double most = 0;
  bool open_least = false;
  bool open_most = false;
  std::vector<std::string> choices{};
  std::string default_text{};  // as it would stand in a file; empty = none
  std::string meaning{};       // one line for people

  std::string name() const { return section + "." + key; }
};

/// A value of a key: number, or text for every other kind.
using KeyValue = std::variant<double, std::string>;

/// All keys, in the order of the sections of a file.
const std::vector<KeySpec>& ScenarioKeys();
/// The key called "section.key", or nullptr.
const KeySpec* FindKey(std::string_view name);
/// Names of the sections, in order.
std::vector<std::string> ScenarioSections();
/// Sentence for a section or key that does not exist, naming the nearest one.
std::string UnknownKey(std::string_view name);

/// The key or section that `name` is probably a slip of.
std::optional<std::string> NearestKey(std::string_view name);
/// The environment variable that sets the key: "HELIOGRAD_PV_TILT_DEG".
std::string EnvironmentName(const KeySpec& spec);
/// Refuses a variable of the environment that is meant for a key but names none, with the nearest; nothing for other
/// variables, those of other uses of HELIOGRAD_ included.
std::optional<std::string> UnknownVariable(std::string_view name);

/// Checks a number against the key's range, or a text against its choices. An empty answer means it is fine; else what
/// was expected: "a number from 0 to 90".
std::string Expected(const KeySpec& spec, const KeyValue& value);
/// "a number from 0 to 90", "one of 'roof', 'rack'".
std::string ExpectedText(const KeySpec& spec);
/// Reads a value as it is written on the command line. The error says what was expected.
Result<KeyValue> ParseValue(const KeySpec& spec, std::string_view text);
/// A value as it would stand in a file.
std::string FormatValue(const KeyValue& value);

}  // namespace heliograd
